/** The argument of `$type` and `bsonType`: type numbers and aliases. */

import { isNumeric } from '../bson/compare.ts';
import { toExactInt64 } from '../bson/numeric.ts';
import { BsonType } from '../bson/types.ts';
import type { Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

const NUMBER_TYPES = [BsonType.double, BsonType.int, BsonType.long, BsonType.decimal];
const KNOWN_NUMBERS: ReadonlySet<number> = new Set(Object.values(BsonType));

/** The type bytes an alias stands for; `undefined` for an unknown alias. */
export function typesOfAlias(alias: string): readonly number[] | undefined {
  if (alias === 'number') return NUMBER_TYPES;
  return Object.hasOwn(BsonType, alias) ? [BsonType[alias as keyof typeof BsonType]] : undefined;
}

/** The type bytes one element of `$type` stands for; MinKey may be given as -1. */
export function parseTypeElement(value: Value, operator = '$type'): readonly number[] {
  if (typeof value === 'string') {
    const types = typesOfAlias(value);
    if (types === undefined) {
      throw new MongoCommandError('BadValue', `Unknown type name alias: ${value}`);
    }
    return types;
  }
  if (!isNumeric(value)) {
    throw new MongoCommandError('TypeMismatch', `type must be represented as a number or a string`);
  }
  const whole = toExactInt64(value);
  const number = whole === -1n ? BsonType.minKey : Number(whole ?? Number.NaN);
  if (!KNOWN_NUMBERS.has(number) || whole === 255n) {
    throw new MongoCommandError(
      'BadValue',
      `Invalid numerical type code: ${whole ?? String(value)} for ${operator}`,
    );
  }
  return [number];
}

/** The set of type bytes of a `$type` argument, one element or an array of them. */
export function parseTypeSet(value: Value): ReadonlySet<number> {
  if (Array.isArray(value)) {
    if (value.length === 0) {
      throw new MongoCommandError('FailedToParse', '$type must match at least one type');
    }
    return new Set(value.flatMap((element) => parseTypeElement(element)));
  }
  return new Set(parseTypeElement(value));
}
