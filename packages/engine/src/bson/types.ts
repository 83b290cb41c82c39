/** BSON's type numbers and the names MongoDB gives them ($type, bsonType, error texts). */
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Code,
  CodeWithScope,
  DateTime,
  DbPointer,
  Decimal128,
  Double,
  isInt32,
  MaxKey,
  MinKey,
  ObjectId,
  RawDocument,
  Timestamp,
  type Value,
} from './value.ts';

/** Type byte by MongoDB's alias (bsonspec.org; manual, "BSON Types"). */
export const BsonType = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  maxKey: 127,
  minKey: 255,
} as const;

/** An alias as `$type` and `bsonType` take it. */
export type BsonTypeName = keyof typeof BsonType | 'missing';

/** The alias of a value's type, `missing` for no value (as the `$type` expression gives it). */
export function typeName(value: Value | undefined): BsonTypeName {
  switch (typeof value) {
    case 'undefined':
      return 'missing';
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'long';
    case 'number':
      return isInt32(value) ? 'int' : 'double';
    default:
      return objectTypeName(value);
  }
}

function objectTypeName(
  value: Exclude<Value, string | number | boolean | bigint | undefined>,
): BsonTypeName {
  if (value === null) return 'null';
  if (value instanceof Map || value instanceof RawDocument) return 'object';
  if (Array.isArray(value)) return 'array';
  if (value instanceof ObjectId) return 'objectId';
  if (value instanceof DateTime) return 'date';
  if (value instanceof Double) return 'double';
  if (value instanceof Decimal128) return 'decimal';
  if (value instanceof Binary) return 'binData';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof BSONRegExp) return 'regex';
  if (value instanceof MinKey) return 'minKey';
  if (value instanceof MaxKey) return 'maxKey';
  if (value instanceof BsonUndefined) return 'undefined';
  if (value instanceof BSONSymbol) return 'symbol';
  if (value instanceof Code) return 'javascript';
  if (value instanceof CodeWithScope) return 'javascriptWithScope';
  if (value instanceof DbPointer) return 'dbPointer';
  throw new TypeError('not a BSON value');
}

/** The type byte of a value. */
export function typeNumber(value: Value): number {
  const name = typeName(value);
  return name === 'missing' ? 0 : BsonType[name];
}
