/** Array operators that look at positions and shapes; those that iterate or order are apart. */
import { compareValues, valuesEqual } from '../../bson/compare.ts';
import type { Document, Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import {
  binary,
  type Expression,
  fromParts,
  type OperatorTable,
  type Scope,
  unary,
  variadic,
} from './operator.ts';
import { describeValue, isNullish, isNumeric, isTruthy, toInt32, typeName } from './value-kind.ts';

type Argument = Value | undefined;

/** A 32-bit integer argument, with the operator's own errors when it is none. */
function readInt32(value: Argument, notNumeric: () => Error, notInt32: () => Error): number {
  if (!isNumeric(value)) throw notNumeric();
  const integer = toInt32(value);
  if (integer === undefined) throw notInt32();
  return integer;
}

function elementAt(array: Argument, position: Argument): Argument {
  if (isNullish(array) || isNullish(position)) return null;
  if (!Array.isArray(array)) {
    throw locationError(
      28689,
      `$arrayElemAt's first argument must be an array, but is ${typeName(array)}`,
    );
  }
  const index = readInt32(
    position,
    () =>
      locationError(
        28690,
        `$arrayElemAt's second argument must be a numeric value, but is ${typeName(position)}`,
      ),
    () =>
      locationError(
        28691,
        `$arrayElemAt's second argument must be representable as a 32-bit integer: ${describeValue(position)}`,
      ),
  );
  return array.at(index);
}

function elementAtEnd(index: 0 | -1): OperatorTable[string] {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (!Array.isArray(value)) {
      throw locationError(28689, `${name}'s argument must be an array, but is ${typeName(value)}`);
    }
    return value.at(index);
  });
}

function concatArrays(values: readonly Argument[]): Argument {
  const result: Value[] = [];
  for (const value of values) {
    if (isNullish(value)) return null;
    if (!Array.isArray(value)) {
      throw locationError(28664, `$concatArrays only supports arrays, not ${typeName(value)}`);
    }
    for (const item of value) result.push(item);
  }
  return result;
}

function indexOfArray(values: readonly Argument[], _name: string, scope: Scope): Argument {
  const [array, wanted, start, end] = values;
  if (isNullish(array)) return null;
  if (!Array.isArray(array)) {
    throw locationError(
      40090,
      `$indexOfArray requires an array as a first argument, found: ${typeName(array)}`,
    );
  }
  const from = values.length > 2 ? readBound('$indexOfArray', 'starting', start) : 0;
  const to = values.length > 3 ? readBound('$indexOfArray', 'ending', end) : array.length;
  for (let i = from; i < Math.min(to, array.length); i++) {
    if (compareValues(array[i], wanted, scope.runtime.collation) === 0) return i;
  }
  return -1;
}

/** A starting or ending index of the `$indexOf…` operators. */
export function readBound(name: string, which: string, value: Argument): number {
  const index = toInt32(value);
  if (index === undefined) {
    throw locationError(
      40096,
      `${name} requires an integral ${which} index, found a value of type: ${typeName(value)}, with value: ${describeValue(value)}`,
    );
  }
  if (index < 0) {
    throw locationError(40097, `${name} requires a nonnegative ${which} index, found: ${index}`);
  }
  return index;
}

function range(values: readonly Argument[]): Argument {
  const [start, end, step] = values;
  const from = readRangePart('starting', start, 34443, 34444);
  const to = readRangePart('ending', end, 34445, 34446);
  const by = values.length > 2 ? readRangePart('step', step, 34447, 34448) : 1;
  if (by === 0) throw locationError(34449, '$range requires a non-zero step value');
  const result: Value[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) result.push(i);
  return result;
}

function readRangePart(which: string, value: Argument, notNumeric: number, notInt: number): number {
  const article = which === 'ending' ? 'an' : 'a';
  return readInt32(
    value,
    () =>
      locationError(
        notNumeric,
        `$range requires a numeric ${which} value, found value of type:${typeName(value)}`,
      ),
    () =>
      locationError(
        notInt,
        `$range requires ${article} ${which} value that can be represented as a 32-bit integer, found value: ${describeValue(value)}`,
      ),
  );
}

