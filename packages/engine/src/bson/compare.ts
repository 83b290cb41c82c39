/** MongoDB's order of values (manual, "Comparison/Sort Order") and equality that agrees with it. */

import { decodeDocument } from './codec.ts';
import {
  compareDecimals,
  compareDecimalToNumber,
  decimalNumberKey,
  decimalParts,
} from './decimal-compare.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
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
} from './value.ts';

/** Orders strings; `query/collation.ts` makes one from MongoDB's collation document. */
export interface Collator {
  compare(a: string, b: string): number;
  /** Equal for two strings exactly when `compare` gives 0. */
  key(text: string): string;
}

/** Ranks of the types in MongoDB's order; types of one rank compare by value. */
export const TypeOrder = {
  minKey: -1,
  missing: 0,
  null: 5,
  number: 10,
  string: 15,
  object: 20,
  array: 25,
  binData: 30,
  objectId: 35,
  bool: 40,
  date: 45,
  timestamp: 47,
  regex: 50,
  dbPointer: 55,
  javascript: 60,
  javascriptWithScope: 65,
  maxKey: 127,
} as const;

/** The rank of a value's type; a missing value and BSON's `undefined` share one, below null. */
export function typeOrder(value: Value | undefined): number {
  switch (typeof value) {
    case 'undefined':
      return TypeOrder.missing;
    case 'number':
    case 'bigint':
      return TypeOrder.number;
    case 'string':
      return TypeOrder.string;
    case 'boolean':
      return TypeOrder.bool;
    default:
      return objectOrder(value);
  }
}

function objectOrder(value: Exclude<Value, string | number | boolean | bigint>): number {
  if (value === null) return TypeOrder.null;
  if (value instanceof Map) return TypeOrder.object;
  if (Array.isArray(value)) return TypeOrder.array;
  if (value instanceof ObjectId) return TypeOrder.objectId;
  if (value instanceof DateTime) return TypeOrder.date;
  if (value instanceof Double || value instanceof Decimal128) return TypeOrder.number;
  if (value instanceof RawDocument) return TypeOrder.object;
  if (value instanceof Binary) return TypeOrder.binData;
  if (value instanceof Timestamp) return TypeOrder.timestamp;
  if (value instanceof BSONRegExp) return TypeOrder.regex;
  if (value instanceof MinKey) return TypeOrder.minKey;
  if (value instanceof MaxKey) return TypeOrder.maxKey;
  if (value instanceof BsonUndefined) return TypeOrder.missing;
  if (value instanceof BSONSymbol) return TypeOrder.string;
  if (value instanceof Code) return TypeOrder.javascript;
  if (value instanceof CodeWithScope) return TypeOrder.javascriptWithScope;
  return TypeOrder.dbPointer;
}

/** Order of code points, as of the UTF-8 bytes: UTF-16 units differ where surrogates come in. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const unitA = a.charCodeAt(i);
    const unitB = b.charCodeAt(i);
    if (unitA !== unitB) {
      if (unitA >= 0xd800 && unitB >= 0xd800) {
        const surrogateA = unitA < 0xe000;
        if (surrogateA !== unitB < 0xe000) return surrogateA ? 1 : -1;
      }
      return unitA < unitB ? -1 : 1;
    }
  }
  return a.length < b.length ? -1 : 1;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

/** A number of any BSON type. */
export type NumericValue = number | bigint | Double | Decimal128;

export function isNumeric(value: Value | undefined): value is NumericValue {
  return (
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof Double ||
    value instanceof Decimal128
  );
}

/** JavaScript compares numbers with bigints exactly; NaN comes below every number here. */
function comparePlain(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  // biome-ignore lint/suspicious/noDoubleEquals: 1 and 1n are the same number
  if (a == b) return 0;
  const aNan = typeof a === 'number' && Number.isNaN(a);
  const bNan = typeof b === 'number' && Number.isNaN(b);
  return aNan === bNan ? 0 : aNan ? -1 : 1;
}

/** Exact comparison of numbers across their types; NaN below every other, -0 equal to 0. */
export function compareNumbers(a: NumericValue, b: NumericValue): number {
  if (a instanceof Decimal128) {
    if (b instanceof Decimal128) return compareDecimals(decimalParts(a), decimalParts(b));
    return compareDecimalToNumber(a, b instanceof Double ? b.value : b);
  }
  const plainA = a instanceof Double ? a.value : a;
  if (b instanceof Decimal128) return 0 - compareDecimalToNumber(b, plainA);
  return comparePlain(plainA, b instanceof Double ? b.value : b);
}

