/** `$sortArray`, `$firstN`, `$lastN`, `$maxN`, `$minN`. */
import { compareValues } from '../../bson/compare.ts';
import type { Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import { compareSortKeys, parseDirection, parseSortPattern, sortKeyOf } from '../sort-key.ts';
import {
  type Expression,
  fromParts,
  named,
  type OperatorCompiler,
  type OperatorTable,
  readNamedArguments,
  type Scope,
} from './operator.ts';
import { describeValue, isNullish, isNumeric, toInt64, typeName } from './value-kind.ts';

function compileSortArray(argument: Value, scope: Scope, operator: string): Expression {
  const given = readNamedArguments(argument, operator, {
    required: ['input', 'sortBy'],
    notAnObject: (_name, value) =>
      locationError(
        2942500,
        `$sortArray requires an object as an argument, found: ${typeName(value)}`,
      ),
    unknown: (_name, field) =>
      locationError(2942501, `$sortArray found an unknown argument: ${field}`),
    missing: (_name, field) =>
      locationError(
        field === 'input' ? 2942502 : 2942503,
        `$sortArray requires '${field}' to be specified`,
      ),
  });
  const input = scope.compile(given.get('input') as Value);
  const order = arrayOrder(given.get('sortBy') as Value, scope);
  return fromParts([input], (root, variables) => {
    const array = input.evaluate(root, variables);
    if (isNullish(array)) return null;
    if (!Array.isArray(array)) {
      throw locationError(
        2942504,
        `The input argument to $sortArray must be an array, but was of type: ${typeName(array)}`,
      );
    }
    return order(array);
  });
}

function arrayOrder(sortBy: Value, scope: Scope): (array: readonly Value[]) => Value[] {
  const { collation } = scope.runtime;
  if (!(sortBy instanceof Map)) {
    const direction = parseDirection(sortBy);
    return (array) => array.toSorted((a, b) => compareValues(a, b, collation) * direction);
  }
  const parts = parseSortPattern(sortBy);
  return (array) =>
    array
      .map((item) => ({
        item,
        key: parts.map((part) => (item instanceof Map ? sortKeyOf(part, item, collation) : null)),
      }))
      .sort((a, b) => compareSortKeys(parts, a.key, b.key, collation))
      .map(({ item }) => item);
}

/** The `n` of `$firstN` and its family, as expression, accumulator or window function. */
export function readCount(value: Value | undefined): number {
  if (!isNumeric(value)) {
    throw locationError(
      5787902,
      `Value for 'n' must be of integral type, but found ${describeValue(value)}`,
    );
  }
  const count = toInt64(value);
  if (count === undefined) {
    throw locationError(
      5787903,
      `Value for 'n' must be of integral type, but found ${describeValue(value)}`,
    );
  }
  if (count <= 0n) {
    throw locationError(5787908, `'n' must be greater than 0, found ${count}`);
  }
  return Number(count);
}

function takeN(
  take: (array: readonly Value[], n: number, scope: Scope) => Value,
): OperatorCompiler {
  return named(
    {
      required: ['n', 'input'],
      notAnObject: (name, value) =>
        locationError(
          5787801,
          `specification must be an object; found ${name}: ${describeValue(value)}`,
        ),
      unknown: (_name, field) =>
        locationError(5787901, `Unknown argument for 'n' operator: ${field}`),
      missing: (_name, field) =>
        locationError(field === 'n' ? 5787906 : 5787907, `Missing value for '${field}'`),
    },
    ({ n, input }, _name, scope) => {
      const count = readCount(n);
      if (!Array.isArray(input)) {
        throw locationError(5788200, 'Input must be an array');
      }
      return take(input, count, scope);
    },
  );
}

function takeExtreme(direction: 1 | -1): OperatorCompiler {
  return takeN((array, n, scope) =>
    array
      .filter((item) => !isNullish(item))
      .sort((a, b) => compareValues(a, b, scope.runtime.collation) * direction)
      .slice(0, n),
  );
}

export const arrayOrderOperators: OperatorTable = {
  $sortArray: compileSortArray,
  $firstN: takeN((array, n) => array.slice(0, n)),
  $lastN: takeN((array, n) => array.slice(-n)),
  $maxN: takeExtreme(-1),
  $minN: takeExtreme(1),
};
