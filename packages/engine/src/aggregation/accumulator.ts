/** Accumulators of `$group`, `$bucket…` and `$setWindowFields` (manual, "Accumulators"). */
import { type Collator, compareValues, hashableKey } from '../bson/compare.ts';
import { BsonUndefined, type Document, isInt32, type Value } from '../bson/value.ts';
import { failedToParse, locationError } from './aggregation-error.ts';
import { readCount } from './expression/array-order.ts';
import { mergeInto } from './expression/object.ts';
import {
  constantExpression,
  type Expression,
  type Scope,
  type Variables,
} from './expression/operator.ts';
import {
  Deviation,
  percentilesOf,
  readPercentileSpec,
  readPercentiles,
} from './expression/statistics.ts';
import { Summation } from './expression/summation.ts';
import {
  describeValue,
  isNullish,
  isNumeric,
  toJsNumber,
  typeName,
} from './expression/value-kind.ts';
import { compareSortKeys, parseSortPattern, type SortPart, sortKeyReader } from './sort-key.ts';
import { TopEntries } from './top-entries.ts';

/** Takes the values of one group, one by one, and gives their summary. */
export interface Accumulator {
  add(value: Value | undefined): void;
  result(): Value | undefined;
}

/** A compiled accumulator: what it takes from each document, and how a group starts. */
export interface AccumulatorPlan {
  readonly name: string;
  readonly argument: Expression;
  /** `group` is the group's `_id` when it is a document: what `n` may refer to. */
  create(group: Document, variables: Variables): Accumulator;
}

type Argument = Value | undefined;

class Sum implements Accumulator {
  /** A plain count or sum of small whole numbers stays here. */
  private small = 0;
  private summation: Summation | undefined;

  add(value: Argument): void {
    if (typeof value === 'number' && isInt32(value) && Math.abs(this.small) < 2 ** 52) {
      this.small += value;
    } else if (isNumeric(value)) {
      this.summation ??= new Summation();
      this.summation.add(value);
    }
  }

  result(): Value {
    const { small, summation } = this;
    if (summation === undefined) return isInt32(small) ? small : BigInt(small);
    // folded in as int64 only when it must be, for that would make an int sum a long
    if (small !== 0) summation.addWhole(small);
    this.small = 0;
    return summation.total();
  }
}

class Average implements Accumulator {
  private readonly summation = new Summation();
  private count = 0;

  add(value: Argument): void {
    if (!isNumeric(value)) return;
    this.summation.add(value);
    this.count++;
  }

  result(): Value {
    return this.count === 0 ? null : this.summation.average(this.count);
  }
}

class Extreme implements Accumulator {
  private best: Value = null;
  private readonly direction: 1 | -1;
  private readonly collation: Collator | undefined;

  constructor(direction: 1 | -1, collation: Collator | undefined) {
    this.direction = direction;
    this.collation = collation;
  }

  add(value: Argument): void {
    if (isNullish(value)) return;
    const { best } = this;
    if (best === null || compareValues(value, best, this.collation) * this.direction < 0) {
      this.best = value;
    }
  }

  result(): Value {
    return this.best;
  }
}

class First implements Accumulator {
  private taken = false;
  private value: Argument;

  add(value: Argument): void {
    if (this.taken) return;
    this.taken = true;
    this.value = value;
  }

  result(): Argument {
    return this.value;
  }
}

class Last implements Accumulator {
  private value: Argument;

  add(value: Argument): void {
    this.value = value;
  }

  result(): Argument {
    return this.value;
  }
}

class Push implements Accumulator {
  private readonly values: Value[] = [];

  add(value: Argument): void {
    if (value !== undefined) this.values.push(value);
  }

  result(): Value {
    return this.values;
  }
}

class AddToSet implements Accumulator {
  private readonly values = new Map<string, Value>();
  private readonly collation: Collator | undefined;

  constructor(collation: Collator | undefined) {
    this.collation = collation;
  }

  add(value: Argument): void {
    if (value === undefined) return;
    const key = hashableKey(value, this.collation);
    if (!this.values.has(key)) this.values.set(key, value);
  }

  result(): Value {
    return [...this.values.values()];
  }
}

/** `$concatArrays` and `$setUnion`: the arrays of a group as one. */
class JoinedArrays implements Accumulator {
  private readonly name: string;
  private readonly target: Push | AddToSet;

  constructor(name: string, target: Push | AddToSet) {
    this.name = name;
    this.target = target;
  }

  add(value: Argument): void {
    if (value === undefined) return;
    if (!Array.isArray(value)) {
      throw locationError(
        9711601,
        `${this.name} requires array inputs, but input ${describeValue(value)} is of type ${typeName(value)}`,
      );
    }
    for (const item of value) this.target.add(item);
  }

  result(): Value {
    return this.target.result();
  }
}

