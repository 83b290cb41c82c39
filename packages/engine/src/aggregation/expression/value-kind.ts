/** Questions about values that expression operators ask: type, truth, and how errors print them. */
import { isNumeric, type NumericValue } from '../../bson/compare.ts';
import { decimalParts, decimalToDouble, powerOfTen } from '../../bson/decimal.ts';
import { typeName } from '../../bson/types.ts';
import {
  Binary,
  BSONRegExp,
  BsonUndefined,
  DateTime,
  Decimal128,
  Double,
  isInt32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  type Value,
} from '../../bson/value.ts';

export { isNumeric, type NumericValue, typeName };

/** Null, undefined or missing: what most operators answer with null. */
export function isNullish(value: Value | undefined): value is null | undefined | BsonUndefined {
  return value === null || value === undefined || value instanceof BsonUndefined;
}

/** The aggregation framework's idea of true: everything but false, null, missing and zero. */
export function isTruthy(value: Value | undefined): boolean {
  switch (typeof value) {
    case 'boolean':
      return value;
    case 'undefined':
      return false;
    case 'number':
      return value !== 0;
    case 'bigint':
      return value !== 0n;
    case 'string':
      return true;
    default:
      if (value === null || value instanceof BsonUndefined) return false;
      if (value instanceof Double) return value.value !== 0;
      if (value instanceof Decimal128) return decimalToDouble(value) !== 0 || !isDecimalZero(value);
      return true;
  }
}

/** A numeric value as a JS double; an int64 or decimal is rounded to the nearest one. */
export function toJsNumber(value: NumericValue): number {
  if (typeof value === 'number') return value;
  if (value instanceof Double) return value.value;
  if (typeof value === 'bigint') return Number(value);
  return decimalToDouble(value);
}

/** The value as a JS integer when it stands for one in int32 range, whatever its numeric type. */
export function toInt32(value: Value | undefined): number | undefined {
  if (typeof value === 'number') {
    if (isInt32(value)) return value;
    return Object.is(value, -0) ? 0 : undefined;
  }
  if (!isNumeric(value)) return undefined;
  const number = toJsNumber(value);
  return isInt32(number) || number === 0 ? number + 0 : undefined;
}

/** The value as an int64 when it stands for an integer in that range. */
export function toInt64(value: Value | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (!isNumeric(value)) return undefined;
  const number = toJsNumber(value);
  if (!Number.isInteger(number)) return undefined;
  if (value instanceof Decimal128 && !Number.isSafeInteger(number)) {
    const exact = decimalToBigInt(value);
    return exact !== undefined && inInt64(exact) ? exact : undefined;
  }
  const integer = BigInt(number);
  return inInt64(integer) ? integer : undefined;
}

export function inInt64(value: bigint): boolean {
  return value >= -(2n ** 63n) && value < 2n ** 63n;
}

function isDecimalZero(value: Decimal128): boolean {
  const parts = decimalParts(value);
  return parts.kind === 'finite' && parts.coefficient === 0n;
}

/** A decimal with no fraction as a bigint, without going through a double. */
export function decimalToBigInt(value: Decimal128): bigint | undefined {
  const parts = decimalParts(value);
  if (parts.kind !== 'finite' || parts.exponent > 40) return undefined;
  let integer = parts.coefficient;
  if (parts.exponent >= 0) {
    integer *= powerOfTen(parts.exponent);
  } else {
    const divisor = powerOfTen(-parts.exponent);
    if (integer % divisor !== 0n) return undefined;
    integer /= divisor;
  }
  return parts.negative ? -integer : integer;
}

/** A value as MongoDB's error texts print it. */
export function describeValue(value: Value | undefined): string {
  switch (typeof value) {
    case 'undefined':
      return 'MISSING';
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return formatDouble(value);
    case 'boolean':
    case 'bigint':
      return String(value);
    default:
      return describeObject(value);
  }
}

function describeObject(value: Value): string {
  if (value === null) return 'null';
  if (value instanceof Map) {
    const fields = [...value].map(([name, field]) => `${name}: ${describeValue(field)}`);
    return fields.length === 0 ? '{}' : `{${fields.join(', ')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(describeValue).join(', ')}]`;
  if (value instanceof Double) return formatDouble(value.value);
  if (value instanceof DateTime) return formatIsoDate(value);
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof BsonUndefined) return 'undefined';
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  if (value instanceof Binary) return `BinData(${value.sub_type}, "${value.toString('hex')}")`;
  return String(value);
}

/** A double as MongoDB prints it: JS notation, with `inf` and `nan` spelt MongoDB's way. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (value === Number.POSITIVE_INFINITY) return 'Infinity';
  if (value === Number.NEGATIVE_INFINITY) return '-Infinity';
  return Object.is(value, -0) ? '-0' : String(value).replace(/e([+-])(\d)$/, 'e$10$2');
}

/** A date as `2024-01-31T08:00:00.000Z`, or its milliseconds where no calendar reaches. */
export function formatIsoDate(value: DateTime): string {
  const date = new Date(Number(value.epochMs));
  if (Number.isNaN(date.getTime())) return String(value.epochMs);
  const year = date.getUTCFullYear();
  const rest = date.toISOString().slice(-20);
  if (year >= 0 && year <= 9999) return date.toISOString();
  return `${year < 0 ? '-' : ''}${String(Math.abs(year)).padStart(4, '0')}${rest}`;
}
