/** Dates to text and back, by the format specifiers of `$dateToString` and `$dateFromString`. */
import { locationError } from '../aggregation-error.ts';
import { dayOfYear, isoWeek, isoWeekToLocalMs, sundayWeek, toLocalTime } from './calendar.ts';
import { findTimeZone, type TimeZone, toEpochMs, UTC } from './time-zone.ts';

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const pad = (value: number, length: number): string => String(value).padStart(length, '0');

export function formatOffset(offsetMs: number): string {
  const minutes = Math.trunc(Math.abs(offsetMs) / 60_000);
  const sign = offsetMs < 0 ? '-' : '+';
  return `${sign}${pad(Math.floor(minutes / 60), 2)}${pad(minutes % 60, 2)}`;
}

const OUTPUT_SPECIFIERS = new Set('dGHjLmMSuUVwYzZbB%');
const INPUT_SPECIFIERS = new Set('dGHLmMSuVYzZbBj%');

export function checkOutputFormat(format: string): void {
  checkFormat(format, OUTPUT_SPECIFIERS);
}

export function checkInputFormat(format: string): void {
  checkFormat(format, INPUT_SPECIFIERS);
}

function checkFormat(format: string, allowed: ReadonlySet<string>): void {
  for (let i = format.indexOf('%'); i >= 0; i = format.indexOf('%', i + 2)) {
    const specifier = format[i + 1];
    if (specifier === undefined) {
      throw locationError(18535, "Unmatched '%' at end of format string");
    }
    if (!allowed.has(specifier)) {
      throw locationError(18536, `Invalid format character '%${specifier}' in format string`);
    }
  }
}

/** A date by a checked format. @throws Location18537 when the year does not fit four digits */
export function formatDate(epochMs: number, zone: TimeZone, format: string): string {
  const time = toLocalTime(epochMs, zone);
  const year = (value: number): string => {
    if (value < 0 || value > 9999) {
      throw locationError(
        18537,
        `Could not convert date to string: date component was outside the supported range of 0-9999: ${value}`,
      );
    }
    return pad(value, 4);
  };
  return format.replace(/%([\s\S])/g, (_match, specifier: string) => {
    switch (specifier) {
      case 'Y':
        return year(time.year);
      case 'm':
        return pad(time.month, 2);
      case 'd':
        return pad(time.day, 2);
      case 'H':
        return pad(time.hour, 2);
      case 'M':
        return pad(time.minute, 2);
      case 'S':
        return pad(time.second, 2);
      case 'L':
        return pad(time.millisecond, 3);
      case 'j':
        return pad(dayOfYear(time), 3);
      case 'w':
        return String(time.weekday + 1);
      case 'u':
        return String(isoWeek(time).weekday);
      case 'U':
        return pad(sundayWeek(time), 2);
      case 'V':
        return pad(isoWeek(time).week, 2);
      case 'G':
        return year(isoWeek(time).year);
      case 'b':
        return (MONTHS[time.month - 1] as string).slice(0, 3);
      case 'B':
        return MONTHS[time.month - 1] as string;
      case 'z':
        return formatOffset(zone.offsetMs(epochMs));
      case 'Z':
        return String(Math.trunc(zone.offsetMs(epochMs) / 60_000));
      default:
        return '%';
    }
  });
}

interface ParsedFields {
  year?: number;
  month?: number;
  day?: number;
  hour?: number;
  minute?: number;
  second?: number;
  millisecond?: number;
  isoYear?: number;
  isoWeek?: number;
  isoWeekday?: number;
  dayOfYear?: number;
  zone?: TimeZone;
}

/** Why a text is no date; the operator makes its own error of it. */
export class DateTextError extends Error {}

const SPECIFIER_PATTERNS: Readonly<Record<string, string>> = {
  Y: '(\\d{4})',
  m: '(\\d{1,2})',
  d: '(\\d{1,2})',
  H: '(\\d{1,2})',
  M: '(\\d{1,2})',
  S: '(\\d{1,2})',
  L: '(\\d{1,3})',
  G: '(\\d{4})',
  V: '(\\d{1,2})',
  u: '([1-7])',
  j: '(\\d{1,3})',
  b: '([A-Za-z]{3})',
  B: '([A-Za-z]+)',
  z: '(Z|[+-]\\d{2}:?\\d{2}|[+-]\\d{2}|[A-Za-z][A-Za-z_/]*)',
  Z: '([+-]\\d+)',
};

