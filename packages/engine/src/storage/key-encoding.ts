/**
 * Index keys: bytes whose order is MongoDB's order of the values (`bson/compare.ts`), and which are
 * the same for values that are equal, such as 1, 1.0, NumberLong(1) and Decimal128 "1.00".
 */

import { decodeDocument } from '../bson/codec.ts';
import { type Collator, compareNumbers, typeOrder } from '../bson/compare.ts';
import { digitCount, normalizedParts } from '../bson/decimal.ts';
import { decimalParts } from '../bson/decimal-compare.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  type BsonUndefined,
  Code,
  CodeWithScope,
  DateTime,
  DbPointer,
  Decimal128,
  type Document,
  Double,
  MaxKey,
  MinKey,
  ObjectId,
  RawDocument,
  Timestamp,
  type Value,
} from '../bson/value.ts';
import { KeyWriter, MAX_ORDERED_BYTES } from './key-writer.ts';

export type Direction = 1 | -1;

/** First byte of an encoded value; the order of the types. A 0 ends an array or a document. */
export const KeyTag = {
  end: 0,
  minKey: 1,
  missing: 3,
  null: 5,
  nan: 10,
  negativeInfinity: 11,
  negative: 12,
  zero: 13,
  positive: 14,
  infinity: 15,
  string: 20,
  object: 25,
  array: 30,
  binData: 35,
  objectId: 40,
  false: 45,
  true: 46,
  date: 50,
  timestamp: 55,
  regex: 60,
  dbPointer: 65,
  code: 70,
  codeWithScope: 75,
  maxKey: 240,
} as const;

/** Marks a double that is the number itself, and one that is only the next towards zero. */
const EXACT = 0;
const INEXACT = 1;

const writer = new KeyWriter();
const scratch = new DataView(new ArrayBuffer(8));

