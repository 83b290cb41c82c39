/** `$replaceOne`, `$replaceAll`, `$trim`, `$ltrim`, `$rtrim`: operators with named arguments. */
import type { Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import {
  type NamedArguments,
  named,
  type OperatorCompiler,
  type OperatorTable,
} from './operator.ts';
import { describeValue, isNullish, typeName } from './value-kind.ts';

const REPLACE_MISSING: Readonly<Record<string, number>> = {
  input: 51749,
  find: 51748,
  replacement: 51747,
};
const REPLACE_TYPE: Readonly<Record<string, number>> = {
  input: 51746,
  find: 51745,
  replacement: 51744,
};

const REPLACE: NamedArguments = {
  required: ['input', 'find', 'replacement'],
  notAnObject: (name, value) =>
    locationError(51751, `${name} requires an object as an argument, found: ${typeName(value)}`),
  unknown: (name, field) => locationError(51750, `${name} found an unknown argument: ${field}`),
  missing: (name, field) =>
    locationError(REPLACE_MISSING[field] ?? 51749, `${name} requires '${field}' to be specified`),
};

function replacer(
  replace: (input: string, find: string, replacement: string) => string,
): OperatorCompiler {
  return named(REPLACE, (values, name) => {
    const texts = ['input', 'find', 'replacement'].map((field) => {
      const value = values[field];
      if (typeof value === 'string' || isNullish(value)) return value;
      throw locationError(
        REPLACE_TYPE[field] ?? 51746,
        `${name} requires that '${field}' be a string, found: ${describeValue(value)}`,
      );
    });
    const [input, find, replacement] = texts;
    if (typeof input !== 'string' || typeof find !== 'string' || typeof replacement !== 'string') {
      return null;
    }
    return replace(input, find, replacement);
  });
}

const WHITESPACE = new Set('\0 \t\n\v\f\r\u00a0\u1680'.split(''));
for (let code = 0x2000; code <= 0x200a; code++) WHITESPACE.add(String.fromCharCode(code));

const TRIM: NamedArguments = {
  required: ['input'],
  optional: ['chars'],
  notAnObject: (name, value) =>
    locationError(
      50696,
      `${name} only supports an object as an argument, found ${typeName(value)}`,
    ),
  unknown: (name, field) => locationError(50694, `${name} found an unknown argument: ${field}`),
  missing: (name) => locationError(50695, `${name} requires an 'input' field`),
};

function trimmer(sides: { readonly left: boolean; readonly right: boolean }): OperatorCompiler {
  return named(TRIM, (values, name) => {
    const { input, chars } = values;
    if (isNullish(input)) return null;
    if (typeof input !== 'string') {
      throw locationError(
        50699,
        `${name} requires its input to be a string, got ${describeValue(input)} (of type ${typeName(input)}) instead.`,
      );
    }
    if (!('chars' in values)) return trim(input, WHITESPACE, sides);
    if (isNullish(chars)) return null;
    if (typeof chars !== 'string') {
      throw locationError(
        50700,
        `${name} requires 'chars' to be a string, got ${describeValue(chars)} (of type ${typeName(chars)}) instead.`,
      );
    }
    return trim(input, new Set(chars), sides);
  });
}

function trim(
  input: string,
  characters: ReadonlySet<string>,
  sides: { readonly left: boolean; readonly right: boolean },
): Value {
  const points = [...input];
  let start = 0;
  let end = points.length;
  if (sides.left) while (start < end && characters.has(points[start] as string)) start++;
  if (sides.right) while (end > start && characters.has(points[end - 1] as string)) end--;
  return points.slice(start, end).join('');
}

export const stringReplaceOperators: OperatorTable = {
  $ltrim: trimmer({ left: true, right: false }),
  $rtrim: trimmer({ left: false, right: true }),
  $trim: trimmer({ left: true, right: true }),
  $replaceAll: replacer((input, find, replacement) => input.split(find).join(replacement)),
  $replaceOne: replacer((input, find, replacement) => input.replace(find, () => replacement)),
};
