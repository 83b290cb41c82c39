/** Window functions of a document's place among the others: ranks, `$shift`, `$locf`, `$linearFill`. */

import { addNumbers, multiplyNumbers, subtractNumbers } from '../../bson/numeric.ts';
import { DateTime, Decimal128, toDouble, type Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { isNullish, isNumeric, toInt32, toJsNumber } from '../expression/value-kind.ts';
import type { ExpressionScope } from '../expression.ts';
import { compareSortKeys } from '../sort-key.ts';
import type { Argument, FunctionSpec, WindowFunction } from './window-spec.ts';
import { evaluateAll, refuseWindow, requireSingleSort } from './window-spec.ts';

/** `$rank`, `$denseRank` and `$documentNumber`. */
export function compileRank(spec: FunctionSpec): WindowFunction {
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

/** `$shift`: the value of a document so many places away. */
export function compileShift(spec: FunctionSpec): WindowFunction {
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

/** `$locf`: the last value that was there. */
export function compileLocf(spec: FunctionSpec): WindowFunction {
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

/** `$linearFill`: what is missing, on the line between its neighbours. */
export function compileLinearFill(spec: FunctionSpec): WindowFunction {
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
