/** The stored form of the catalog: an entry for each collection, flags of its indexes beside it. */

import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import type { Binary, Document, Value } from '../bson/value.ts';
import { prefixEnd } from '../storage/key-text.ts';
import type { ReadView } from '../storage/store.ts';
import { Collection, type CollectionState } from './collection.ts';
import { FLAG_PREFIX, type Index } from './index.ts';
import type { IndexSpec } from './index-spec.ts';
import type { OptionsCompiler } from './options-compiler.ts';
import { recordIdOfKey } from './store-keys.ts';

const COLLECTION_PREFIX = 'c';

/** The key of a collection's entry. */
export function collectionKey(namespace: string): Buffer {
  return Buffer.from(`${COLLECTION_PREFIX}${namespace}`, 'utf8');
}

function savedIndex(index: Index): Document {
  return new Map<string, Value>([
    ['id', index.id],
    ['kind', index.kind],
    ['ready', index.isReady],
    ['spec', index.spec.document],
  ]);
}

function loadFlags(view: ReadView): Map<number, number[]> {
  const flags = new Map<number, number[]>();
  const prefix = Buffer.from(FLAG_PREFIX);
  for (const { key } of view.range('catalog', { start: prefix, end: prefixEnd(prefix) })) {
    const id = Buffer.from(key).readUInt32BE(1);
    const own = flags.get(id) ?? [];
    own.push(key[5] as number);
    flags.set(id, own);
  }
  return flags;
}

function lastRecordId(view: ReadView, collection: Collection): number {
  const { prefix, end } = collection.space;
  for (const { key } of view.range('records', {
    start: prefix,
    end,
    reverse: true,
    keysOnly: true,
  })) {
    return recordIdOfKey(key);
  }
  return 0;
}

/** What is stored of a collection. */
export function encodeCollection(collection: Collection): Uint8Array {
  const document: Document = new Map<string, Value>([
    ['id', collection.id],
    ['uuid', collection.uuid],
    ['options', collection.options],
    ['indexes', collection.indexes.map(savedIndex)],
  ]);
  return encodeDocument(document);
}

/** What has been read. */
export interface LoadedCatalog {
  readonly collections: readonly Collection[];
  /** The greatest id that has been given to a collection or an index. */
  readonly lastId: number;
}

/** Reads all entries. */
export function loadCollections(view: ReadView, compiler: OptionsCompiler): LoadedCatalog {
  const flags = loadFlags(view);
  const prefix = Buffer.from(COLLECTION_PREFIX);
  const collections: Collection[] = [];
  let lastId = 0;
  for (const { key, value } of view.range('catalog', { start: prefix, end: prefixEnd(prefix) })) {
    const namespace = Buffer.from(key.subarray(1)).toString('utf8');
    const collection = loadCollection(view, namespace, decodeDocument(value), { flags, compiler });
    lastId = Math.max(lastId, collection.id, ...collection.indexes.map(({ id }) => id));
    collections.push(collection);
  }
  return { collections, lastId };
}

interface LoadOptions {
  readonly flags: ReadonlyMap<number, readonly number[]>;
  readonly compiler: OptionsCompiler;
}

function loadCollection(
  view: ReadView,
  namespace: string,
  saved: Document,
  options: LoadOptions,
): Collection {
  const id = Number(saved.get('id'));
  const kept = saved.get('options') as Document;
  const dot = namespace.indexOf('.');
  const state: CollectionState = {
    database: namespace.slice(0, dot),
    name: namespace.slice(dot + 1),
    uuid: saved.get('uuid') as Binary,
    options: kept,
    indexes: (saved.get('indexes') as Document[]).map((one) => loadIndex(one, options)),
    ...options.compiler.compileOptions(kept),
  };
  const collection = new Collection(id, state, 0);
  const last = lastRecordId(view, collection);
  return last === 0 ? collection : new Collection(id, state, last);
}

function loadIndex(saved: Document, { flags, compiler }: LoadOptions): Index {
  const id = Number(saved.get('id'));
  const document = saved.get('spec') as Document;
  const spec = {
    name: String(document.get('name')),
    key: document.get('key') as Document,
    kind: String(saved.get('kind')) as IndexSpec['kind'],
    document,
  };
  const index = compiler.makeIndex(id, spec);
  index.isReady = saved.get('ready') === true;
  for (const flag of flags.get(id) ?? []) index.flags.load(flag);
  return index;
}