function comparePrimitive(a: boolean | bigint, b: boolean | bigint): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareTexts(a: string, b: string, collation: Collator | undefined): number {
  return collation === undefined ? compareStrings(a, b) : collation.compare(a, b);
}

function asDocument(value: Document | RawDocument): Document {
  return value instanceof RawDocument ? decodeDocument(value.bytes) : value;
}

/** Field by field: type, then name, then value; a document that runs out first is less. */
export function compareDocuments(a: Document, b: Document, collation?: Collator): number {
  const fieldsB = b.entries();
  for (const [nameA, valueA] of a) {
    const next = fieldsB.next();
    if (next.done === true) return 1;
    const [nameB, valueB] = next.value;
    const order = typeOrder(valueA) - typeOrder(valueB);
    if (order !== 0) return order < 0 ? -1 : 1;
    if (nameA !== nameB) return compareStrings(nameA, nameB);
    const result = compareValues(valueA, valueB, collation);
    if (result !== 0) return result;
  }
  return fieldsB.next().done === true ? 0 : -1;
}

function compareArrays(a: readonly Value[], b: readonly Value[], collation?: Collator): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const result = compareValues(a[i], b[i], collation);
    if (result !== 0) return result;
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1;
}

function compareBinaries(a: Binary, b: Binary): number {
  if (a.position !== b.position) return a.position < b.position ? -1 : 1;
  if (a.sub_type !== b.sub_type) return a.sub_type < b.sub_type ? -1 : 1;
  return compareBytes(a.buffer.subarray(0, a.position), b.buffer.subarray(0, b.position));
}

function compareTimestamps(a: Timestamp, b: Timestamp): number {
  const highA = a.high >>> 0;
  const highB = b.high >>> 0;
  if (highA !== highB) return highA < highB ? -1 : 1;
  const lowA = a.low >>> 0;
  const lowB = b.low >>> 0;
  return lowA === lowB ? 0 : lowA < lowB ? -1 : 1;
}

function textOf(value: Value | undefined): string {
  return value instanceof BSONSymbol ? value.value : String(value);
}

/** Both values are of the rank `order`. */
function compareSameOrder(
  a: Value | undefined,
  b: Value | undefined,
  collation: Collator | undefined,
): number {
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return comparePrimitive(a, b);
  if (a instanceof ObjectId && b instanceof ObjectId) {
    return a === b ? 0 : compareBytes(a.id, b.id);
  }
  if (a instanceof DateTime && b instanceof DateTime) {
    return comparePrimitive(a.epochMs, b.epochMs);
  }
  if (
    (a instanceof Map || a instanceof RawDocument) &&
    (b instanceof Map || b instanceof RawDocument)
  ) {
    return a === b ? 0 : compareDocuments(asDocument(a), asDocument(b), collation);
  }
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b, collation);
  if (a instanceof Binary && b instanceof Binary) return compareBinaries(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareTimestamps(a, b);
  if (a instanceof BSONRegExp && b instanceof BSONRegExp) {
    return compareStrings(a.pattern, b.pattern) || compareStrings(a.options, b.options);
  }
  if (a instanceof Code && b instanceof Code) return compareStrings(a.code, b.code);
  if (a instanceof CodeWithScope && b instanceof CodeWithScope) {
    return compareStrings(a.code, b.code) || compareDocuments(a.scope, b.scope);
  }
  if (a instanceof DbPointer && b instanceof DbPointer) {
    return compareStrings(a.namespace, b.namespace) || compareBytes(a.id.id, b.id.id);
  }
  // Null, missing and undefined, MinKey, MaxKey: one value each.
  if (a === null || a === undefined || a instanceof BsonUndefined) return 0;
  if (a instanceof MinKey || a instanceof MaxKey) return 0;
  return compareTexts(textOf(a), textOf(b), collation);
}

/**
 * Negative, zero or positive as `a` sorts before, with or after `b`. JS `undefined` is a missing
 * value, which sorts below null; where MongoDB takes missing for null the caller passes null.
 */
export function compareValues(
  a: Value | undefined,
  b: Value | undefined,
  collation?: Collator,
): number {
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b, collation);
  if (typeof a === 'number' && typeof b === 'number' && a !== b) return comparePlain(a, b);
  const order = typeOrder(a) - typeOrder(b);
  if (order !== 0) return order < 0 ? -1 : 1;
  return compareSameOrder(a, b, collation);
}

