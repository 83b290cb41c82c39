/**
 * Arithmetic over BSON's four number types with MongoDB's promotions: int32 and int64 stay whole
 * while they fit, a double makes the result double, a decimal makes it decimal.
 */
import { isNumeric, type NumericValue } from './compare.ts';
import {
  decimalFromDouble,
  decimalFromInteger,
  decimalParts,
  decimalToDouble,
  powerOfTen,
} from './decimal.ts';
import {
  addDecimals,
  divideDecimals,
  moduloDecimals,
  multiplyDecimals,
  negateDecimal,
  type RoundingMode,
  roundDecimal,
  roundDouble,
  roundInteger,
  subtractDecimals,
} from './decimal-math.ts';
import { Decimal128, Double, isInt32, toDouble, type Value } from './value.ts';

export { isNumeric, type NumericValue } from './compare.ts';

export type NumericType = 'int' | 'long' | 'double' | 'decimal';

export const INT64_MIN: bigint = -(2n ** 63n);
export const INT64_MAX: bigint = 2n ** 63n - 1n;

export function numericType(value: NumericValue): NumericType {
  if (typeof value === 'number') return isInt32(value) ? 'int' : 'double';
  if (typeof value === 'bigint') return 'long';
  return value instanceof Double ? 'double' : 'decimal';
}

/** True for an int32 or an int64. */
export function isWholeType(value: Value | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && isInt32(value));
}

/** The nearest double. */
export function toNumber(value: NumericValue): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  return value instanceof Double ? value.value : decimalToDouble(value);
}

/** The number as Decimal128; a double is taken with 15 digits, as MongoDB does in arithmetic. */
export function toDecimal(value: NumericValue): Decimal128 {
  if (value instanceof Decimal128) return value;
  if (isWholeType(value)) return decimalFromInteger(value);
  return decimalFromDouble(toNumber(value));
}

/** The number as an integer when it is exactly one within 64 bits. */
export function toExactInt64(value: Value | undefined): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (!isNumeric(value)) return undefined;
  if (value instanceof Decimal128) {
    const parts = decimalParts(value);
    if (parts.kind !== 'finite' || (parts.exponent > 18 && parts.coefficient !== 0n)) {
      return undefined;
    }
    if (parts.coefficient === 0n) return 0n;
    const unit = parts.exponent < 0 ? powerOfTen(-parts.exponent) : 1n;
    if (parts.coefficient % unit !== 0n) return undefined;
    const size =
      parts.exponent < 0
        ? parts.coefficient / unit
        : parts.coefficient * powerOfTen(parts.exponent);
    return within64(parts.negative ? -size : size);
  }
  const plain = toNumber(value);
  return Number.isInteger(plain) ? within64(BigInt(plain)) : undefined;
}

function within64(value: bigint): bigint | undefined {
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined;
}

/** The number as a JS integer when it is exactly one within 32 bits. */
export function toExactInt32(value: Value | undefined): number | undefined {
  if (typeof value === 'number' && isInt32(value)) return value;
  const whole = toExactInt64(value);
  return whole !== undefined && whole >= -2147483648n && whole <= 2147483647n
    ? Number(whole)
    : undefined;
}

/** A whole result: int32 where both operands were and it fits, else int64, `undefined` past that. */
function wholeResult(result: bigint, long: boolean): NumericValue | undefined {
  if (!long && result >= -2147483648n && result <= 2147483647n) return Number(result);
  return within64(result);
}

type Operation = {
  readonly whole: (a: bigint, b: bigint) => bigint;
  readonly double: (a: number, b: number) => number;
  readonly decimal: (a: Decimal128, b: Decimal128) => Decimal128;
};

const ADD: Operation = { whole: (a, b) => a + b, double: (a, b) => a + b, decimal: addDecimals };
const SUBTRACT: Operation = {
  whole: (a, b) => a - b,
  double: (a, b) => a - b,
  decimal: subtractDecimals,
};
const MULTIPLY: Operation = {
  whole: (a, b) => a * b,
  double: (a, b) => a * b,
  decimal: multiplyDecimals,
};

