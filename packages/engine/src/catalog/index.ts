import type { Collator } from '../bson/compare.ts';
import { isNumeric, valuesEqual } from '../bson/compare.ts';
import { toNumber } from '../bson/numeric.ts';
import { splitPath } from '../bson/path.ts';
import { isTrue } from '../bson/truth.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Filter } from '../query/filter.ts';
import { checkGeoValues } from '../query/geo/index-values.ts';
import { type Direction, encodeKey, isTruncatedKey } from '../storage/key-encoding.ts';
import { toBuffer } from '../storage/key-text.ts';
import type { WriteBatch } from '../storage/store.ts';
import { keyCollator } from './collation-key.ts';
import { type IndexKind, isIdPattern } from './index-key-pattern.ts';
import {
  extractKeys,
  extractWildcardKeys,
  hashValue,
  type KeyValues,
  type PathTest,
} from './index-keys.ts';
import type { IndexSpec } from './index-spec.ts';
import { type KeySpace, keySpace } from './store-keys.ts';

export interface IndexField {
  /** Of a wildcard field the path above it, '' for the root. */
  readonly path: string;
  readonly parts: readonly string[];
  readonly direction: Direction;
  readonly kind: 'ordered' | 'hashed' | 'wildcard';
}

/** A document's keys in one index, encoded. */
export interface IndexEntries {
  readonly keys: readonly Buffer[];
  readonly multikey: readonly boolean[];
}

/** What is compiled from a specification by other parts of the engine. */
export interface IndexParts {
  readonly filter: Filter | undefined;
  readonly collator: Collator | undefined;
}

const NO_ENTRIES: IndexEntries = { keys: [], multikey: [] };

/** Facts about an index's contents that only ever become true. */
export class IndexFlags {
  /** By field: an array was entered on the way to it. */
  readonly multikey: boolean[];
  /** A key was too long, so order and bounds are inexact beyond the cut. */
  truncated = false;
  /** What of it is in the store for certain, by the flag's number. */
  readonly #saved = new Set<number>();

  constructor(fields: number) {
    this.multikey = new Array(fields).fill(false);
  }

  get isMultikey(): boolean {
    return this.multikey.includes(true);
  }

  /** Flag 0 is `truncated`, flag n + 1 is field n's. */
  load(flag: number): void {
    this.#set(flag);
    this.#saved.add(flag);
  }

