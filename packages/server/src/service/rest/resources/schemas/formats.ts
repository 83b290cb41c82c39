/** The values of `format` that draft-04 defines, with the complaints of the reference's validator. */

import { isIPv4, isIPv6 } from 'node:net';

const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](\d{2}):(\d{2}))$/;
const DATE_TIME_FORMATS =
  "[yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z, " +
  "yyyy-MM-dd'T'HH:mm:ss[+-]HH:mm, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}[+-]HH:mm]";

/** RFC 3339 with a real calendar day. */
function isDateTime(text: string): boolean {
  const match = DATE_TIME.exec(text);
  if (match === null) return false;
  const [
    year = 0,
    month = 0,
    day = 0,
    hour = 0,
    minute = 0,
    second = 0,
    zoneHour = 0,
    zoneMinute = 0,
  ] = match.slice(1).map((piece) => Number(piece ?? 0));
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= lastDay &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    zoneHour <= 18 &&
    zoneMinute <= 59
  );
}

function isHostname(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.');
  return (
    text.length <= 253 &&
    labels.every((label) => /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/.test(label))
  );
}

/** One `@`, a dot-atom or quoted local part, a host name or address literal: what mail servers accept in practice. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@');
  if (at < 1 || at > 64 || text.length > 320) return false;
  const local = text.slice(0, at);
  const domain = text.slice(at + 1);
  const isLocal =
    /^"[^"\\\r\n]*"$/.test(local) ||
    local.split('.').every((atom) => /^[^\s"(),:;<>@[\\\].]+$/.test(atom));
  if (!isLocal) return false;
  const literal = /^\[(?:IPv6:)?([^\]]+)\]$/i.exec(domain);
  if (literal !== null) return isIPv4(literal[1] ?? '') || isIPv6(literal[1] ?? '');
  return domain.includes('.') && isHostname(domain);
}

/** RFC 3986 with a scheme. */
function isUri(text: string): boolean {
  return (
    /^[a-zA-Z][a-zA-Z0-9+.-]*:[^\s"<>\\^`{|}]*$/.test(text) && !/%(?![0-9a-fA-F]{2})/.test(text)
  );
}

/** The complaint about a text that does not have the format, or undefined; unknown formats accept everything. */
export function complainAboutFormat(format: string, text: string): string | undefined {
  switch (format) {
    case 'date-time':
      return isDateTime(text)
        ? undefined
        : `[${text}] is not a valid date-time. Expected ${DATE_TIME_FORMATS}`;
    case 'email':
      return isEmail(text) ? undefined : `[${text}] is not a valid email address`;
    case 'hostname':
      return isHostname(text) ? undefined : `[${text}] is not a valid hostname`;
    case 'ipv4':
      return isIPv4(text) ? undefined : `[${text}] is not a valid ipv4 address`;
    case 'ipv6':
      return isIPv6(text) ? undefined : `[${text}] is not a valid ipv6 address`;
    case 'uri':
      return isUri(text) ? undefined : `[${text}] is not a valid URI`;
    default:
      return undefined;
  }
}
