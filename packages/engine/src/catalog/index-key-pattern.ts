/** The key of an index: which fields, in which direction, by which kind of index. */
import { isNumeric, valuesEqual } from '../bson/compare.ts';
import { toNumber } from '../bson/numeric.ts';
import { typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import type { CodeName } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument } from '../query/describe.ts';

const MAX_FIELDS = 32;
const PLUGINS = new Set(['hashed', 'text', '2d', '2dsphere']);

export type IndexKind = 'btree' | 'hashed' | 'wildcard' | 'text' | 'geo';

/** The refusal of a specification, with MongoDB's text around the reason. */
export function specError(code: CodeName, spec: Document, reason: string): MongoCommandError {
  return new MongoCommandError(
    code,
    `Error in specification ${describeDocument(spec)} :: caused by :: ${reason}`,
  );
}

function isWildcardPath(path: string): boolean {
  return path === '$**' || path.endsWith('.$**');
}

/** The name drivers give to an index without one: `a_1_b_-1`. */
export function defaultIndexName(key: Document): string {
  return [...key]
    .map(([path, value]) => `${path}_${isNumeric(value) ? toNumber(value) : String(value)}`)
    .join('_');
}

function checkPath(path: string, spec: Document): void {
  if (path === '')
    throw specError('CannotCreateIndex', spec, 'Index keys cannot contain an empty field.');
  if (isWildcardPath(path)) return;
  for (const part of path.split('.')) {
    if (part === '') {
      throw specError('CannotCreateIndex', spec, 'Index keys cannot contain an empty field.');
    }
    if (part.startsWith('$') && !/^\$(id|ref|db)$/.test(part)) {
      throw specError(
        'CannotCreateIndex',
        spec,
        "Index key contains an illegal field name: field name starts with '$'.",
      );
    }
  }
}

function checkKeyValue(value: Value, spec: Document): void {
  if (typeof value === 'string') {
    if (!PLUGINS.has(value)) {
      throw specError('CannotCreateIndex', spec, `Unknown index plugin '${value}'`);
    }
    return;
  }
  if (!isNumeric(value)) {
    throw specError(
      'CannotCreateIndex',
      spec,
      `Values in v:2 index key pattern cannot be of type ${typeName(value)}. Only numbers > 0, numbers < 0, and strings are allowed.`,
    );
  }
  const number = toNumber(value);
  if (number === 0 || Number.isNaN(number)) {
    throw specError('CannotCreateIndex', spec, 'Values in the index key pattern cannot be 0.');
  }
}

/** @throws CannotCreateIndex and others for kinds that do not go together */
export function kindOfKey(key: Document, spec: Document): IndexKind {
  const plugins = new Set([...key.values()].filter((value) => typeof value === 'string'));
  const wildcards = [...key.keys()].filter(isWildcardPath);
  if (wildcards.length > 1) {
    throw specError(
      'CannotCreateIndex',
      spec,
      'wildcard indexes do not allow more than one wildcard field',
    );
  }
  const isWholeText = wildcards[0] === '$**' && key.get('$**') === 'text';
  if (wildcards.length === 1 && !isWholeText) {
    if (plugins.size > 0) {
      throw specError(
        'CannotCreateIndex',
        spec,
        `Index type '${[...plugins][0]}' does not support the wildcard option`,
      );
    }
    return 'wildcard';
  }
  if (plugins.has('text')) return 'text';
  if (plugins.has('2d') || plugins.has('2dsphere')) return 'geo';
  if (plugins.has('hashed')) {
    const hashed = [...key.values()].filter((value) => value === 'hashed').length;
    if (hashed > 1) {
      throw specError(
        'Location31303',
        spec,
        'A maximum of one index field is allowed to be hashed but found 2',
      );
    }
    return 'hashed';
  }
  return 'btree';
}

/** @throws FailedToParse, TypeMismatch, CannotCreateIndex for what is no key */
export function checkKey(spec: Document): Document {
  const key = spec.get('key');
  if (key === undefined) {
    throw new MongoCommandError(
      'FailedToParse',
      `Error in specification ${describeDocument(spec)} :: caused by :: The 'key' field is a required property of an index specification`,
    );
  }
  if (!(key instanceof Map)) {
    throw new MongoCommandError(
      'TypeMismatch',
      `Error in specification ${describeDocument(spec)} :: caused by :: The field 'key' must be an object, but got ${typeName(key)}`,
    );
  }
  if (key.size === 0) throw specError('CannotCreateIndex', spec, 'Index keys cannot be empty.');
  if (key.size > MAX_FIELDS) {
    throw new MongoCommandError('Location13103', 'too many compound keys');
  }
  for (const [path, value] of key) {
    checkPath(path, spec);
    checkKeyValue(value, spec);
  }
  return key;
}

/** True for the pattern of the index that every collection has. */
export function isIdPattern(key: Document): boolean {
  const value = key.get('_id');
  return key.size === 1 && isNumeric(value) && toNumber(value) === 1;
}

/** Patterns are the same when fields, order and directions are. */
export function sameKeyPattern(a: Document, b: Document): boolean {
  if (a.size !== b.size) return false;
  const fieldsB = [...b];
  return [...a].every(([path, value], i) => {
    const other = fieldsB[i];
    return other !== undefined && other[0] === path && valuesEqual(value, other[1]);
  });
}
