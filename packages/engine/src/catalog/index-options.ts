/** The options of an index, and which of them go with which kind of index (manual, "createIndexes"). */
import { isNumeric } from '../bson/compare.ts';
import { toNumber } from '../bson/numeric.ts';
import { isTrue } from '../bson/truth.ts';
import { typeName } from '../bson/types.ts';
import { BSONRegExp, type Document } from '../bson/value.ts';
import type { CodeName } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument, describeValue } from '../query/describe.ts';
import { parseFilter } from '../query/filter-parse.ts';
import { compileProjection } from '../query/projection.ts';
import { findLanguage } from '../query/text/language.ts';
import { type IndexKind, isIdPattern, specError } from './index-key-pattern.ts';

/** The largest expireAfterSeconds MongoDB takes. */
const MAX_TTL_SECONDS = 2147483647;
const MAX_TEXT_WEIGHT = 1_000_000_000;
const MAX_GEO_BITS = 32;
const VERSIONS = [1, 2];

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
/** Options that are kept only when they are true. */
export const BOOLEAN_OPTIONS: readonly string[] = [
  'unique',
  'sparse',
  'hidden',
  'prepareUnique',
  'background',
];

/** The specification without the fields that no index has (`ignoreUnknownIndexOptions`). */
export function withoutUnknownOptions(spec: Document): Document {
  return new Map([...spec].filter(([name]) => KNOWN_FIELDS.has(name)));
}

/**
 * Checks a specification but for its key.
 *
 * @throws InvalidIndexSpecificationOption, CannotCreateIndex and others, with MongoDB's texts
 */
export function checkIndexOptions(spec: Document, key: Document, kind: IndexKind): void {
  checkVersion(spec);
  checkBooleans(spec);
  checkTtl(spec, key, kind);
  checkPartial(spec);
  checkKindOptions(spec, key, kind);
  if (kind === 'text') checkTextOptions(spec);
  if (kind === 'geo') checkGeoOptions(spec);
}

function checkVersion(spec: Document): void {
  const version = spec.get('v');
  if (version === undefined) return;
  if (!isNumeric(version)) {
    throw specError(
      'TypeMismatch',
      spec,
      `The field 'v' must be a number, but got ${typeName(version)}`,
    );
  }
  if (VERSIONS.includes(toNumber(version))) return;
  throw specError(
    'CannotCreateIndex',
    spec,
    `Invalid index specification ${describeDocument(spec)}; cannot create an index with v=${describeValue(version)}`,
  );
}

function checkBooleans(spec: Document): void {
  for (const name of BOOLEAN_OPTIONS) {
    const value = spec.get(name);
    if (value === undefined || typeof value === 'boolean' || isNumeric(value)) continue;
    throw specError(
      'TypeMismatch',
      spec,
      `The field '${name}' has value ${name}: ${describeValue(value)}, which is not convertible to bool`,
    );
  }
}

