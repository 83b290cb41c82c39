/** What date operators take: dates (also ObjectId and Timestamp), time zones, named arguments. */
import { DateTime, ObjectId, Timestamp, type Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import { findTimeZone, type TimeZone, UTC } from '../date/time-zone.ts';
import { isNullish, typeName } from './value-kind.ts';

/** Milliseconds since the epoch of a value that has a date, undefined for one that has none. */
export function toEpochMsOf(value: Value | undefined): number | undefined {
  if (value instanceof DateTime) return Number(value.epochMs);
  if (value instanceof Timestamp) return value.t * 1000;
  if (value instanceof ObjectId) return value.getTimestamp().getTime();
  return undefined;
}

/** As `toEpochMsOf`. @throws Location16006 for values of other types */
export function readDate(value: Value | undefined): number {
  const epochMs = toEpochMsOf(value);
  if (epochMs === undefined) {
    throw locationError(16006, `can't convert from BSON type ${typeName(value)} to Date`);
  }
  return epochMs;
}

/** The zone of a `timezone` argument: UTC when absent, null when it evaluates to null. */
export function readTimeZone(value: Value | undefined, given: boolean): TimeZone | null {
  if (!given) return UTC;
  if (isNullish(value)) return null;
  if (typeof value !== 'string') {
    throw locationError(40517, `timezone must evaluate to a string, found ${typeName(value)}`);
  }
  return findTimeZone(value);
}