  raise(flag: number, indexId: number, batch: WriteBatch): void {
    this.#set(flag);
    if (this.#saved.has(flag)) return;
    batch.putShared('catalog', flagKey(indexId, flag), Buffer.of(1));
    batch.onCommitted(() => this.#saved.add(flag));
  }

  #set(flag: number): void {
    if (flag === 0) this.truncated = true;
    else this.multikey[flag - 1] = true;
  }
}

export const FLAG_PREFIX = 'f';

export function flagKey(indexId: number, flag: number): Buffer {
  const key = Buffer.allocUnsafe(6);
  key.write(FLAG_PREFIX, 0);
  key.writeUInt32BE(indexId, 1);
  key[5] = flag;
  return key;
}

function parseFields(spec: IndexSpec): IndexField[] {
  return [...spec.key].map(([path, value]) => {
    const isWildcard = path === '$**' || path.endsWith('.$**');
    const own = isWildcard ? path.slice(0, -'.$**'.length) : path;
    return {
      path: own,
      parts: own === '' ? [] : splitPath(own),
      direction: isNumeric(value) && toNumber(value) < 0 ? -1 : 1,
      kind: isWildcard ? 'wildcard' : value === 'hashed' ? 'hashed' : 'ordered',
    };
  });
}

/** The paths that `wildcardProjection` lets in. */
function projectionTest(projection: Value | undefined): PathTest {
  if (!(projection instanceof Map) || projection.size === 0) {
    return (path) => path !== '_id' && !path.startsWith('_id.');
  }
  const flat = flatten(projection, '');
  const covers = (own: string, path: string): boolean => path === own || path.startsWith(`${own}.`);
  const others = flat.filter(([path]) => path !== '_id');
  const isInclusion = others.length > 0 ? others[0]?.[1] === true : flat[0]?.[1] === true;
  const id = flat.find(([path]) => path === '_id')?.[1] ?? false;
  return (path) => {
    if (covers('_id', path)) return id;
    return others.some(([own]) => covers(own, path)) === isInclusion;
  };
}

function flatten(projection: Document, above: string): [string, boolean][] {
  return [...projection].flatMap(([name, value]): [string, boolean][] =>
    value instanceof Map
      ? flatten(value, `${above}${name}.`)
      : [[`${above}${name}`, isTrue(value)]],
  );
}

/** What stays of an index whose options change. */
export interface KeptOfIndex {
  readonly flags?: IndexFlags | undefined;
  readonly use?: IndexUse | undefined;
}

/** How often an index has been read since when, for `$indexStats`. */
export class IndexUse {
  count = 0;
  readonly sinceMs: number = Date.now();
}

/** An index of a collection. Changing its options makes a new one with the same id and flags. */
export class Index {
  readonly id: number;
  readonly spec: IndexSpec;
  readonly fields: readonly IndexField[];
  readonly unique: boolean;
  /** Takes no new duplicates: unique, or to be made so (collMod, prepareUnique). */
  readonly refusesDuplicates: boolean;
  readonly sparse: boolean;
  readonly hidden: boolean;
  readonly isId: boolean;
  readonly expireAfterSeconds: number | undefined;
  readonly filter: Filter | undefined;
  readonly collator: Collator | undefined;
  readonly flags: IndexFlags;
  readonly use: IndexUse;
  readonly space: KeySpace;
  /** False while it is being built: kept up to date, but not read. */
  isReady = true;
  /** Taken out of its collection: what reads by it has to end. */
  isDropped = false;
  readonly #keyCollator: Collator | undefined;
  readonly #paths: readonly (readonly string[])[];
  readonly #directions: readonly Direction[];
  readonly #wildcardTest: PathTest;

  constructor(id: number, spec: IndexSpec, parts: IndexParts, kept: KeptOfIndex = {}) {
    this.id = id;
    this.spec = spec;
    this.fields = parseFields(spec);
    this.isId = isIdPattern(spec.key);
    this.unique = this.isId || isTrue(spec.document.get('unique'));
    this.refusesDuplicates = this.unique || isTrue(spec.document.get('prepareUnique'));
    this.sparse = isTrue(spec.document.get('sparse'));
    this.hidden = isTrue(spec.document.get('hidden'));
    const seconds = spec.document.get('expireAfterSeconds');
    this.expireAfterSeconds = isNumeric(seconds) ? toNumber(seconds) : undefined;
    this.filter = parts.filter;
    this.collator = parts.collator;
    this.#keyCollator = keyCollator(parts.collator);
    this.flags = kept.flags ?? new IndexFlags(this.fields.length);
    this.use = kept.use ?? new IndexUse();
    this.space = keySpace(id);
    this.#paths = this.fields.map(({ parts: path }) => path);
    this.#directions = this.fields.map(({ direction }) => direction);
    this.#wildcardTest = projectionTest(spec.document.get('wildcardProjection'));
  }

  get name(): string {
    return this.spec.name;
  }

  get kind(): IndexKind {
    return this.spec.kind;
  }

  get keyPattern(): Document {
    return this.spec.key;
  }

  /**
   * True when an entry's key stands for one record, named by its value. Under a collation unequal
   * strings may share a key, so there each entry names its record and uniqueness is compared.
   */
  get hasUniqueEntries(): boolean {
    return this.unique && this.collator === undefined;
  }

  /** Text and geo indexes are kept as declarations; their queries read the documents. */
  get hasEntries(): boolean {
    return this.kind !== 'text' && this.kind !== 'geo';
  }

