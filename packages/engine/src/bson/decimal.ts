/**
 * IEEE 754-2008 decimal128 numbers (Decimal128 in BSON) taken apart into sign, coefficient and
 * exponent: exact, and keeping trailing zeros as the standard and MongoDB do.
 */
import { Decimal128 } from './value.ts';

/** A finite number is `(negative ? -1 : 1) * coefficient * 10 ** exponent`. */
export type DecimalParts =
  | { readonly kind: 'finite'; negative: boolean; coefficient: bigint; exponent: number }
  | { readonly kind: 'infinite'; negative: boolean }
  | { readonly kind: 'nan' };

export const MAX_DIGITS = 34;
const MAX_COEFFICIENT = 10n ** 34n - 1n;
export const MIN_EXPONENT = -6176;
export const MAX_EXPONENT = 6111;
const BIAS = 6176n;

/** 10 to the power of `exponent` (not negative), remembered for the usual ones. */
const POWERS: bigint[] = Array.from({ length: 70 }, (_, n) => 10n ** BigInt(n));
export function powerOfTen(exponent: number): bigint {
  return POWERS[exponent] ?? 10n ** BigInt(exponent);
}

/** Takes a Decimal128 apart. */
export function decimalParts(value: Decimal128): DecimalParts {
  const { bytes } = value;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const low = view.getBigUint64(0, true);
  const high = view.getBigUint64(8, true);
  const negative = high >> 63n === 1n;
  const combination = (high >> 58n) & 0x1fn;
  if (combination === 0x1fn) return { kind: 'nan' };
  if (combination === 0x1en) return { kind: 'infinite', negative };
  if (combination >> 3n === 3n) {
    // The second form encodes coefficients above the maximum only: non-canonical, read as zero.
    const exponent = Number(((high >> 47n) & 0x3fffn) - BIAS);
    return { kind: 'finite', negative, coefficient: 0n, exponent };
  }
  const exponent = Number(((high >> 49n) & 0x3fffn) - BIAS);
  const coefficient = ((high & 0x1ffffffffffffn) << 64n) | low;
  return {
    kind: 'finite',
    negative,
    coefficient: coefficient > MAX_COEFFICIENT ? 0n : coefficient,
    exponent,
  };
}

function pack(high: bigint, low: bigint): Decimal128 {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(low, 0);
  bytes.writeBigUInt64LE(high, 8);
  return new Decimal128(bytes);
}

export const DECIMAL_NAN: Decimal128 = pack(0x7c00000000000000n, 0n);
export const DECIMAL_INFINITY: Decimal128 = pack(0x7800000000000000n, 0n);
export const DECIMAL_NEGATIVE_INFINITY: Decimal128 = pack(0xf800000000000000n, 0n);
export const DECIMAL_ZERO: Decimal128 = pack(BIAS << 49n, 0n);

/** `numerator / denominator` rounded half to even; both not negative. */
function roundedQuotient(numerator: bigint, denominator: bigint, sticky: boolean): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator % denominator) * 2n;
  if (twice > denominator || (twice === denominator && (sticky || (quotient & 1n) === 1n))) {
    return quotient + 1n;
  }
  return quotient;
}

/** How many decimal digits a non-negative integer has (1 for zero). */
export function digitCount(value: bigint): number {
  return value.toString().length;
}

/**
 * The Decimal128 nearest to the parts (half to even, 34 digits); overflow gives infinity, underflow
 * zero. `sticky` says that the exact value is a little larger than the coefficient.
 */
export function makeDecimal(
  negative: boolean,
  coefficient: bigint,
  exponent: number,
  sticky = false,
): Decimal128 {
  let digits = coefficient;
  let power = exponent;
  const excess = Math.max(digitCount(digits) - MAX_DIGITS, MIN_EXPONENT - power);
  if (excess > 0 && digits !== 0n) {
    digits = roundedQuotient(digits, powerOfTen(excess), sticky);
    power += excess;
    if (digits > MAX_COEFFICIENT) {
      digits /= 10n;
      power += 1;
    }
  }
  if (digits === 0n) power = Math.min(Math.max(power, MIN_EXPONENT), MAX_EXPONENT);
  while (power > MAX_EXPONENT && digits * 10n <= MAX_COEFFICIENT) {
    digits *= 10n;
    power -= 1;
  }
  if (power > MAX_EXPONENT) return negative ? DECIMAL_NEGATIVE_INFINITY : DECIMAL_INFINITY;
  const sign = negative ? 1n << 63n : 0n;
  const high = sign | ((BigInt(power) + BIAS) << 49n) | (digits >> 64n);
  return pack(high, digits & 0xffffffffffffffffn);
}

/** The Decimal128 of parts, exact when they fit. */
export function fromParts(parts: DecimalParts): Decimal128 {
  switch (parts.kind) {
    case 'nan':
      return DECIMAL_NAN;
    case 'infinite':
      return parts.negative ? DECIMAL_NEGATIVE_INFINITY : DECIMAL_INFINITY;
    case 'finite':
      return makeDecimal(parts.negative, parts.coefficient, parts.exponent);
  }
}

/**
 * A double as Decimal128 with 15 significant digits: what MongoDB does when a double meets a decimal
 * in arithmetic ($add, $convert …).
 */
export function decimalFromDouble(value: number): Decimal128 {
  if (Number.isNaN(value)) return DECIMAL_NAN;
  if (!Number.isFinite(value)) return value < 0 ? DECIMAL_NEGATIVE_INFINITY : DECIMAL_INFINITY;
  const text = value.toExponential(14);
  const mark = text.indexOf('e');
  const coefficient = BigInt(text.slice(0, mark).replace(/[-.]/g, ''));
  // all 15 digits are kept, trailing zeros too: 2.5 becomes 2.50000000000000 (manual, `$toDecimal`)
  if (coefficient === 0n) return makeDecimal(Object.is(value, -0), 0n, 0);
  return makeDecimal(value < 0, coefficient, Number(text.slice(mark + 1)) - 14);
}

/** An integer as Decimal128 (always exact for an int64). */
export function decimalFromInteger(value: number | bigint): Decimal128 {
  const whole = BigInt(value);
  return makeDecimal(whole < 0n, whole < 0n ? -whole : whole, 0);
}

/** The double nearest to a Decimal128. */
export function decimalToDouble(value: Decimal128): number {
  const parts = decimalParts(value);
  if (parts.kind === 'nan') return Number.NaN;
  if (parts.kind === 'infinite') return parts.negative ? -Infinity : Infinity;
  // JavaScript's conversion of a numeral is correctly rounded.
  const size = Number(`${parts.coefficient}e${parts.exponent}`);
  return parts.negative ? -size : size;
}

/** The parts without trailing zeros in the coefficient; zero has exponent 0. */
export function normalizedParts(coefficient: bigint, exponent: number): [bigint, number] {
  if (coefficient === 0n) return [0n, 0];
  let digits = coefficient;
  let power = exponent;
  while (digits % 10n === 0n) {
    digits /= 10n;
    power += 1;
  }
  return [digits, power];
}