function slice(values: readonly Argument[]): Argument {
  const [array, second, third] = values;
  if (values.some(isNullish)) return null;
  if (!Array.isArray(array)) {
    throw locationError(
      28724,
      `First argument to $slice must be an array, but is of type: ${typeName(array)}`,
    );
  }
  const position = readSlicePart('Second', second, 28725, 28726);
  if (values.length === 2) {
    return position >= 0 ? array.slice(0, position) : array.slice(position);
  }
  const count = readSlicePart('Third', third, 28727, 28728);
  if (count <= 0) {
    throw locationError(
      28729,
      `Third argument to $slice must be positive: ${describeValue(third)}`,
    );
  }
  const start = position < 0 ? Math.max(0, array.length + position) : position;
  return array.slice(start, start + count);
}

function readSlicePart(which: string, value: Argument, notNumeric: number, notInt: number): number {
  return readInt32(
    value,
    () =>
      locationError(
        notNumeric,
        `${which} argument to $slice must be a numeric value, but is of type: ${typeName(value)}`,
      ),
    () =>
      locationError(
        notInt,
        `${which} argument to $slice can't be represented as a 32-bit integer: ${describeValue(value)}`,
      ),
  );
}

interface Zip {
  readonly inputs: readonly Expression[];
  readonly defaults: readonly Expression[];
  readonly useLongest: boolean;
}

function readZip(argument: Value, scope: Scope): Zip {
  if (!(argument instanceof Map)) {
    throw locationError(
      34460,
      `$zip only supports an object as an argument, found ${typeName(argument)}`,
    );
  }
  for (const name of argument.keys()) {
    if (name !== 'inputs' && name !== 'defaults' && name !== 'useLongestLength') {
      throw locationError(34464, `$zip found an unknown argument: ${name}`);
    }
  }
  const inputs = argument.get('inputs');
  const defaults = argument.get('defaults') ?? [];
  const useLongest = argument.get('useLongestLength') ?? false;
  if (inputs !== undefined && !Array.isArray(inputs)) {
    throw locationError(34461, `inputs must be an array of expressions, found ${typeName(inputs)}`);
  }
  if (!Array.isArray(defaults)) {
    throw locationError(
      34462,
      `defaults must be an array of expressions, found ${typeName(defaults)}`,
    );
  }
  if (typeof useLongest !== 'boolean') {
    throw locationError(34463, `useLongestLength must be a bool, found ${typeName(useLongest)}`);
  }
  if (inputs === undefined || inputs.length === 0) {
    throw locationError(34465, '$zip requires at least one input array');
  }
  if (defaults.length > 0 && !useLongest) {
    throw locationError(34466, 'cannot specify defaults unless useLongestLength is true');
  }
  if (defaults.length > 0 && defaults.length !== inputs.length) {
    throw locationError(34467, 'defaults and inputs must have the same length');
  }
  return {
    inputs: inputs.map((spec) => scope.compile(spec)),
    defaults: defaults.map((spec) => scope.compile(spec)),
    useLongest,
  };
}

function compileZip(argument: Value, scope: Scope): Expression {
  const { inputs, defaults, useLongest } = readZip(argument, scope);
  return fromParts([...inputs, ...defaults], (root, variables) => {
    const arrays: (readonly Value[])[] = [];
    for (const input of inputs) {
      const value = input.evaluate(root, variables);
      if (isNullish(value)) return null;
      if (!Array.isArray(value)) {
        throw locationError(
          34468,
          `$zip found a non-array expression in input: ${describeValue(value)}`,
        );
      }
      arrays.push(value);
    }
    const fill = defaults.map((expression) => expression.evaluate(root, variables) ?? null);
    const lengths = arrays.map((array) => array.length);
    const length = useLongest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length }, (_, row) =>
      arrays.map((array, column) => array[row] ?? fill[column] ?? null),
    );
  });
}

function objectToArray(value: Argument): Argument {
  if (isNullish(value)) return null;
  if (!(value instanceof Map)) {
    throw locationError(
      40390,
      `$objectToArray requires a document input, found: ${typeName(value)}`,
    );
  }
  return [...value].map(([k, v]) => new Map<string, Value>().set('k', k).set('v', v));
}