class MergeObjects implements Accumulator {
  private readonly merged: Document = new Map();

  add(value: Argument): void {
    mergeInto(this.merged, value);
  }

  result(): Value {
    return this.merged;
  }
}

class StandardDeviation implements Accumulator {
  private readonly deviation = new Deviation();
  private readonly sample: boolean;

  constructor(sample: boolean) {
    this.sample = sample;
  }

  add(value: Argument): void {
    if (isNumeric(value)) this.deviation.add(toJsNumber(value));
  }

  result(): Value {
    return this.sample ? this.deviation.sample() : this.deviation.population();
  }
}

class Count implements Accumulator {
  private count = 0;

  add(): void {
    this.count++;
  }

  result(): Value {
    return isInt32(this.count) ? this.count : BigInt(this.count);
  }
}

/** `$firstN` and `$lastN`: missing values count as null. */
class EndN implements Accumulator {
  private readonly values: Value[] = [];
  private readonly n: number;
  private readonly last: boolean;

  constructor(n: number, last: boolean) {
    this.n = n;
    this.last = last;
  }

  add(value: Argument): void {
    if (!this.last && this.values.length >= this.n) return;
    this.values.push(value ?? null);
    if (this.values.length > 2 * this.n) this.values.splice(0, this.values.length - this.n);
  }

  result(): Value {
    return this.last ? this.values.slice(-this.n) : this.values;
  }
}

/** `$maxN` and `$minN`: null and missing values do not count. */
class ExtremeN implements Accumulator {
  private readonly top: TopEntries<Value>;

  constructor(n: number, direction: 1 | -1, collation: Collator | undefined) {
    this.top = new TopEntries<Value>(n, (a, b) => compareValues(a, b, collation) * direction);
  }

  add(value: Argument): void {
    if (!isNullish(value)) this.top.add(value);
  }

  result(): Value {
    return this.top.sorted();
  }
}

interface RankedEntry {
  readonly key: readonly Value[];
  readonly output: Value;
  readonly place: number;
}

/** `$top`, `$bottom`, `$topN`, `$bottomN`; each value is `[output, sort keys …]`. */
class Ranked implements Accumulator {
  private readonly top: TopEntries<RankedEntry>;
  private readonly bottom: boolean;
  private readonly single: boolean;
  private place = 0;

  constructor(
    n: number,
    parts: readonly SortPart[],
    kind: { readonly bottom: boolean; readonly single: boolean },
    collation: Collator | undefined,
  ) {
    this.bottom = kind.bottom;
    this.single = kind.single;
    const sign = kind.bottom ? -1 : 1;
    this.top = new TopEntries<RankedEntry>(
      n,
      (a, b) =>
        sign * compareSortKeys(parts, a.key, b.key, collation) || sign * (a.place - b.place),
    );
  }

  add(value: Argument): void {
    const [output, ...key] = value as Value[];
    this.top.add({ key, output: output as Value, place: this.place++ });
  }

  result(): Value {
    const outputs = this.top.sorted().map((entry) => entry.output);
    if (this.single) return outputs[0] ?? null;
    return this.bottom ? outputs.reverse() : outputs;
  }
}

class Percentiles implements Accumulator {
  private readonly numbers: number[] = [];
  private readonly finish: (sorted: Float64Array) => Value;

  constructor(finish: (sorted: Float64Array) => Value) {
    this.finish = finish;
  }

  add(value: Argument): void {
    if (isNumeric(value)) this.numbers.push(toJsNumber(value));
  }

  result(): Value {
    return this.finish(Float64Array.from(this.numbers).sort());
  }
}

type PlanCompiler = (argument: Value, scope: Scope, name: string) => AccumulatorPlan;

function simple(
  create: (collation: Collator | undefined, name: string) => Accumulator,
): PlanCompiler {
  return (argument, scope, name) => {
    if (Array.isArray(argument) && argument.length !== 1) {
      throw locationError(40237, `The ${name} accumulator is a unary operator`);
    }
    const spec = Array.isArray(argument) ? (argument[0] as Value) : argument;
    return {
      name,
      argument: scope.compile(spec),
      create: () => create(scope.runtime.collation, name),
    };
  };
}

const compileCount: PlanCompiler = (argument, _scope, name) => {
  if (!(argument instanceof Map) || argument.size > 0) {
    throw failedToParse(`${name} takes no arguments, i.e. $count:{}`);
  }
  return { name, argument: constantExpression(1), create: () => new Count() };
};

