/**
 * Sets of values of one field as ranges of encoded keys (`storage/key-encoding.ts`), in ascending
 * order: what index bounds are made of.
 */

import type { Collator } from '../bson/compare.ts';
import type { Value } from '../bson/value.ts';
import { describeValue } from '../query/describe.ts';
import {
  type Direction,
  encodeStringPrefix,
  encodeValue,
  KeyTag,
} from '../storage/key-encoding.ts';
import { prefixEnd } from '../storage/key-text.ts';

/** The keys from `low` up to but without `high`, and how explain writes that. */
export interface Interval {
  readonly low: Buffer;
  readonly high: Buffer;
  readonly lowText: string;
  readonly highText: string;
  readonly lowInclusive: boolean;
  readonly highInclusive: boolean;
  /** One single value. */
  readonly isPoint: boolean;
}

/** Ordered and disjoint. */
export type IntervalSet = readonly Interval[];

const LOWEST = Buffer.alloc(0);
const HIGHEST = Buffer.of(0xff);

export const FULL_INTERVAL: Interval = {
  low: LOWEST,
  high: HIGHEST,
  lowText: 'MinKey',
  highText: 'MaxKey',
  lowInclusive: true,
  highInclusive: true,
  isPoint: false,
};
export const FULL: IntervalSet = [FULL_INTERVAL];
export const EMPTY: IntervalSet = [];

export function isFull(set: IntervalSet): boolean {
  const [only] = set;
  return set.length === 1 && only !== undefined && only.low.length === 0 && only.high[0] === 0xff;
}

function after(key: Buffer): Buffer {
  return Buffer.from(prefixEnd(key) ?? HIGHEST);
}

export function point(value: Value | undefined, collator?: Collator): Interval {
  const low = encodeValue(value, 1, collator);
  const text = value === undefined ? 'undefined' : describeValue(value);
  return {
    low,
    high: after(low),
    lowText: text,
    highText: text,
    lowInclusive: true,
    highInclusive: true,
    isPoint: true,
  };
}

/** A type's range of first bytes and how explain names its ends. */
interface Bracket {
  readonly low: number;
  readonly high: number;
  readonly lowText: string;
  readonly highText: string;
  readonly highInclusive: boolean;
}

function bracket(
  low: number,
  high: number,
  lowText: string,
  highText: string,
  highInclusive = true,
): Bracket {
  return { low, high, lowText, highText, highInclusive };
}

/** By the first byte of a value's key: the values a range operator compares it with. */
function bracketOf(tag: number): Bracket {
  switch (tag) {
    case KeyTag.nan:
      return bracket(KeyTag.nan, KeyTag.nan + 1, 'nan.0', 'nan.0');
    case KeyTag.negativeInfinity:
    case KeyTag.negative:
    case KeyTag.zero:
    case KeyTag.positive:
    case KeyTag.infinity:
      return bracket(KeyTag.negativeInfinity, KeyTag.infinity + 1, '-inf.0', 'inf.0');
    case KeyTag.string:
      return bracket(KeyTag.string, KeyTag.string + 1, '""', '{}', false);
    case KeyTag.object:
      return bracket(KeyTag.object, KeyTag.object + 1, '{}', '[]', false);
    case KeyTag.array:
      return bracket(KeyTag.array, KeyTag.array + 1, '[]', 'BinData(0, )', false);
    case KeyTag.objectId:
      return bracket(
        KeyTag.objectId,
        KeyTag.objectId + 1,
        `ObjectId('000000000000000000000000')`,
        `ObjectId('ffffffffffffffffffffffff')`,
      );
    case KeyTag.false:
    case KeyTag.true:
      return bracket(KeyTag.false, KeyTag.true + 1, 'false', 'true');
    case KeyTag.date:
      return bracket(
        KeyTag.date,
        KeyTag.date + 1,
        'new Date(-9223372036854775808)',
        'new Date(9223372036854775807)',
      );
    default:
      return bracket(tag, tag + 1, 'MinKey', 'MaxKey');
  }
}

export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte';

/** The values of the same type on one side of `value`. */
export function range(op: RangeOperator, value: Value, collator?: Collator): Interval {
  const key = encodeValue(value, 1, collator);
  const own = bracketOf(key[0] as number);
  const text = describeValue(value);
  const orEqual = op === 'gte' || op === 'lte';
  if (op === 'gt' || op === 'gte') {
    return {
      low: orEqual ? key : after(key),
      high: Buffer.of(own.high),
      lowText: text,
      highText: own.highText,
      lowInclusive: orEqual,
      highInclusive: own.highInclusive,
      isPoint: false,
    };
  }
  return {
    low: Buffer.of(own.low),
    high: orEqual ? after(key) : key,
    lowText: own.lowText,
    highText: text,
    lowInclusive: true,
    highInclusive: orEqual,
    isPoint: false,
  };
}

