/** `$convert`, its short forms `$toInt` … `$toUUID`, `$type` and `$isNumber`. */
import { decimalFromInteger, decimalParts } from '../../bson/decimal.ts';
import { toDecimal } from '../../bson/numeric.ts';
import { BsonType } from '../../bson/types.ts';
import {
  Binary,
  DateTime,
  Decimal128,
  Double,
  ObjectId,
  toDouble,
  type Value,
} from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { BINARY_FORMATS, binaryToText, textToBinary } from './binary-text.ts';
import { toEpochMsOf } from './date-argument.ts';
import { parseDateText } from './date-text.ts';
import { formatNumber } from './number-text.ts';
import {
  constantExpression,
  type Expression,
  fromParts,
  type OperatorCompiler,
  type OperatorTable,
  readNamedArguments,
  type Scope,
  unary,
} from './operator.ts';
import {
  decimalToBigInt,
  formatIsoDate,
  inInt64,
  isNullish,
  isNumeric,
  isTruthy,
  toInt64,
  toJsNumber,
  typeName,
} from './value-kind.ts';

const SUFFIX = 'in $convert with no onError value';

function failure(message: string): MongoCommandError {
  return new MongoCommandError('ConversionFailure', message);
}

interface Target {
  readonly type: string;
  readonly subtype?: number | undefined;
  readonly format?: string | undefined;
}

function convert(value: Exclude<Value, null>, target: Target): Value {
  switch (target.type) {
    case 'double':
      return toDoubleValue(value);
    case 'int':
      return toInteger(value, 'int', (integer) => integer >= -(2n ** 31n) && integer < 2n ** 31n);
    case 'long':
      return toInteger(value, 'long', inInt64);
    case 'decimal':
      return toDecimalValue(value);
    case 'bool':
      return toBool(value);
    case 'string':
      return toText(value, target.format);
    case 'objectId':
      return toObjectIdValue(value);
    case 'date':
      return toDate(value);
    case 'binData':
      return toBinary(value, target);
    default:
      throw unsupported(value, target.type);
  }
}

function unsupported(value: Value, type: string): MongoCommandError {
  return failure(`Unsupported conversion from ${typeName(value)} to ${type} ${SUFFIX}`);
}

const NUMBER_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

function badNumber(text: string, reason: string): MongoCommandError {
  return failure(`Failed to parse number '${text}' ${SUFFIX}: ${reason}`);
}

function parseDouble(text: string): number {
  if (NUMBER_TEXT.test(text)) {
    const number = Number(text);
    if (!Number.isFinite(number)) throw badNumber(text, 'Out of range');
    return number;
  }
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special === null) {
    if (text === '') throw badNumber(text, 'Empty string');
    const startsAsNumber = /^[+-]?\.?\d/.test(text);
    throw badNumber(
      text,
      startsAsNumber ? 'Did not consume whole string.' : 'Did not consume any digits',
    );
  }
  if ((special[2] as string).toLowerCase() === 'nan') return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function toDoubleValue(value: Value): Value {
  if (value instanceof Double) return value;
  if (value instanceof Decimal128) {
    const number = toJsNumber(value);
    if (!Number.isFinite(number) && decimalParts(value).kind === 'finite') {
      throw failure(`Conversion would overflow target type ${SUFFIX}: ${formatNumber(value)}`);
    }
    return toDouble(number);
  }
  if (isNumeric(value)) return toDouble(toJsNumber(value));
  if (typeof value === 'boolean') return toDouble(value ? 1 : 0);
  if (typeof value === 'string') return toDouble(parseDouble(value));
  if (value instanceof DateTime) return toDouble(Number(value.epochMs));
  throw unsupported(value, 'double');
}

function toInteger(value: Value, type: 'int' | 'long', fits: (integer: bigint) => boolean): Value {
  const integer = readInteger(value, type);
  if (!fits(integer)) {
    if (typeof value === 'string') throw badNumber(value, 'Overflow');
    throw failure(
      `Conversion would overflow target type ${SUFFIX}: ${isNumeric(value) ? formatNumber(value) : integer}`,
    );
  }
  return type === 'int' ? Number(integer) : integer;
}

