/** The functions of `$setWindowFields`: each gives one value for every document of a partition. */
import { addNumbers, divideNumbers, multiplyNumbers, subtractNumbers } from '../../bson/numeric.ts';
import { DateTime, Decimal128, type Document, toDouble, type Value } from '../../bson/value.ts';
import { type Accumulator, compileAccumulator } from '../accumulator.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { DAY_MS, UNIT_MS } from '../date/calendar.ts';
import type { Evaluator } from '../expression/operator.ts';
import {
  isNullish,
  isNumeric,
  type NumericValue,
  toInt32,
  toJsNumber,
  typeName,
} from '../expression/value-kind.ts';
import type { ExpressionScope } from '../expression.ts';
import { compareSortKeys, type SortKey, type SortPart } from '../sort-key.ts';
import type { StageContext } from './stage.ts';
import {
  createWindowReader,
  isWholePartition,
  parseWindow,
  WHOLE_PARTITION,
  type Window,
  type WindowReader,
} from './window-bounds.ts';

type Argument = Value | undefined;

/** The documents of a partition in order, with the keys they were sorted by. */
export interface Partition {
  readonly documents: readonly Document[];
  readonly keys: readonly SortKey[];
}

export type WindowFunction = (partition: Partition) => readonly Argument[];

interface FunctionSpec {
  readonly name: string;
  readonly argument: Value;
  readonly windowSpec: Value | undefined;
  readonly sort: readonly SortPart[];
  readonly scope: ExpressionScope;
  readonly context: StageContext;
}

/** The function of one output field: `{<function>: <argument>, window: <window>}`. */
export function compileWindowFunction(
  spec: Value,
  sort: readonly SortPart[],
  scope: ExpressionScope,
  context: StageContext,
): WindowFunction {
  if (!(spec instanceof Map)) {
    throw failedToParse(
      `The field of the window function must be an object, found ${typeName(spec)}`,
    );
  }
  let found: { name: string; argument: Value } | undefined;
  for (const [name, argument] of spec) {
    if (name === 'window') continue;
    if (!name.startsWith('$')) {
      throw failedToParse(`Window function found an unknown argument: ${name}`);
    }
    if (found !== undefined) {
      throw failedToParse(
        `Cannot specify two functions in window function spec: ${found.name} and ${name}`,
      );
    }
    found = { name, argument };
  }
  if (found === undefined) throw failedToParse('Expected a $-prefixed window function');
  const functionSpec: FunctionSpec = {
    ...found,
    windowSpec: spec.get('window'),
    sort,
    scope,
    context,
  };
  return (SPECIAL.get(found.name) ?? compileAccumulated)(functionSpec);
}

function evaluateAll(
  evaluate: Evaluator,
  { documents }: Partition,
  { frame }: StageContext,
): Argument[] {
  return documents.map((document) => evaluate(document, frame));
}

function readWindow({ windowSpec, sort }: FunctionSpec): Window {
  return windowSpec === undefined ? WHOLE_PARTITION : parseWindow(windowSpec, sort);
}

function windowReader(window: Window, { keys, documents }: Partition): WindowReader {
  return createWindowReader(window, documents.length, () => keys.map(([key]) => key ?? null));
}

function refuseWindow({ name, windowSpec }: FunctionSpec): void {
  if (windowSpec === undefined) return;
  throw locationError(5371601, `${name} does not accept a 'window' field`);
}

function requireSingleSort({ name, sort }: FunctionSpec): void {
  if (sort.length === 1) return;
  throw locationError(
    5371602,
    `${name} must be specified with a top level sortBy expression with exactly one element`,
  );
}

// ---------------------------------------------------------------- accumulators