/** @throws InvalidIndexSpecificationOption for a field that an index does not have */
export function checkFieldNames(spec: Document, key: Document): void {
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

/** @throws FailedToParse, TypeMismatch, CannotCreateIndex for what is no name */
export function checkName(spec: Document): string {
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
  if (name === '') throw specError('CannotCreateIndex', spec, 'index name cannot be empty');
  if (name === '*') {
    throw specError('BadValue', spec, `The index name '*' is not valid.`);
  }
  if (name.includes('\0'))
    throw specError('CannotCreateIndex', spec, 'index name cannot contain NUL bytes');
  return name;
}

function checkTtl(spec: Document, key: Document, kind: IndexKind): void {
  const seconds = spec.get('expireAfterSeconds');
  if (seconds === undefined) return;
  if (!isNumeric(seconds)) {
    throw specError(
      'TypeMismatch',
      spec,
      `The field 'expireAfterSeconds' must be a number, but got ${typeName(seconds)}`,
    );
  }
  const number = toNumber(seconds);
  if (!(number >= 0 && number <= MAX_TTL_SECONDS)) {
    throw specError(
      'CannotCreateIndex',
      spec,
      `TTL index 'expireAfterSeconds' option must be within an acceptable range, try a different number than ${describeValue(seconds)}`,
    );
  }
  if (key.size !== 1 || kind !== 'btree') {
    throw specError(
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
        throw specError(
          'CannotCreateIndex',
          spec,
          `Expression not supported in partial index: ${name}`,
        );
      }
      for (const clause of Array.isArray(value) ? value : []) {
        if (clause instanceof Map) checkPartialFilter(clause, spec);
      }
    } else if (value instanceof BSONRegExp) {
      throw specError(
        'CannotCreateIndex',
        spec,
        `Expression not supported in partial index: ${name} $regex`,
      );
    } else if (value instanceof Map) {
      for (const [operator, operand] of value) {
        if (!operator.startsWith('$')) break;
        const isNegated = operator === '$exists' && !isTrue(operand);
        if (!PARTIAL_OPERATORS.has(operator) || isNegated) {
          throw specError(
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
    throw specError(
      'TypeMismatch',
      spec,
      `The field 'partialFilterExpression' must be an object, but got ${typeName(filter)}`,
    );
  }
  if (isTrue(spec.get('sparse'))) {
    throw specError(
      'CannotCreateIndex',
      spec,
      'cannot mix "partialFilterExpression" and "sparse" options',
    );
  }
  try {
    parseFilter(filter);
  } catch (error) {
    if (!(error instanceof MongoCommandError)) throw error;
    throw specError(error.codeName as CodeName, spec, error.message);
  }
  checkPartialFilter(filter, spec);
}

function checkKindOptions(spec: Document, key: Document, kind: IndexKind): void {
  checkCollation(spec, key, kind);
  if (spec.has('wildcardProjection') && kind === 'wildcard') checkWildcardProjection(spec, key);
  if (spec.has('wildcardProjection') && kind !== 'wildcard') {
    throw specError(
      'BadValue',
      spec,
      "The field 'wildcardProjection' is only allowed in an 'wildcard' index",
    );
  }
  const isUnique = isTrue(spec.get('unique'));
  if (kind === 'hashed' && isUnique) {
    throw specError(
      'Location16764',
      spec,
      'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.',
    );
  }
  if (kind === 'wildcard') {
    if (isUnique) {
      throw specError(
        'CannotCreateIndex',
        spec,
        "Index type 'wildcard' does not support the unique option",
      );
    }
    if (isTrue(spec.get('sparse'))) {
      throw specError(
        'CannotCreateIndex',
        spec,
        "Index type 'wildcard' does not support the sparse option",
      );
    }
  }
}

function checkWildcardProjection(spec: Document, key: Document): void {
  if (!key.has('$**')) {
    throw specError(
      'BadValue',
      spec,
      "The field 'wildcardProjection' is only allowed when 'key' is {\"$**\": ±1}",
    );
  }
  const projection = spec.get('wildcardProjection');
  if (!(projection instanceof Map)) {
    throw specError(
      'TypeMismatch',
      spec,
      `The field 'wildcardProjection' must be a non-empty object, but got ${typeName(projection ?? null)}`,
    );
  }
  if (projection.size === 0) {
    throw specError(
      'FailedToParse',
      spec,
      "The 'wildcardProjection' field can't be an empty object",
    );
  }
  compileProjection(projection);
}

const NO_COLLATION: ReadonlySet<IndexKind> = new Set<IndexKind>(['text', 'geo']);

function checkCollation(spec: Document, key: Document, kind: IndexKind): void {
  const collation = spec.get('collation');
  if (!(collation instanceof Map) || collation.get('locale') === 'simple') return;
  const values = [...key.values()];
  if (!NO_COLLATION.has(kind) || values.includes('2dsphere')) return;
  throw specError(
    'CannotCreateIndex',
    spec,
    `Index type '${String(values.find((value) => typeof value === 'string'))}' does not support collation: ${describeDocument(collation)}`,
  );
}

function checkTextOptions(spec: Document): void {
  const weights = spec.get('weights');
  for (const [, weight] of weights instanceof Map ? weights : []) {
    const number = isNumeric(weight) ? toNumber(weight) : Number.NaN;
    if (number > 0 && number < MAX_TEXT_WEIGHT) continue;
    throw specError(
      'CannotCreateIndex',
      spec,
      `text index weight must be in the exclusive interval (0,${MAX_TEXT_WEIGHT}) but found: ${describeValue(weight)}`,
    );
  }
  const language = spec.get('default_language');
  if (language === undefined) return;
  if (typeof language !== 'string' || findLanguage(language) === undefined) {
    throw specError('CannotCreateIndex', spec, 'default_language is not valid');
  }
}

function checkGeoOptions(spec: Document): void {
  const bits = spec.get('bits');
  const number = isNumeric(bits) ? toNumber(bits) : 1;
  if (number >= 1 && number <= MAX_GEO_BITS) return;
  throw new MongoCommandError(
    'InvalidOptions',
    `bits for hash must be > 0 and <= ${MAX_GEO_BITS}, but ${number} bits were specified`,
  );
}
