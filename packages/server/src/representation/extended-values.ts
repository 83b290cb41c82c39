/** Values of Extended JSON from their texts, by the rules of the MongoDB Java driver. */
import { Binary, ObjectId } from '../model/bson.ts';
import { JsonParseError } from './json-scanner.ts';

/** An ObjectId from 24 hexadecimal digits. */
export function toObjectId(hex: string): ObjectId {
  if (!/^[0-9a-fA-F]{24}$/.test(hex)) {
    throw new JsonParseError(`invalid hexadecimal representation of an ObjectId: [${hex}]`);
  }
  return new ObjectId(hex);
}

/** A UUID as binary subtype 4. */
export function toUuid(text: string): Binary {
  const hex = text.replaceAll('-', '');
  if (!/^[0-9a-fA-F]{32}$/.test(hex)) {
    throw new JsonParseError(`Invalid UUID string: ${text}`);
  }
  return new Binary(Buffer.from(hex, 'hex'), Binary.SUBTYPE_UUID);
}

const ISO_DATE =
  /^([+-]?\d{4,9})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** A date from ISO 8601; without an offset it is UTC. `undefined` when it is no date. */
export function parseIsoDate(text: string): Date | undefined {
  const match = ISO_DATE.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  const millis = Number(fraction.padEnd(3, '0').slice(0, 3));
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second), millis);
  const valid =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60;
  if (!valid) return undefined;
  if (zone === undefined || zone === 'Z' || zone === 'z') return date;
  const digits = zone.slice(1).replace(':', '').padEnd(4, '0');
  const offset = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2));
  return new Date(date.getTime() + (zone.startsWith('-') ? offset : -offset) * 60_000);
}

/** A date from epoch milliseconds; JS dates end earlier than BSON's. */
export function toDate(epochMs: number): Date {
  const date = new Date(epochMs);
  if (Number.isNaN(date.getTime())) {
    throw new JsonParseError(`The date ${epochMs} is out of the supported range`);
  }
  return date;
}

/** Binary from base64 text and a subtype, a number or up to two hexadecimal digits. */
export function toBinary(base64: string | number, subType: string | number): Binary {
  const type = typeof subType === 'number' ? subType : Number.parseInt(subType, 16);
  if (typeof base64 !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(base64)) {
    throw new JsonParseError('Invalid base64 in $binary');
  }
  if (
    !(type >= 0 && type <= 255) ||
    (typeof subType === 'string' && !/^[0-9a-fA-F]{1,8}$/.test(subType))
  ) {
    throw new JsonParseError(`Invalid binary subtype '${subType}'`);
  }
  return new Binary(Buffer.from(base64, 'base64'), type);
}

/** A whole number of at most 40 digits; undefined for other text. */
export function parseIntegerText(text: string): bigint | undefined {
  return /^[+-]?\d{1,40}$/.test(text)
    ? BigInt(text.startsWith('+') ? text.slice(1) : text)
    : undefined;
}
