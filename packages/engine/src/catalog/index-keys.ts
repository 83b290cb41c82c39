/** The keys of a document in an index: MongoDB's multikey rules (manual, "Multikey Indexes"). */
import { createHash } from 'node:crypto';
import { decodeDocument } from '../bson/codec.ts';
import { isArrayIndex } from '../bson/path.ts';
import { BsonUndefined, type Document, Double, RawDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { encodeKey } from '../storage/key-encoding.ts';

/** One key: a value per field; `undefined` where the document has none. */
export type KeyValues = (Value | undefined)[];

export interface ExtractedKeys {
  readonly keys: readonly KeyValues[];
  /** By field: true when an array was entered on the way to it. */
  readonly multikey: readonly boolean[];
}

/** How far the walk along one field's path has come. */
type Walk =
  | { readonly done: true; readonly value: Value | undefined }
  | { readonly done: false; readonly from: Value | undefined; readonly part: number };

interface PendingArray {
  readonly array: readonly Value[];
  /** The next part of the path, to be looked for in the array's elements. */
  readonly part: number;
}

function asDocument(value: Value | undefined): Document | undefined {
  if (value instanceof Map) return value;
  return value instanceof RawDocument ? decodeDocument(value.bytes) : undefined;
}

/** Goes on until the end of the path, a missing field, or an array that is to be expanded. */
function advance(
  walk: Walk & { done: false },
  parts: readonly string[],
): (Walk & { done: true }) | PendingArray {
  let value = walk.from;
  let part = walk.part;
  for (;;) {
    if (Array.isArray(value)) {
      const name = parts[part];
      if (name === undefined || !isArrayIndex(name)) return { array: value, part };
      if (hasField(value, name)) throw ambiguousName(name);
      value = (value as Value[])[Number(name)];
      part++;
      if (value === undefined) return { done: true, value: undefined };
      continue;
    }
    const name = parts[part];
    if (name === undefined) return { done: true, value };
    const document = asDocument(value);
    if (document === undefined) return { done: true, value: undefined };
    value = document.get(name);
    part++;
    if (value === undefined) return { done: true, value: undefined };
  }
}

/** A number may name an element or, in the elements, a field. */
function hasField(array: readonly Value[], name: string): boolean {
  return array.some((element) => asDocument(element)?.has(name) === true);
}

function ambiguousName(name: string): MongoCommandError {
  return new MongoCommandError(
    'Location16746',
    `Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), field: '${name}'`,
  );
}

function parallelArrays(
  paths: readonly (readonly string[])[],
  fields: number[],
): MongoCommandError {
  const names = fields.map((field) => `[${paths[field]?.at(-1) ?? ''}]`).join(' ');
  return new MongoCommandError(
    'CannotIndexParallelArrays',
    `cannot index parallel arrays ${names}`,
  );
}

function expand(
  walks: readonly Walk[],
  paths: readonly (readonly string[])[],
  keys: KeyValues[],
  multikey: boolean[],
): void {
  const values: KeyValues = new Array(walks.length);
  const pending: { field: number; at: PendingArray }[] = [];
  for (let i = 0; i < walks.length; i++) {
    const walk = walks[i] as Walk;
    const end = walk.done ? walk : advance(walk, paths[i] as readonly string[]);
    if ('array' in end) pending.push({ field: i, at: end });
    else values[i] = end.value;
  }
  const [first] = pending;
  if (first === undefined) {
    keys.push(values);
    return;
  }
  const { array } = first.at;
  const other = pending.find(({ at }) => at.array !== array);
  if (other !== undefined) throw parallelArrays(paths, [other.field, first.field]);
  for (const { field } of pending) multikey[field] = true;
  const elements: readonly (Value | undefined)[] = array.length === 0 ? [undefined] : array;
  for (const element of elements) {
    const next: Walk[] = values.map((value) => ({ done: true, value }));
    for (const { field, at } of pending) {
      next[field] = stepInto(element, at.part, paths[field] as readonly string[]);
    }
    expand(next, paths, keys, multikey);
  }
}

/** An empty array leaves a BSON undefined where it ends the path, and nothing where it does not. */
function stepInto(element: Value | undefined, part: number, parts: readonly string[]): Walk {
  if (part === parts.length) return { done: true, value: element ?? BsonUndefined.instance };
  if (asDocument(element) === undefined) return { done: true, value: undefined };
  return { done: false, from: element, part };
}

/**
 * All keys of a document for the paths of a btree index.
 *
 * @throws CannotIndexParallelArrays
 */
export function extractKeys(
  document: Document,
  paths: readonly (readonly string[])[],
): ExtractedKeys {
  const keys: KeyValues[] = [];
  const multikey = paths.map(() => false);
  const start: Walk[] = paths.map(() => ({ done: false, from: document, part: 0 }));
  expand(start, paths, keys, multikey);
  return { keys, multikey };
}

/** What a hashed index keeps of a value: floating point numbers count as their integer part. */
export function hashValue(value: Value | undefined): bigint {
  const plain = value instanceof Double ? value.value : value;
  const whole = typeof plain === 'number' && Number.isFinite(plain) ? Math.trunc(plain) : plain;
  const digest = createHash('md5')
    .update(encodeKey([whole ?? null], [1]))
    .digest();
  return digest.readBigInt64LE(0);
}

/** A path below a wildcard and a value found there. */
export interface WildcardKey {
  readonly path: string;
  readonly value: Value | undefined;
}

/** Which paths a wildcard index takes in (`wildcardProjection`). */
export type PathTest = (path: string) => boolean;

/**
 * The keys of a wildcard index (manual, "Wildcard Indexes"): one for each value that is no
 * document; arrays are entered, without their indexes in the path, but not arrays in arrays.
 */
export function extractWildcardKeys(
  value: Value | undefined,
  path: string,
  isTaken: PathTest,
): { keys: WildcardKey[]; multikey: boolean } {
  const found: { keys: WildcardKey[]; multikey: boolean } = { keys: [], multikey: false };
  walkWildcard(value, path, isTaken, false, found);
  return found;
}

function walkWildcard(
  value: Value | undefined,
  path: string,
  isTaken: PathTest,
  inArray: boolean,
  found: { keys: WildcardKey[]; multikey: boolean },
): void {
  if (value === undefined) return;
  const document = asDocument(value);
  if (document !== undefined) {
    if (document.size === 0 && path !== '' && isTaken(path)) found.keys.push({ path, value });
    for (const [name, member] of document) {
      walkWildcard(member, path === '' ? name : `${path}.${name}`, isTaken, false, found);
    }
  } else if (Array.isArray(value) && !inArray) {
    found.multikey = true;
    if (value.length === 0 && isTaken(path)) {
      found.keys.push({ path, value: BsonUndefined.instance });
    }
    for (const element of value) walkWildcard(element, path, isTaken, true, found);
  } else if (isTaken(path)) {
    found.keys.push({ path, value });
  }
}