  /** The top-level fields the keys come from, when each path is one such field. */
  get topLevelFields(): readonly string[] | undefined {
    if (this.filter !== undefined || this.kind === 'wildcard') return undefined;
    if (this.#paths.some((parts) => parts.length !== 1)) return undefined;
    return this.fields.map(({ path }) => path);
  }

  /**
   * The keys a document has here.
   *
   * @throws CannotIndexParallelArrays
   */
  entriesOf(document: Document): IndexEntries {
    if (this.filter !== undefined && !this.filter.matches(document)) return NO_ENTRIES;
    if (this.kind === 'geo') checkGeoValues(document, this.spec.document);
    if (!this.hasEntries) return NO_ENTRIES;
    if (this.kind === 'wildcard') return this.#wildcardEntries(document);
    const { keys, multikey } = extractKeys(document, this.#paths);
    this.#checkHashed(multikey);
    const kept = this.sparse ? keys.filter((key) => key.some((v) => v !== undefined)) : keys;
    return { keys: this.#encodeAll(kept), multikey };
  }

  /** True when two documents have a key of equal values, by the index's collation. */
  sharesKey(a: Document, b: Document): boolean {
    const { keys } = extractKeys(b, this.#paths);
    return extractKeys(a, this.#paths).keys.some((one) =>
      keys.some((other) =>
        one.every((value, i) => valuesEqual(value ?? null, other[i] ?? null, this.collator)),
      ),
    );
  }

  /** The error's key pattern and values for a document that has a key of another. */
  valuesOfKey(document: Document, key: Uint8Array): KeyValues {
    const { keys } = extractKeys(document, this.#paths);
    return keys.find((values) => this.#encode(values).equals(toBuffer(key))) ?? keys[0] ?? [];
  }

  #encodeAll(keys: readonly KeyValues[]): Buffer[] {
    const [first] = keys;
    if (first === undefined) return [];
    if (keys.length === 1) return [this.#encode(first)];
    return distinct(keys.map((values) => this.#encode(values)));
  }

  #encode(values: KeyValues): Buffer {
    const indexed = values.map((value, i) => this.#indexedValue(value, i));
    return encodeKey(indexed, this.#directions, this.#keyCollator);
  }

  /** A missing field counts as null. */
  #indexedValue(value: Value | undefined, field: number): Value {
    return this.fields[field]?.kind === 'hashed' ? hashValue(value) : (value ?? null);
  }

  /** @throws Location16766 for an array on the way to what is hashed */
  #checkHashed(multikey: readonly boolean[]): void {
    const at = this.fields.findIndex(({ kind }, i) => kind === 'hashed' && multikey[i] === true);
    if (at === -1) return;
    throw new MongoCommandError(
      'Location16766',
      `hashed indexes do not currently support array values. Found array at path: ${this.fields[at]?.path ?? ''}`,
    );
  }

  #wildcardEntries(document: Document): IndexEntries {
    const at = this.fields.findIndex(({ kind }) => kind === 'wildcard');
    const field = this.fields[at] as IndexField;
    let root: Value | undefined = document;
    for (const part of field.parts) root = root instanceof Map ? root.get(part) : undefined;
    const isTaken = field.path === '' ? this.#wildcardTest : (): boolean => true;
    const found = extractWildcardKeys(root, field.path, isTaken);
    const others = this.#paths.filter((_, i) => i !== at);
    const { keys: otherKeys } = extractKeys(document, others);
    const keys: Buffer[] = [];
    const directions = this.#directions.flatMap((d, i) => (i === at ? [1 as const, d] : [d]));
    for (const { path, value } of found.keys) {
      for (const other of otherKeys) {
        const values: KeyValues = other.map((one) => one ?? null);
        values.splice(at, 0, path, value ?? null);
        keys.push(encodeKey(values, directions, undefined));
      }
    }
    const multikey = this.fields.map((_, i) => i !== at || found.multikey);
    return { keys: distinct(keys), multikey };
  }

  /** Records what the keys tell about the index; to be called before they are written. */
  raiseFlags(entries: IndexEntries, batch: WriteBatch): void {
    for (let i = 0; i < entries.multikey.length; i++) {
      if (entries.multikey[i] === true) this.flags.raise(i + 1, this.id, batch);
    }
    for (const key of entries.keys) {
      if (isTruncatedKey(key)) this.flags.raise(0, this.id, batch);
    }
  }
}

function distinct(keys: Buffer[]): Buffer[] {
  if (keys.length < 2) return keys;
  const sorted = keys.sort(Buffer.compare);
  return sorted.filter((key, i) => i === 0 || !key.equals(sorted[i - 1] as Buffer));
}
