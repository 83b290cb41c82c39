/** Local calendar fields of an instant, and whole units of time between instants. */
import { failedToParse } from '../aggregation-error.ts';
import { type TimeZone, toEpochMs } from './time-zone.ts';

export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;

export interface LocalTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

export function toLocalTime(epochMs: number, zone: TimeZone): LocalTime {
  const date = new Date(epochMs + zone.offsetMs(epochMs));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
    weekday: date.getUTCDay(),
  };
}

/** Days since the epoch of the local day. */
export function localDay(epochMs: number, zone: TimeZone): number {
  return Math.floor((epochMs + zone.offsetMs(epochMs)) / DAY_MS);
}

/** 1 to 366. */
export function dayOfYear(time: LocalTime): number {
  const start = toEpochMs(time.year, 1, 1);
  return Math.round((toEpochMs(time.year, time.month, time.day) - start) / DAY_MS) + 1;
}

/** Week of the year from 0 to 53; weeks begin on Sunday, and days before the first are week 0. */
export function sundayWeek(time: LocalTime): number {
  return Math.floor((dayOfYear(time) + 6 - time.weekday) / 7);
}

/** ISO 8601 week and the year it belongs to; weekday 1 is Monday. */
export function isoWeek(time: LocalTime): { year: number; week: number; weekday: number } {
  const weekday = time.weekday === 0 ? 7 : time.weekday;
  const thursday = toEpochMs(time.year, time.month, time.day) + (4 - weekday) * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - toEpochMs(year, 1, 1)) / (7 * DAY_MS)) + 1;
  return { year, week, weekday };
}

/** Local time of an ISO week date, read as if it were UTC. */
export function isoWeekToLocalMs(year: number, week: number, weekday: number): number {
  const fourth = toEpochMs(year, 1, 4);
  const day = new Date(fourth).getUTCDay() || 7;
  return fourth + ((week - 1) * 7 + (weekday - day)) * DAY_MS;
}

export type TimeUnit =
  | 'year'
  | 'quarter'
  | 'month'
  | 'week'
  | 'day'
  | 'hour'
  | 'minute'
  | 'second'
  | 'millisecond';

const UNITS: ReadonlySet<string> = new Set([
  'year',
  'quarter',
  'month',
  'week',
  'day',
  'hour',
  'minute',
  'second',
  'millisecond',
]);

export function isTimeUnit(text: string): text is TimeUnit {
  return UNITS.has(text);
}

export function parseTimeUnit(text: string): TimeUnit {
  if (!isTimeUnit(text)) throw failedToParse(`unknown time unit value: ${text}`);
  return text;
}

/** Length of the units that have one; undefined for those the calendar decides. */
export const UNIT_MS: Readonly<Partial<Record<TimeUnit, number>>> = {
  hour: HOUR_MS,
  minute: 60_000,
  second: 1000,
  millisecond: 1,
};

export const MONTHS_IN_UNIT: Readonly<Partial<Record<TimeUnit, number>>> = {
  year: 12,
  quarter: 3,
  month: 1,
};

/** `epochMs` moved by a number of units; months end on their last day where they have to. */
export function addUnits(epochMs: number, unit: TimeUnit, amount: number, zone: TimeZone): number {
  const fixed = UNIT_MS[unit];
  if (fixed !== undefined) return epochMs + amount * fixed;
  const localMs = epochMs + zone.offsetMs(epochMs);
  const months = MONTHS_IN_UNIT[unit];
  if (months === undefined) {
    return zone.toInstant(localMs + amount * (unit === 'week' ? 7 : 1) * DAY_MS);
  }
  const local = toLocalTime(epochMs, zone);
  const index = local.year * 12 + local.month - 1 + amount * months;
  const year = Math.floor(index / 12);
  const month = index - year * 12 + 1;
  const lastDay = new Date(toEpochMs(year, month + 1, 0)).getUTCDate();
  const dayStart = toEpochMs(local.year, local.month, local.day);
  const moved = toEpochMs(year, month, Math.min(local.day, lastDay)) + (localMs - dayStart);
  return zone.toInstant(moved);
}

const WEEKDAYS: Readonly<Record<string, number>> = {
  sunday: 0,
  monday: 1,
  tuesday: 2,
  wednesday: 3,
  thursday: 4,
  friday: 5,
  saturday: 6,
  sun: 0,
  mon: 1,
  tue: 2,
  wed: 3,
  thu: 4,
  fri: 5,
  sat: 6,
};

/** 0 for Sunday, by full or three-letter name in any case. */
export function parseWeekday(text: string): number | undefined {
  return WEEKDAYS[text.toLowerCase()];
}

/** Boundaries of a unit that lie between two instants. */
export function countUnits(
  startMs: number,
  endMs: number,
  unit: TimeUnit,
  zone: TimeZone,
  startOfWeek: number,
): number {
  const months = MONTHS_IN_UNIT[unit];
  if (months !== undefined) {
    const index = (ms: number) => {
      const time = toLocalTime(ms, zone);
      return Math.floor((time.year * 12 + time.month - 1) / months);
    };
    return index(endMs) - index(startMs);
  }
  if (unit === 'day') return localDay(endMs, zone) - localDay(startMs, zone);
  if (unit === 'week') {
    // day 0 of the epoch was a Thursday
    const week = (ms: number) => Math.floor((localDay(ms, zone) + 4 - startOfWeek) / 7);
    return week(endMs) - week(startMs);
  }
  const length = UNIT_MS[unit] ?? 1;
  if (unit === 'hour') {
    const startOffset = zone.offsetMs(startMs);
    const endOffset = zone.offsetMs(endMs);
    const hours =
      Math.floor((endMs + endOffset) / length) - Math.floor((startMs + startOffset) / length);
    return hours - Math.trunc((endOffset - startOffset) / length);
  }
  return Math.floor(endMs / length) - Math.floor(startMs / length);
}

/** The start of the bin of `binSize` units that holds the instant; bins count from 2000-01-01. */
export function truncateToUnit(
  epochMs: number,
  unit: TimeUnit,
  binSize: number,
  zone: TimeZone,
  startOfWeek: number,
): number {
  const months = MONTHS_IN_UNIT[unit];
  if (months !== undefined) {
    const time = toLocalTime(epochMs, zone);
    const size = months * binSize;
    const index = Math.floor(((time.year - 2000) * 12 + time.month - 1) / size) * size;
    return zone.toInstant(toEpochMs(2000, index + 1, 1));
  }
  const reference = toEpochMs(2000, 1, 1) / DAY_MS;
  if (unit === 'day' || unit === 'week') {
    // 2000-01-01 was a Saturday: the first week to begin from then on is the reference
    const first = unit === 'week' ? reference + ((startOfWeek - 6 + 7) % 7) : reference;
    const size = (unit === 'week' ? 7 : 1) * binSize;
    const day = first + Math.floor((localDay(epochMs, zone) - first) / size) * size;
    return zone.toInstant(day * DAY_MS);
  }
  const size = (UNIT_MS[unit] ?? 1) * binSize;
  const origin = zone.toInstant(reference * DAY_MS);
  return origin + Math.floor((epochMs - origin) / size) * size;
}
