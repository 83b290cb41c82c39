/** Dotted paths, and how MongoDB follows them through arrays. */
import { decodeDocument } from './codec.ts';
import { type Document, RawDocument, type Value } from './value.ts';

/** The parts of a dotted path, remembered, for paths repeat. */
const splitCache = new Map<string, readonly string[]>();
export function splitPath(path: string): readonly string[] {
  const known = splitCache.get(path);
  if (known !== undefined) return known;
  const parts = Object.freeze(path.split('.'));
  if (splitCache.size > 4096) splitCache.clear();
  splitCache.set(path, parts);
  return parts;
}

/** True for a path part that can be an array index: "0", "7", but not "07" or "-1". */
export function isArrayIndex(part: string): boolean {
  const first = part.charCodeAt(0);
  if (first < 48 || first > 57) return false;
  if (first === 48) return part.length === 1;
  for (let i = 1; i < part.length; i++) {
    const unit = part.charCodeAt(i);
    if (unit < 48 || unit > 57) return false;
  }
  return true;
}

function asMap(value: Value | undefined): Document | undefined {
  if (value instanceof Map) return value;
  return value instanceof RawDocument ? decodeDocument(value.bytes) : undefined;
}

/**
 * The value at a path through documents only; an array on the way gives `undefined`, unless the
 * part is an index into it.
 */
export function valueAt(document: Document, parts: readonly string[]): Value | undefined {
  let value: Value | undefined = document;
  for (const part of parts) {
    if (Array.isArray(value)) {
      value = isArrayIndex(part) ? (value as Value[])[Number(part)] : undefined;
    } else {
      value = asMap(value)?.get(part);
    }
    if (value === undefined) return undefined;
  }
  return value;
}

/**
 * Called for each value a path leads to, until it answers true. `index` is the place in the
 * outermost array that was entered on the way without the path naming the place (what the positional `$` stands for).
 */
export type PathVisitor = (value: Value | undefined, index: number | undefined) => boolean;

/**
 * Visits what a query's path means: every array on the way is entered, a number in the path also
 * names a place in an array, and with `expandLeaf` an array at the end gives its elements first and
 * then itself. A missing end is visited as `undefined`; an array element that is no document gives
 * nothing.
 *
 * @returns true when a visit answered true
 */
export function visitPath(
  document: Document,
  parts: readonly string[],
  expandLeaf: boolean,
  visit: PathVisitor,
): boolean {
  return visitFrom(document, parts, 0, expandLeaf, undefined, visit);
}

function visitFrom(
  document: Document,
  parts: readonly string[],
  from: number,
  expandLeaf: boolean,
  outer: number | undefined,
  visit: PathVisitor,
): boolean {
  const last = parts.length - 1;
  let current: Document = document;
  for (let depth = from; ; depth++) {
    const value = current.get(parts[depth] as string);
    if (Array.isArray(value)) {
      return depth === last
        ? visitLeafArray(value, expandLeaf, outer, visit)
        : visitArray(value, parts, depth + 1, expandLeaf, outer, visit);
    }
    if (depth === last) return visit(value, outer);
    const next = asMap(value);
    if (next === undefined) return visit(undefined, outer);
    current = next;
  }
}

function visitLeafArray(
  array: Value[],
  expandLeaf: boolean,
  outer: number | undefined,
  visit: PathVisitor,
): boolean {
  if (expandLeaf) {
    for (let i = 0; i < array.length; i++) {
      if (visit(array[i], outer ?? i)) return true;
    }
  }
  return visit(array, outer);
}

/** Follows the rest of a path, from part `from`, into the elements of an array. */
function visitArray(
  array: readonly Value[],
  parts: readonly string[],
  from: number,
  expandLeaf: boolean,
  outer: number | undefined,
  visit: PathVisitor,
): boolean {
  const part = parts[from] as string;
  const named = isArrayIndex(part) ? Number(part) : -1;
  for (let i = 0; i < array.length; i++) {
    const element = array[i];
    const place = outer ?? i;
    const inner = asMap(element);
    if (inner !== undefined && visitFrom(inner, parts, from, expandLeaf, place, visit)) return true;
    if (i !== named) continue;
    if (from === parts.length - 1) {
      if (visit(element, place)) return true;
      // A place the path names itself is not what `$` asks for; one further in may be.
    } else if (inner !== undefined) {
      if (visitFrom(inner, parts, from + 1, expandLeaf, outer, visit)) return true;
    } else if (Array.isArray(element)) {
      if (visitArray(element, parts, from + 1, expandLeaf, outer, visit)) return true;
    }
  }
  return false;
}

/** All values a query's path leads to, in the order of `visitPath`. */
export function collectPath(
  document: Document,
  parts: readonly string[],
  expandLeaf: boolean,
): (Value | undefined)[] {
  const values: (Value | undefined)[] = [];
  visitPath(document, parts, expandLeaf, (value) => {
    values.push(value);
    return false;
  });
  return values;
}