function readInteger(value: Value, type: 'int' | 'long'): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Decimal128) return truncateDecimal(value);
  if (isNumeric(value)) return truncateDouble(toJsNumber(value));
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value)) {
      throw badNumber(value, value === '' ? 'No digits' : 'Did not consume whole string.');
    }
    return BigInt(value.replace(/^\+/, ''));
  }
  if (value instanceof DateTime && type === 'long') return value.epochMs;
  throw unsupported(value, type);
}

function checkFinite(nan: boolean, finite: boolean): void {
  if (nan) throw failure(`Attempt to convert NaN value to integer type ${SUFFIX}`);
  if (!finite) throw failure(`Attempt to convert infinity value to integer type ${SUFFIX}`);
}

function truncateDouble(number: number): bigint {
  checkFinite(Number.isNaN(number), Number.isFinite(number));
  return BigInt(Math.trunc(number));
}

function truncateDecimal(value: Decimal128): bigint {
  const parts = decimalParts(value);
  checkFinite(parts.kind === 'nan', parts.kind === 'finite');
  const exact = decimalToBigInt(value);
  if (exact !== undefined) return exact;
  if (parts.kind !== 'finite' || parts.exponent > 0) {
    throw failure(`Conversion would overflow target type ${SUFFIX}: ${value.toString()}`);
  }
  const size = parts.exponent < -40 ? 0n : parts.coefficient / 10n ** BigInt(-parts.exponent);
  return parts.negative ? -size : size;
}

function toDecimalValue(value: Value): Value {
  if (value instanceof Decimal128) return value;
  if (isNumeric(value)) return toDecimal(value);
  if (typeof value === 'boolean') return decimalFromInteger(value ? 1 : 0);
  if (value instanceof DateTime) return decimalFromInteger(value.epochMs);
  if (typeof value === 'string') {
    try {
      return Decimal128.fromStringWithRounding(value);
    } catch {
      throw badNumber(value, 'Failed to parse string to decimal');
    }
  }
  throw unsupported(value, 'decimal');
}

function toBool(value: Value): Value {
  if (isNumeric(value) || typeof value === 'boolean') return isTruthy(value);
  return true;
}

function toText(value: Value, format: string | undefined): Value {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (isNumeric(value)) return formatNumber(value);
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof DateTime) return formatIsoDate(value);
  if (value instanceof Binary) {
    const text = binaryToText(value, format ?? 'base64');
    if (text === undefined) {
      throw failure(`Cannot convert BinData to a string of format ${format} ${SUFFIX}`);
    }
    return text;
  }
  throw unsupported(value, 'string');
}

function toObjectIdValue(value: Value): Value {
  if (value instanceof ObjectId) return value;
  if (typeof value !== 'string') throw unsupported(value, 'objectId');
  if (value.length !== 24) {
    throw failure(
      `Failed to parse objectId '${value}' ${SUFFIX}: Invalid string length for parsing to OID, expected 24 but found ${value.length}`,
    );
  }
  if (!/^[0-9a-fA-F]{24}$/.test(value)) {
    const bad = /[^0-9a-fA-F]/.exec(value)?.[0] ?? '';
    throw failure(
      `Failed to parse objectId '${value}' ${SUFFIX}: Invalid character found in hex string: '${bad}'`,
    );
  }
  return ObjectId.createFromHexString(value);
}

function toDate(value: Value): Value {
  if (value instanceof DateTime) return value;
  const epochMs = toEpochMsOf(value);
  if (epochMs !== undefined) return new DateTime(epochMs);
  if (typeof value === 'string') {
    try {
      return parseDateText(value, undefined, undefined);
    } catch (error) {
      throw failure(error instanceof Error ? error.message : String(error));
    }
  }
  if (isNumeric(value) && typeName(value) !== 'int') {
    const integer = readInteger(value, 'long');
    if (!inInt64(integer)) {
      throw failure(`Conversion would overflow target type ${SUFFIX}: ${formatNumber(value)}`);
    }
    return new DateTime(integer);
  }
  throw unsupported(value, 'date');
}

function toBinary(value: Value, target: Target): Value {
  const subtype = target.subtype ?? 0;
  if (value instanceof Binary) {
    if (value.sub_type !== subtype) {
      throw failure('Conversions between different BinData subtypes are not supported');
    }
    return value;
  }
  if (typeof value !== 'string') throw unsupported(value, 'binData');
  if (target.format === undefined) {
    throw locationError(4341115, "Missing 'format' argument to $convert for conversion to BinData");
  }
  const binary = textToBinary(value, target.format, subtype);
  if (binary === undefined) {
    throw failure(`Input string is not in ${target.format} format ${SUFFIX}: ${value}`);
  }
  return binary;
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(BsonType).map(([name, number]) => [number, name]),
);