/** The next double towards zero from a positive one. */
function below(value: number): number {
  if (value === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  scratch.setFloat64(0, value);
  scratch.setBigInt64(0, scratch.getBigInt64(0) - 1n);
  return scratch.getFloat64(0);
}

/** Exponent and digits of a positive number: these order numbers that share the double below. */
function writeDecimal(out: KeyWriter, coefficient: bigint, exponent: number): void {
  const [digits, power] = normalizedParts(coefficient, exponent);
  out.uint32(digitCount(digits) + power + 0x8000);
  for (const digit of digits.toString()) out.byte(digit.charCodeAt(0));
  out.byte(0);
}

/** `magnitude` is the nearest double to `coefficient * 10 ** exponent`, both positive. */
function writeInexact(
  out: KeyWriter,
  magnitude: number,
  value: bigint | Decimal128,
  parts: { coefficient: bigint; exponent: number },
): void {
  const order = compareNumbers(toNumeric(magnitude), value);
  out.double(order > 0 ? below(magnitude) : magnitude);
  if (order === 0) {
    out.byte(EXACT);
  } else {
    out.byte(INEXACT);
    writeDecimal(out, parts.coefficient, parts.exponent);
  }
}

function toNumeric(value: number): number | Double {
  return new Double(value);
}

function writeDouble(out: KeyWriter, value: number): void {
  if (value > 0) {
    if (value === Number.POSITIVE_INFINITY) {
      out.byte(KeyTag.infinity);
      return;
    }
    const buffer = out.reserve(10);
    buffer[out.length] = KeyTag.positive;
    buffer.writeDoubleBE(value, out.length + 1);
    buffer[out.length + 9] = EXACT;
    out.length += 10;
  } else if (value < 0) {
    if (value === Number.NEGATIVE_INFINITY) {
      out.byte(KeyTag.negativeInfinity);
      return;
    }
    out.byte(KeyTag.negative);
    const start = out.length;
    out.double(-value);
    out.byte(EXACT);
    out.invert(start);
  } else {
    out.byte(value === 0 ? KeyTag.zero : KeyTag.nan);
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function writeInt64(out: KeyWriter, value: bigint): void {
  if (value <= MAX_SAFE && value >= -MAX_SAFE) {
    writeDouble(out, Number(value));
    return;
  }
  const magnitude = value < 0n ? -value : value;
  writeSigned(out, value < 0n, Number(magnitude), magnitude, {
    coefficient: magnitude,
    exponent: 0,
  });
}

function writeSigned(
  out: KeyWriter,
  negative: boolean,
  nearest: number,
  magnitude: bigint | Decimal128,
  parts: { coefficient: bigint; exponent: number },
): void {
  out.byte(negative ? KeyTag.negative : KeyTag.positive);
  const start = out.length;
  writeInexact(out, nearest, magnitude, parts);
  if (negative) out.invert(start);
}

function writeDecimal128(out: KeyWriter, value: Decimal128): void {
  const parts = decimalParts(value);
  if (parts.kind === 'nan') {
    out.byte(KeyTag.nan);
  } else if (parts.kind === 'infinite') {
    out.byte(parts.negative ? KeyTag.negativeInfinity : KeyTag.infinity);
  } else if (parts.coefficient === 0n) {
    out.byte(KeyTag.zero);
  } else {
    const text = `${parts.coefficient}e${parts.exponent}`;
    const magnitude = parts.negative ? absolute(value) : value;
    writeSigned(out, parts.negative, Number(text), magnitude, parts);
  }
}

function absolute(value: Decimal128): Decimal128 {
  const bytes = Buffer.from(value.bytes);
  bytes[15] = (bytes[15] as number) & 0x7f;
  return new Decimal128(bytes);
}

function writeDocument(out: KeyWriter, document: Document, collator: Collator | undefined): void {
  for (const [name, value] of document) {
    // the type comes before the name, the name before the value; ranks start at -1
    out.byte(typeOrder(value) + 2);
    out.string(name);
    writeValue(out, value, collator);
  }
  out.byte(KeyTag.end);
}

function writeText(out: KeyWriter, text: string, collator: Collator | undefined): void {
  out.byte(KeyTag.string);
  out.string(collator === undefined ? text : collator.key(text));
}

function writeValue(
  out: KeyWriter,
  value: Value | undefined,
  collator: Collator | undefined,
): void {
  switch (typeof value) {
    case 'undefined':
      out.byte(KeyTag.missing);
      return;
    case 'string':
      writeText(out, value, collator);
      return;
    case 'number':
      writeDouble(out, value);
      return;
    case 'bigint':
      writeInt64(out, value);
      return;
    case 'boolean':
      out.byte(value ? KeyTag.true : KeyTag.false);
      return;
    default:
      writeObject(out, value, collator);
  }
}

function writeObject(
  out: KeyWriter,
  value: Exclude<Value, string | number | boolean | bigint>,
  collator: Collator | undefined,
): void {
  if (value === null) {
    out.byte(KeyTag.null);
  } else if (value instanceof ObjectId) {
    out.byte(KeyTag.objectId);
    out.bytes(value.id);
  } else if (value instanceof Map) {
    out.byte(KeyTag.object);
    writeDocument(out, value, collator);
  } else if (value instanceof RawDocument) {
    writeObject(out, decodeDocument(value.bytes), collator);
  } else if (Array.isArray(value)) {
    out.byte(KeyTag.array);
    for (const item of value) writeValue(out, item, collator);
    out.byte(KeyTag.end);
  } else if (value instanceof DateTime) {
    out.byte(KeyTag.date);
    const buffer = out.reserve(8);
    out.length = buffer.writeBigUInt64BE(
      BigInt.asUintN(64, value.epochMs ^ (1n << 63n)),
      out.length,
    );
  } else if (value instanceof Double) {
    writeDouble(out, value.value);
  } else if (value instanceof Decimal128) {
    writeDecimal128(out, value);
  } else if (value instanceof BSONSymbol) {
    writeText(out, value.value, collator);
  } else {
    writeRareType(out, value);
  }
}

function writeRareType(
  out: KeyWriter,
  value:
    | Binary
    | Timestamp
    | BSONRegExp
    | Code
    | CodeWithScope
    | DbPointer
    | MinKey
    | MaxKey
    | BsonUndefined,
): void {
  if (value instanceof Binary) {
    out.byte(KeyTag.binData);
    out.uint32(value.position);
    out.byte(value.sub_type);
    out.bytes(value.buffer.subarray(0, value.position));
  } else if (value instanceof Timestamp) {
    out.byte(KeyTag.timestamp);
    out.uint32(value.high);
    out.uint32(value.low);
  } else if (value instanceof BSONRegExp) {
    out.byte(KeyTag.regex);
    out.string(value.pattern);
    out.string(value.options);
  } else if (value instanceof DbPointer) {
    out.byte(KeyTag.dbPointer);
    out.string(value.namespace);
    out.bytes(value.id.id);
  } else if (value instanceof CodeWithScope) {
    out.byte(KeyTag.codeWithScope);
    out.string(value.code);
    writeDocument(out, value.scope, undefined);
  } else if (value instanceof Code) {
    out.byte(KeyTag.code);
    out.string(value.code);
  } else if (value instanceof MinKey) {
    out.byte(KeyTag.minKey);
  } else if (value instanceof MaxKey) {
    out.byte(KeyTag.maxKey);
  } else {
    out.byte(KeyTag.missing);
  }
}

/**
 * The key of `values`, field after field. A key too long for the store is cut and ends in a hash:
 * still the same for equal values and different for others, but no longer in order beyond the cut
 * (`isTruncatedKey`).
 *
 * @param collator - strings are replaced by its keys, which tell equality but have no order
 */
export function encodeKey(
  values: readonly (Value | undefined)[],
  directions: readonly Direction[],
  collator?: Collator,
): Buffer {
  writer.length = 0;
  for (let i = 0; i < values.length; i++) {
    const start = writer.length;
    writeValue(writer, values[i], collator);
    if (directions[i] === -1) writer.invert(start);
  }
  return writer.finish();
}

/** One value's part of a key, whole however long it is; for the bounds of scans. */
export function encodeValue(
  value: Value | undefined,
  direction: Direction,
  collator?: Collator,
): Buffer {
  writer.length = 0;
  writeValue(writer, value, collator);
  if (direction === -1) writer.invert(0);
  return writer.copy();
}

/** The beginning of all keys whose strings begin with `prefix`: without the string's end. */
export function encodeStringPrefix(prefix: string, direction: Direction): Buffer {
  writer.length = 0;
  writeValue(writer, prefix, undefined);
  writer.length -= 2;
  if (direction === -1) writer.invert(0);
  return writer.copy();
}

/** True for a key that was too long and lost its end (before anything is appended to it). */
export function isTruncatedKey(key: Uint8Array): boolean {
  return key.length > MAX_ORDERED_BYTES;
}

/** What `encodeKey` would make of a key put together from the parts of `encodeValue`. */
export function joinKeyParts(parts: readonly Uint8Array[]): Buffer {
  writer.length = 0;
  for (const part of parts) writer.bytes(part);
  return writer.finish();
}