/** The instant that `text` names under a checked format. @throws DateTextError */
export function parseDateByFormat(
  text: string,
  format: string,
  zone: TimeZone | undefined,
): number {
  const specifiers: string[] = [];
  const source = format.replace(/%([\s\S])|[\s\S]/g, (character, specifier: string | undefined) => {
    if (specifier === undefined) return character.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
    if (specifier === '%') return '%';
    specifiers.push(specifier);
    return SPECIFIER_PATTERNS[specifier] as string;
  });
  const match = new RegExp(`^${source}$`).exec(text);
  if (match === null) {
    throw new DateTextError(
      `Error parsing date string '${text}'; does not match format '${format}'`,
    );
  }
  const fields: ParsedFields = {};
  specifiers.forEach((specifier, i) => {
    readSpecifier(fields, specifier, match[i + 1] as string, text);
  });
  return fieldsToInstant(fields, zone, text);
}

function readSpecifier(fields: ParsedFields, specifier: string, part: string, text: string): void {
  switch (specifier) {
    case 'Y':
      fields.year = Number(part);
      break;
    case 'm':
      fields.month = Number(part);
      break;
    case 'd':
      fields.day = Number(part);
      break;
    case 'H':
      fields.hour = Number(part);
      break;
    case 'M':
      fields.minute = Number(part);
      break;
    case 'S':
      fields.second = Number(part);
      break;
    case 'L':
      fields.millisecond = Number(part.padEnd(3, '0'));
      break;
    case 'G':
      fields.isoYear = Number(part);
      break;
    case 'V':
      fields.isoWeek = Number(part);
      break;
    case 'u':
      fields.isoWeekday = Number(part);
      break;
    case 'j':
      fields.dayOfYear = Number(part);
      break;
    case 'b':
    case 'B':
      fields.month = parseMonthName(part, text);
      break;
    case 'z':
      fields.zone = readZone(part, text);
      break;
    default:
      fields.zone = findTimeZone(offsetOfMinutes(Number(part)));
  }
}

function offsetOfMinutes(minutes: number): string {
  return formatOffset(minutes * 60_000);
}

function readZone(name: string, text: string): TimeZone {
  try {
    return findTimeZone(name);
  } catch {
    throw new DateTextError(
      `Error parsing date string '${text}'; The timezone could not be found in the database`,
    );
  }
}

function parseMonthName(name: string, text: string): number {
  const wanted = name.toLowerCase();
  const index = MONTHS.findIndex((month) => {
    const full = month.toLowerCase();
    return full === wanted || full.slice(0, 3) === wanted;
  });
  if (index < 0) throw new DateTextError(`Error parsing date string '${text}'; unknown month name`);
  return index + 1;
}

function fieldsToInstant(fields: ParsedFields, given: TimeZone | undefined, text: string): number {
  if (fields.zone !== undefined && given !== undefined) {
    throw new DateTextError(
      `you cannot pass in a date/time string with time zone information ('${text}') together with a timezone argument`,
    );
  }
  const zone = fields.zone ?? given ?? UTC;
  const { hour = 0, minute = 0, second = 0, millisecond = 0 } = fields;
  if (hour > 24 || minute > 59 || second > 59) {
    throw new DateTextError(`Error parsing date string '${text}'; time out of range`);
  }
  const timeMs = ((hour * 60 + minute) * 60 + second) * 1000 + millisecond;
  return zone.toInstant(localDayMs(fields, text) + timeMs);
}