function readFields(argument: Value, name: string, fields: readonly string[]): Document {
  if (!(argument instanceof Map)) {
    throw locationError(
      name.endsWith('N') ? 5787900 : 5788001,
      `specification must be an object; found ${name}: ${describeValue(argument)}`,
    );
  }
  for (const field of argument.keys()) {
    if (!fields.includes(field)) {
      throw locationError(
        name.startsWith('$top') || name.startsWith('$bottom') ? 5788002 : 5787901,
        `Unknown argument to ${name} '${field}'`,
      );
    }
  }
  for (const field of fields) {
    if (argument.has(field)) continue;
    const codes: Readonly<Record<string, number>> = {
      n: 5788003,
      sortBy: 5788005,
      output: 5788004,
      input: 5787907,
    };
    throw locationError(codes[field] ?? 5787906, `Missing value for '${field}'`);
  }
  return argument;
}

function taking(create: (n: number, collation: Collator | undefined) => Accumulator): PlanCompiler {
  return (argument, scope, name) => {
    const given = readFields(argument, name, ['n', 'input']);
    const n = scope.compile(given.get('n') as Value);
    return {
      name,
      argument: scope.compile(given.get('input') as Value),
      create: (group, variables) =>
        create(readCount(n.evaluate(group, variables)), scope.runtime.collation),
    };
  };
}

function ranking(kind: { readonly bottom: boolean; readonly single: boolean }): PlanCompiler {
  return (argument, scope, name) => {
    const fields = kind.single ? ['output', 'sortBy'] : ['n', 'output', 'sortBy'];
    const given = readFields(argument, name, fields);
    const n = kind.single ? constantExpression(1) : scope.compile(given.get('n') as Value);
    const sortBy = given.get('sortBy');
    if (!(sortBy instanceof Map)) {
      throw locationError(
        5788604,
        `expected 'sortBy' to already be an object in the arguments to ${name}`,
      );
    }
    const parts = parseSortPattern(sortBy);
    for (const part of parts) scope.use.fields.add(part.path[0] as string);
    const output = scope.compile(given.get('output') as Value);
    const { collation } = scope.runtime;
    const keyOf = sortKeyReader(parts, collation);
    return {
      name,
      argument: {
        constant: false,
        evaluate: (root, variables) => [
          output.evaluate(root, variables) ?? null,
          ...keyOf(root).map((value) => value ?? BsonUndefined.instance),
        ],
      },
      create: (group, variables) =>
        new Ranked(readCount(n.evaluate(group, variables)), parts, kind, collation),
    };
  };
}

const compilePercentile: PlanCompiler = (argument, scope, name) => {
  const spec = readPercentileSpec(argument, name);
  const p = spec.p === undefined ? constantExpression([0.5]) : scope.compile(spec.p);
  const fractions = readPercentiles(p.evaluate(new Map(), []));
  return {
    name,
    argument: scope.compile(spec.input),
    create: () =>
      new Percentiles((sorted) => {
        const results = percentilesOf(sorted, fractions, spec.method);
        return name === '$median' ? (results[0] as Value) : results;
      }),
  };
};

const ACCUMULATORS: ReadonlyMap<string, PlanCompiler> = new Map<string, PlanCompiler>([
  ['$addToSet', simple((collation) => new AddToSet(collation))],
  ['$avg', simple(() => new Average())],
  ['$bottom', ranking({ bottom: true, single: true })],
  ['$bottomN', ranking({ bottom: true, single: false })],
  ['$concatArrays', simple((_collation, name) => new JoinedArrays(name, new Push()))],
  ['$count', compileCount],
  ['$first', simple(() => new First())],
  ['$firstN', taking((n) => new EndN(n, false))],
  ['$last', simple(() => new Last())],
  ['$lastN', taking((n) => new EndN(n, true))],
  ['$max', simple((collation) => new Extreme(-1, collation))],
  ['$maxN', taking((n, collation) => new ExtremeN(n, -1, collation))],
  ['$median', compilePercentile],
  ['$mergeObjects', simple(() => new MergeObjects())],
  ['$min', simple((collation) => new Extreme(1, collation))],
  ['$minN', taking((n, collation) => new ExtremeN(n, 1, collation))],
  ['$percentile', compilePercentile],
  ['$push', simple(() => new Push())],
  ['$setUnion', simple((collation, name) => new JoinedArrays(name, new AddToSet(collation)))],
  ['$stdDevPop', simple(() => new StandardDeviation(false))],
  ['$stdDevSamp', simple(() => new StandardDeviation(true))],
  ['$sum', simple(() => new Sum())],
  ['$top', ranking({ bottom: false, single: true })],
  ['$topN', ranking({ bottom: false, single: false })],
]);

/** The accumulator of that name, undefined when there is none. */
export function compileAccumulator(
  name: string,
  argument: Value,
  scope: Scope,
): AccumulatorPlan | undefined {
  if (name === '$accumulator') {
    throw failedToParse(`${name} not allowed in this context: server-side JavaScript is disabled`);
  }
  return ACCUMULATORS.get(name)?.(argument, scope, name);
}
