/**
 * The values the engine computes with. Documents are Maps, because a plain object loses the order
 * of integer-like names ("2" before "1") and gives `__proto__` a meaning; leaf types are those of
 * the `bson` library.
 *
 * Numbers: a JS `number` that is an integer within 32 bits (and not -0) is an int32; any other JS
 * `number` is a double; a `bigint` is an int64; `Double` wraps those doubles that would otherwise
 * read as an int32 (1.0). `toDouble` gives the canonical form.
 */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';

export {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
};

/** A BSON date: milliseconds since the epoch in the full range of an int64. */
export class DateTime {
  readonly epochMs: bigint;
  constructor(epochMs: bigint | number) {
    this.epochMs = typeof epochMs === 'bigint' ? epochMs : BigInt(Math.trunc(epochMs));
  }
}

/** BSON's deprecated type 6; not the same as a missing field, which is JS `undefined`. */
export class BsonUndefined {
  static readonly instance: BsonUndefined = new BsonUndefined();
  /** Keeps TypeScript from taking any object for one of these. */
  readonly bsonType = 'undefined';
}

/** BSON's deprecated type 12. */
export class DbPointer {
  readonly namespace: string;
  readonly id: ObjectId;
  constructor(namespace: string, id: ObjectId) {
    this.namespace = namespace;
    this.id = id;
  }
}

/** JavaScript code with scope (type 15); code without scope is the library's `Code`. */
export class CodeWithScope {
  readonly code: string;
  readonly scope: Document;
  constructor(code: string, scope: Document) {
    this.code = code;
    this.scope = scope;
  }
}

/** Encoded BSON that passes through the encoder unchanged: the hot path from storage to a reply. */
export class RawDocument {
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

export type Document = Map<string, Value>;

export type Value =
  | null
  | boolean
  | string
  | number
  | bigint
  | Double
  | Document
  | Value[]
  | ObjectId
  | DateTime
  | Binary
  | Decimal128
  | Timestamp
  | BSONRegExp
  | Code
  | CodeWithScope
  | BSONSymbol
  | DbPointer
  | MinKey
  | MaxKey
  | BsonUndefined
  | RawDocument;

const INT32_MIN = -2147483648;
const INT32_MAX = 2147483647;

/** True when a JS number stands for an int32 in the engine's values. */
export function isInt32(value: number): boolean {
  return (
    Number.isInteger(value) && value >= INT32_MIN && value <= INT32_MAX && !Object.is(value, -0)
  );
}

/** The double `value` in canonical form: wrapped when a bare number would read as an int32. */
export function toDouble(value: number): number | Double {
  return isInt32(value) ? new Double(value) : value;
}

/** A document from an object literal, for replies and tests; `undefined` members are left out. */
export function toDocument(fields: Readonly<Record<string, Value | undefined>>): Document {
  const document: Document = new Map();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) document.set(name, value);
  }
  return document;
}

/** True for an embedded document (not an array, not a leaf type). */
export function isDocument(value: Value | undefined): value is Document {
  return value instanceof Map;
}