function localDayMs(fields: ParsedFields, text: string): number {
  if (fields.isoYear !== undefined) {
    return isoWeekToLocalMs(fields.isoYear, fields.isoWeek ?? 1, fields.isoWeekday ?? 1);
  }
  if (fields.year === undefined) {
    throw new DateTextError(
      `an incomplete date/time string has been found, with elements missing: '${text}'`,
    );
  }
  if (fields.dayOfYear !== undefined) return toEpochMs(fields.year, 1, fields.dayOfYear);
  const { month, day } = fields;
  if (month === undefined || day === undefined) {
    throw new DateTextError(
      `an incomplete date/time string has been found, with elements missing: '${text}'`,
    );
  }
  if (month < 1 || month > 12 || day < 1 || day > 31) {
    throw new DateTextError(`Error parsing date string '${text}'; date out of range`);
  }
  return toEpochMs(fields.year, month, day);
}

const ISO_LIKE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?)?\s*(Z|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Za-z][A-Za-z_]*(?:\/[A-Za-z_]+)*)?$/;
const COMPACT =
  /^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(\d{2})(\d{2})?(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** The instant a text names when no format is given: ISO 8601 and what is like it. @throws DateTextError */
export function parseDate(text: string, zone: TimeZone | undefined): number {
  const trimmed = text.trim();
  const match = ISO_LIKE.exec(trimmed) ?? COMPACT.exec(trimmed);
  if (match !== null) {
    const [, year, month, day, hour, minute, second, fraction, zoneName] = match;
    const fields: ParsedFields = {
      year: Number(year),
      month: Number(month),
      day: Number(day),
      hour: Number(hour ?? 0),
      minute: Number(minute ?? 0),
      second: Number(second ?? 0),
      millisecond: Number((fraction ?? '').padEnd(3, '0').slice(0, 3)),
    };
    if (zoneName !== undefined) fields.zone = readZone(zoneName, text);
    return fieldsToInstant(fields, zone, text);
  }
  return parseOtherDate(trimmed, zone, text);
}

function unreadable(trimmed: string, text: string): DateTextError {
  const word = /[A-Za-z]/.exec(trimmed);
  if (word !== null && !/^\d/.test(trimmed)) {
    return new DateTextError(
      `Error parsing date string '${text}'; ${word.index}: passing a time zone identifier as part of the string is not allowed '${word[0]}'`,
    );
  }
  return new DateTextError(
    /\d{4}/.test(trimmed)
      ? `Error parsing date string '${text}'; 0: Unexpected character '${trimmed[0] ?? ''}'`
      : `an incomplete date/time string has been found, with elements missing: "${text}"`,
  );
}

/** Forms with month names, as timelib takes them: `Jul 4, 2018 11:00 UTC`, `4 July 2018`. */
function parseOtherDate(trimmed: string, zone: TimeZone | undefined, text: string): number {
  const match =
    /^(?:[A-Za-z]{3,9},?\s+)?(?:(\d{1,2})(?:st|nd|rd|th)?[\s-]+([A-Za-z]{3,9})|([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?)[,\s-]+(\d{4})(?:,?\s+(?:at\s+)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*([ap]m)?)?(?:\s*(Z|[+-]\d{2}:?\d{2}|[A-Za-z][A-Za-z_/]*))?$/i.exec(
      trimmed,
    );
  const slashed = /^(\d{1,2})\/(\d{1,2})\/(\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(
    trimmed,
  );
  if (match === null && slashed === null) {
    throw unreadable(trimmed, text);
  }
  const fields: ParsedFields = {};
  if (slashed !== null) {
    fields.month = Number(slashed[1]);
    fields.day = Number(slashed[2]);
    fields.year = Number(slashed[3]);
    fields.hour = Number(slashed[4] ?? 0);
    fields.minute = Number(slashed[5] ?? 0);
    fields.second = Number(slashed[6] ?? 0);
  } else if (match !== null) {
    fields.day = Number(match[1] ?? match[4]);
    fields.month = parseMonthName((match[2] ?? match[3]) as string, text);
    fields.year = Number(match[5]);
    fields.hour = readHour(Number(match[6] ?? 0), match[10]);
    fields.minute = Number(match[7] ?? 0);
    fields.second = Number(match[8] ?? 0);
    fields.millisecond = Number((match[9] ?? '').padEnd(3, '0').slice(0, 3));
    if (match[11] !== undefined) fields.zone = readZone(match[11], text);
  }
  return fieldsToInstant(fields, zone, text);
}

function readHour(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
}
