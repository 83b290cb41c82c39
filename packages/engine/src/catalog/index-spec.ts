/** Index specifications as createIndexes takes and listIndexes gives them. */
import { isNumeric, valuesEqual } from '../bson/compare.ts';
import { toExactInt32, toNumber } from '../bson/numeric.ts';
import { isTrue } from '../bson/truth.ts';
import { typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import type { CodeName } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument, describeValue } from '../query/describe.ts';

export const MAX_INDEXES = 64;
const MAX_FIELDS = 32;
/** The largest expireAfterSeconds MongoDB takes. */
const MAX_TTL_SECONDS = 2147483647;

const KNOWN_FIELDS = new Set([
  'v',
  'key',
  'name',
  'ns',
  'unique',
  'sparse',
  'background',
  'expireAfterSeconds',
  'partialFilterExpression',
  'hidden',
  'collation',
  'storageEngine',
  'wildcardProjection',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
  '2dsphereIndexVersion',
  'bits',
  'min',
  'max',
  'prepareUnique',
  'clustered',
  'dropDups',
]);
const ID_INDEX_FIELDS = new Set(['v', 'key', 'name', 'ns', 'collation', 'background']);
const PLUGINS = new Set(['hashed', 'text', '2d', '2dsphere']);
const BOOLEAN_OPTIONS = ['unique', 'sparse', 'hidden', 'prepareUnique', 'background'];

export type IndexKind = 'btree' | 'hashed' | 'wildcard' | 'text' | 'geo';

/** A specification that has passed all checks, in the form listIndexes gives. */
export interface IndexSpec {
  readonly name: string;
  readonly key: Document;
  readonly kind: IndexKind;
  readonly document: Document;
}

