/** Accumulators as expressions: over their arguments, or over the one array they are given. */
import { compareValues } from '../../bson/compare.ts';
import type { Value } from '../../bson/value.ts';
import {
  constantExpression,
  type Expression,
  fromParts,
  type OperatorCompiler,
  type OperatorTable,
  type Scope,
} from './operator.ts';
import { Deviation, percentilesOf, readPercentileSpec, readPercentiles } from './statistics.ts';
import { Summation } from './summation.ts';
import { isNullish, isNumeric, toJsNumber } from './value-kind.ts';

type Argument = Value | undefined;

/** Several arguments are the values; a single one that is an array gives its elements. */
function accumulating(
  apply: (values: readonly Argument[], scope: Scope) => Argument,
): OperatorCompiler {
  return (argument, scope) => {
    const specs = Array.isArray(argument) ? argument : [argument];
    const parts = specs.map((spec) => scope.compile(spec));
    const [only] = parts;
    if (only !== undefined && parts.length === 1) {
      return fromParts(parts, (root, variables) => {
        const value = only.evaluate(root, variables);
        return apply(Array.isArray(value) ? value : [value], scope);
      });
    }
    return fromParts(parts, (root, variables) =>
      apply(
        parts.map((part) => part.evaluate(root, variables)),
        scope,
      ),
    );
  };
}

function sum(values: readonly Argument[]): Argument {
  const total = new Summation();
  for (const value of values) if (isNumeric(value)) total.add(value);
  return total.total();
}

function average(values: readonly Argument[]): Argument {
  const total = new Summation();
  let count = 0;
  for (const value of values) {
    if (!isNumeric(value)) continue;
    total.add(value);
    count++;
  }
  return count === 0 ? null : total.average(count);
}

function extreme(direction: 1 | -1): OperatorCompiler {
  return accumulating((values, scope) => {
    let best: Argument = null;
    for (const value of values) {
      if (isNullish(value)) continue;
      const isBetter =
        best === null || compareValues(value, best, scope.runtime.collation) * direction < 0;
      if (isBetter) best = value;
    }
    return best;
  });
}

function deviation(result: (deviation: Deviation) => Value): OperatorCompiler {
  return accumulating((values) => {
    const running = new Deviation();
    for (const value of values) if (isNumeric(value)) running.add(toJsNumber(value));
    return result(running);
  });
}

function compilePercentile(argument: Value, scope: Scope, name: string): Expression {
  const spec = readPercentileSpec(argument, name);
  const input = scope.compile(spec.input);
  const p = spec.p === undefined ? constantExpression([0.5]) : scope.compile(spec.p);
  return fromParts([input, p], (root, variables) => {
    const value = input.evaluate(root, variables);
    const numbers = (Array.isArray(value) ? value : [value]).filter(isNumeric).map(toJsNumber);
    numbers.sort((a, b) => a - b);
    const results = percentilesOf(
      numbers,
      readPercentiles(p.evaluate(root, variables)),
      spec.method,
    );
    return name === '$median' ? results[0] : results;
  });
}

export const accumulatorOperators: OperatorTable = {
  $avg: accumulating(average),
  $max: extreme(-1),
  $median: compilePercentile,
  $min: extreme(1),
  $percentile: compilePercentile,
  $stdDevPop: deviation((running) => running.population()),
  $stdDevSamp: deviation((running) => running.sample()),
  $sum: accumulating(sum),
};
