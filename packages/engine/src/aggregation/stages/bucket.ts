/** `$sortByCount`, `$bucket` (both made of `$group` and `$sort`) and `$bucketAuto`. */
import { compareValues, typeOrder } from '../../bson/compare.ts';
import { type Document, toDocument, type Value } from '../../bson/value.ts';
import { PAUSE } from '../../lib/pause.ts';
import type { AccumulatorPlan } from '../accumulator.ts';
import { locationError } from '../aggregation-error.ts';
import type { Evaluator, FieldUse } from '../expression/operator.ts';
import { describeValue, isNumeric, toInt32, typeName } from '../expression/value-kind.ts';
import type { Source } from '../pipeline-context.ts';
import { type Granularity, isGranularity, roundDownTo, roundUpTo } from './granularity.ts';
import { compileGroup, compileOutputField, type OutputField } from './group.ts';
import { createSort } from './sort.ts';
import type { Stage, StageContext, StageTable, StreamStage } from './stage.ts';

function isExpression(spec: Value): boolean {
  if (typeof spec === 'string') return spec.startsWith('$');
  if (!(spec instanceof Map)) return false;
  for (const name of spec.keys()) return name.startsWith('$');
  return false;
}

function compileSortByCount(spec: Value, context: StageContext): Stage[] {
  if (!isExpression(spec)) {
    const isText = typeof spec === 'string';
    const isObject = spec instanceof Map;
    throw locationError(
      isObject ? 40147 : isText ? 40148 : 40149,
      isObject || isText
        ? 'the sortByCount field must be defined as a $-prefixed path or an expression inside an object'
        : 'the sortByCount field must be specified as a string or as an object',
    );
  }
  const count = toDocument({ $sum: 1 });
  return [
    compileGroup(toDocument({ _id: spec, count }), context),
    createSort(toDocument({ count: -1 }), context),
  ];
}

const DEFAULT_OUTPUT: Document = toDocument({ count: toDocument({ $sum: 1 }) });

function readOutput(spec: Value | undefined, name: string, code: number): Document {
  if (spec === undefined) return DEFAULT_OUTPUT;
  if (!(spec instanceof Map)) {
    throw locationError(
      code,
      `The ${name} 'output' field must be an object, but found type: ${typeName(spec)}.`,
    );
  }
  return spec;
}

function checkGroupBy(spec: Value, name: string, code: number): void {
  if (isExpression(spec)) return;
  throw locationError(
    code,
    `The ${name} 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: ${describeValue(spec)}.`,
  );
}

function compileBucket(spec: Value, context: StageContext): Stage[] {
  if (!(spec instanceof Map)) {
    throw locationError(
      40201,
      `Argument to $bucket stage must be an object, but found type: ${typeName(spec)}.`,
    );
  }
  for (const name of spec.keys()) {
    if (!['groupBy', 'boundaries', 'default', 'output'].includes(name)) {
      throw locationError(40197, `Unrecognized option to $bucket: ${name}.`);
    }
  }
  const groupBy = spec.get('groupBy');
  const boundarySpecs = spec.get('boundaries');
  if (groupBy === undefined || boundarySpecs === undefined) {
    throw locationError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  }
  checkGroupBy(groupBy, '$bucket', 40202);
  const boundaries = readBoundaries(boundarySpecs, context);
  const otherwise = readDefault(spec.get('default'), boundaries, context);
  const output = readOutput(spec.get('output'), '$bucket', 40196);
  const branches = boundaries.slice(0, -1).map((low, i) =>
    toDocument({
      case: toDocument({
        $and: [
          toDocument({ $gte: [groupBy, literal(low)] }),
          toDocument({ $lt: [groupBy, literal(boundaries[i + 1] as Value)] }),
        ],
      }),
      // biome-ignore lint/suspicious/noThenProperty: the field of `$switch`
      then: literal(low),
    }),
  );
  const choice = toDocument({
    $switch: toDocument({
      branches,
      default: otherwise === undefined ? undefined : literal(otherwise),
    }),
  });
  const group: Document = new Map<string, Value>([['_id', choice], ...output]);
  return [compileGroup(group, context), createSort(toDocument({ _id: 1 }), context)];
}