function compileAccumulated(spec: FunctionSpec): WindowFunction {
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

// ---------------------------------------------------------------- covariance

function compileCovariance(spec: FunctionSpec): WindowFunction {
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

// ---------------------------------------------------------------- slopes and areas

interface Axis {
  readonly input: Evaluator;
  /** Milliseconds of one unit; undefined when the sort field is a number. */
  readonly unitMs: number | undefined;
}

function readAxis(spec: FunctionSpec): Axis {
  const { name, argument, scope } = spec;
  if (!(argument instanceof Map) || !argument.has('input')) {
    throw failedToParse(`${name} requires an 'input' expression`);
  }
  for (const field of argument.keys()) {
    if (field !== 'input' && field !== 'unit') {
      throw failedToParse(`${name} got unexpected argument: ${field}`);
    }
  }
  const unit = argument.get('unit');
  let unitMs: number | undefined;
  if (unit !== undefined) {
    const lengths: Readonly<Record<string, number | undefined>> = {
      ...UNIT_MS,
      day: DAY_MS,
      week: 7 * DAY_MS,
    };
    unitMs = typeof unit === 'string' ? lengths[unit] : undefined;
    if (unitMs === undefined) {
      throw locationError(5490704, "unit must be 'week' or smaller");
    }
  }
  return { input: scope.compile(argument.get('input') as Value).evaluate, unitMs };
}

function axisNumber(value: Argument, { unitMs }: Axis, name: string): number {
  if (unitMs === undefined) {
    if (isNumeric(value)) return toJsNumber(value);
    throw locationError(5624900, `${name} (with no 'unit') expects the sortBy field to be numeric`);
  }
  if (value instanceof DateTime) return Number(value.epochMs) / unitMs;
  throw locationError(5624901, `${name} with 'unit' expects the sortBy field to be a Date`);
}

function compileDerivative(spec: FunctionSpec): WindowFunction {
  requireSingleSort(spec);
  const axis = readAxis(spec);
  if (spec.windowSpec === undefined) {
    throw failedToParse('$derivative requires explicit window bounds');
  }
  const window = readWindow(spec);
  return (partition) => {
    const inputs = evaluateAll(axis.input, partition, spec.context);
    const read = windowReader(window, partition);
    return inputs.map((_input, place) => {
      const { first, last } = read(place);
      if (last <= first) return null;
      const [from, to] = [inputs[first], inputs[last]];
      if (isNullish(from) || isNullish(to)) return null;
      if (!isNumeric(from) || !isNumeric(to)) {
        throw locationError(5624903, '$derivative input must not be a non-numeric value');
      }
      const run =
        axisNumber(partition.keys[last]?.[0], axis, '$derivative') -
        axisNumber(partition.keys[first]?.[0], axis, '$derivative');
      return run === 0 ? null : divideNumbers(subtractNumbers(to, from), toDouble(run));
    });
  };
}

function compileIntegral(spec: FunctionSpec): WindowFunction {
  requireSingleSort(spec);
  const axis = readAxis(spec);
  const window = readWindow(spec);
  return (partition) => {
    const inputs = evaluateAll(axis.input, partition, spec.context);
    const points = inputs.map((input, place) => ({
      x: axisNumber(partition.keys[place]?.[0], axis, '$integral'),
      y: isNumeric(input) ? input : undefined,
    }));
    const read = windowReader(window, partition);
    return inputs.map((_input, place) => {
      const { first, last } = read(place);
      if (last < first) return null;
      return areaUnder(points.slice(first, last + 1));
    });
  };
}

interface Point {
  readonly x: number;
  readonly y: NumericValue | undefined;
}

/** Trapezoids between neighbours that have values. */
function areaUnder(points: readonly Point[]): Value {
  let area: NumericValue = toDouble(0);
  let before: Point | undefined;
  for (const point of points) {
    if (point.y === undefined) continue;
    if (before?.y !== undefined) {
      const width = toDouble((point.x - before.x) / 2);
      area = addNumbers(area, multiplyNumbers(addNumbers(before.y, point.y), width));
    }
    before = point;
  }
  return area;
}

// ---------------------------------------------------------------- moving average

function compileExpMovingAverage(spec: FunctionSpec): WindowFunction {
  refuseWindow(spec);
  const { argument, scope, context, sort } = spec;
  if (sort.length === 0) {
    throw failedToParse("$expMovingAvg requires an explicit 'sortBy'");
  }
  if (!(argument instanceof Map) || argument.size !== 2 || !argument.has('input')) {
    throw failedToParse(
      "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field",
    );
  }
  const alpha = readAlpha(argument);
  const { evaluate } = scope.compile(argument.get('input') as Value);
  return (partition) => {
    let average: NumericValue | undefined;
    return evaluateAll(evaluate, partition, context).map((value) => {
      if (!isNumeric(value)) return average ?? null;
      average = average === undefined ? value : blend(value, average, alpha);
      return average;
    });
  };
}

function readAlpha(argument: Document): number {
  const n = argument.get('N');
  if (n !== undefined) {
    const count = isNumeric(n) ? toInt32(n) : undefined;
    if (count === undefined || count <= 0) {
      throw failedToParse(`'N' field must be an integer greater than zero, but found ${String(n)}`);
    }
    return 2 / (count + 1);
  }
  const alpha = argument.get('alpha');
  const number = isNumeric(alpha) ? toJsNumber(alpha) : Number.NaN;
  if (!(number > 0 && number < 1)) {
    throw failedToParse("'alpha' must be between 0 and 1 (exclusive)");
  }
  return number;
}

function blend(value: NumericValue, average: NumericValue, alpha: number): NumericValue {
  if (value instanceof Decimal128 || average instanceof Decimal128) {
    return addNumbers(
      multiplyNumbers(value, toDouble(alpha)),
      multiplyNumbers(average, toDouble(1 - alpha)),
    );
  }
  return toDouble(toJsNumber(value) * alpha + toJsNumber(average) * (1 - alpha));
}

// ---------------------------------------------------------------- ranks

function compileRank(spec: FunctionSpec): WindowFunction {
  refuseWindow(spec);
  const { name, argument, sort, context } = spec;
  if (!(argument instanceof Map) || argument.size > 0) {
    throw locationError(5371603, `${name} must be specified with '{}' as the value`);
  }
  requireSingleSort(spec);
  return ({ keys }) => {
    let rank = 0;
    let dense = 0;
    return keys.map((key, place) => {
      const before = keys[place - 1];
      if (before === undefined || compareSortKeys(sort, before, key, context.collation) !== 0) {
        rank = place + 1;
        dense++;
      }
      if (name === '$documentNumber') return place + 1;
      return name === '$rank' ? rank : dense;
    });
  };
}

// ---------------------------------------------------------------- shift and fill

function compileShift(spec: FunctionSpec): WindowFunction {
  refuseWindow(spec);
  const { argument, scope, context, sort } = spec;
  if (sort.length === 0) throw failedToParse("'$shift' requires a sortBy");
  if (!(argument instanceof Map)) {
    throw failedToParse('Argument to $shift must be an object');
  }
  for (const field of argument.keys()) {
    if (field !== 'output' && field !== 'by' && field !== 'default') {
      throw failedToParse(`Unknown argument in $shift: ${field}`);
    }
  }
  const by = argument.get('by');
  const output = argument.get('output');
  if (output === undefined || by === undefined) {
    throw failedToParse("$shift requires 'output' and 'by' to be specified");
  }
  const offset = isNumeric(by) ? toInt32(by) : undefined;
  if (offset === undefined)
    throw failedToParse(`'$shift:by' field must be an integer, but found ${String(by)}`);
  const otherwise = readShiftDefault(argument.get('default'), scope);
  const { evaluate } = scope.compile(output);
  return (partition) => {
    const values = evaluateAll(evaluate, partition, context);
    return values.map((_value, place) => {
      const from = place + offset;
      if (from < 0 || from >= values.length) return otherwise;
      return values[from] ?? null;
    });
  };
}

function readShiftDefault(spec: Value | undefined, scope: ExpressionScope): Value {
  if (spec === undefined) return null;
  const expression = scope.compile(spec);
  if (!expression.constant) {
    throw failedToParse("'$shift:default' expression must yield a constant value.");
  }
  return expression.evaluate(new Map(), []) ?? null;
}

function compileLocf(spec: FunctionSpec): WindowFunction {
  refuseWindow(spec);
  const { argument, scope, context } = spec;
  const { evaluate } = scope.compile(argument);
  return (partition) => {
    let known: Value = null;
    return evaluateAll(evaluate, partition, context).map((value) => {
      if (!isNullish(value)) known = value;
      return known;
    });
  };
}

function compileLinearFill(spec: FunctionSpec): WindowFunction {
  refuseWindow(spec);
  const { argument, scope, context, sort } = spec;
  if (sort.length !== 1) {
    throw locationError(
      605001,
      '$linearFill must be specified with a top level sortBy expression with exactly one element',
    );
  }
  const { evaluate } = scope.compile(argument);
  return (partition) =>
    interpolate(
      evaluateAll(evaluate, partition, context),
      partition.keys.map(([key]) => key),
    );
}

function linearPosition(key: Argument): number {
  if (isNumeric(key)) return toJsNumber(key);
  if (key instanceof DateTime) return Number(key.epochMs);
  throw locationError(
    605002,
    'The sortBy field of $linearFill must be numeric or a date for all documents',
  );
}

/** Nulls between two known values come to lie on the line between them. */
function interpolate(values: readonly Argument[], keys: readonly Argument[]): Argument[] {
  const filled = values.map((value) => (isNullish(value) ? null : value));
  let before: number | undefined;
  values.forEach((value, place) => {
    if (place > 0 && linearPosition(keys[place]) === linearPosition(keys[place - 1])) {
      throw locationError(6050106, 'There can be no repeated values in the sort field');
    }
    if (isNullish(value)) return;
    if (!isNumeric(value)) {
      throw locationError(6050201, 'Value to be filled must be numeric or nullish');
    }
    if (before !== undefined) fillBetween(filled, keys, before, place);
    before = place;
  });
  return filled;
}

function fillBetween(
  filled: (Value | null)[],
  keys: readonly Argument[],
  from: number,
  to: number,
): void {
  const [start, end] = [filled[from], filled[to]];
  if (!isNumeric(start) || !isNumeric(end)) return;
  const [x1, x2] = [linearPosition(keys[from]), linearPosition(keys[to])];
  for (let i = from + 1; i < to; i++) {
    const x = linearPosition(keys[i]);
    if (start instanceof Decimal128 || end instanceof Decimal128) {
      const share = toDouble((x - x1) / (x2 - x1));
      filled[i] = addNumbers(start, multiplyNumbers(subtractNumbers(end, start), share));
    } else {
      const [y1, y2] = [toJsNumber(start), toJsNumber(end)];
      filled[i] = toDouble(y1 + ((x - x1) * (y2 - y1)) / (x2 - x1));
    }
  }
}

const SPECIAL: ReadonlyMap<string, (spec: FunctionSpec) => WindowFunction> = new Map([
  ['$covariancePop', compileCovariance],
  ['$covarianceSamp', compileCovariance],
  ['$denseRank', compileRank],
  ['$derivative', compileDerivative],
  ['$documentNumber', compileRank],
  ['$expMovingAvg', compileExpMovingAverage],
  ['$integral', compileIntegral],
  ['$linearFill', compileLinearFill],
  ['$locf', compileLocf],
  ['$rank', compileRank],
  ['$shift', compileShift],
]);
