/** `$densify`: documents for the steps that a sequence of numbers or dates leaves out. */
import { compareValues, hashableKey } from '../../bson/compare.ts';
import { addNumbers, isZero, multiplyNumbers, type NumericValue } from '../../bson/numeric.ts';
import { DateTime, type Document, type Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { addUnits, isTimeUnit, type TimeUnit } from '../date/calendar.ts';
import { UTC } from '../date/time-zone.ts';
import { isNullish, isNumeric, toInt32, toJsNumber, typeName } from '../expression/value-kind.ts';
import { parseFieldPath, readPath, withPath } from '../field-path.ts';
import type { Source } from '../pipeline-context.ts';
import type { StageContext, StreamStage } from './stage.ts';

interface Bounds {
  readonly low: Value;
  readonly high: Value;
}

interface Densify {
  readonly field: readonly string[];
  readonly partitionBy: readonly (readonly string[])[];
  readonly step: NumericValue;
  readonly unit: TimeUnit | undefined;
  readonly bounds: 'full' | 'partition' | Bounds;
}

const MAX_GENERATED = 500_000;

function unknownField(path: string): Error {
  return locationError(40415, `BSON field '${path}' is an unknown field.`);
}

function missingField(path: string): Error {
  return locationError(40414, `BSON field '${path}' is missing but a required field`);
}

function parseDensify(spec: Value): Densify {
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `The $densify stage specification must be an object, found ${typeName(spec)}`,
    );
  }
  for (const name of spec.keys()) {
    if (name !== 'field' && name !== 'range' && name !== 'partitionByFields') {
      throw unknownField(`$densify.${name}`);
    }
  }
  const field = spec.get('field');
  if (field === undefined) throw missingField('$densify.field');
  if (typeof field !== 'string') throw failedToParse("'field' of $densify must be a string");
  if (field.startsWith('$')) {
    throw locationError(
      16410,
      "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
    );
  }
  const range = spec.get('range');
  if (!(range instanceof Map)) throw missingField('$densify.range');
  const partition = spec.get('partitionByFields') ?? [];
  if (!Array.isArray(partition)) {
    throw failedToParse("'partitionByFields' of $densify must be an array");
  }
  return {
    field: parseFieldPath(field),
    partitionBy: partition.map((path) => {
      if (typeof path === 'string') return parseFieldPath(path);
      throw failedToParse("Each of 'partitionByFields' must be a string");
    }),
    ...parseRange(range, partition.length > 0),
  };
}

function parseRange(
  range: Document,
  hasPartitions: boolean,
): Pick<Densify, 'step' | 'unit' | 'bounds'> {
  for (const name of range.keys()) {
    if (name !== 'step' && name !== 'unit' && name !== 'bounds') {
      throw unknownField(`$densify.range.${name}`);
    }
  }
  const step = range.get('step');
  if (!isNumeric(step)) throw missingField('$densify.range.step');
  if (isZero(step) || toJsNumber(step) < 0) {
    throw locationError(
      5733401,
      'The step parameter in a range statement must be a strictly positive numeric value',
    );
  }
  const unit = range.get('unit');
  if (unit !== undefined && (typeof unit !== 'string' || !isTimeUnit(unit))) {
    throw failedToParse(`unknown time unit value: ${String(unit)}`);
  }
  if (unit !== undefined && toInt32(step) === undefined) {
    throw locationError(
      6586400,
      'The step parameter in a range statement must be a whole number when densifying a date range',
    );
  }
  const bounds = parseBounds(range.get('bounds'), unit !== undefined);
  if (bounds === 'partition' && !hasPartitions) {
    throw locationError(
      5733408,
      "one may not specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
    );
  }
  return { step, unit, bounds };
}

function parseBounds(bounds: Value | undefined, isDate: boolean): Densify['bounds'] {
  if (bounds === undefined) throw missingField('$densify.range.bounds');
  if (bounds === 'full' || bounds === 'partition') return bounds;
  if (typeof bounds === 'string') {
    throw locationError(5946802, "Bounds string must either be 'full' or 'partition'");
  }
  if (!Array.isArray(bounds)) {
    throw locationError(
      5733402,
      "the bounds in a range statement must be an array, 'full' or 'partition'",
    );
  }
  if (bounds.length !== 2) {
    throw locationError(
      5733403,
      'a bounding array in a range statement must have exactly two elements',
    );
  }
  const [low, high] = bounds as [Value, Value];
  const fits = (value: Value): boolean => (isDate ? value instanceof DateTime : isNumeric(value));
  if (!fits(low) || !fits(high)) {
    throw locationError(
      isDate ? 5733406 : 5733409,
      'a bounding array must contain either both dates or both numeric types, dates only with a unit',
    );
  }
  if (compareValues(low, high) > 0) {
    throw locationError(5733404, 'the lower bound of a range must not exceed the upper bound');
  }
  return { low, high };
}

