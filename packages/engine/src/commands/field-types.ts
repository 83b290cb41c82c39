import { typeName } from '../bson/types.ts';
import { BsonUndefined, Decimal128, type Document, Double, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

/** What a command's field may hold; `bool` also takes numbers, as MongoDB's "safe bool" does. */
export type FieldType =
  | 'any'
  | 'array'
  | 'binData'
  | 'bool'
  | 'number'
  | 'object'
  | 'objectOrString'
  | 'objectOrArray'
  | 'string'
  | 'strictBool'
  | 'timestamp';

export type FieldTypes = Readonly<Record<string, FieldType>>;

/** Fields that any command may carry (manual, "Database Commands"; driver specifications). */
const GENERIC_FIELDS: ReadonlyMap<string, FieldType> = new Map<string, FieldType>([
  ['$db', 'string'],
  ['lsid', 'object'],
  ['txnNumber', 'number'],
  ['autocommit', 'strictBool'],
  ['startTransaction', 'strictBool'],
  ['stmtId', 'number'],
  ['stmtIds', 'array'],
  ['$clusterTime', 'object'],
  ['$readPreference', 'object'],
  ['$queryOptions', 'object'],
  ['readConcern', 'object'],
  ['writeConcern', 'object'],
  ['maxTimeMS', 'number'],
  ['maxTimeMSOpOnly', 'number'],
  ['comment', 'any'],
  ['apiVersion', 'string'],
  ['apiStrict', 'bool'],
  ['apiDeprecationErrors', 'bool'],
  ['$audit', 'any'],
  ['$client', 'any'],
  ['$configServerState', 'any'],
  ['$oplogQueryData', 'any'],
  ['$replData', 'any'],
  ['clientOperationKey', 'any'],
  ['expectPrefix', 'any'],
  ['rawData', 'bool'],
  ['help', 'bool'],
  ['serialization_context', 'any'],
]);

/**
 * Checks that all fields of a command are known and of the right type.
 *
 * @throws Location40415 for an unknown field, TypeMismatch for a wrong type, with MongoDB's texts
 */
export function checkFields(command: string, fields: Document, types: FieldTypes): void {
  for (const [name, value] of fields) {
    const type = Object.hasOwn(types, name) ? types[name] : GENERIC_FIELDS.get(name);
    if (type === undefined) {
      if (name === command) continue;
      throw new MongoCommandError(
        'Location40415',
        `BSON field '${command}.${name}' is an unknown field.`,
      );
    }
    checkType(`${command}.${name}`, value, type);
  }
}

/** @throws TypeMismatch when `value` is not of `type`; null stands for an absent field */
export function checkType(path: string, value: Value, type: FieldType): void {
  if (type === 'any' || value === null || value instanceof BsonUndefined) return;
  const actual = typeName(value);
  const expected = EXPECTED[type];
  if (expected.includes(actual)) return;
  throw wrongType(path, actual, expected);
}

function wrongType(path: string, actual: string, expected: readonly string[]): MongoCommandError {
  const wanted =
    expected.length === 1
      ? `expected type '${expected[0]}'`
      : `expected types '[${expected.join(', ')}]'`;
  return new MongoCommandError(
    'TypeMismatch',
    `BSON field '${path}' is the wrong type '${actual}', ${wanted}`,
  );
}

const EXPECTED: Readonly<Record<Exclude<FieldType, 'any'>, readonly string[]>> = {
  array: ['array'],
  binData: ['binData'],
  bool: ['bool', 'long', 'int', 'decimal', 'double'],
  number: ['long', 'int', 'decimal', 'double'],
  object: ['object'],
  objectOrString: ['object', 'string'],
  objectOrArray: ['object', 'array'],
  string: ['string'],
  strictBool: ['bool'],
  timestamp: ['timestamp'],
};

/** @throws Location40414 when a field that must be there is not */
export function requireField(command: string, fields: Document, name: string): Value {
  const value = fields.get(name);
  if (value === undefined) {
    throw new MongoCommandError(
      'Location40414',
      `BSON field '${command}.${name}' is missing but a required field`,
    );
  }
  return value;
}

/** A numeric BSON value as a JS number; `undefined` for anything else. */
export function toNumber(value: Value | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Decimal128) return Number(value.toString());
  return undefined;
}

/** MongoDB's "safe bool": true, or a number other than zero. */
export function isTrue(value: Value | undefined): boolean {
  if (typeof value === 'boolean') return value;
  const number = toNumber(value);
  return number !== undefined && number !== 0;
}

/** The text of a field, or `undefined` when it is absent or null. */
export function toText(value: Value | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The document of a field, or `undefined` when it is absent or null. */
export function toMap(value: Value | undefined): Document | undefined {
  return value instanceof Map ? value : undefined;
}

/**
 * A number that must not be negative, such as a limit.
 *
 * @throws Location51024 (an IDL range check) when it is
 */
export function toNonNegative(name: string, value: Value | undefined): number | undefined {
  const number = toNumber(value);
  if (number === undefined) return undefined;
  if (number < 0) {
    throw new MongoCommandError(
      'Location51024',
      `BSON field '${name}' value must be >= 0, actual value '${number}'`,
    );
  }
  return Math.trunc(number);
}