function readTarget(to: Value, format: Value | undefined): Target {
  const withFormat = { format: readFormat(format) };
  if (to instanceof Map) {
    const type = to.get('type');
    const subtype = to.get('subtype');
    if (type === undefined) {
      throw failedToParse("Missing 'type' in $convert's 'to' argument");
    }
    return {
      ...readTarget(type, undefined),
      ...withFormat,
      subtype: subtype === undefined ? undefined : Number(toInt64(subtype) ?? 0n),
    };
  }
  if (typeof to === 'string') {
    if (!(to in BsonType)) throw new MongoCommandError('BadValue', `Unknown type name: ${to}`);
    return { type: to, ...withFormat };
  }
  if (!isNumeric(to)) {
    throw failedToParse(
      `$convert's 'to' argument must be a string or number, but is ${typeName(to)}`,
    );
  }
  const number = toJsNumber(to);
  const type = TYPE_NAMES.get(number === -1 ? BsonType.minKey : number);
  if (type === undefined) {
    throw failedToParse(
      `In $convert, numeric value for 'to' does not correspond to a BSON type: ${formatNumber(to)}`,
    );
  }
  return { type, ...withFormat };
}

function readFormat(format: Value | undefined): string | undefined {
  if (isNullish(format)) return undefined;
  if (typeof format !== 'string' || !BINARY_FORMATS.has(format)) {
    throw locationError(4341125, `Invalid 'format' argument for $convert: ${String(format)}`);
  }
  return format;
}

function compileConvert(argument: Value, scope: Scope, name: string): Expression {
  const given = readNamedArguments(argument, name, {
    required: ['input', 'to'],
    optional: ['onError', 'onNull', 'format', 'base', 'byteOrder'],
    notAnObject: (_name, value) =>
      failedToParse(`$convert expects an object of named arguments but found: ${typeName(value)}`),
    unknown: (_name, field) => failedToParse(`$convert found an unknown argument: ${field}`),
    missing: (_name, field) => failedToParse(`Missing '${field}' parameter to $convert`),
  });
  const compileField = (field: string): Expression | undefined => {
    const spec = given.get(field);
    return spec === undefined ? undefined : scope.compile(spec);
  };
  const input = scope.compile(given.get('input') as Value);
  const to = scope.compile(given.get('to') as Value);
  const onError = compileField('onError');
  const onNull = compileField('onNull') ?? constantExpression(null);
  const format = compileField('format');
  const parts = [input, to, onNull];
  if (onError !== undefined) parts.push(onError);
  if (format !== undefined) parts.push(format);
  return fromParts(parts, (root, variables) => {
    const value = input.evaluate(root, variables);
    const type = to.evaluate(root, variables);
    if (isNullish(value)) return onNull.evaluate(root, variables);
    if (isNullish(type)) return null;
    const target = readTarget(type, format?.evaluate(root, variables));
    try {
      return convert(value, target);
    } catch (error) {
      const isFailure =
        error instanceof MongoCommandError && error.codeName === 'ConversionFailure';
      if (onError === undefined || !isFailure) throw error;
      return onError.evaluate(root, variables);
    }
  });
}

function converter(target: Target): OperatorCompiler {
  return unary((value) => (isNullish(value) ? null : convert(value, target)));
}

export const convertOperators: OperatorTable = {
  $convert: compileConvert,
  $isNumber: unary((value) => isNumeric(value)),
  $toBool: converter({ type: 'bool' }),
  $toDate: converter({ type: 'date' }),
  $toDecimal: converter({ type: 'decimal' }),
  $toDouble: converter({ type: 'double' }),
  $toInt: converter({ type: 'int' }),
  $toLong: converter({ type: 'long' }),
  $toObjectId: converter({ type: 'objectId' }),
  $toString: converter({ type: 'string', format: 'auto' }),
  $toUUID: converter({ type: 'binData', subtype: Binary.SUBTYPE_UUID, format: 'uuid' }),
  $type: unary((value) => typeName(value)),
};