interface Entry {
  readonly value: Value;
  readonly document: Document;
}

interface Partition {
  readonly fields: readonly (Value | undefined)[];
  readonly entries: Entry[];
}

function readValue(document: Document, { field, unit }: Densify): Value | undefined {
  const value = readPath(document, field);
  if (isNullish(value)) return undefined;
  if (unit === undefined ? isNumeric(value) : value instanceof DateTime) return value;
  if (isNumeric(value) || value instanceof DateTime) {
    throw locationError(
      isNumeric(value) ? 6053600 : 6053601,
      unit === undefined
        ? 'Encountered date densify value in collection when step has no unit.'
        : 'Encountered numeric densify value in collection when step has a date unit.',
    );
  }
  throw locationError(5733201, 'Densify field type must be numeric or a date');
}

/** The value `count` steps past `start`. */
function stepFrom(start: Value, count: number, { step, unit }: Densify): Value {
  if (start instanceof DateTime && unit !== undefined) {
    const amount = toJsNumber(step) * count;
    return new DateTime(addUnits(Number(start.epochMs), unit, amount, UTC));
  }
  return addNumbers(start as NumericValue, multiplyNumbers(step, count));
}

export function compileDensify(spec: Value, _context: StageContext): StreamStage {
  const densify = parseDensify(spec);
  return { kind: 'stream', name: '$densify', spec, run: (source) => densifyAll(source, densify) };
}

function* densifyAll(source: Source, densify: Densify): Source {
  const partitions = new Map<string, Partition>();
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    const value = readValue(document, densify);
    if (value === undefined) {
      yield document;
      continue;
    }
    const fields = densify.partitionBy.map((path) => readPath(document, path));
    const key = hashableKey(fields.map((field) => field ?? null));
    let partition = partitions.get(key);
    if (partition === undefined) {
      partition = { fields, entries: [] };
      partitions.set(key, partition);
    }
    partition.entries.push({ value, document });
  }
  if (partitions.size === 0 && densify.partitionBy.length === 0) {
    partitions.set('', { fields: [], entries: [] });
  }
  const all = [...partitions.values()];
  for (const { entries } of all) entries.sort((a, b) => compareValues(a.value, b.value));
  const shared = sharedBounds(all, densify);
  const budget = { left: MAX_GENERATED };
  for (const partition of all) {
    yield* densifyPartition(partition, shared, densify, budget);
    yield PAUSE;
  }
}

/** For `full` the least and greatest value of all partitions. */
function sharedBounds(partitions: readonly Partition[], { bounds }: Densify): Bounds | undefined {
  if (bounds === 'partition') return undefined;
  if (bounds !== 'full') return bounds;
  let found: { low: Value; high: Value } | undefined;
  for (const { entries } of partitions) {
    const low = entries[0]?.value;
    const high = entries.at(-1)?.value;
    if (low === undefined || high === undefined) continue;
    if (found === undefined) found = { low, high };
    if (compareValues(low, found.low) < 0) found.low = low;
    if (compareValues(high, found.high) > 0) found.high = high;
  }
  return found;
}

function* densifyPartition(
  { fields, entries }: Partition,
  shared: Bounds | undefined,
  densify: Densify,
  budget: { left: number },
): Generator<Document> {
  const low = shared?.low ?? entries[0]?.value;
  const high = shared?.high ?? entries.at(-1)?.value;
  if (low === undefined || high === undefined) return;
  // an explicit upper bound is exclusive; the greatest value found is there already
  const includesHigh = densify.bounds === 'full';
  let next = 0;
  for (let count = 0; ; count++) {
    const value = stepFrom(low, count, densify);
    while (next < entries.length && compareValues((entries[next] as Entry).value, value) < 0) {
      yield (entries[next++] as Entry).document;
    }
    const order = compareValues(value, high);
    if (order > 0 || (order === 0 && !includesHigh)) break;
    const isThere =
      next < entries.length && compareValues((entries[next] as Entry).value, value) === 0;
    if (isThere) continue;
    if (budget.left-- <= 0) {
      throw locationError(
        5897900,
        `Generated ${MAX_GENERATED + 1} documents in $densify, which is over the limit of ${MAX_GENERATED}`,
      );
    }
    yield generate(value, fields, densify);
  }
  for (; next < entries.length; next++) yield (entries[next] as Entry).document;
}

function generate(
  value: Value,
  fields: readonly (Value | undefined)[],
  { field, partitionBy }: Densify,
): Document {
  let document: Document = new Map();
  partitionBy.forEach((path, i) => {
    const part = fields[i];
    if (part !== undefined) document = withPath(document, path, part);
  });
  return withPath(document, field, value);
}
