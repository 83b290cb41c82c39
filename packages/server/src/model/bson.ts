/**
 * The values the server computes with. Documents are Maps, because a plain object loses the order
 * of integer-like names ("2" before "1") and gives `__proto__` a meaning; leaf types are those of
 * the `bson` library, which the driver serialises natively, Maps included.
 *
 * Numbers: a JS `number` is an int32 (an integer within 32 bits); every double is a `Double`,
 * every int64 a `Long`. BSON's deprecated types: undefined reads as `null`, a DBPointer as the
 * document `{$ref, $id}`.
 */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Long,
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
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
};

/** A BSON document: field order kept, no inherited names. */
export type BsonDocument = Map<string, BsonValue>;

/** Any BSON value; a JS `number` is an int32. */
export type BsonValue =
  | null
  | boolean
  | number
  | string
  | Date
  | Long
  | Double
  | Decimal128
  | ObjectId
  | Binary
  | Timestamp
  | BSONRegExp
  | BSONSymbol
  | Code
  | MinKey
  | MaxKey
  | BsonDocument
  | BsonValue[];

/** The names of BSON types as the MongoDB Java driver spells them (`BsonType`), for error texts. */
export type BsonTypeName =
  | 'NULL'
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'DOUBLE'
  | 'DECIMAL128'
  | 'STRING'
  | 'DATE_TIME'
  | 'OBJECT_ID'
  | 'BINARY'
  | 'TIMESTAMP'
  | 'REGULAR_EXPRESSION'
  | 'SYMBOL'
  | 'JAVASCRIPT'
  | 'JAVASCRIPT_WITH_SCOPE'
  | 'MIN_KEY'
  | 'MAX_KEY'
  | 'DOCUMENT'
  | 'ARRAY';

/** Whether a value is a document (not an array). */
export function isDocument(value: unknown): value is BsonDocument {
  return value instanceof Map;
}

/** Whether a value is an int64; a Timestamp, which extends Long, is none. */
export function isInt64(value: unknown): value is Long {
  return value instanceof Long && !(value instanceof Timestamp);
}

/** The type name of a value, for texts such as `got INT32` (rest-documents.md §5.1). */
export function bsonTypeOf(value: BsonValue): BsonTypeName {
  if (value === null) return 'NULL';
  switch (typeof value) {
    case 'boolean':
      return 'BOOLEAN';
    case 'string':
      return 'STRING';
    case 'number':
      return Number.isInteger(value) && value === (value | 0) ? 'INT32' : 'DOUBLE';
    default:
  }
  if (value instanceof Map) return 'DOCUMENT';
  if (Array.isArray(value)) return 'ARRAY';
  if (value instanceof Date) return 'DATE_TIME';
  switch (value._bsontype) {
    case 'Long':
      return 'INT64';
    case 'Double':
      return 'DOUBLE';
    case 'Decimal128':
      return 'DECIMAL128';
    case 'ObjectId':
      return 'OBJECT_ID';
    case 'Binary':
      return 'BINARY';
    case 'Timestamp':
      return 'TIMESTAMP';
    case 'BSONRegExp':
      return 'REGULAR_EXPRESSION';
    case 'BSONSymbol':
      return 'SYMBOL';
    case 'Code':
      return value.scope ? 'JAVASCRIPT_WITH_SCOPE' : 'JAVASCRIPT';
    case 'MinKey':
      return 'MIN_KEY';
    case 'MaxKey':
      return 'MAX_KEY';
  }
}

/** The number inside an int32, int64 or double; `undefined` for anything else (Decimal128 too). */
export function toNumber(value: BsonValue | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (isInt64(value)) return value.toNumber();
  if (value instanceof Double) return value.value;
  return undefined;
}

/**
 * A document from the fields of a plain object, nested plain objects and arrays included.
 * For literals in code; never for client input, whose names may be integer-like or `__proto__`.
 */
export function documentOf(fields: Readonly<Record<string, unknown>>): BsonDocument {
  const document: BsonDocument = new Map();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) document.set(name, toBsonValue(value));
  }
  return document;
}

function toBsonValue(value: unknown): BsonValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') {
    return Number.isInteger(value) && value === (value | 0) && !Object.is(value, -0)
      ? value
      : new Double(value);
  }
  if (typeof value === 'bigint') return Long.fromBigInt(value);
  if (Array.isArray(value)) return value.map(toBsonValue);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return documentOf(value as Record<string, unknown>);
  }
  return value as BsonValue;
}
