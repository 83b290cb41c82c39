/** Window functions of change over a sorted axis: `$derivative`, `$integral`, `$expMovingAvg`. */

import { addNumbers, divideNumbers, multiplyNumbers, subtractNumbers } from '../../bson/numeric.ts';
import { DateTime, Decimal128, type Document, toDouble, type Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { DAY_MS, UNIT_MS } from '../date/calendar.ts';
import type { Evaluator } from '../expression/operator.ts';
import {
  isNullish,
  isNumeric,
  type NumericValue,
  toInt32,
  toJsNumber,
} from '../expression/value-kind.ts';
import type { Argument, FunctionSpec, WindowFunction } from './window-spec.ts';
import {
  evaluateAll,
  readWindow,
  refuseWindow,
  requireSingleSort,
  windowReader,
} from './window-spec.ts';

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

/** `$derivative`: the slope between the ends of a window. */
export function compileDerivative(spec: FunctionSpec): WindowFunction {
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

/** `$integral`: the area under the values of a window, by the trapezoidal rule. */
export function compileIntegral(spec: FunctionSpec): WindowFunction {
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

/** `$expMovingAvg`, by `N` or `alpha`. */
export function compileExpMovingAverage(spec: FunctionSpec): WindowFunction {
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
