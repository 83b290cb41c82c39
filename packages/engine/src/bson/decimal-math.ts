/**
 * Arithmetic on Decimal128 as IEEE 754-2008 has it: results rounded half to even to 34 digits, with
 * the preferred exponent, so that 1.10 + 2.20 is 3.30. Functions beyond the four operations go
 * through decimal.js, which has no such exponents.
 */
import { Decimal as DecimalJs } from 'decimal.js';
import {
  DECIMAL_INFINITY,
  DECIMAL_NAN,
  DECIMAL_NEGATIVE_INFINITY,
  DECIMAL_ZERO,
  type DecimalParts,
  decimalParts,
  digitCount,
  fromParts,
  MAX_DIGITS,
  makeDecimal,
  powerOfTen,
} from './decimal.ts';
import { exactParts } from './decimal-compare.ts';
import type { Decimal128 } from './value.ts';

const Big = DecimalJs.clone({
  precision: MAX_DIGITS,
  rounding: DecimalJs.ROUND_HALF_EVEN,
  minE: -6176,
  maxE: 6144,
});

type Finite = Extract<DecimalParts, { kind: 'finite' }>;

function infinity(negative: boolean): Decimal128 {
  return negative ? DECIMAL_NEGATIVE_INFINITY : DECIMAL_INFINITY;
}

function signed(parts: Finite): bigint {
  return parts.negative ? -parts.coefficient : parts.coefficient;
}

export function negateDecimal(value: Decimal128): Decimal128 {
  const parts = decimalParts(value);
  if (parts.kind === 'nan') return value;
  return fromParts({ ...parts, negative: !parts.negative });
}

export function addDecimals(left: Decimal128, right: Decimal128): Decimal128 {
  const a = decimalParts(left);
  const b = decimalParts(right);
  if (a.kind === 'nan' || b.kind === 'nan') return DECIMAL_NAN;
  if (a.kind === 'infinite') {
    return b.kind === 'infinite' && a.negative !== b.negative ? DECIMAL_NAN : infinity(a.negative);
  }
  if (b.kind === 'infinite') return infinity(b.negative);
  const exponent = Math.min(a.exponent, b.exponent);
  const sum =
    signed(a) * powerOfTen(a.exponent - exponent) + signed(b) * powerOfTen(b.exponent - exponent);
  const negative = sum === 0n ? a.negative && b.negative : sum < 0n;
  return makeDecimal(negative, sum < 0n ? -sum : sum, exponent);
}

export function subtractDecimals(left: Decimal128, right: Decimal128): Decimal128 {
  return addDecimals(left, negateDecimal(right));
}

export function multiplyDecimals(left: Decimal128, right: Decimal128): Decimal128 {
  const a = decimalParts(left);
  const b = decimalParts(right);
  if (a.kind === 'nan' || b.kind === 'nan') return DECIMAL_NAN;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinite' || b.kind === 'infinite') {
    const zero =
      (a.kind === 'finite' && a.coefficient === 0n) ||
      (b.kind === 'finite' && b.coefficient === 0n);
    return zero ? DECIMAL_NAN : infinity(negative);
  }
  return makeDecimal(negative, a.coefficient * b.coefficient, a.exponent + b.exponent);
}

export function divideDecimals(left: Decimal128, right: Decimal128): Decimal128 {
  const a = decimalParts(left);
  const b = decimalParts(right);
  if (a.kind === 'nan' || b.kind === 'nan') return DECIMAL_NAN;
  const negative = a.negative !== b.negative;
  if (a.kind === 'infinite') return b.kind === 'infinite' ? DECIMAL_NAN : infinity(negative);
  if (b.kind === 'infinite') return makeDecimal(negative, 0n, 0);
  if (b.coefficient === 0n) return a.coefficient === 0n ? DECIMAL_NAN : infinity(negative);
  const preferred = a.exponent - b.exponent;
  if (a.coefficient === 0n) return makeDecimal(negative, 0n, preferred);
  const shift = Math.max(0, MAX_DIGITS + 2 + digitCount(b.coefficient) - digitCount(a.coefficient));
  const numerator = a.coefficient * powerOfTen(shift);
  let quotient = numerator / b.coefficient;
  let exponent = preferred - shift;
  if (numerator % b.coefficient !== 0n) return makeDecimal(negative, quotient, exponent, true);
  while (exponent < preferred && quotient % 10n === 0n) {
    quotient /= 10n;
    exponent += 1;
  }
  return makeDecimal(negative, quotient, exponent);
}

