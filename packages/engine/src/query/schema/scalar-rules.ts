/** Keywords of `$jsonSchema` about types, numbers, strings and enumerations. */
import { compareValues, isNumeric, valuesEqual } from '../../bson/compare.ts';
import { isZero, moduloNumbers, toExactInt64 } from '../../bson/numeric.ts';
import { BsonType, typeName, typeNumber } from '../../bson/types.ts';
import type { Document, Value } from '../../bson/value.ts';
import { compileRegex } from '../regex.ts';
import { parseTypeElement } from '../type-alias.ts';
import { conditionRule, failedToParse, type SchemaRule, single, typeMismatch } from './rule.ts';

const JSON_TYPES: Readonly<Record<string, readonly number[]>> = {
  array: [BsonType.array],
  boolean: [BsonType.bool],
  null: [BsonType.null],
  object: [BsonType.object],
  number: [BsonType.double, BsonType.int, BsonType.long, BsonType.decimal],
  string: [BsonType.string],
};

function jsonType(value: Value): readonly number[] {
  if (value === 'integer') {
    throw failedToParse("$jsonSchema type 'integer' is not currently supported.");
  }
  const types =
    typeof value === 'string' && Object.hasOwn(JSON_TYPES, value) ? JSON_TYPES[value] : undefined;
  if (types === undefined) {
    throw failedToParse(`Unknown type name alias: ${String(value)}`);
  }
  return types;
}

/** `type` and `bsonType`: one alias or an array of different ones. */
export function typeRule(keyword: 'type' | 'bsonType', argument: Value): SchemaRule {
  const names = Array.isArray(argument) ? argument : [argument];
  if (names.length === 0) {
    throw failedToParse(`$jsonSchema keyword '${keyword}' must name at least one type`);
  }
  for (const name of names) {
    if (typeof name !== 'string') {
      throw typeMismatch(
        `$jsonSchema keyword '${keyword}' must be either a string or an array of strings`,
      );
    }
  }
  if (new Set(names).size !== names.length) {
    throw failedToParse(`$jsonSchema keyword '${keyword}' has duplicate value: ${names[0]}`);
  }
  const types = new Set(
    names.flatMap((name) => (keyword === 'type' ? jsonType(name) : parseTypeElement(name))),
  );
  return {
    keyword,
    test: (value) => types.has(typeNumber(value)),
    explain: (value) =>
      new Map<string, Value>([
        ['operatorName', keyword],
        ['specifiedAs', single(keyword, argument)],
        ['reason', 'type did not match'],
        ['consideredValue', value],
        ['consideredType', typeName(value)],
      ]),
  };
}

/** `minimum` and `maximum` with their `exclusive…` companions (draft 4: booleans). */
export function boundRule(keyword: 'minimum' | 'maximum', schema: Document): SchemaRule {
  const limit = schema.get(keyword) ?? null;
  if (!isNumeric(limit)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number`);
  const companion = keyword === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum';
  const exclusive = schema.get(companion) === true;
  const sign = keyword === 'minimum' ? 1 : -1;
  const specified = single(keyword, limit);
  if (exclusive) specified.set(companion, true);
  return conditionRule(keyword, specified, 'comparison failed', (value) => {
    if (!isNumeric(value)) return true;
    const order = sign * compareValues(value, limit);
    return exclusive ? order > 0 : order >= 0;
  });
}

export function multipleOfRule(argument: Value): SchemaRule {
  if (!isNumeric(argument)) throw typeMismatch("$jsonSchema keyword 'multipleOf' must be a number");
  if (compareValues(argument, 0) <= 0) {
    throw failedToParse("$jsonSchema keyword 'multipleOf' must have a positive value");
  }
  return conditionRule(
    'multipleOf',
    single('multipleOf', argument),
    'considered value is not a multiple of the specified value',
    (value) => !isNumeric(value) || isZero(moduloNumbers(value, argument)),
  );
}

/** A size as draft 4 has it: a whole number that is not negative. */
export function sizeArgument(keyword: string, argument: Value): number {
  if (!isNumeric(argument)) throw typeMismatch(`$jsonSchema keyword '${keyword}' must be a number`);
  const size = toExactInt64(argument);
  if (size === undefined) {
    throw failedToParse(`$jsonSchema keyword '${keyword}' must be an integer`);
  }
  if (size < 0n)
    throw failedToParse(`$jsonSchema keyword '${keyword}' must be a non-negative integer`);
  return Number(size);
}

/** How many characters (code points) a string has. */
function characterCount(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

export function lengthRule(keyword: 'minLength' | 'maxLength', argument: Value): SchemaRule {
  const size = sizeArgument(keyword, argument);
  return conditionRule(
    keyword,
    single(keyword, argument),
    'specified string length was not satisfied',
    (value) => {
      if (typeof value !== 'string') return true;
      const count = characterCount(value);
      return keyword === 'minLength' ? count >= size : count <= size;
    },
  );
}

export function patternRule(argument: Value): SchemaRule {
  if (typeof argument !== 'string') {
    throw typeMismatch("$jsonSchema keyword 'pattern' must be a string");
  }
  const regex = compileRegex(argument, '');
  return conditionRule(
    'pattern',
    single('pattern', argument),
    'regular expression did not match',
    (value) => typeof value !== 'string' || regex.test(value),
  );
}

export function enumRule(argument: Value): SchemaRule {
  if (!Array.isArray(argument)) throw typeMismatch("$jsonSchema keyword 'enum' must be an array");
  if (argument.length === 0) {
    throw failedToParse("$jsonSchema keyword 'enum' cannot be an empty array");
  }
  return conditionRule('enum', single('enum', argument), 'value was not found in enum', (value) =>
    argument.some((item) => valuesEqual(item, value)),
  );
}
