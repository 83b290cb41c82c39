/** What `create` and `collMod` may ask of a collection (manual, commands `create`, `collMod`). */
import { isNumeric, valuesEqual } from '../bson/compare.ts';
import { toNumber } from '../bson/numeric.ts';
import { isTrue } from '../bson/truth.ts';
import { typeName } from '../bson/types.ts';
import type { Document, Value } from '../bson/value.ts';
import type { CodeName } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

export type CollectionType = 'collection' | 'view' | 'timeseries';

export interface CappedBounds {
  readonly maxBytes: number;
  readonly maxDocuments: number | undefined;
}

const KNOWN_OPTIONS = new Set([
  'capped',
  'size',
  'max',
  'autoIndexId',
  'idIndex',
  'validator',
  'validationLevel',
  'validationAction',
  'indexOptionDefaults',
  'storageEngine',
  'viewOn',
  'pipeline',
  'collation',
  'timeseries',
  'expireAfterSeconds',
  'clusteredIndex',
  'changeStreamPreAndPostImages',
  'encryptedFields',
  'flags',
  'temp',
  'recordPreImages',
  'uuid',
]);
const LEVELS = ['off', 'strict', 'moderate'];
const ACTIONS = ['error', 'warn', 'errorAndLog'];
const TIME_SERIES_FIELDS: ReadonlySet<string> = new Set([
  'timeField',
  'metaField',
  'granularity',
  'bucketMaxSpanSeconds',
  'bucketRoundingSeconds',
]);
/** How long a bucket spans at most, by the granularity (manual, "Time Series Collections"). */
const BUCKET_SPAN_SECONDS: Readonly<Record<string, number>> = {
  seconds: 3600,
  minutes: 86_400,
  hours: 2_592_000,
};
const GRANULARITIES = Object.keys(BUCKET_SPAN_SECONDS);
const DEFAULT_GRANULARITY = 'seconds';
/** Sizes of capped collections are multiples of this. */
const CAPPED_STEP_BYTES = 256;
const MAX_CAPPED_BYTES = 2 ** 50;

function error(code: CodeName, message: string): MongoCommandError {
  return new MongoCommandError(code, message);
}

function wrongType(field: string, value: Value, wanted: string): MongoCommandError {
  return error(
    'TypeMismatch',
    `BSON field 'create.${field}' is the wrong type '${typeName(value)}', expected type '${wanted}'`,
  );
}

function checkDocument(options: Document, field: string): void {
  const value = options.get(field);
  if (value !== undefined && !(value instanceof Map)) throw wrongType(field, value, 'object');
}

function checkChoice(options: Document, field: string, choices: readonly string[]): void {
  const value = options.get(field);
  if (value === undefined) return;
  if (typeof value !== 'string') throw wrongType(field, value, 'string');
  if (!choices.includes(value)) {
    throw error(
      'BadValue',
      `Enumeration value '${value}' for field 'create.${field}' is not a valid value.`,
    );
  }
}

function checkCapped(options: Document): void {
  const size = options.get('size');
  if (isTrue(options.get('capped'))) {
    if (size === undefined) {
      throw error('InvalidOptions', "the 'size' field is required when 'capped' is true");
    }
  } else if (size !== undefined || options.has('max')) {
    throw error(
      'InvalidOptions',
      "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
    );
  }
  for (const field of ['size', 'max']) {
    const value = options.get(field);
    if (value === undefined) continue;
    if (!isNumeric(value)) throw wrongType(field, value, 'long');
    if (field === 'size' && !(toNumber(value) > 0 && toNumber(value) <= MAX_CAPPED_BYTES)) {
      throw error(
        'Location51024',
        `BSON field 'size' value must be >= 1, actual value '${toNumber(value)}'`,
      );
    }
  }
}

function checkView(options: Document): void {
  const viewOn = options.get('viewOn');
  const pipeline = options.get('pipeline');
  if (viewOn === undefined) {
    if (pipeline !== undefined) {
      throw error('InvalidOptions', "the 'pipeline' field requires the 'viewOn' field");
    }
    return;
  }
  if (typeof viewOn !== 'string') throw wrongType('viewOn', viewOn, 'string');
  if (viewOn === '') throw error('BadValue', "'viewOn' cannot be empty");
  if (pipeline !== undefined && !Array.isArray(pipeline)) {
    throw wrongType('pipeline', pipeline, 'array');
  }
  for (const field of ['capped', 'validator', 'timeseries', 'clusteredIndex']) {
    if (options.has(field)) {
      throw error('InvalidOptions', `option not supported on a view: ${field}`);
    }
  }
}

