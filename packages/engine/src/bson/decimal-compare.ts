/** Exact comparison of Decimal128 numbers with each other and with doubles and integers. */
import {
  type DecimalParts,
  decimalParts,
  decimalToDouble,
  digitCount,
  normalizedParts,
  powerOfTen,
} from './decimal.ts';
import type { Decimal128 } from './value.ts';

export { decimalParts };

/** NaN, then -Infinity, numbers, Infinity: the rank tells those apart that no arithmetic does. */
function rank(parts: DecimalParts): number {
  if (parts.kind === 'nan') return -2;
  if (parts.kind === 'infinite') return parts.negative ? -1 : 1;
  return 0;
}

function compareMagnitudes(
  coefficientA: bigint,
  exponentA: number,
  coefficientB: bigint,
  exponentB: number,
): number {
  if (coefficientA === 0n || coefficientB === 0n) {
    return coefficientA === coefficientB ? 0 : coefficientA === 0n ? -1 : 1;
  }
  const sizeA = digitCount(coefficientA) + exponentA;
  const sizeB = digitCount(coefficientB) + exponentB;
  if (sizeA !== sizeB) return sizeA < sizeB ? -1 : 1;
  const shift = exponentA - exponentB;
  const a = shift > 0 ? coefficientA * powerOfTen(shift) : coefficientA;
  const b = shift < 0 ? coefficientB * powerOfTen(-shift) : coefficientB;
  return a === b ? 0 : a < b ? -1 : 1;
}

export function compareDecimals(a: DecimalParts, b: DecimalParts): number {
  if (a.kind !== 'finite' || b.kind !== 'finite') return Math.sign(rank(a) - rank(b));
  const signA = a.coefficient === 0n ? 0 : a.negative ? -1 : 1;
  const signB = b.coefficient === 0n ? 0 : b.negative ? -1 : 1;
  if (signA !== signB) return signA < signB ? -1 : 1;
  if (signA === 0) return 0;
  return signA > 0
    ? compareMagnitudes(a.coefficient, a.exponent, b.coefficient, b.exponent)
    : compareMagnitudes(b.coefficient, b.exponent, a.coefficient, a.exponent);
}

const scratch = new DataView(new ArrayBuffer(8));

/** A finite double as an exact decimal: every double is `mantissa * 2 ** power`. */
export function exactParts(value: number): DecimalParts {
  if (Number.isNaN(value)) return { kind: 'nan' };
  if (!Number.isFinite(value)) return { kind: 'infinite', negative: value < 0 };
  if (value === 0) {
    return { kind: 'finite', negative: Object.is(value, -0), coefficient: 0n, exponent: 0 };
  }
  scratch.setFloat64(0, Math.abs(value));
  const bits = scratch.getBigUint64(0);
  const field = Number(bits >> 52n);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = field === 0 ? fraction : fraction | 0x10000000000000n;
  const power = (field === 0 ? 1 : field) - 1075;
  const negative = value < 0;
  if (power >= 0) {
    return { kind: 'finite', negative, coefficient: mantissa << BigInt(power), exponent: 0 };
  }
  // 2^-n is 5^n * 10^-n.
  return {
    kind: 'finite',
    negative,
    coefficient: mantissa * 5n ** BigInt(-power),
    exponent: power,
  };
}

function partsOf(value: number | bigint): DecimalParts {
  if (typeof value === 'number') return exactParts(value);
  const negative = value < 0n;
  return { kind: 'finite', negative, coefficient: negative ? -value : value, exponent: 0 };
}

export function compareDecimalToNumber(a: Decimal128, b: number | bigint): number {
  return compareDecimals(decimalParts(a), partsOf(b));
}

/** The part of `hashableKey` for decimals: the key of the equal double or int64 if there is one. */
export function decimalNumberKey(value: Decimal128): string {
  const parts = decimalParts(value);
  if (parts.kind === 'nan') return 'nNaN';
  if (parts.kind === 'infinite') return parts.negative ? 'n-Infinity' : 'nInfinity';
  if (parts.coefficient === 0n) return 'n0';
  const near = decimalToDouble(value);
  if (compareDecimals(parts, exactParts(near)) === 0) return `n${near}`;
  const [coefficient, exponent] = normalizedParts(parts.coefficient, parts.exponent);
  const sign = parts.negative ? '-' : '';
  if (exponent >= 0 && exponent < 20) return `i${sign}${coefficient * powerOfTen(exponent)}`;
  return `m${sign}${coefficient}e${exponent}`;
}
