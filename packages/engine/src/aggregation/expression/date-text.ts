/** `$dateToString` and `$dateFromString`. */
import { DateTime, type Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { locationError } from '../aggregation-error.ts';
import {
  checkInputFormat,
  checkOutputFormat,
  DateTextError,
  formatDate,
  parseDate,
  parseDateByFormat,
} from '../date/date-text.ts';
import type { TimeZone } from '../date/time-zone.ts';
import { readDate, readTimeZone } from './date-argument.ts';
import {
  type Expression,
  fromParts,
  type OperatorTable,
  readNamedArguments,
  type Scope,
} from './operator.ts';
import { describeValue, isNullish, typeName } from './value-kind.ts';

const ISO_UTC = '%Y-%m-%dT%H:%M:%S.%LZ';
const ISO_LOCAL = '%Y-%m-%dT%H:%M:%S.%L';

function compileOptional(given: ReadonlyMap<string, Value>, field: string, scope: Scope) {
  const spec = given.get(field);
  return spec === undefined ? undefined : scope.compile(spec);
}

const isPresent = (part: Expression | undefined): part is Expression => part !== undefined;

function compileDateToString(argument: Value, scope: Scope, name: string): Expression {
  const given = readNamedArguments(argument, name, {
    required: ['date'],
    optional: ['format', 'timezone', 'onNull'],
    notAnObject: () => locationError(18629, `${name} only supports an object as its argument`),
    unknown: (_name, field) => locationError(18534, `Unrecognized argument to ${name}: ${field}`),
    missing: () => locationError(18628, `Missing 'date' parameter to ${name}`),
  });
  const date = scope.compile(given.get('date') as Value);
  const format = compileOptional(given, 'format', scope);
  const timezone = compileOptional(given, 'timezone', scope);
  const onNull = compileOptional(given, 'onNull', scope);
  return fromParts([date, format, timezone, onNull].filter(isPresent), (root, variables) => {
    const zone = readTimeZone(timezone?.evaluate(root, variables), timezone !== undefined);
    const value = date.evaluate(root, variables);
    const pattern = readFormat(format?.evaluate(root, variables), format !== undefined, zone);
    if (isNullish(value)) return onNull === undefined ? null : onNull.evaluate(root, variables);
    if (pattern === null || zone === null) return null;
    return formatDate(readDate(value), zone, pattern);
  });
}

function readFormat(
  value: Value | undefined,
  given: boolean,
  zone: TimeZone | null,
): string | null {
  if (!given) return zone === null || zone.isUtc ? ISO_UTC : ISO_LOCAL;
  if (isNullish(value)) return null;
  if (typeof value !== 'string') {
    throw locationError(
      18533,
      `$dateToString requires that 'format' be a string, found: ${typeName(value)} with value ${describeValue(value)}`,
    );
  }
  checkOutputFormat(value);
  return value;
}

function compileDateFromString(argument: Value, scope: Scope, name: string): Expression {
  const given = readNamedArguments(argument, name, {
    required: ['dateString'],
    optional: ['format', 'timezone', 'onNull', 'onError'],
    notAnObject: (_name, value) =>
      locationError(
        40540,
        `${name} only supports an object as an argument, found: ${typeName(value)}`,
      ),
    unknown: (_name, field) => locationError(40541, `Unrecognized argument to ${name}: ${field}`),
    missing: () => locationError(40542, `Missing 'dateString' parameter to ${name}`),
  });
  const text = scope.compile(given.get('dateString') as Value);
  const format = compileOptional(given, 'format', scope);
  const timezone = compileOptional(given, 'timezone', scope);
  const onNull = compileOptional(given, 'onNull', scope);
  const onError = compileOptional(given, 'onError', scope);
  const parts = [text, format, timezone, onNull, onError].filter(isPresent);
  return fromParts(parts, (root, variables) => {
    const zone = readTimeZone(timezone?.evaluate(root, variables), timezone !== undefined);
    const pattern = format?.evaluate(root, variables);
    const value = text.evaluate(root, variables);
    if (isNullish(value)) return onNull === undefined ? null : onNull.evaluate(root, variables);
    if (zone === null || (format !== undefined && isNullish(pattern))) return null;
    const given = timezone === undefined ? undefined : zone;
    try {
      return parseText(value, pattern, given);
    } catch (error) {
      if (onError !== undefined && isConversionFailure(error)) {
        return onError.evaluate(root, variables);
      }
      throw error;
    }
  });
}

function isConversionFailure(error: unknown): boolean {
  return error instanceof MongoCommandError && error.codeName === 'ConversionFailure';
}

function parseText(value: Value, format: Value | undefined, zone: TimeZone | undefined): Value {
  if (format !== undefined) {
    if (typeof format !== 'string') {
      throw locationError(
        40684,
        `$dateFromString requires that 'format' be a string, found: ${typeName(format)} with value ${describeValue(format)}`,
      );
    }
    checkInputFormat(format);
  }
  if (typeof value !== 'string') {
    throw new MongoCommandError(
      'ConversionFailure',
      `$dateFromString requires that 'dateString' be a string, found: ${typeName(value)} with value ${describeValue(value)}`,
    );
  }
  return parseDateText(value, format, zone);
}

/** A date from its text, failing with ConversionFailure; also what `$toDate` does. */
export function parseDateText(
  text: string,
  format: string | undefined,
  zone: TimeZone | undefined,
): DateTime {
  try {
    return new DateTime(
      format === undefined ? parseDate(text, zone) : parseDateByFormat(text, format, zone),
    );
  } catch (error) {
    if (error instanceof DateTextError) {
      throw new MongoCommandError('ConversionFailure', error.message);
    }
    throw error;
  }
}

export const dateTextOperators: OperatorTable = {
  $dateFromString: compileDateFromString,
  $dateToString: compileDateToString,
};