function checkTimeSeries(options: Document): void {
  const series = options.get('timeseries');
  if (series === undefined) return;
  if (!(series instanceof Map)) throw wrongType('timeseries', series, 'object');
  const timeField = series.get('timeField');
  if (timeField === undefined) {
    throw error(
      'Location40414',
      "BSON field 'create.timeseries.timeField' is missing but a required field",
    );
  }
  if (typeof timeField !== 'string') throw wrongType('timeseries.timeField', timeField, 'string');
  if (timeField.includes('.')) {
    throw error('InvalidOptions', "'timeField' must be a top-level field");
  }
  const metaField = series.get('metaField');
  if (metaField === timeField || metaField === '_id') {
    throw error(
      'InvalidOptions',
      "The 'metaField' cannot be \"_id\" or the same as the 'timeField'",
    );
  }
  checkChoice(series, 'granularity', GRANULARITIES);
  checkBuckets(series);
  for (const field of ['capped', 'viewOn', 'validator', 'pipeline']) {
    if (options.has(field)) {
      throw error('InvalidOptions', `timeseries is not supported with option ${field}`);
    }
  }
}

/** @throws InvalidOptions for spans of buckets that contradict each other */
function checkBuckets(series: Document): void {
  for (const name of series.keys()) {
    if (!TIME_SERIES_FIELDS.has(name)) {
      throw error('Location40415', `BSON field 'create.timeseries.${name}' is an unknown field.`);
    }
  }
  const span = series.get('bucketMaxSpanSeconds');
  const rounding = series.get('bucketRoundingSeconds');
  const granularity = series.get('granularity');
  if (typeof granularity === 'string') {
    const own = BUCKET_SPAN_SECONDS[granularity];
    if (rounding === undefined && (span === undefined || valuesEqual(span, own))) return;
    throw error(
      'InvalidOptions',
      `Timeseries 'bucketMaxSpanSeconds' is not configurable to a value other than the default of ${own} for the provided granularity`,
    );
  }
  if ((span === undefined) !== (rounding === undefined)) {
    throw error(
      'InvalidOptions',
      "Timeseries 'bucketMaxSpanSeconds' and 'bucketRoundingSeconds' need to be set alongside each other",
    );
  }
  if (span === undefined || valuesEqual(span, rounding)) return;
  throw error(
    'InvalidOptions',
    "Timeseries 'bucketRoundingSeconds' needs to be equal to 'bucketMaxSpanSeconds'",
  );
}

/** @throws InvalidOptions where nothing expires, or at no time that there is */
function checkExpiry(options: Document): void {
  const seconds = options.get('expireAfterSeconds');
  if (seconds === undefined || seconds === 'off') return;
  const isClustered = options.has('clusteredIndex') && options.get('clusteredIndex') !== false;
  if (!options.has('timeseries') && !isClustered) {
    throw error(
      'InvalidOptions',
      "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
    );
  }
  if (!isNumeric(seconds)) throw wrongType('expireAfterSeconds', seconds, 'long');
  if (toNumber(seconds) >= 0) return;
  throw error('InvalidOptions', 'expireAfterSeconds cannot be less than 0');
}

/** Checks `clusteredIndex` (manual, "Clustered Collections"); `true` stands for the usual one. */
function checkClustered(options: Document): void {
  const clustered = options.get('clusteredIndex');
  if (clustered === undefined || typeof clustered === 'boolean') return;
  if (!(clustered instanceof Map)) throw wrongType('clusteredIndex', clustered, 'object');
  const key = clustered.get('key');
  if (key === undefined || clustered.get('unique') === undefined) {
    const missing = key === undefined ? 'key' : 'unique';
    throw error(
      'Location40414',
      `BSON field 'create.clusteredIndex.${missing}' is missing but a required field`,
    );
  }
  if (!(key instanceof Map && key.size === 1 && valuesEqual(key.get('_id') ?? null, 1))) {
    throw error(
      'InvalidIndexSpecificationOption',
      'The clusteredIndex option is only supported for key: {_id: 1}',
    );
  }
  if (!isTrue(clustered.get('unique'))) {
    throw error(
      'Location5979700',
      'The clusteredIndex option requires unique: true to be specified',
    );
  }
  if (isTrue(options.get('capped')) && !options.has('expireAfterSeconds')) {
    throw error(
      'InvalidOptions',
      "A capped clustered collection requires the 'expireAfterSeconds' field",
    );
  }
}