function fail(code: CodeName, spec: Document, reason: string): MongoCommandError {
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
    throw fail('CannotCreateIndex', spec, 'Index keys cannot contain an empty field.');
  if (isWildcardPath(path)) return;
  for (const part of path.split('.')) {
    if (part === '') {
      throw fail('CannotCreateIndex', spec, 'Index keys cannot contain an empty field.');
    }
    if (part.startsWith('$') && !/^\$(id|ref|db)$/.test(part)) {
      throw fail(
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
      throw fail('CannotCreateIndex', spec, `Unknown index plugin '${value}'`);
    }
    return;
  }
  if (!isNumeric(value)) {
    throw fail(
      'CannotCreateIndex',
      spec,
      `Values in v:2 index key pattern cannot be of type ${typeName(value)}. Only numbers > 0, numbers < 0, and strings are allowed.`,
    );
  }
  const number = toNumber(value);
  if (number === 0 || Number.isNaN(number)) {
    throw fail('CannotCreateIndex', spec, 'Values in the index key pattern cannot be 0.');
  }
}

function kindOf(key: Document, spec: Document): IndexKind {
  const plugins = new Set([...key.values()].filter((value) => typeof value === 'string'));
  const wildcards = [...key.keys()].filter(isWildcardPath);
  if (wildcards.length > 1) {
    throw fail(
      'CannotCreateIndex',
      spec,
      'wildcard indexes do not allow more than one wildcard field',
    );
  }
  const isWholeText = wildcards[0] === '$**' && key.get('$**') === 'text';
  if (wildcards.length === 1 && !isWholeText) {
    if (plugins.size > 0) {
      throw fail(
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
      throw fail(
        'Location31303',
        spec,
        'A maximum of one index field is allowed to be hashed but found 2',
      );
    }
    return 'hashed';
  }
  return 'btree';
}

function checkKey(spec: Document): Document {
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
  if (key.size === 0) throw fail('CannotCreateIndex', spec, 'Index keys cannot be empty.');
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

function checkFieldNames(spec: Document, key: Document): void {
  const isId = isIdPattern(key);
  for (const name of spec.keys()) {
    if (!KNOWN_FIELDS.has(name)) {
      throw new MongoCommandError(
        'InvalidIndexSpecificationOption',
        `The field '${name}' is not valid for an index specification. Specification: ${describeDocument(spec)}`,
      );
    }
    if (isId && !ID_INDEX_FIELDS.has(name)) {
      throw new MongoCommandError(
        'InvalidIndexSpecificationOption',
        `The field '${name}' is not valid for an _id index specification. Specification: ${describeDocument(spec)}`,
      );
    }
  }
}

function checkName(spec: Document): string {
  const name = spec.get('name');
  if (name === undefined) {
    throw new MongoCommandError(
      'FailedToParse',
      `Error in specification ${describeDocument(spec)} :: caused by :: The 'name' field is a required property of an index specification`,
    );
  }
  if (typeof name !== 'string') {
    throw new MongoCommandError(
      'TypeMismatch',
      `Error in specification ${describeDocument(spec)} :: caused by :: The field 'name' must be a string, but got ${typeName(name)}`,
    );
  }
  if (name === '') throw fail('CannotCreateIndex', spec, 'index name cannot be empty');
  if (name === '*') {
    throw fail('BadValue', spec, `The index name '*' is not valid.`);
  }
  if (name.includes('\0'))
    throw fail('CannotCreateIndex', spec, 'index name cannot contain NUL bytes');
  return name;
}

function checkTtl(spec: Document, key: Document, kind: IndexKind): void {
  const seconds = spec.get('expireAfterSeconds');
  if (seconds === undefined) return;
  if (!isNumeric(seconds)) {
    throw fail(
      'TypeMismatch',
      spec,
      `The field 'expireAfterSeconds' must be a number, but got ${typeName(seconds)}`,
    );
  }
  const number = toNumber(seconds);
  if (!(number >= 0 && number <= MAX_TTL_SECONDS)) {
    throw fail(
      'CannotCreateIndex',
      spec,
      `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than ${describeValue(seconds)}`,
    );
  }
  if (key.size !== 1 || kind !== 'btree') {
    throw fail(
      'CannotCreateIndex',
      spec,
      `TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: ${describeDocument(spec)}`,
    );
  }
}

const PARTIAL_OPERATORS = new Set([
  '$eq',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$exists',
  '$type',
  '$and',
  '$or',
  '$in',
  '$geoWithin',
]);

/** What a partial index's filter may consist of (manual, "Partial Indexes"). */
function checkPartialFilter(filter: Document, spec: Document): void {
  for (const [name, value] of filter) {
    if (name.startsWith('$')) {
      if (name !== '$and' && name !== '$or') {
        throw fail('CannotCreateIndex', spec, `Expression not supported in partial index: ${name}`);
      }
      for (const clause of Array.isArray(value) ? value : []) {
        if (clause instanceof Map) checkPartialFilter(clause, spec);
      }
    } else if (value instanceof Map) {
      for (const [operator, operand] of value) {
        if (!operator.startsWith('$')) break;
        const isNegated = operator === '$exists' && !isTrue(operand);
        if (!PARTIAL_OPERATORS.has(operator) || isNegated) {
          throw fail(
            'CannotCreateIndex',
            spec,
            `Expression not supported in partial index: ${isNegated ? '$not' : operator}\n`,
          );
        }
      }
    }
  }
}

function checkPartial(spec: Document): void {
  const filter = spec.get('partialFilterExpression');
  if (filter === undefined) return;
  if (!(filter instanceof Map)) {
    throw fail(
      'TypeMismatch',
      spec,
      `The field 'partialFilterExpression' must be an object, but got ${typeName(filter)}`,
    );
  }
  if (isTrue(spec.get('sparse'))) {
    throw fail(
      'CannotCreateIndex',
      spec,
      'cannot mix "partialFilterExpression" and "sparse" options',
    );
  }
  checkPartialFilter(filter, spec);
}

function checkKindOptions(spec: Document, kind: IndexKind): void {
  if (spec.has('wildcardProjection') && kind !== 'wildcard') {
    throw fail(
      'BadValue',
      spec,
      "The field 'wildcardProjection' is only allowed in an 'wildcard' index",
    );
  }
  const isUnique = isTrue(spec.get('unique'));
  if (kind === 'hashed' && isUnique) {
    throw fail(
      'Location16764',
      spec,
      'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.',
    );
  }
  if (kind === 'wildcard') {
    if (isUnique) {
      throw fail(
        'CannotCreateIndex',
        spec,
        "Index type 'wildcard' does not support the unique option",
      );
    }
    if (isTrue(spec.get('sparse'))) {
      throw fail(
        'CannotCreateIndex',
        spec,
        "Index type 'wildcard' does not support the sparse option",
      );
    }
  }
}

/** A text index is listed with its hidden fields in place of those it was asked for. */
function textDefaults(spec: Document, document: Document): Document {
  const key = document.get('key') as Document;
  const weights: Document = new Map();
  const listed: Document = new Map();
  for (const [path, value] of key) {
    if (value === 'text') {
      weights.set(path, 1);
      listed.set('_fts', 'text');
      listed.set('_ftsx', 1);
    } else {
      listed.set(path, value);
    }
  }
  if (key.has('_fts')) {
    weights.delete('_fts');
    listed.delete('_ftsx');
    listed.set('_ftsx', 1);
  }
  const given = spec.get('weights');
  if (given instanceof Map) for (const [path, weight] of given) weights.set(path, weight);
  document.set('key', listed);
  document.set('weights', new Map([...weights].sort(([a], [b]) => (a < b ? -1 : 1))));
  document.set('default_language', spec.get('default_language') ?? 'english');
  document.set('language_override', spec.get('language_override') ?? 'language');
  document.set('textIndexVersion', spec.get('textIndexVersion') ?? 3);
  return document;
}

function listedForm(spec: Document, name: string, kind: IndexKind): Document {
  const document: Document = new Map<string, Value>([
    ['v', 2],
    ['key', spec.get('key') ?? null],
    ['name', name],
  ]);
  for (const [field, value] of spec) {
    if (field === 'v' || field === 'ns' || field === 'dropDups') continue;
    if (document.has(field)) continue;
    if (BOOLEAN_OPTIONS.includes(field)) {
      if (isTrue(value)) document.set(field, true);
    } else if (field === 'expireAfterSeconds') {
      document.set(field, toExactInt32(value) ?? value);
    } else {
      document.set(field, value);
    }
  }
  if (kind === 'text') return textDefaults(spec, document);
  const isSphere = [...(spec.get('key') as Document).values()].includes('2dsphere');
  if (isSphere && !document.has('2dsphereIndexVersion')) document.set('2dsphereIndexVersion', 3);
  return document;
}

/**
 * Checks a specification and brings it into the form of listIndexes.
 *
 * @throws CannotCreateIndex and others, with MongoDB's texts
 */
export function parseIndexSpec(spec: Document): IndexSpec {
  const key = checkKey(spec);
  checkFieldNames(spec, key);
  const kind = kindOf(key, spec);
  const name = isIdPattern(key) ? '_id_' : checkName(spec);
  checkTtl(spec, key, kind);
  checkPartial(spec);
  checkKindOptions(spec, kind);
  const document = listedForm(spec, name, kind);
  return { name, key: document.get('key') as Document, kind, document };
}

/** What tells two indexes apart: two with the same of these cannot be in one collection. */
const SIGNATURE = [
  'collation',
  'partialFilterExpression',
  'unique',
  'sparse',
  'wildcardProjection',
];

/** Patterns are the same when fields, order and directions are. */
export function sameKeyPattern(a: Document, b: Document): boolean {
  if (a.size !== b.size) return false;
  const fieldsB = [...b];
  return [...a].every(([path, value], i) => {
    const other = fieldsB[i];
    return other !== undefined && other[0] === path && valuesEqual(value, other[1]);
  });
}

function sameSignature(a: IndexSpec, b: IndexSpec): boolean {
  return (
    sameKeyPattern(a.key, b.key) &&
    SIGNATURE.every((field) => valuesEqual(a.document.get(field), b.document.get(field)))
  );
}

/** Options count, the name and the order of the options do not. */
function sameOptions(a: IndexSpec, b: IndexSpec): boolean {
  const fields = new Set([...a.document.keys(), ...b.document.keys()]);
  for (const ignored of ['name', 'v', 'key', 'background']) fields.delete(ignored);
  return [...fields].every((field) => valuesEqual(a.document.get(field), b.document.get(field)));
}

function pair(wanted: IndexSpec, existing: IndexSpec): string {
  return `Requested index: ${describeDocument(wanted.document)}, existing index: ${describeDocument(existing.document)}`;
}

/**
 * True when the wanted index is there already.
 *
 * @throws IndexOptionsConflict, IndexKeySpecsConflict when one is there that excludes it
 */
export function matchesExistingIndex(wanted: IndexSpec, existing: readonly IndexSpec[]): boolean {
  const sameName = existing.find(({ name }) => name === wanted.name);
  if (sameName !== undefined) {
    if (sameSignature(wanted, sameName)) {
      if (sameOptions(wanted, sameName)) return true;
      throw new MongoCommandError(
        'IndexOptionsConflict',
        `An equivalent index already exists with the same name but different options. ${pair(wanted, sameName)}`,
      );
    }
    throw new MongoCommandError(
      'IndexKeySpecsConflict',
      `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${pair(wanted, sameName)}`,
    );
  }
  const sameIndex = existing.find((other) => sameSignature(wanted, other));
  if (sameIndex !== undefined) {
    throw new MongoCommandError(
      'IndexOptionsConflict',
      sameOptions(wanted, sameIndex)
        ? `Index already exists with a different name: ${sameIndex.name}`
        : `An equivalent index already exists with a different name and options. ${pair(wanted, sameIndex)}`,
    );
  }
  if (wanted.kind === 'text' && existing.some(({ kind }) => kind === 'text')) {
    throw new MongoCommandError(
      'IndexOptionsConflict',
      `An equivalent index already exists with a different name and options. Only one text index per collection allowed.`,
    );
  }
  return false;
}
