/** `$dateAdd`, `$dateSubtract`, `$dateDiff`, `$dateTrunc`. */
import { DateTime, type Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import {
  addUnits,
  countUnits,
  isTimeUnit,
  parseTimeUnit,
  parseWeekday,
  type TimeUnit,
  truncateToUnit,
} from '../date/calendar.ts';
import { readTimeZone, toEpochMsOf } from './date-argument.ts';
import {
  type NamedArguments,
  named,
  type OperatorCompiler,
  type OperatorTable,
} from './operator.ts';
import { describeValue, isNullish, toInt64, typeName } from './value-kind.ts';

type Arguments = Readonly<Record<string, Value | undefined>>;

function shape(
  required: readonly string[],
  optional: readonly string[],
  codes: { readonly object: number; readonly unknown: number; readonly missing: number },
): NamedArguments {
  return {
    required,
    optional,
    notAnObject: (name) =>
      locationError(codes.object, `${name} only supports an object as its argument`),
    unknown: (name, field) =>
      locationError(
        codes.unknown,
        `Unrecognized argument to ${name}: ${field}. Expected arguments are ${required.join(', ')}, and optionally ${optional.join(', ')}.`,
      ),
    missing: (name, field) =>
      locationError(codes.missing, `Missing '${field}' parameter to ${name}`),
  };
}

function readUnit(value: Value | undefined, name: string): TimeUnit {
  if (typeof value !== 'string') {
    throw locationError(
      5439013,
      `${name} requires 'unit' to be a string, but got ${typeName(value)}`,
    );
  }
  return parseTimeUnit(value);
}

const LIMIT_MS = 2 ** 63;

const ADD_SHAPE: NamedArguments = {
  ...shape(['startDate', 'unit', 'amount'], ['timezone'], {
    object: 5166400,
    unknown: 5166401,
    missing: 5166402,
  }),
  notAnObject: (name) => locationError(5166400, `${name} expects an object as its argument`),
  missing: (name) =>
    locationError(5166402, `${name} requires startDate, unit, and amount to be present`),
};

function adder(sign: 1 | -1): OperatorCompiler {
  return named(ADD_SHAPE, (values, name) => {
    const { startDate, unit, amount } = values;
    const zone = readTimeZone(values['timezone'], 'timezone' in values);
    if (isNullish(startDate) || isNullish(unit) || isNullish(amount) || zone === null) {
      return null;
    }
    const start = toEpochMsOf(startDate);
    if (start === undefined) {
      throw locationError(5166403, `${name} requires startDate to be convertible to a date`);
    }
    if (typeof unit !== 'string') {
      throw locationError(5166404, `${name} expects string defining the time unit`);
    }
    if (!isTimeUnit(unit)) throw failedToParse(`unknown time unit value: ${unit}`);
    const count = toInt64(amount);
    if (count === undefined) {
      throw locationError(5166405, `${name} expects integer amount of time units`);
    }
    const moved = addUnits(start, unit, sign * Number(count), zone);
    if (Number.isNaN(moved) || Math.abs(moved) >= LIMIT_MS) {
      throw locationError(5166406, `${name} overflowed`);
    }
    return new DateTime(moved);
  });
}

function readStartOfWeek(values: Arguments, unit: TimeUnit, name: string): number | null {
  if (unit !== 'week' || !('startOfWeek' in values)) return 0;
  const value = values['startOfWeek'];
  if (isNullish(value)) return null;
  if (typeof value !== 'string') {
    throw locationError(
      5439015,
      `${name} requires 'startOfWeek' to be a string, but got ${typeName(value)}`,
    );
  }
  const day = parseWeekday(value);
  if (day === undefined) {
    throw locationError(
      5439016,
      `${name} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${value}`,
    );
  }
  return day;
}

const dateDiff = named(
  shape(['startDate', 'endDate', 'unit'], ['timezone', 'startOfWeek'], {
    object: 5166301,
    unknown: 5166302,
    missing: 5166303,
  }),
  (values, name) => {
    const { startDate, endDate, unit } = values;
    const zone = readTimeZone(values['timezone'], 'timezone' in values);
    if (isNullish(startDate) || isNullish(endDate) || isNullish(unit) || zone === null) return null;
    const dates = ['startDate', 'endDate'].map((field) => {
      const epochMs = toEpochMsOf(values[field]);
      if (epochMs !== undefined) return epochMs;
      throw locationError(
        5166307,
        `${name} requires '${field}' to be a date, but got ${typeName(values[field])}`,
      );
    });
    const timeUnit = readUnit(unit, name);
    const startOfWeek = readStartOfWeek(values, timeUnit, name);
    if (startOfWeek === null) return null;
    const [start, end] = dates as [number, number];
    return BigInt(countUnits(start, end, timeUnit, zone, startOfWeek));
  },
);

function readBinSize(values: Arguments, name: string): number | null {
  if (!('binSize' in values)) return 1;
  const value = values['binSize'];
  if (isNullish(value)) return null;
  const size = toInt64(value);
  if (size === undefined) {
    throw locationError(
      5439017,
      `${name} requires 'binSize' to be a 64-bit integer, but got value '${describeValue(value)}' of type ${typeName(value)}`,
    );
  }
  if (size <= 0n) {
    throw locationError(
      5439018,
      `${name} requires 'binSize' to be greater than 0, but got value ${size}`,
    );
  }
  return Number(size);
}

const dateTrunc = named(
  shape(['date', 'unit'], ['binSize', 'timezone', 'startOfWeek'], {
    object: 5439007,
    unknown: 5439008,
    missing: 5439009,
  }),
  (values, name) => {
    const { date, unit } = values;
    const zone = readTimeZone(values['timezone'], 'timezone' in values);
    const binSize = readBinSize(values, name);
    if (isNullish(date) || isNullish(unit) || zone === null || binSize === null) return null;
    const epochMs = toEpochMsOf(date);
    if (epochMs === undefined) {
      throw locationError(
        5439012,
        `${name} requires 'date' to be a date, but got ${typeName(date)}`,
      );
    }
    const timeUnit = readUnit(unit, name);
    const startOfWeek = readStartOfWeek(values, timeUnit, name);
    if (startOfWeek === null) return null;
    return new DateTime(truncateToUnit(epochMs, timeUnit, binSize, zone, startOfWeek));
  },
);

export const dateArithmeticOperators: OperatorTable = {
  $dateAdd: adder(1),
  $dateDiff: dateDiff,
  $dateSubtract: adder(-1),
  $dateTrunc: dateTrunc,
};
