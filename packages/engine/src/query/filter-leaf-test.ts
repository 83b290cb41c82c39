/** Tests of one value by one operator; paths, arrays and logic around them are in filter-match.ts. */

import {
  type Collator,
  compareValues,
  hashableKey,
  isNumeric,
  TypeOrder,
  typeOrder,
  valuesEqual,
} from '../bson/compare.ts';
import { toExactInt64 } from '../bson/numeric.ts';
import { typeNumber } from '../bson/types.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Double,
  MaxKey,
  MinKey,
  type Value,
} from '../bson/value.ts';
import type {
  BitsNode,
  CompareNode,
  CompareOperator,
  InNode,
  ModNode,
  TypeNode,
} from './filter-node.ts';
import { truncatedInt64 } from './filter-operands.ts';

import type { CompiledRegex } from './regex.ts';

/** Tests one value; nothing stands for a missing field. */
export type ValueTest = (value: Value | undefined) => boolean;

/** Nothing passes. */
export const NEVER: ValueTest = () => false;

/** Equality with null, which a missing field has too (and BSON's undefined no longer, since 8.0). */
export const isNullish: ValueTest = (value) => value === null || value === undefined;

/** Equality, by the collation. */
export function equalTest(target: Value, collation: Collator | undefined): ValueTest {
  if (target === null) return isNullish;
  switch (typeof target) {
    case 'string':
      if (collation === undefined) {
        return (value) =>
          value === target || (value instanceof BSONSymbol && value.value === target);
      }
      return (value) => valuesEqual(value, target, collation);
    case 'boolean':
      return (value) => value === target;
    case 'number':
      return (value) =>
        value === target ||
        (typeof value !== 'number' && isNumeric(value) && valuesEqual(value, target)) ||
        (Number.isNaN(target) && isNumeric(value) && valuesEqual(value, target));
    default: {
      const order = typeOrder(target);
      return (value) => typeOrder(value) === order && valuesEqual(value, target, collation);
    }
  }
}

const ACCEPTS: Readonly<Record<Exclude<CompareOperator, 'eq' | 'ne'>, (order: number) => boolean>> =
  {
    gt: (order) => order > 0,
    gte: (order) => order >= 0,
    lt: (order) => order < 0,
    lte: (order) => order <= 0,
  };

function isNaNNumber(value: Value | undefined): boolean {
  return (
    (typeof value === 'number' && Number.isNaN(value)) ||
    (value instanceof Object && isNumeric(value) && hashableKey(value) === 'nNaN')
  );
}

/** Less or greater, among values of one type. */
export function rangeTest(
  op: Exclude<CompareOperator, 'eq' | 'ne'>,
  target: Value,
  collation: Collator | undefined,
): ValueTest {
  const orEqual = op === 'gte' || op === 'lte';
  if (target === null) return orEqual ? isNullish : NEVER;
  if (isNaNNumber(target)) return orEqual ? isNaNNumber : NEVER;
  if (target instanceof MinKey || target instanceof MaxKey) {
    const all =
      target instanceof MinKey ? op === 'gt' || op === 'gte' : op === 'lt' || op === 'lte';
    const order = typeOrder(target);
    return (value) => (typeOrder(value) === order ? orEqual : all);
  }
  if (typeof target === 'number' || target instanceof Double) {
    const plain = typeof target === 'number' ? target : target.value;
    return numberRangeTest(op, plain, target);
  }
  const accepts = ACCEPTS[op];
  const order = typeOrder(target);
  const numeric = order === TypeOrder.number;
  return (value) =>
    typeOrder(value) === order &&
    !(numeric && isNaNNumber(value)) &&
    accepts(compareValues(value, target, collation));
}

/** The frequent case, one comparison for each stored double or int32. */
function numberRangeTest(
  op: Exclude<CompareOperator, 'eq' | 'ne'>,
  plain: number,
  target: Value,
): ValueTest {
  const accepts = ACCEPTS[op];
  const other: ValueTest = (value) =>
    isNumeric(value) && !isNaNNumber(value) && accepts(compareValues(value, target));
  switch (op) {
    case 'gt':
      return (value) => (typeof value === 'number' ? value > plain : other(value));
    case 'gte':
      return (value) => (typeof value === 'number' ? value >= plain : other(value));
    case 'lt':
      return (value) => (typeof value === 'number' ? value < plain : other(value));
    case 'lte':
      return (value) => (typeof value === 'number' ? value <= plain : other(value));
  }
}

/** Any comparison. */
export function compareTest(node: CompareNode, collation: Collator | undefined): ValueTest {
  if (node.op === 'eq' || node.op === 'ne') return equalTest(node.value, collation);
  return rangeTest(node.op, node.value, collation);
}

/** A regular expression, on strings and symbols. */
export function regexTest(regex: CompiledRegex): ValueTest {
  const { regExp } = regex;
  return (value) => {
    if (typeof value === 'string') return regExp.test(value);
    if (value instanceof BSONSymbol) return regExp.test(value.value);
    return (
      value instanceof BSONRegExp &&
      value.pattern === regex.pattern &&
      value.options === regex.options
    );
  };
}

/** Membership in a list of values and patterns. */
export function inTest(node: InNode, collation: Collator | undefined): ValueTest {
  const keys = new Set(node.values.map((value) => hashableKey(value, collation)));
  const nullable = node.values.includes(null);
  const regexes = node.regexes.map(regexTest);
  if (keys.size === 0 && regexes.length === 0) return NEVER;
  return (value) => {
    if (value === undefined) return nullable;
    if (value instanceof BsonUndefined) return false;
    if (keys.has(hashableKey(value, collation))) return true;
    for (const regex of regexes) if (regex(value)) return true;
    return false;
  };
}

/** A type by number or alias. */
export function typeTest(node: TypeNode): ValueTest {
  return (value) => value !== undefined && node.types.has(typeNumber(value));
}

/** Division with a remainder. */
export function modTest(node: ModNode): ValueTest {
  const { divisor, remainder } = node;
  const small = divisor >= -2147483648n && divisor <= 2147483647n;
  const plainDivisor = Number(divisor);
  const plainRemainder = Number(remainder);
  return (value) => {
    if (small && typeof value === 'number' && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
      return Math.trunc(value) % plainDivisor === plainRemainder;
    }
    const whole = truncatedInt64(value);
    return whole !== undefined && whole % divisor === remainder;
  };
}

/** Bits of a number or of binary data. */
export function bitsTest(node: BitsNode): ValueTest {
  const { op, positions } = node;
  const wantSet = op === 'allSet' || op === 'anySet';
  const all = op === 'allSet' || op === 'allClear';
  const decide = (isSet: (position: number) => boolean): boolean =>
    all
      ? positions.every((position) => isSet(position) === wantSet)
      : positions.some((position) => isSet(position) === wantSet);
  return (value) => {
    if (value instanceof Binary) {
      const { buffer, position: length } = value;
      return decide(
        (bit) => bit < length * 8 && (((buffer[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1,
      );
    }
    const whole = toExactInt64(value);
    if (whole === undefined) return false;
    // Positions past the last repeat the sign, as in two's complement.
    return decide((bit) => ((whole >> BigInt(Math.min(bit, 63))) & 1n) === 1n);
  };
}
