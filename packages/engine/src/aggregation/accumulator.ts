/** Accumulators of `$group`, `$bucket…` and `$setWindowFields` (manual, "Accumulators"). */

import type { Collator } from '../bson/compare.ts';
import { BsonUndefined, type Document, type Value } from '../bson/value.ts';
import type { Accumulator } from './accumulator-state.ts';
import {
  AddToSet,
  Average,
  Count,
  EndN,
  Extreme,
  ExtremeN,
  First,
  JoinedArrays,
  Last,
  MergeObjects,
  Percentiles,
  Push,
  Ranked,
  StandardDeviation,
  Sum,
} from './accumulator-state.ts';
import { failedToParse, locationError } from './aggregation-error.ts';
import { readCount } from './expression/array-order.ts';
import {
  constantExpression,
  type Expression,
  type Scope,
  type Variables,
} from './expression/operator.ts';
import { percentilesOf, readPercentileSpec, readPercentiles } from './expression/statistics.ts';
import { describeValue } from './expression/value-kind.ts';
import { parseSortPattern, sortKeyReader } from './sort-key.ts';

/** A compiled accumulator: what it takes from each document, and how a group starts. */
export interface AccumulatorPlan {
  readonly name: string;
  readonly argument: Expression;
  /** `group` is the group's `_id` when it is a document: what `n` may refer to. */
  create(group: Document, variables: Variables): Accumulator;
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