/** `undefined` when a whole result leaves 64 bits. */
function calculate(
  operation: Operation,
  a: NumericValue,
  b: NumericValue,
): NumericValue | undefined {
  if (a instanceof Decimal128 || b instanceof Decimal128) {
    return operation.decimal(toDecimal(a), toDecimal(b));
  }
  if (isWholeType(a) && isWholeType(b)) {
    if (typeof a === 'number' && typeof b === 'number') {
      const result = operation.double(a, b);
      if (isInt32(result)) return result;
      if (Object.is(result, -0)) return 0;
    }
    return wholeResult(
      operation.whole(BigInt(a), BigInt(b)),
      typeof a === 'bigint' || typeof b === 'bigint',
    );
  }
  return toDouble(operation.double(toNumber(a), toNumber(b)));
}

function calculateOrDouble(operation: Operation, a: NumericValue, b: NumericValue): NumericValue {
  return calculate(operation, a, b) ?? toDouble(operation.double(toNumber(a), toNumber(b)));
}

/** The sum; past 64 bits as a double (the `$add` expression). */
export function addNumbers(a: NumericValue, b: NumericValue): NumericValue {
  return calculateOrDouble(ADD, a, b);
}

/** The difference; past 64 bits as a double (the `$subtract` expression). */
export function subtractNumbers(a: NumericValue, b: NumericValue): NumericValue {
  return calculateOrDouble(SUBTRACT, a, b);
}

/** The product; past 64 bits as a double (the `$multiply` expression). */
export function multiplyNumbers(a: NumericValue, b: NumericValue): NumericValue {
  return calculateOrDouble(MULTIPLY, a, b);
}

/** The sum, `undefined` past 64 bits (the `$inc` update). */
export function addWithin64(a: NumericValue, b: NumericValue): NumericValue | undefined {
  return calculate(ADD, a, b);
}

/** The product, `undefined` past 64 bits (the `$mul` update). */
export function multiplyWithin64(a: NumericValue, b: NumericValue): NumericValue | undefined {
  return calculate(MULTIPLY, a, b);
}

/** True for zero of any type and sign; division checks it first. */
export function isZero(value: NumericValue): boolean {
  if (typeof value === 'number') return value === 0;
  if (typeof value === 'bigint') return value === 0n;
  if (value instanceof Double) return value.value === 0;
  const parts = decimalParts(value);
  return parts.kind === 'finite' && parts.coefficient === 0n;
}

export function isNaNValue(value: NumericValue): boolean {
  if (value instanceof Decimal128) return decimalParts(value).kind === 'nan';
  return Number.isNaN(toNumber(value));
}

/** The quotient: a decimal if one takes part, else always a double (the `$divide` expression). */
export function divideNumbers(a: NumericValue, b: NumericValue): NumericValue {
  if (a instanceof Decimal128 || b instanceof Decimal128) {
    return divideDecimals(toDecimal(a), toDecimal(b));
  }
  return toDouble(toNumber(a) / toNumber(b));
}

/** The remainder, with the dividend's sign (the `$mod` expression). */
export function moduloNumbers(a: NumericValue, b: NumericValue): NumericValue {
  if (a instanceof Decimal128 || b instanceof Decimal128) {
    return moduloDecimals(toDecimal(a), toDecimal(b));
  }
  if (isWholeType(a) && isWholeType(b)) {
    const result = BigInt(a) % BigInt(b);
    return typeof a === 'bigint' || typeof b === 'bigint' ? result : Number(result);
  }
  return toDouble(toNumber(a) % toNumber(b));
}

/** The value without its sign; the smallest int32 becomes int64, the smallest int64 is refused. */
export function absNumber(value: NumericValue): NumericValue | undefined {
  if (value instanceof Decimal128) {
    const parts = decimalParts(value);
    return parts.kind !== 'nan' && parts.negative ? negateDecimal(value) : value;
  }
  if (typeof value === 'bigint') return within64(value < 0n ? -value : value);
  if (isWholeType(value)) return value === -2147483648 ? 2147483648n : Math.abs(value as number);
  return toDouble(Math.abs(toNumber(value)));
}

/** `value` rounded to `places` decimals, in its own type (`$round`, `$trunc`, `$floor`, `$ceil`). */
export function roundNumber(value: NumericValue, places: number, mode: RoundingMode): NumericValue {
  if (value instanceof Decimal128) return roundDecimal(value, places, mode);
  if (isWholeType(value)) {
    if (places >= 0) return value;
    const rounded = roundInteger(BigInt(value), places, mode);
    return wholeResult(rounded, typeof value === 'bigint') ?? toDouble(Number(rounded));
  }
  return toDouble(roundDouble(toNumber(value), places, mode));
}