/** How a clustered collection's one index is listed; `undefined` for other collections. */
export function clusteredSpec(options: Document): Document | undefined {
  const clustered = options.get('clusteredIndex');
  if (!(clustered instanceof Map)) return undefined;
  return new Map<string, Value>([
    ['v', 2],
    ['key', new Map([['_id', 1]])],
    ['name', clustered.get('name') ?? '_id_'],
    ['unique', true],
    ['clustered', true],
  ]);
}

/**
 * Checks the options of a collection that is to be made.
 *
 * @throws InvalidOptions, TypeMismatch, BadValue …
 */
export function checkCollectionOptions(options: Document): void {
  for (const field of options.keys()) {
    if (!KNOWN_OPTIONS.has(field)) {
      throw error('Location40415', `BSON field 'create.${field}' is an unknown field.`);
    }
  }
  checkCapped(options);
  checkView(options);
  checkTimeSeries(options);
  checkClustered(options);
  checkExpiry(options);
  for (const field of ['validator', 'collation', 'storageEngine', 'changeStreamPreAndPostImages']) {
    checkDocument(options, field);
  }
  checkChoice(options, 'validationLevel', LEVELS);
  checkChoice(options, 'validationAction', ACTIONS);
}

/** What is kept of the options, and shown by listCollections. */
export function keptOptions(options: Document): Document {
  const kept: Document = new Map();
  for (const [field, value] of options) {
    if (field === 'autoIndexId' || field === 'idIndex' || field === 'uuid') continue;
    if (field === 'capped' && !isTrue(value)) continue;
    kept.set(field, keptOption(field, value));
  }
  if (kept.has('viewOn') && !kept.has('pipeline')) kept.set('pipeline', []);
  const clustered = kept.get('clusteredIndex');
  if (clustered === false) kept.delete('clusteredIndex');
  else if (clustered !== undefined) {
    kept.set(
      'clusteredIndex',
      new Map<string, Value>([
        ['v', 2],
        ['key', new Map([['_id', 1]])],
        ['name', (clustered instanceof Map ? clustered.get('name') : undefined) ?? '_id_'],
        ['unique', true],
      ]),
    );
  }
  const series = kept.get('timeseries');
  if (series instanceof Map) kept.set('timeseries', completeTimeSeries(series));
  return kept;
}

function keptOption(field: string, value: Value): Value {
  if (field === 'capped') return true;
  if (field !== 'size' || !isNumeric(value)) return value;
  return Math.ceil(toNumber(value) / CAPPED_STEP_BYTES) * CAPPED_STEP_BYTES;
}

/** Unless its buckets are given, a granularity decides about them. */
function completeTimeSeries(series: Document): Document {
  const complete: Document = new Map(series);
  if (!series.has('granularity')) {
    if (series.has('bucketMaxSpanSeconds')) return complete;
    complete.set('granularity', DEFAULT_GRANULARITY);
  }
  const granularity = String(complete.get('granularity'));
  complete.set('bucketMaxSpanSeconds', BUCKET_SPAN_SECONDS[granularity] ?? 0);
  return complete;
}

export function typeOfOptions(options: Document): CollectionType {
  if (options.has('viewOn')) return 'view';
  return options.has('timeseries') ? 'timeseries' : 'collection';
}

export function cappedBounds(options: Document): CappedBounds | undefined {
  if (!isTrue(options.get('capped'))) return undefined;
  const size = options.get('size');
  const max = options.get('max');
  const documents = isNumeric(max) ? toNumber(max) : 0;
  return {
    maxBytes: isNumeric(size) ? toNumber(size) : 0,
    maxDocuments: documents > 0 ? documents : undefined,
  };
}
