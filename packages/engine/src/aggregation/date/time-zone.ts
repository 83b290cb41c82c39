/** Time zones of date expressions: Olson names through Intl, and fixed offsets such as `+05:30`. */
import { locationError } from '../aggregation-error.ts';

const MINUTE_MS = 60_000;
const CACHE_STEP_MS = 15 * MINUTE_MS;
const CACHE_LIMIT = 4096;

export class TimeZone {
  readonly name: string;
  private readonly fixedMs: number | undefined;
  private readonly format: Intl.DateTimeFormat | undefined;
  private readonly offsets = new Map<number, number>();

  constructor(name: string, zone: { fixedMs: number } | { format: Intl.DateTimeFormat }) {
    this.name = name;
    this.fixedMs = 'fixedMs' in zone ? zone.fixedMs : undefined;
    this.format = 'format' in zone ? zone.format : undefined;
  }

  get isUtc(): boolean {
    return this.fixedMs === 0;
  }

  /** Milliseconds to add to UTC for local time at this instant. */
  offsetMs(epochMs: number): number {
    if (this.fixedMs !== undefined) return this.fixedMs;
    // offsets change on quarter hours only, and formatting costs microseconds
    const key = Math.floor(epochMs / CACHE_STEP_MS);
    const known = this.offsets.get(key);
    if (known !== undefined) return known;
    const offset = this.measure(epochMs);
    if (this.offsets.size >= CACHE_LIMIT) this.offsets.clear();
    this.offsets.set(key, offset);
    return offset;
  }

  private measure(epochMs: number): number {
    const parts: Record<string, number> = {};
    let era = 'AD';
    for (const part of this.format?.formatToParts(epochMs) ?? []) {
      if (part.type === 'era') era = part.value;
      else parts[part.type] = Number(part.value);
    }
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const local = toEpochMs(
      era.startsWith('B') ? 1 - year : year,
      month,
      day,
      hour,
      minute,
      second,
    );
    return local - Math.floor(epochMs / 1000) * 1000;
  }

  /** The instant at which clocks of the zone show `localMs` (local time read as if it were UTC). */
  toInstant(localMs: number): number {
    let instant = localMs - this.offsetMs(localMs);
    const again = localMs - this.offsetMs(instant);
    if (again !== instant) {
      // within an hour of a change: in a gap the earlier offset holds, as in timelib
      const third = localMs - this.offsetMs(again);
      instant = third === again ? again : Math.max(again, third);
    }
    return instant;
  }
}

/** `Date.UTC` for years that it reads as 19xx. */
export function toEpochMs(
  year: number,
  month: number,
  day: number,
  hour = 0,
  minute = 0,
  second = 0,
  millisecond = 0,
): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, millisecond);
  return date.getTime();
}

export const UTC: TimeZone = new TimeZone('UTC', { fixedMs: 0 });

const zones = new Map<string, TimeZone>([
  ['UTC', UTC],
  ['GMT', UTC],
  ['Z', UTC],
]);

/** The zone of a name or offset. @throws Location40485 for names no zone has */
export function findTimeZone(name: string): TimeZone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const zone = parseOffset(name) ?? loadZone(name);
  if (zones.size > 1024) zones.clear();
  zones.set(name, zone);
  return zone;
}

function parseOffset(name: string): TimeZone | undefined {
  const match = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(name);
  if (match === null) return undefined;
  const minutes = Number(match[2]) * 60 + Number(match[3] ?? 0);
  return new TimeZone(name, { fixedMs: (match[1] === '-' ? -minutes : minutes) * MINUTE_MS });
}

function loadZone(name: string): TimeZone {
  try {
    if (!/^[A-Za-z]/.test(name)) throw new RangeError(name);
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    return new TimeZone(name, { format });
  } catch {
    throw locationError(40485, `unrecognized time zone identifier: "${name}"`);
  }
}
