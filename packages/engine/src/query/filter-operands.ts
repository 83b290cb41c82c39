/** The operands of query operators that hold no further query (manual, "Query Predicates"). */
import { isNumeric } from '../bson/compare.ts';
import { decimalParts } from '../bson/decimal.ts';
import { INT64_MAX, INT64_MIN, toExactInt32, toExactInt64, toNumber } from '../bson/numeric.ts';
import { typeName } from '../bson/types.ts';
import { Binary, BSONRegExp, Decimal128, type Document, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeValue } from './describe.ts';
import type { BitsOperator, FilterNode } from './filter-node.ts';
import { type GeoOperator, parseGeoQuery } from './geo/geo-query.ts';
import { type CompiledRegex, compileRegex } from './regex.ts';

/** The refusal of an operand that is of a wrong kind. */
export function bad(message: string): MongoCommandError {
  return new MongoCommandError('BadValue', message);
}

/** The refusal of an operand that cannot be read. */
export function failed(message: string): MongoCommandError {
  return new MongoCommandError('FailedToParse', message);
}

/** `$text` with its options. */
export function parseText(value: Value): FilterNode {
  if (!(value instanceof Map)) throw bad('$text expects an object');
  const search = value.get('$search');
  if (typeof search !== 'string') {
    throw new MongoCommandError(
      search === undefined ? 'NoSuchKey' : 'TypeMismatch',
      search === undefined
        ? 'Missing expected field "$search"'
        : `"$search" had the wrong type. Expected string, found ${typeName(search)}`,
    );
  }
  const language = value.get('$language');
  if (language !== undefined && typeof language !== 'string') {
    throw new MongoCommandError(
      'TypeMismatch',
      `"$language" had the wrong type. Expected string, found ${typeName(language)}`,
    );
  }
  for (const name of value.keys()) {
    if (!['$search', '$language', '$caseSensitive', '$diacriticSensitive'].includes(name)) {
      throw bad('extra fields in $text');
    }
  }
  return {
    kind: 'text',
    search,
    language,
    caseSensitive: value.get('$caseSensitive') === true,
    diacriticSensitive: value.get('$diacriticSensitive') === true,
  };
}

/** A whole number by truncation, as BSON's own conversion to an int64 does. */
export function truncatedInt64(value: Value | undefined): bigint | undefined {
  if (!isNumeric(value)) return undefined;
  if (typeof value === 'bigint') return value;
  if (value instanceof Decimal128 && decimalParts(value).kind !== 'finite') return undefined;
  const exact = toExactInt64(value);
  if (exact !== undefined) return exact;
  const plain = Math.trunc(toNumber(value));
  if (!Number.isFinite(plain)) return undefined;
  const whole = BigInt(plain);
  return whole >= INT64_MIN && whole <= INT64_MAX ? whole : undefined;
}

/** `$mod`: divisor and remainder. */
export function parseMod(path: string, value: Value): FilterNode {
  if (!Array.isArray(value)) throw bad('malformed mod, needs to be an array');
  if (value.length < 2) throw bad('malformed mod, not enough elements');
  if (value.length > 2) throw bad('malformed mod, too many elements');
  const [first, second] = value;
  if (!isNumeric(first)) throw bad('malformed mod, divisor not a number');
  if (!isNumeric(second)) throw bad('malformed mod, remainder not a number');
  const divisor = truncatedInt64(first);
  const remainder = truncatedInt64(second);
  if (divisor === undefined) throw bad('malformed mod, divisor value is invalid');
  if (remainder === undefined) throw bad('malformed mod, remainder value is invalid');
  if (divisor === 0n) throw bad('divisor cannot be 0');
  return { kind: 'mod', path, divisor, remainder };
}

/** `$size`. */
export function parseSize(path: string, value: Value): FilterNode {
  const text = `$size: ${describeValue(value)}`;
  if (!isNumeric(value)) throw failed(`Failed to parse $size. Expected a number in: ${text}`);
  const size = toExactInt64(value);
  if (size === undefined) throw failed(`Failed to parse $size. Expected an integer: ${text}`);
  if (size < 0n) {
    throw failed(`Failed to parse $size. Expected a non-negative number in: ${text}`);
  }
  return { kind: 'size', path, size: Number(size) };
}

/** `$regex` with `$options`, or a pattern. */
export function parseRegex(value: Value, options: Value | undefined): CompiledRegex {
  if (options !== undefined && typeof options !== 'string') {
    throw bad('$options has to be a string');
  }
  if (value instanceof BSONRegExp) {
    if (value.options !== '' && options !== undefined) {
      throw new MongoCommandError('Location51075', 'options set in both $regex and $options');
    }
    return compileRegex(value.pattern, options ?? value.options);
  }
  if (typeof value !== 'string') throw bad('$regex has to be a string');
  return compileRegex(value, options ?? '');
}

/** The bitwise operators by their names. */
export const BITS: Readonly<Record<string, BitsOperator>> = {
  $bitsAllSet: 'allSet',
  $bitsAllClear: 'allClear',
  $bitsAnySet: 'anySet',
  $bitsAnyClear: 'anyClear',
};

/** A bitwise operator. */
export function parseBits(path: string, name: string, value: Value): FilterNode {
  const op = BITS[name];
  if (op === undefined) throw bad(`unknown operator: ${name}`);
  return { kind: 'bits', path, op, positions: bitPositions(name, value) };
}

function bitPositions(name: string, value: Value): readonly number[] {
  if (Array.isArray(value)) {
    return value.map((item, index) => {
      const position = toExactInt32(item);
      if (position === undefined) {
        throw bad(
          `Failed to parse bit position. Expected a number in: ${index}: ${describeValue(item)}`,
        );
      }
      if (position < 0) {
        throw bad(
          `Failed to parse bit position. Expected a non-negative number in: ${index}: ${describeValue(item)}`,
        );
      }
      return position;
    });
  }
  if (value instanceof Binary) {
    const positions: number[] = [];
    for (let bit = 0; bit < value.position * 8; bit++) {
      if (((value.buffer[bit >> 3] ?? 0) >> (bit & 7)) & 1) positions.push(bit);
    }
    return positions;
  }
  if (!isNumeric(value)) {
    throw bad(
      `${name} takes an Array, a number, or a BinData but received: ${name}: ${describeValue(value)}`,
    );
  }
  const mask = toExactInt64(value);
  if (mask === undefined) throw failed(`Expected an integer: ${name}: ${describeValue(value)}`);
  if (mask < 0n) {
    throw failed(`Expected a non-negative number in: ${name}: ${describeValue(value)}`);
  }
  const positions: number[] = [];
  for (let bit = 0; bit < 63; bit++) {
    if ((mask >> BigInt(bit)) & 1n) positions.push(bit);
  }
  return positions;
}

/** A geospatial operator without further conditions. */
export function geo(path: string, operator: GeoOperator, name: string, value: Value): FilterNode {
  if (!(value instanceof Map)) throw bad(`${name} requires an object as its argument`);
  return { kind: 'geo', path, query: parseGeoQuery(operator, value) };
}

/** `$near` and `$nearSphere` with their distances. */
export function parseNear(path: string, name: string, siblings: Document): FilterNode {
  return {
    kind: 'geo',
    path,
    query: parseGeoQuery(name === '$nearSphere' ? 'nearSphere' : 'near', siblings),
  };
}