/** All values of the types whose keys begin with a byte from `first` to `last`. */
export function typeRange(first: number, last: number): Interval {
  const own = bracketOf(first);
  const end = bracketOf(last);
  return {
    low: Buffer.of(own.low),
    high: Buffer.of(Math.max(end.high, last + 1)),
    lowText: own.lowText,
    highText: end.highText,
    lowInclusive: true,
    highInclusive: end.highInclusive,
    isPoint: false,
  };
}

/** The text that is next after all texts with this prefix, as explain shows it. */
function nextText(prefix: string): string {
  const last = prefix.charCodeAt(prefix.length - 1);
  return `${prefix.slice(0, -1)}${String.fromCharCode(last + 1)}`;
}

export function stringsWithPrefix(prefix: string): Interval {
  const low = encodeStringPrefix(prefix, 1);
  return {
    low,
    high: after(low),
    lowText: describeValue(prefix),
    highText: describeValue(nextText(prefix)),
    lowInclusive: true,
    highInclusive: false,
    isPoint: false,
  };
}

const byLow = (a: Interval, b: Interval): number =>
  Buffer.compare(a.low, b.low) || Buffer.compare(b.high, a.high);

/** Sorted, with overlapping ones joined. */
export function union(intervals: readonly Interval[]): IntervalSet {
  const sorted = [...intervals].sort(byLow);
  const joined: Interval[] = [];
  for (const next of sorted) {
    const last = joined.at(-1);
    if (last === undefined || Buffer.compare(next.low, last.high) >= 0) {
      joined.push(next);
    } else if (Buffer.compare(next.high, last.high) > 0) {
      joined[joined.length - 1] = {
        ...last,
        high: next.high,
        highText: next.highText,
        highInclusive: next.highInclusive,
        isPoint: false,
      };
    }
  }
  return joined;
}

function overlap(a: Interval, b: Interval): Interval | undefined {
  const lower = Buffer.compare(a.low, b.low) >= 0 ? a : b;
  const upper = Buffer.compare(a.high, b.high) <= 0 ? a : b;
  if (Buffer.compare(lower.low, upper.high) >= 0) return undefined;
  return {
    low: lower.low,
    lowText: lower.lowText,
    lowInclusive: lower.lowInclusive,
    high: upper.high,
    highText: upper.highText,
    highInclusive: upper.highInclusive,
    isPoint:
      a.isPoint ||
      b.isPoint ||
      (lower.lowText === upper.highText && Buffer.compare(after(lower.low), upper.high) === 0),
  };
}

export function intersect(a: IntervalSet, b: IntervalSet): IntervalSet {
  if (isFull(a)) return b;
  if (isFull(b)) return a;
  const result: Interval[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] as Interval;
    const right = b[j] as Interval;
    const both = overlap(left, right);
    if (both !== undefined) result.push(both);
    if (Buffer.compare(left.high, right.high) < 0) i++;
    else j++;
  }
  return result;
}

/** True when every value of `inner` is in `outer`. */
export function isSubset(inner: IntervalSet, outer: IntervalSet): boolean {
  return inner.every((one) =>
    outer.some(
      (other) =>
        Buffer.compare(other.low, one.low) <= 0 && Buffer.compare(one.high, other.high) <= 0,
    ),
  );
}

export function includesNull(set: IntervalSet): boolean {
  return intersect(set, [point(null)]).length > 0;
}

export function isAllPoints(set: IntervalSet): boolean {
  return set.every((interval) => interval.isPoint);
}

/** The bytes a field's interval takes in an index with this direction; no `end` means unbounded. */
export function orientedBytes(
  interval: Interval,
  direction: Direction,
): { readonly start: Buffer; readonly end: Buffer | undefined } {
  const { low, high } = interval;
  if (direction === 1) return { start: low, end: high };
  const end = prefixEnd(inverted(low));
  return {
    start: Buffer.from(prefixEnd(inverted(high)) ?? HIGHEST),
    end: end === undefined ? undefined : Buffer.from(end),
  };
}

function inverted(bytes: Buffer): Buffer {
  const result = Buffer.from(bytes);
  for (let i = 0; i < result.length; i++) result[i] = ~(result[i] as number);
  return result;
}

/** An interval as explain writes it: `[1, 5)`; backwards for the other direction of travel. */
export function describeInterval(interval: Interval, direction: Direction): string {
  const { lowText, highText, lowInclusive, highInclusive } = interval;
  const [first, last, firstIn, lastIn] =
    direction === 1
      ? [lowText, highText, lowInclusive, highInclusive]
      : [highText, lowText, highInclusive, lowInclusive];
  return `${firstIn ? '[' : '('}${first}, ${last}${lastIn ? ']' : ')'}`;
}