/** The remainder with the sign of the dividend. */
export function moduloDecimals(left: Decimal128, right: Decimal128): Decimal128 {
  const a = decimalParts(left);
  const b = decimalParts(right);
  if (a.kind !== 'finite' || b.kind === 'nan') return DECIMAL_NAN;
  if (b.kind === 'infinite') return left;
  if (b.coefficient === 0n) return DECIMAL_NAN;
  const exponent = Math.min(a.exponent, b.exponent);
  const dividend = a.coefficient * powerOfTen(a.exponent - exponent);
  const divisor = b.coefficient * powerOfTen(b.exponent - exponent);
  return makeDecimal(a.negative, dividend % divisor, exponent);
}

/** How to round what lies between two results. */
export type RoundingMode = 'half-even' | 'trunc' | 'floor' | 'ceil';

function roundQuotient(size: bigint, unit: bigint, negative: boolean, mode: RoundingMode): bigint {
  const quotient = size / unit;
  const rest = size % unit;
  if (rest === 0n) return quotient;
  const up =
    mode === 'half-even'
      ? rest * 2n > unit || (rest * 2n === unit && (quotient & 1n) === 1n)
      : mode === 'floor'
        ? negative
        : mode === 'ceil' && !negative;
  return up ? quotient + 1n : quotient;
}

/** `value` rounded to `places` decimals (negative: to tens, hundreds …). */
export function roundDecimal(value: Decimal128, places: number, mode: RoundingMode): Decimal128 {
  const parts = decimalParts(value);
  if (parts.kind !== 'finite' || parts.exponent >= -places) return value;
  const unit = powerOfTen(-places - parts.exponent);
  return makeDecimal(
    parts.negative,
    roundQuotient(parts.coefficient, unit, parts.negative, mode),
    -places,
  );
}

/** A finite double rounded exactly to `places` decimals; the double nearest to the result. */
export function roundDouble(value: number, places: number, mode: RoundingMode): number {
  const parts = exactParts(value);
  if (parts.kind !== 'finite' || parts.exponent >= -places) return value;
  const unit = powerOfTen(-places - parts.exponent);
  const rounded = roundQuotient(parts.coefficient, unit, parts.negative, mode);
  const size = Number(`${rounded}e${-places}`);
  return parts.negative ? -size : size;
}

/** An int64 rounded to tens, hundreds … (`places` below zero). */
export function roundInteger(value: bigint, places: number, mode: RoundingMode): bigint {
  if (places >= 0) return value;
  const unit = powerOfTen(-places);
  const negative = value < 0n;
  const size = roundQuotient(negative ? -value : value, unit, negative, mode) * unit;
  return negative ? -size : size;
}

/** decimal.js functions that MongoDB offers for decimals. */
export type DecimalFunction =
  | 'sqrt'
  | 'exp'
  | 'ln'
  | 'log10'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh';

function toBig(value: Decimal128): DecimalJs {
  const parts = decimalParts(value);
  if (parts.kind === 'nan') return new Big(Number.NaN);
  if (parts.kind === 'infinite') return new Big(parts.negative ? -Infinity : Infinity);
  return new Big(`${parts.negative ? '-' : ''}${parts.coefficient}e${parts.exponent}`);
}

function fromBig(value: DecimalJs): Decimal128 {
  if (value.isNaN()) return DECIMAL_NAN;
  if (!value.isFinite()) return infinity(value.isNegative());
  return parseDecimal(value.toString()) ?? DECIMAL_NAN;
}

/** Applies a function to a decimal. */
export function applyToDecimal(name: DecimalFunction, value: Decimal128): Decimal128 {
  const input = toBig(value);
  switch (name) {
    case 'sqrt':
      return fromBig(input.sqrt());
    case 'exp':
      return fromBig(input.exp());
    case 'ln':
      return fromBig(input.ln());
    case 'log10':
      return fromBig(input.log(10));
    default:
      return fromBig(Big[name](input));
  }
}

export function powerOfDecimal(base: Decimal128, exponent: Decimal128): Decimal128 {
  return fromBig(toBig(base).pow(toBig(exponent)));
}

export function atan2Decimals(y: Decimal128, x: Decimal128): Decimal128 {
  return fromBig(Big.atan2(toBig(y), toBig(x)));
}

const NUMERAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

/** A numeral, `Infinity` or `NaN` as Decimal128, rounded to 34 digits; `undefined` for other text. */
export function parseDecimal(text: string): Decimal128 | undefined {
  const match = NUMERAL.exec(text);
  if (match === null) {
    if (/^[+-]?nan$/i.test(text)) return DECIMAL_NAN;
    const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
    return infinite === null ? undefined : infinity(infinite[1] === '-');
  }
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  return makeDecimal(sign === '-', BigInt(whole + fraction), Number(exponent) - fraction.length);
}

export { DECIMAL_NAN, DECIMAL_ZERO };