function literal(value: Value): Document {
  return toDocument({ $literal: value });
}

function readConstant(spec: Value, context: StageContext, what: string, code: number): Value {
  const expression = context.scope.compile(spec);
  if (!expression.constant) {
    throw locationError(
      code,
      `The $bucket '${what}' field must be a constant expression${what === 'default' ? '' : ' value'}, but found: ${describeValue(spec)}.`,
    );
  }
  return expression.evaluate(new Map(), []) ?? null;
}

function readBoundaries(spec: Value, context: StageContext): readonly Value[] {
  if (!Array.isArray(spec)) {
    throw locationError(
      40200,
      `The $bucket 'boundaries' field must be an array, but found type: ${typeName(spec)}.`,
    );
  }
  if (spec.length < 2) {
    throw locationError(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${spec.length} value(s).`,
    );
  }
  const boundaries = spec.map((item) => readConstant(item, context, 'boundaries', 40191));
  for (let i = 1; i < boundaries.length; i++) {
    const low = boundaries[i - 1] as Value;
    const high = boundaries[i] as Value;
    if (typeOrder(low) !== typeOrder(high)) {
      throw locationError(
        40193,
        `All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types ${typeName(low)} and ${typeName(high)}.`,
      );
    }
    if (compareValues(low, high, context.collation) >= 0) {
      throw locationError(
        40194,
        `The 'boundaries' option to $bucket must be sorted, but elements ${i - 1} and ${i} are not in ascending order (${describeValue(low)} is not less than ${describeValue(high)}).`,
      );
    }
  }
  return boundaries;
}

function readDefault(
  spec: Value | undefined,
  boundaries: readonly Value[],
  context: StageContext,
): Value | undefined {
  if (spec === undefined) return undefined;
  const value = readConstant(spec, context, 'default', 40195);
  const [low, high] = [boundaries[0] as Value, boundaries.at(-1) as Value];
  const isInside =
    compareValues(value, low, context.collation) >= 0 &&
    compareValues(value, high, context.collation) < 0;
  if (isInside) {
    throw locationError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
    );
  }
  return value;
}

interface BucketAuto {
  readonly groupBy: Evaluator;
  readonly buckets: number;
  readonly outputs: readonly OutputField[];
  readonly granularity: Granularity | undefined;
}

interface Keyed {
  readonly key: Value;
  readonly document: Document;
}

function compileBucketAuto(spec: Value, context: StageContext): StreamStage {
  if (!(spec instanceof Map)) {
    throw locationError(
      40240,
      `The argument to $bucketAuto must be an object, but found type: ${typeName(spec)}.`,
    );
  }
  for (const name of spec.keys()) {
    if (!['groupBy', 'buckets', 'output', 'granularity'].includes(name)) {
      throw locationError(40245, `Unrecognized option to $bucketAuto: ${name}.`);
    }
  }
  const groupBy = spec.get('groupBy');
  const bucketsSpec = spec.get('buckets');
  if (groupBy === undefined || bucketsSpec === undefined) {
    throw locationError(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.");
  }
  checkGroupBy(groupBy, '$bucketAuto', 40239);
  const use: FieldUse = { fields: new Set(), whole: false };
  const scope = context.scope.withUse(use);
  const outputs = [...readOutput(spec.get('output'), '$bucketAuto', 40244)].map(([field, value]) =>
    compileOutputField(field, value, scope),
  );
  const settings: BucketAuto = {
    groupBy: scope.compile(groupBy).evaluate,
    buckets: readBuckets(bucketsSpec),
    outputs,
    granularity: readGranularity(spec.get('granularity')),
  };
  return {
    kind: 'stream',
    name: '$bucketAuto',
    spec,
    use,
    reshapes: true,
    run: (source) => bucketAll(source, settings, context),
  };
}

function readBuckets(spec: Value): number {
  if (!isNumeric(spec)) {
    throw locationError(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(spec)}.`,
    );
  }
  const buckets = toInt32(spec);
  if (buckets === undefined) {
    throw locationError(
      40242,
      `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${describeValue(spec)}.`,
    );
  }
  if (buckets <= 0) {
    throw locationError(
      40243,
      `The $bucketAuto 'buckets' field must be greater than 0, but found: ${buckets}.`,
    );
  }
  return buckets;
}

