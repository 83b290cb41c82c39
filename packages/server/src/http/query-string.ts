import type { QueryParameters } from '../model/http-request.ts';

const AMPERSAND = 38;
const EQUALS = 61;

/** Number of parameters without parsing them; the check of `MAX_PARAMETERS`. */
export function countParameters(rawQuery: string): number {
  if (rawQuery.length === 0) return 0;
  let count = 1;
  for (let at = rawQuery.indexOf('&'); at !== -1; at = rawQuery.indexOf('&', at + 1)) count += 1;
  return count;
}

/**
 * Decodes one name or value of a query string: `+` is a space, escapes are UTF-8, and so are bytes sent unescaped.
 * A malformed escape stays as it was sent (operations.md §3: unescaped characters are accepted).
 */
export function decodeQueryText(text: string): string {
  let plain = true;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 37 || c === 43 || c > 127) {
      plain = false;
      break;
    }
  }
  return plain ? text : decodeEscapes(text.replaceAll('+', ' '));
}

/** Percent-decodes as UTF-8; what is no valid escape stays. `+` stays `+` (rest-documents.md §1.1). */
export function decodeEscapes(text: string): string {
  try {
    if (isAscii(text)) return decodeURIComponent(text);
  } catch {
    // some escape is malformed: byte by byte below
  }
  const bytes = Buffer.from(text, 'latin1');
  let length = 0;
  for (let i = 0; i < bytes.length; i += 1) {
    const byte = bytes[i] ?? 0;
    const value = byte === 37 ? hexPair(bytes[i + 1], bytes[i + 2]) : -1;
    bytes[length] = value === -1 ? byte : value;
    length += 1;
    if (value !== -1) i += 2;
  }
  return bytes.toString('utf8', 0, length);
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) > 127) return false;
  return true;
}

function hexPair(high: number | undefined, low: number | undefined): number {
  const h = hexDigit(high);
  const l = hexDigit(low);
  return h === -1 || l === -1 ? -1 : h * 16 + l;
}

function hexDigit(c: number | undefined): number {
  if (c === undefined) return -1;
  if (c >= 48 && c <= 57) return c - 48;
  const lower = c | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

const NO_VALUES: readonly string[] = [];

class ParsedQuery implements QueryParameters {
  readonly #names: readonly string[];
  readonly #values: readonly string[];

  constructor(names: readonly string[], values: readonly string[]) {
    this.#names = names;
    this.#values = values;
  }

  get size(): number {
    return this.#names.length;
  }

  get(name: string): string | undefined {
    const at = this.#names.indexOf(name);
    return at === -1 ? undefined : this.#values[at];
  }

  getAll(name: string): readonly string[] {
    const first = this.#names.indexOf(name);
    if (first === -1) return NO_VALUES;
    const found: string[] = [];
    for (let at = first; at !== -1; at = this.#names.indexOf(name, at + 1)) {
      found.push(this.#values[at] ?? '');
    }
    return found;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  names(): readonly string[] {
    return [...new Set(this.#names)];
  }
}

/** The parameters of a request without a query string. */
export const EMPTY_QUERY: QueryParameters = new ParsedQuery([], []);

/** Splits at `&` and the first `=`; empty pieces are skipped. */
export function parseQuery(rawQuery: string): QueryParameters {
  const length = rawQuery.length;
  if (length === 0) return EMPTY_QUERY;
  const names: string[] = [];
  const values: string[] = [];
  let start = 0;
  let equalsAt = -1;
  for (let i = 0; i <= length; i += 1) {
    const c = i === length ? AMPERSAND : rawQuery.charCodeAt(i);
    if (c === EQUALS && equalsAt === -1) equalsAt = i;
    if (c !== AMPERSAND) continue;
    if (i > start) {
      const nameEnd = equalsAt === -1 ? i : equalsAt;
      names.push(decodeQueryText(rawQuery.slice(start, nameEnd)));
      values.push(equalsAt === -1 ? '' : decodeQueryText(rawQuery.slice(equalsAt + 1, i)));
    }
    start = i + 1;
    equalsAt = -1;
  }
  return new ParsedQuery(names, values);
}

/** Parameters from decoded pairs, for interceptors that change them (plugins.md §6). */
export function makeQuery(pairs: readonly (readonly [string, string])[]): QueryParameters {
  return new ParsedQuery(
    pairs.map((pair) => pair[0]),
    pairs.map((pair) => pair[1]),
  );
}
