/** Windows of `$setWindowFields`: which documents of a partition a document's window holds. */
import { compareValues } from '../../bson/compare.ts';
import { addNumbers, type NumericValue } from '../../bson/numeric.ts';
import { DateTime, type Document, type Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { addUnits, isTimeUnit, type TimeUnit } from '../date/calendar.ts';
import { UTC } from '../date/time-zone.ts';
import {
  describeValue,
  isNullish,
  isNumeric,
  toInt32,
  toJsNumber,
  typeName,
} from '../expression/value-kind.ts';
import type { SortPart } from '../sort-key.ts';

type Bound = 'unbounded' | 'current' | NumericValue;

export interface Window {
  readonly kind: 'documents' | 'range';
  readonly lower: Bound;
  readonly upper: Bound;
  readonly unit: TimeUnit | undefined;
}

export const WHOLE_PARTITION: Window = {
  kind: 'documents',
  lower: 'unbounded',
  upper: 'unbounded',
  unit: undefined,
};

export function isWholePartition(window: Window): boolean {
  return window.lower === 'unbounded' && window.upper === 'unbounded';
}

export function parseWindow(spec: Value, sort: readonly SortPart[]): Window {
  if (!(spec instanceof Map)) throw failedToParse("'window' field must be an object");
  for (const name of spec.keys()) {
    if (name !== 'documents' && name !== 'range' && name !== 'unit') {
      throw failedToParse(
        `'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field; found '${name}'`,
      );
    }
  }
  const hasDocuments = spec.has('documents');
  const hasRange = spec.has('range');
  if (hasDocuments && (hasRange || spec.has('unit'))) {
    throw failedToParse(
      "'window' field can only contain 'documents' as the only argument or 'range' with an optional 'unit' field",
    );
  }
  if (hasDocuments) return parseDocuments(spec.get('documents') as Value, sort);
  if (hasRange) return parseRange(spec, sort);
  if (spec.has('unit'))
    throw failedToParse("Window bounds can only specify 'unit' with range-based bounds.");
  return WHOLE_PARTITION;
}

function readBounds(spec: Value, kind: string): readonly [Value, Value] {
  if (!Array.isArray(spec) || spec.length !== 2) {
    throw failedToParse(`Window bounds must be a 2-element array: ${kind}: ${describeValue(spec)}`);
  }
  return spec as [Value, Value];
}

function readBound(value: Value, read: (value: Value) => NumericValue): Bound {
  if (value === 'unbounded' || value === 'current') return value;
  if (typeof value === 'string') {
    throw failedToParse(`Window bounds must be 'unbounded', 'current', or a number.`);
  }
  return read(value);
}

function checkOrder(lower: Bound, upper: Bound): void {
  const rank = (bound: Bound, side: 1 | -1): number => {
    if (bound === 'unbounded') return side * Number.POSITIVE_INFINITY;
    return bound === 'current' ? 0 : toJsNumber(bound);
  };
  if (rank(lower, -1) <= rank(upper, 1)) return;
  throw locationError(
    5339900,
    `Lower bound must not exceed upper bound: [${String(lower)}, ${String(upper)}]`,
  );
}

function parseDocuments(spec: Value, sort: readonly SortPart[]): Window {
  const [low, high] = readBounds(spec, 'documents');
  const read = (value: Value): NumericValue => {
    const position = isNumeric(value) ? toInt32(value) : undefined;
    if (position !== undefined) return position;
    throw failedToParse(
      `Numeric document-based bounds must be an integer: ${describeValue(value)}`,
    );
  };
  const lower = readBound(low, read);
  const upper = readBound(high, read);
  checkOrder(lower, upper);
  const window: Window = { kind: 'documents', lower, upper, unit: undefined };
  if (sort.length === 0 && !isWholePartition(window)) {
    throw locationError(5339901, 'Document-based bounds require a sortBy');
  }
  return window;
}

function parseRange(spec: Document, sort: readonly SortPart[]): Window {
  const unitSpec = spec.get('unit');
  let unit: TimeUnit | undefined;
  if (unitSpec !== undefined) {
    if (typeof unitSpec !== 'string') throw failedToParse("'unit' must be a string");
    if (!isTimeUnit(unitSpec)) throw failedToParse(`unknown time unit value: ${unitSpec}`);
    unit = unitSpec;
  }
  const [low, high] = readBounds(spec.get('range') as Value, 'range');
  const read = (value: Value): NumericValue => {
    if (!isNumeric(value)) {
      throw failedToParse(
        `Range-based bounds expression must be a number: ${describeValue(value)}`,
      );
    }
    if (unit !== undefined && toInt32(value) === undefined) {
      throw failedToParse('With unit, range-based bounds must be an integer');
    }
    return value;
  };
  const lower = readBound(low, read);
  const upper = readBound(high, read);
  checkOrder(lower, upper);
  if (sort.length !== 1) {
    throw locationError(5339902, 'Range-based bounds require sortBy a single field');
  }
  if (sort[0]?.direction !== 1) {
    throw locationError(8947400, 'Range-based bounds require a non-descending sortBy field');
  }
  return { kind: 'range', lower, upper, unit };
}

/** First and last place (inclusive; empty when last is before first) of the window of each place. */
export type WindowReader = (place: number) => { readonly first: number; readonly last: number };

/** `sortValues` are those of the one sort field, ascending; only range windows ask for them. */
export function createWindowReader(
  window: Window,
  length: number,
  sortValues: () => readonly Value[],
): WindowReader {
  if (window.kind === 'documents') {
    const first = documentOffset(window.lower, Number.NEGATIVE_INFINITY);
    const last = documentOffset(window.upper, Number.POSITIVE_INFINITY);
    return (place) => ({
      first: Math.max(0, place + first),
      last: Math.min(length - 1, place + last),
    });
  }
  return createRangeReader(window, sortValues());
}

function documentOffset(bound: Bound, unbounded: number): number {
  if (bound === 'unbounded') return unbounded;
  return bound === 'current' ? 0 : toJsNumber(bound);
}

function createRangeReader(window: Window, values: readonly Value[]): WindowReader {
  const { lower, upper, unit } = window;
  const edge = (value: Value, bound: Bound): Value => shiftBy(value, bound, unit);
  return (place) => {
    const value = values[place] as Value;
    if (isNullish(value)) return nullRange(values, place, lower, upper);
    checkType(value, unit);
    let first = 0;
    let last = values.length - 1;
    if (lower !== 'unbounded') first = lowestPlace(values, edge(value, lower));
    if (upper !== 'unbounded') last = highestPlace(values, edge(value, upper));
    return { first, last };
  };
}

/** Null is no place on the axis: its window is the other nulls, and what is beyond if unbounded. */
function nullRange(values: readonly Value[], place: number, lower: Bound, upper: Bound) {
  let first = place;
  let last = place;
  while (first > 0 && isNullish(values[first - 1])) first--;
  while (last < values.length - 1 && isNullish(values[last + 1])) last++;
  return {
    first: lower === 'unbounded' ? 0 : first,
    last: upper === 'unbounded' ? values.length - 1 : last,
  };
}

function checkType(value: Value, unit: TimeUnit | undefined): void {
  if (unit === undefined && !isNumeric(value)) {
    throw locationError(
      5429414,
      `Invalid range: Expected the sortBy field to be a number, but it was ${typeName(value)}`,
    );
  }
  if (unit !== undefined && !(value instanceof DateTime)) {
    throw locationError(
      5429513,
      `Invalid range: Expected the sortBy field to be a Date, but it was ${typeName(value)}`,
    );
  }
}

function shiftBy(value: Value, bound: Bound, unit: TimeUnit | undefined): Value {
  if (bound === 'current' || bound === 'unbounded') return value;
  if (value instanceof DateTime && unit !== undefined) {
    return new DateTime(addUnits(Number(value.epochMs), unit, toJsNumber(bound), UTC));
  }
  return isNumeric(value) ? addNumbers(value, bound) : value;
}

/** The first place whose value is not below the edge. */
function lowestPlace(values: readonly Value[], edge: Value): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareValues(values[middle], edge) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last place whose value is not above the edge. */
function highestPlace(values: readonly Value[], edge: Value): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareValues(values[middle], edge) <= 0) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