function readGranularity(spec: Value | undefined): Granularity | undefined {
  if (spec === undefined) return undefined;
  if (typeof spec !== 'string') {
    throw locationError(
      40261,
      `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(spec)}.`,
    );
  }
  if (!isGranularity(spec)) {
    throw locationError(40257, `Unknown rounding granularity '${spec}'`);
  }
  return spec;
}

function* bucketAll(source: Source, settings: BucketAuto, context: StageContext): Source {
  const { groupBy, granularity } = settings;
  const { frame, collation } = context;
  const entries: Keyed[] = [];
  for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    const key = groupBy(document, frame) ?? null;
    if (granularity !== undefined) checkGranular(key);
    entries.push({ key, document });
  }
  entries.sort((a, b) => compareValues(a.key, b.key, collation));
  yield* fillBuckets(entries, settings, context);
}

function checkGranular(key: Value): void {
  if (!isNumeric(key)) {
    throw locationError(
      40258,
      `$bucketAuto can specify a 'granularity' with numeric boundaries only, but found a value with type: ${typeName(key)}`,
    );
  }
  if (compareValues(key, 0) < 0) {
    throw locationError(
      40260,
      "$bucketAuto can specify a 'granularity' with non-negative numbers only, but found a negative number",
    );
  }
}

/** Buckets of about equal size; equal keys never part, and each upper bound is the next lower one. */
function* fillBuckets(
  entries: readonly Keyed[],
  { buckets, outputs, granularity }: BucketAuto,
  context: StageContext,
): Generator<Document> {
  const { frame, collation } = context;
  const target = Math.max(1, Math.round(entries.length / buckets));
  let next = 0;
  let previousMax: Value | undefined;
  for (let made = 1; next < entries.length; made++) {
    const start = next;
    const isLast = made === buckets;
    next = isLast ? entries.length : Math.min(entries.length, start + target);
    const lastKey = (): Value => (entries[next - 1] as Keyed).key;
    let max: Value;
    if (granularity === undefined) {
      while (
        next < entries.length &&
        compareValues((entries[next] as Keyed).key, lastKey(), collation) === 0
      )
        next++;
      max = next < entries.length ? (entries[next] as Keyed).key : lastKey();
    } else {
      max = roundUpTo(granularity, lastKey());
      while (next < entries.length && compareValues((entries[next] as Keyed).key, max) < 0) next++;
    }
    const firstKey = (entries[start] as Keyed).key;
    const min =
      granularity === undefined ? firstKey : (previousMax ?? roundDownTo(granularity, firstKey));
    previousMax = max;
    const accumulators = outputs.map(({ plan }: { plan: AccumulatorPlan }) =>
      plan.create(new Map(), frame),
    );
    for (let i = start; i < next; i++) {
      const { document } = entries[i] as Keyed;
      accumulators.forEach((accumulator, k) => {
        accumulator.add((outputs[k] as OutputField).plan.argument.evaluate(document, frame));
      });
    }
    const result: Document = new Map([['_id', toDocument({ min, max })]]);
    accumulators.forEach((accumulator, k) => {
      result.set((outputs[k] as OutputField).field, accumulator.result() ?? null);
    });
    yield result;
  }
}

export const bucketStages: StageTable = {
  $bucket: compileBucket,
  $bucketAuto: compileBucketAuto,
  $sortByCount: compileSortByCount,
};
