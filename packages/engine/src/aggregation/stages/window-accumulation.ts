/** Window functions that gather the values of a window: the accumulators and `$covariance…`. */

import { toDouble, type Value } from '../../bson/value.ts';
import { compileAccumulator } from '../accumulator.ts';
import type { Accumulator } from '../accumulator-state.ts';
import { failedToParse } from '../aggregation-error.ts';
import { isNumeric, toJsNumber } from '../expression/value-kind.ts';
import { isWholePartition, type Window, type WindowReader } from './window-bounds.ts';
import type { Argument, FunctionSpec, WindowFunction } from './window-spec.ts';
import { evaluateAll, readWindow, windowReader } from './window-spec.ts';

/** An accumulator over the window of each document. */
export function compileAccumulated(spec: FunctionSpec): WindowFunction {
  const { name, argument, scope, context } = spec;
  const plan = name === '$mergeObjects' ? undefined : compileAccumulator(name, argument, scope);
  if (plan === undefined) {
    throw failedToParse(`Unrecognized window function, ${name}`);
  }
  const window = readWindow(spec);
  return (partition) => {
    const values = evaluateAll(plan.argument.evaluate, partition, context);
    const create = (): Accumulator => plan.create(new Map(), context.frame);
    return accumulateWindows(values, window, windowReader(window, partition), create);
  };
}

/** Results are kept while the accumulator goes on, so what it may still change is copied. */
function snapshot(accumulator: Accumulator): Value {
  const result = accumulator.result() ?? null;
  return Array.isArray(result) ? [...result] : result;
}

function accumulateWindows(
  values: readonly Argument[],
  window: Window,
  read: WindowReader,
  create: () => Accumulator,
): Value[] {
  if (isWholePartition(window)) {
    const accumulator = create();
    for (const value of values) accumulator.add(value);
    const result = snapshot(accumulator);
    return values.map(() => result);
  }
  return window.lower === 'unbounded'
    ? accumulateGrowing(values, read, create)
    : accumulateSliding(values, read, create);
}

function accumulateGrowing(
  values: readonly Argument[],
  read: WindowReader,
  create: () => Accumulator,
): Value[] {
  const accumulator = create();
  let next = 0;
  return values.map((_value, place) => {
    const { last } = read(place);
    while (next <= last) accumulator.add(values[next++]);
    return snapshot(accumulator);
  });
}

function accumulateSliding(
  values: readonly Argument[],
  read: WindowReader,
  create: () => Accumulator,
): Value[] {
  let before: { readonly first: number; readonly last: number } | undefined;
  let result: Value = null;
  return values.map((_value, place) => {
    const window = read(place);
    if (before?.first === window.first && before.last === window.last) return result;
    const accumulator = create();
    for (let i = window.first; i <= window.last; i++) accumulator.add(values[i]);
    before = window;
    result = snapshot(accumulator);
    return result;
  });
}

/** `$covariancePop` and `$covarianceSamp`. */
export function compileCovariance(spec: FunctionSpec): WindowFunction {
  const { name, argument, scope, context } = spec;
  const pair = Array.isArray(argument) ? argument : [];
  if (pair.length !== 2) {
    throw failedToParse(`${name} takes an array of exactly two expressions`);
  }
  const evaluate = scope.compile(pair).evaluate;
  const window = readWindow(spec);
  const sample = name === '$covarianceSamp';
  return (partition) =>
    accumulateWindows(
      evaluateAll(evaluate, partition, context),
      window,
      windowReader(window, partition),
      () => new Covariance(sample),
    );
}

class Covariance implements Accumulator {
  private count = 0;
  private meanX = 0;
  private meanY = 0;
  private products = 0;
  private readonly sample: boolean;

  constructor(sample: boolean) {
    this.sample = sample;
  }

  add(value: Argument): void {
    const [x, y] = value as Value[];
    if (!isNumeric(x) || !isNumeric(y)) return;
    this.count++;
    const deltaX = toJsNumber(x) - this.meanX;
    this.meanX += deltaX / this.count;
    this.meanY += (toJsNumber(y) - this.meanY) / this.count;
    this.products += deltaX * (toJsNumber(y) - this.meanY);
  }

  result(): Value {
    const divisor = this.sample ? this.count - 1 : this.count;
    return divisor <= 0 ? null : toDouble(this.products / divisor);
  }
}