/** True when MongoDB holds the values equal: 1, 1.0, NumberLong(1) are one value. */
export function valuesEqual(
  a: Value | undefined,
  b: Value | undefined,
  collation?: Collator,
): boolean {
  if (a === b) return true;
  if (typeof a === 'string' && typeof b === 'string') {
    return collation !== undefined && collation.compare(a, b) === 0;
  }
  return compareValues(a, b, collation) === 0;
}

/** True when the values are the same to the bit of their encoding, types included. */
export function valuesIdentical(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return !(typeof a === 'number' && a === 0) || Object.is(a, b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return typeof a === 'number' && Object.is(a, b);
  }
  if (a instanceof RawDocument || b instanceof RawDocument) {
    return (
      (a instanceof Map || a instanceof RawDocument) &&
      (b instanceof Map || b instanceof RawDocument) &&
      valuesIdentical(asDocument(a), asDocument(b))
    );
  }
  if (a instanceof Map) return b instanceof Map && documentsIdentical(a, b);
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((item, i) => valuesIdentical(item, b[i]))
    );
  }
  if (a instanceof Double) return b instanceof Double && Object.is(a.value, b.value);
  if (a instanceof Decimal128) {
    return b instanceof Decimal128 && compareBytes(a.bytes, b.bytes) === 0;
  }
  if (a instanceof CodeWithScope) {
    return b instanceof CodeWithScope && a.code === b.code && documentsIdentical(a.scope, b.scope);
  }
  return a.constructor === b.constructor && compareValues(a, b) === 0;
}

function documentsIdentical(a: Document, b: Document): boolean {
  if (a.size !== b.size) return false;
  const fieldsB = b.entries();
  for (const [name, value] of a) {
    const next = fieldsB.next();
    if (next.done === true || next.value[0] !== name) return false;
    if (!valuesIdentical(value, next.value[1])) return false;
  }
  return true;
}

// ---------------------------------------------------------------- keys

function numberKey(value: NumericValue): string {
  if (value instanceof Decimal128) return decimalNumberKey(value);
  const plain = value instanceof Double ? value.value : value;
  if (typeof plain === 'bigint') {
    const near = Number(plain);
    return BigInt(near) === plain ? `n${near}` : `i${plain}`;
  }
  return plain === 0 ? 'n0' : `n${plain}`;
}

/**
 * A string that two values share exactly when `valuesEqual` holds them equal; for grouping, sets
 * and distinct.
 */
export function hashableKey(value: Value | undefined, collation?: Collator): string {
  switch (typeof value) {
    case 'undefined':
      return 'u';
    case 'string':
      return `s${collation === undefined ? value : collation.key(value)}`;
    case 'number':
    case 'bigint':
      return numberKey(value);
    case 'boolean':
      return value ? 't' : 'f';
    default:
      return objectKey(value, collation);
  }
}

/** A key inside another: its length first, so that no two sequences of keys read alike. */
function sized(key: string): string {
  return `${key.length}:${key}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

function objectKey(
  value: Exclude<Value, string | number | boolean | bigint>,
  collation: Collator | undefined,
): string {
  if (value === null) return 'z';
  if (value instanceof ObjectId) return `o${value.toHexString()}`;
  if (value instanceof DateTime) return `d${value.epochMs}`;
  if (value instanceof Double || value instanceof Decimal128) return numberKey(value);
  if (value instanceof Map || value instanceof RawDocument) {
    let key = '{';
    for (const [name, member] of asDocument(value)) {
      key += sized(name) + sized(hashableKey(member, collation));
    }
    return key;
  }
  if (Array.isArray(value)) {
    let key = '[';
    for (const item of value) key += sized(hashableKey(item, collation));
    return key;
  }
  if (value instanceof Binary) {
    return `b${value.sub_type}:${hex(value.buffer.subarray(0, value.position))}`;
  }
  if (value instanceof Timestamp) return `T${value.high >>> 0}:${value.low >>> 0}`;
  if (value instanceof BSONRegExp) return `r${sized(value.pattern)}${value.options}`;
  if (value instanceof MinKey) return '-';
  if (value instanceof MaxKey) return '+';
  if (value instanceof BsonUndefined) return 'u';
  if (value instanceof BSONSymbol) return hashableKey(value.value, collation);
  if (value instanceof CodeWithScope) return `S${sized(value.code)}${hashableKey(value.scope)}`;
  if (value instanceof Code) return `c${value.code}`;
  return `p${sized(value.namespace)}${value.id.toHexString()}`;
}
