/** Parts of dates: `$year` … `$isoWeekYear`, `$dateToParts`, `$dateFromParts`, `$tsSecond`. */
import { DateTime, Timestamp, type Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import {
  dayOfYear,
  isoWeek,
  isoWeekToLocalMs,
  type LocalTime,
  sundayWeek,
  toLocalTime,
} from '../date/calendar.ts';
import { type TimeZone, toEpochMs } from '../date/time-zone.ts';
import { readDate, readTimeZone } from './date-argument.ts';
import {
  type Expression,
  fromParts,
  named,
  type OperatorCompiler,
  type OperatorTable,
  type Scope,
  unary,
} from './operator.ts';
import { describeValue, isNullish, toInt64, typeName } from './value-kind.ts';

function part(read: (time: LocalTime) => Value): OperatorCompiler {
  return (argument, scope, name) => {
    const { date, zone } = compileDateArgument(argument, scope, name);
    const parts = zone === undefined ? [date] : [date, zone];
    return fromParts(parts, (root, variables) => {
      const value = date.evaluate(root, variables);
      const timeZone = readTimeZone(zone?.evaluate(root, variables), zone !== undefined);
      if (isNullish(value) || timeZone === null) return null;
      return read(toLocalTime(readDate(value), timeZone));
    });
  };
}

interface DateArgument {
  readonly date: Expression;
  readonly zone: Expression | undefined;
}

/** The argument of a part operator: a date, `[date]`, or `{date, timezone}`. */
function compileDateArgument(argument: Value, scope: Scope, name: string): DateArgument {
  if (argument instanceof Map && ![...argument.keys()][0]?.startsWith('$')) {
    for (const field of argument.keys()) {
      if (field !== 'date' && field !== 'timezone') {
        throw locationError(40535, `unrecognized option to ${name}: "${field}"`);
      }
    }
    const date = argument.get('date');
    if (date === undefined) {
      throw locationError(
        40539,
        `missing 'date' argument to ${name}, provided: ${name}: ${describeValue(argument)}`,
      );
    }
    const zone = argument.get('timezone');
    return {
      date: scope.compile(date),
      zone: zone === undefined ? undefined : scope.compile(zone),
    };
  }
  if (Array.isArray(argument)) {
    if (argument.length !== 1) {
      throw locationError(
        40536,
        `${name} accepts exactly one argument if given an array, but was given ${argument.length}`,
      );
    }
    return { date: scope.compile(argument[0] as Value), zone: undefined };
  }
  return { date: scope.compile(argument), zone: undefined };
}

const dateToParts = named(
  {
    required: ['date'],
    optional: ['timezone', 'iso8601'],
    notAnObject: () => locationError(40524, '$dateToParts only supports an object as its argument'),
    unknown: (_name, field) =>
      locationError(40520, `Unrecognized argument to $dateToParts: ${field}`),
    missing: () => locationError(40522, "Missing 'date' parameter to $dateToParts"),
  },
  (values) => {
    const zone = readTimeZone(values['timezone'], 'timezone' in values);
    if ('iso8601' in values && isNullish(values['iso8601'])) return null;
    const iso = values['iso8601'] ?? false;
    if (typeof iso !== 'boolean') {
      throw locationError(40521, `iso8601 must evaluate to a bool, found ${typeName(iso)}`);
    }
    if (isNullish(values['date']) || zone === null) return null;
    return toParts(toLocalTime(readDate(values['date']), zone), iso);
  },
);

function toParts(time: LocalTime, iso: boolean): Value {
  const parts = new Map<string, Value>();
  if (iso) {
    const { year, week, weekday } = isoWeek(time);
    parts.set('isoWeekYear', year).set('isoWeek', week).set('isoDayOfWeek', weekday);
  } else {
    parts.set('year', time.year).set('month', time.month).set('day', time.day);
  }
  return parts
    .set('hour', time.hour)
    .set('minute', time.minute)
    .set('second', time.second)
    .set('millisecond', time.millisecond);
}

const CALENDAR_PARTS = ['year', 'month', 'day'] as const;
const ISO_PARTS = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'] as const;
const TIME_PARTS = ['hour', 'minute', 'second', 'millisecond'] as const;

const dateFromParts = named(
  {
    required: [],
    optional: [...CALENDAR_PARTS, ...ISO_PARTS, ...TIME_PARTS, 'timezone'],
    notAnObject: () =>
      locationError(40519, '$dateFromParts only supports an object as its argument'),
    unknown: (_name, field) =>
      locationError(40518, `Unrecognized argument to $dateFromParts: ${field}`),
    missing: () => locationError(40516, '$dateFromParts requires a year'),
  },
  (values) => {
    const zone = readTimeZone(values['timezone'], 'timezone' in values);
    return fromDateParts(values, zone);
  },
);

/** Compile-time checks of `$dateFromParts` come before the generic evaluation. */
const checkedDateFromParts: OperatorCompiler = (argument, scope, name) => {
  if (argument instanceof Map) {
    const hasIso = ISO_PARTS.some((field) => argument.has(field));
    if (!argument.has('year') && !argument.has('isoWeekYear')) {
      throw locationError(
        40516,
        "$dateFromParts requires either 'year' or 'isoWeekYear' to be present",
      );
    }
    if (argument.has('year') && hasIso) {
      throw locationError(
        40489,
        '$dateFromParts does not allow mixing natural dates with ISO dates',
      );
    }
    if (argument.has('isoWeekYear') && (argument.has('month') || argument.has('day'))) {
      throw locationError(
        40525,
        '$dateFromParts does not allow mixing ISO dates with natural dates',
      );
    }
  }
  return dateFromParts(argument, scope, name);
};

function fromDateParts(
  values: Readonly<Record<string, Value | undefined>>,
  zone: TimeZone | null,
): Value {
  const read = (field: string, otherwise: number): number | null =>
    field in values ? readPart(field, values[field]) : otherwise;
  const iso = 'isoWeekYear' in values;
  const year = read(iso ? 'isoWeekYear' : 'year', 1970);
  const second = read(iso ? 'isoWeek' : 'month', 1);
  const third = read(iso ? 'isoDayOfWeek' : 'day', 1);
  const hour = read('hour', 0);
  const minute = read('minute', 0);
  const seconds = read('second', 0);
  const millisecond = read('millisecond', 0);
  if (year === null || second === null || third === null || zone === null) return null;
  if (hour === null || minute === null || seconds === null || millisecond === null) return null;
  if (year < 1 || year > 9999) {
    throw locationError(
      40523,
      `'${iso ? 'isoWeekYear' : 'year'}' must evaluate to an integer in the range 1 to 9999, found ${year}`,
    );
  }
  const day = iso ? isoWeekToLocalMs(year, second, third) : toEpochMs(year, second, third);
  const time = ((hour * 60 + minute) * 60 + seconds) * 1000 + millisecond;
  return new DateTime(zone.toInstant(day + time));
}

const PART_LIMIT = 32767;

function readPart(field: string, value: Value | undefined): number | null {
  if (isNullish(value)) return null;
  const integer = toInt64(value);
  if (integer === undefined) {
    throw locationError(
      40515,
      `'${field}' must evaluate to an integer, found ${typeName(value)} with value ${describeValue(value)}`,
    );
  }
  const number = Number(integer);
  const isWide = field === 'second' || field === 'millisecond' || /year/i.test(field);
  if (!isWide && (number > PART_LIMIT || number < -PART_LIMIT - 1)) {
    throw locationError(
      31034,
      `'${field}' must evaluate to a value in the range [-32768, 32767]; value ${number} is not in range`,
    );
  }
  return number;
}

function timestampPart(code: number, read: (value: Timestamp) => bigint): OperatorCompiler {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (!(value instanceof Timestamp)) {
      throw locationError(
        code,
        `Argument to ${name} must be a timestamp, but is ${typeName(value)}`,
      );
    }
    return read(value);
  });
}

export const dateOperators: OperatorTable = {
  $dayOfMonth: part((time) => time.day),
  $dayOfWeek: part((time) => time.weekday + 1),
  $dayOfYear: part(dayOfYear),
  $hour: part((time) => time.hour),
  $isoDayOfWeek: part((time) => isoWeek(time).weekday),
  $isoWeek: part((time) => isoWeek(time).week),
  $isoWeekYear: part((time) => BigInt(isoWeek(time).year)),
  $millisecond: part((time) => time.millisecond),
  $minute: part((time) => time.minute),
  $month: part((time) => time.month),
  $second: part((time) => time.second),
  $week: part(sundayWeek),
  $year: part((time) => time.year),
  $dateToParts: dateToParts,
  $dateFromParts: checkedDateFromParts,
  $tsSecond: timestampPart(5687301, (value) => BigInt(value.t)),
  $tsIncrement: timestampPart(5687302, (value) => BigInt(value.i)),
};