function arrayToObject(value: Argument): Argument {
  if (isNullish(value)) return null;
  if (!Array.isArray(value)) {
    throw locationError(40386, `$arrayToObject requires an array input, found: ${typeName(value)}`);
  }
  const result: Document = new Map();
  const first = value[0];
  if (first === undefined) return result;
  if (Array.isArray(first)) {
    for (const pair of value) addPair(result, pair);
  } else if (first instanceof Map) {
    for (const entry of value) addEntry(result, entry);
  } else {
    throw locationError(
      40398,
      `Unrecognised input type format for $arrayToObject: ${typeName(first)}`,
    );
  }
  return result;
}

function addPair(result: Document, pair: Value): void {
  if (!Array.isArray(pair)) {
    throw locationError(
      40396,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Array was detected, now found: ${typeName(pair)}`,
    );
  }
  if (pair.length !== 2) {
    throw locationError(
      40397,
      `$arrayToObject requires an array of size 2 arrays,found array of size: ${pair.length}`,
    );
  }
  const [key, value] = pair;
  if (typeof key !== 'string') {
    throw locationError(
      40395,
      `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeName(key)}`,
    );
  }
  setKey(result, key, value as Value);
}

function addEntry(result: Document, entry: Value): void {
  if (!(entry instanceof Map)) {
    throw locationError(
      40391,
      `$arrayToObject requires a consistent input format. Elements must all be arrays or all be objects. Object was detected, now found: ${typeName(entry)}`,
    );
  }
  if (entry.size !== 2) {
    throw locationError(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${entry.size}`,
    );
  }
  const key = entry.get('k');
  const value = entry.get('v');
  if (key === undefined || value === undefined) {
    throw locationError(
      40393,
      `$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: ${describeValue(entry)}`,
    );
  }
  if (typeof key !== 'string') {
    throw locationError(
      40394,
      `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeName(key)}`,
    );
  }
  setKey(result, key, value);
}

function setKey(result: Document, key: string, value: Value): void {
  if (key.includes('\0')) {
    throw locationError(4940400, 'Key field cannot contain an embedded null byte');
  }
  result.set(key, value);
}

export const arrayOperators: OperatorTable = {
  $arrayElemAt: binary(elementAt),
  $arrayToObject: unary(arrayToObject),
  $concatArrays: variadic(0, Number.POSITIVE_INFINITY, concatArrays),
  $first: elementAtEnd(0),
  $in: binary((wanted, array, _name, scope) => {
    if (!Array.isArray(array)) {
      throw locationError(
        40081,
        `$in requires an array as a second argument, found: ${typeName(array)}`,
      );
    }
    return array.some((item) => valuesEqual(item, wanted, scope.runtime.collation));
  }),
  $indexOfArray: variadic(2, 4, indexOfArray),
  $isArray: unary((value) => Array.isArray(value)),
  $last: elementAtEnd(-1),
  $objectToArray: unary(objectToArray),
  $range: variadic(2, 3, range),
  $reverseArray: unary((value) => {
    if (isNullish(value)) return null;
    if (!Array.isArray(value)) {
      throw locationError(
        34435,
        `The argument to $reverseArray must be an array, but was of type: ${typeName(value)}`,
      );
    }
    return value.toReversed();
  }),
  $size: unary((value) => {
    if (!Array.isArray(value)) {
      throw locationError(
        17124,
        `The argument to $size must be an array, but was of type: ${typeName(value)}`,
      );
    }
    return value.length;
  }),
  $slice: variadic(2, 3, slice),
  $zip: compileZip,
  $allElementsTrue: unary((value) => {
    if (!Array.isArray(value)) {
      throw locationError(
        17040,
        `$allElementsTrue's argument must be an array, but is ${typeName(value)}`,
      );
    }
    return value.every(isTruthy);
  }),
  $anyElementTrue: unary((value) => {
    if (!Array.isArray(value)) {
      throw locationError(
        17041,
        `$anyElementTrue's argument must be an array, but is ${typeName(value)}`,
      );
    }
    return value.some(isTruthy);
  }),
};
