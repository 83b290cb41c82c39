/** RESTHeart's override syntax, `/path -> value; …` (operations.md §1.1). */

import { parseRelaxedJson, readQuoted } from './relaxed-json.ts';

/** One step of a path: a name, then the elements of an array chosen by place or by member. */
export interface PathStep {
  readonly name: string;
  readonly selectors: readonly Selector[];
}

export type Selector =
  | { readonly kind: 'place'; readonly place: number }
  | { readonly kind: 'member'; readonly key: string; readonly value: string };

/** `path` gets `value`; an object replaces the whole subtree. */
export interface Assignment {
  readonly path: string;
  readonly steps: readonly PathStep[];
  readonly value: unknown;
}

/** What was read, and what was skipped with the reason. */
export interface Overrides {
  readonly assignments: readonly Assignment[];
  readonly skipped: readonly { readonly text: string; readonly reason: string }[];
}

/** Reads the text of `RHO` or of a `.conf` file. */
export function parseOverrides(text: string): Overrides {
  const assignments: Assignment[] = [];
  const skipped: { text: string; reason: string }[] = [];
  for (const piece of splitOutsideQuotes(withoutComments(text), ';')) {
    const entry = piece.trim();
    if (entry === '') continue;
    const [path = '', ...rest] = splitOutsideQuotes(entry, '->');
    try {
      if (rest.length === 0) throw new SyntaxError('no ->');
      assignments.push(toAssignment(path.trim(), parseRelaxedJson(rest.join('->'))));
    } catch (error) {
      skipped.push({ text: entry, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { assignments, skipped };
}

/** Reads the top-level members of a YAML or JSON override file, whose names are paths. */
export function overridesFromObject(object: Readonly<Record<string, unknown>>): Overrides {
  const assignments: Assignment[] = [];
  const skipped: { text: string; reason: string }[] = [];
  for (const [path, value] of Object.entries(object)) {
    try {
      assignments.push(toAssignment(path, value));
    } catch (error) {
      skipped.push({ text: path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return { assignments, skipped };
}

/** @throws SyntaxError on a relative or malformed path */
export function toAssignment(path: string, value: unknown): Assignment {
  return { path, steps: parsePath(path), value };
}

/** The value of an assignment takes its place in `root`; missing objects and arrays are made. */
export function applyAssignment(root: Record<string, unknown>, assignment: Assignment): void {
  let owner: Record<string, unknown> = root;
  const { steps, value } = assignment;
  steps.forEach((step, index) => {
    const isLast = index === steps.length - 1;
    if (step.selectors.length === 0) {
      if (isLast) owner[step.name] = value;
      else owner = descend(owner, step.name);
      return;
    }
    let slot = { list: ensureList(owner, step.name), place: 0 };
    step.selectors.forEach((selector, depth) => {
      slot.place = findPlace(slot.list, selector);
      if (depth < step.selectors.length - 1)
        slot = { list: ensureList(slot.list, slot.place), place: 0 };
    });
    while (slot.list.length < slot.place) slot.list.push(null);
    if (isLast) slot.list[slot.place] = value;
    else owner = descend(slot.list, slot.place);
  });
}

type Container = Record<string | number, unknown>;

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function descend(owner: object, key: string | number): Record<string, unknown> {
  const container = owner as Container;
  const present = Object.hasOwn(owner, key) ? container[key] : undefined;
  if (isObject(present)) return present;
  const made: Record<string, unknown> = {};
  container[key] = made;
  return made;
}

function ensureList(owner: object, key: string | number): unknown[] {
  const container = owner as Container;
  const present = Object.hasOwn(owner, key) ? container[key] : undefined;
  if (Array.isArray(present)) return present;
  const made: unknown[] = [];
  container[key] = made;
  return made;
}

function findPlace(list: unknown[], selector: Selector): number {
  if (selector.kind === 'place') return selector.place - 1;
  const found = list.findIndex(
    (item) => isObject(item) && String(item[selector.key]) === selector.value,
  );
  if (found !== -1) return found;
  list.push({ [selector.key]: selector.value });
  return list.length - 1;
}

// more elements than a configuration has; a larger place is a typing error, not a wish for memory
const MAX_PLACE = 10_000;
const STEP = /^\s*([^[\]/'"]+)/;
const PLACE = /^\[\s*(\d+)\s*\]/;
const MEMBER = /^\[\s*@?([^=\s[\]'"]+)\s*=\s*(?=['"])/;
const SELECTOR_END = /^\s*\]/;

function parsePath(path: string): PathStep[] {
  if (!path.startsWith('/')) throw new SyntaxError('the path must start with /');
  return splitOutsideQuotes(path.slice(1), '/').map(parseStep);
}

/** `name`, then `[2]` or `[key='value']` as often as there are lists in lists. */
function parseStep(text: string): PathStep {
  const match = STEP.exec(text);
  const name = match?.[1]?.trim() ?? '';
  if (match === null || name === '' || name === '__proto__')
    throw new SyntaxError(`malformed step ${text}`);
  const selectors: Selector[] = [];
  let at = match[0].length;
  while (text.slice(at).trim() !== '') {
    const { selector, end } = parseSelector(text, at);
    selectors.push(selector);
    at = end;
  }
  return { name, selectors };
}

function parseSelector(text: string, start: number): { selector: Selector; end: number } {
  const rest = text.slice(start);
  const placed = PLACE.exec(rest);
  if (placed !== null) {
    const place = Number(placed[1]);
    if (place < 1 || place > MAX_PLACE)
      throw new SyntaxError(`no element [${placed[1]}]: the first is [1]`);
    return { selector: { kind: 'place', place }, end: start + placed[0].length };
  }
  const member = MEMBER.exec(rest);
  if (member === null) throw new SyntaxError(`malformed selector ${rest}`);
  const { value, end } = readQuoted(text, start + member[0].length);
  const closing = SELECTOR_END.exec(text.slice(end));
  if (closing === null) throw new SyntaxError(`malformed selector ${rest}`);
  return {
    selector: { kind: 'member', key: member[1] ?? '', value },
    end: end + closing[0].length,
  };
}

/** Lines that start with `#` are comments, unless a string of several lines is open there. */
function withoutComments(text: string): string {
  if (!text.includes('#')) return text;
  let kept = '';
  let quote = '';
  for (const line of text.split(/(?<=\n)/)) {
    if (quote === '' && /^[ \t]*#/.test(line)) continue;
    kept += line;
    quote = quoteAtEnd(line, quote);
  }
  return kept;
}

/** The quote that is open after `text`; empty: none. */
function quoteAtEnd(text: string, open: string): string {
  let quote = open;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? '';
    if (quote !== '' && c === '\\') i += 1;
    else if (c === quote) quote = '';
    else if (quote === '' && (c === '"' || c === "'")) quote = c;
  }
  return quote;
}

/** Splits where the separator stands outside quotes; a backslash inside quotes protects the next character. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const pieces: string[] = [];
  let quote = '';
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i] ?? '';
    if (quote !== '') {
      if (c === '\\') i += 1;
      else if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
    else if (text.startsWith(separator, i)) {
      pieces.push(text.slice(start, i));
      i += separator.length - 1;
      start = i + 1;
    }
  }
  pieces.push(text.slice(start));
  return pieces;
}
