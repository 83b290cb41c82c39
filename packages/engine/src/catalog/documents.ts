/** Writing documents with the entries of all indexes. */
import { decodeDocument, readTopLevelField } from '../bson/codec.ts';
import { valuesEqual } from '../bson/compare.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument } from '../query/describe.ts';
import { prefixEnd } from '../storage/key-text.ts';
import type { ReadView, TransactionBatch, WriteBatch } from '../storage/store.ts';
import type { Collection } from './collection.ts';
import type { Index, IndexEntries } from './index.ts';
import {
  encodeRecordId,
  indexKey,
  RECORD_ID_BYTES,
  type RecordId,
  readRecordId,
  recordIdOfKey,
  recordKey,
} from './store-keys.ts';

/** A stored document. */
export interface StoredRecord {
  readonly recordId: RecordId;
  readonly bytes: Uint8Array;
}

/** What one index has to gain and to lose by a write. */
interface IndexChange {
  readonly index: Index;
  readonly entries: IndexEntries;
  readonly added: readonly Buffer[];
  readonly removed: readonly Buffer[];
}

const NOTHING = new Uint8Array(0);

function entryKey(index: Index, key: Uint8Array, recordId: RecordId): Buffer {
  return indexKey(index.space.prefix, key, index.hasUniqueEntries ? undefined : recordId);
}

/**
 * The document as far as an index needs it: without decoding the rest where its paths are plain
 * top-level fields.
 */
class LazyDocument {
  readonly #bytes: Uint8Array;
  #document: Document | undefined;

  constructor(bytes: Uint8Array, document?: Document) {
    this.#bytes = bytes;
    this.#document = document;
  }

  for(index: Index): Document {
    if (this.#document !== undefined) return this.#document;
    const fields = index.topLevelFields;
    if (fields === undefined || fields.length > 2) {
      this.#document = decodeDocument(this.#bytes);
      return this.#document;
    }
    const partial: Document = new Map();
    for (const field of fields) {
      const value = readTopLevelField(this.#bytes, field);
      if (value !== undefined) partial.set(field, value);
    }
    return partial;
  }

  get whole(): Document {
    this.#document ??= decodeDocument(this.#bytes);
    return this.#document;
  }
}

function duplicateKey(
  collection: Collection,
  index: Index,
  document: Document,
  key: Buffer,
): MongoCommandError {
  const values = index.valuesOfKey(document, key);
  const keyValue: Document = new Map();
  index.fields.forEach(({ path }, i) => {
    keyValue.set(path, values[i] ?? null);
  });
  const collation = index.spec.document.get('collation');
  const collated = collation instanceof Map ? ` collation: ${describeDocument(collation)}` : '';
  return new MongoCommandError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${collection.namespace} index: ${index.name}${collated} dup key: ${describeDocument(keyValue)}`,
    {
      extra: new Map<string, Value>([
        ['keyPattern', index.keyPattern],
        ['keyValue', keyValue],
      ]),
    },
  );
}

/** The record that holds a key of a unique index. */
export function findUnique(view: ReadView, index: Index, key: Uint8Array): RecordId | undefined {
  const value = view.get('index', indexKey(index.space.prefix, key));
  return value === undefined ? undefined : readRecordId(value);
}

/** @throws DuplicateKey when another record than `own` holds one of the keys */
function checkUnique(
  view: ReadView,
  collection: Collection,
  change: IndexChange,
  document: LazyDocument,
  own: RecordId | undefined,
): void {
  const { index } = change;
  if (!index.refusesDuplicates) return;
  for (const key of change.added) {
    const isTaken = index.hasUniqueEntries
      ? isOther(findUnique(view, index, key), own)
      : hasCollatedDuplicate(view, collection, index, key, document.whole, own);
    if (isTaken) throw duplicateKey(collection, index, document.whole, key);
  }
}

function isOther(holder: RecordId | undefined, own: RecordId | undefined): boolean {
  return holder !== undefined && holder !== own;
}

/** Looks at all documents that share the key, which unequal ones may do under a collation. */
function hasCollatedDuplicate(
  view: ReadView,
  collection: Collection,
  index: Index,
  key: Buffer,
  document: Document,
  own: RecordId | undefined,
): boolean {
  for (const recordId of recordsOfKey(view, index, key)) {
    if (recordId === own) continue;
    const record = readRecord(view, collection, recordId);
    if (record !== undefined && index.sharesKey(document, decodeDocument(record.bytes)))
      return true;
  }
  return false;
}

/** The records that have a key, as `Index.entriesOf` gives it. */
export function recordsOfKey(view: ReadView, index: Index, key: Uint8Array): RecordId[] {
  if (index.hasUniqueEntries) {
    const holder = findUnique(view, index, key);
    return holder === undefined ? [] : [holder];
  }
  const start = indexKey(index.space.prefix, key);
  const found: RecordId[] = [];
  for (const entry of view.range('index', { start, end: prefixEnd(start), keysOnly: true })) {
    if (entry.key.length === start.length + RECORD_ID_BYTES) found.push(recordIdOfKey(entry.key));
  }
  return found;
}

/** An index under construction may lack the entries of a document, or have them already. */
function actualChange(batch: WriteBatch, change: IndexChange, recordId: RecordId): IndexChange {
  const { index } = change;
  const isThere = (key: Buffer): boolean =>
    batch.get('index', entryKey(index, key, recordId)) !== undefined;
  return {
    index,
    entries: change.entries,
    added: change.added.filter((key) => !isThere(key)),
    removed: change.removed.filter(
      (key) =>
        isThere(key) && (!index.hasUniqueEntries || findUnique(batch, index, key) === recordId),
    ),
  };
}

/**
 * Makes concurrent transactions that add the same collated key of a unique index conflict, which
 * their entries, each with its own record id, would not do.
 */
function guardKeys(
  batch: WriteBatch,
  index: Index,
  added: readonly Buffer[],
  value: Uint8Array,
): void {
  if (!('isTransaction' in batch)) return;
  for (const key of added) {
    const guard = indexKey(index.space.prefix, key);
    batch.put('meta', guard, value);
    batch.remove('meta', guard);
  }
}

function applyChange(batch: WriteBatch, wanted: IndexChange, recordId: RecordId): void {
  const change = wanted.index.isReady ? wanted : actualChange(batch, wanted, recordId);
  const { index, added, removed } = change;
  index.raiseFlags(change.entries, batch);
  const value = index.hasUniqueEntries ? encodeRecordId(recordId) : NOTHING;
  if (index.unique && !index.hasUniqueEntries) guardKeys(batch, index, added, value);
  let bytes = 0;
  for (const key of removed) {
    const stored = entryKey(index, key, recordId);
    batch.remove('index', stored, value);
    bytes -= stored.length + value.length;
  }
  for (const key of added) {
    const stored = entryKey(index, key, recordId);
    batch.put('index', stored, value, null);
    bytes += stored.length + value.length;
  }
  if (added.length > 0 || removed.length > 0) {
    batch.addCounters(index.id, added.length - removed.length, bytes);
  }
}

const checkedByTransaction = new WeakMap<WriteBatch, Set<Collection>>();

function droppedError(collection: Collection): MongoCommandError {
  return new MongoCommandError(
    'WriteConflict',
    `Collection ${collection.namespace} was dropped during the operation. Please retry your operation or multi-document transaction.`,
    { labels: ['TransientTransactionError'] },
  );
}

/** A transaction's writes go nowhere when their collection is dropped before it commits. */
function assertWritable(batch: WriteBatch, collection: Collection): void {
  if (collection.isDropped) throw droppedError(collection);
  if (!('isTransaction' in batch)) return;
  let checked = checkedByTransaction.get(batch);
  if (checked === undefined) {
    checked = new Set();
    checkedByTransaction.set(batch, checked);
  }
  if (checked.has(collection)) return;
  checked.add(collection);
  (batch as TransactionBatch).beforeCommit(() => {
    if (collection.isDropped) throw droppedError(collection);
  });
}

/**
 * Adds a document. All checks come before the first write.
 *
 * @param bytes - the whole document in BSON, `_id` included
 * @param document - the same decoded, where the caller has it
 * @throws DuplicateKey, CannotIndexParallelArrays
 */
export function insertDocument(
  batch: WriteBatch,
  collection: Collection,
  bytes: Uint8Array,
  document?: Document,
): StoredRecord {
  assertWritable(batch, collection);
  const lazy = new LazyDocument(bytes, document);
  const changes: IndexChange[] = [];
  for (const index of collection.indexes) {
    const entries = index.entriesOf(lazy.for(index));
    const change = { index, entries, added: entries.keys, removed: [] };
    checkUnique(batch, collection, change, lazy, undefined);
    changes.push(change);
  }
  const recordId = collection.takeRecordId();
  batch.put('records', recordKey(collection.id, recordId), bytes, null);
  for (const change of changes) applyChange(batch, change, recordId);
  batch.addCounters(collection.id, 1, bytes.length);
  if (collection.capped !== undefined) trimCapped(batch, collection);
  return { recordId, bytes };
}

/** The keys of `a` that are not in `b`. */
function without(a: readonly Buffer[], b: readonly Buffer[]): Buffer[] {
  return a.filter((key) => !b.some((other) => other.equals(key)));
}

/**
 * Puts a document in the place of a stored one.
 *
 * @throws DuplicateKey, CannotIndexParallelArrays
 */
export function replaceDocument(
  batch: WriteBatch,
  collection: Collection,
  record: StoredRecord,
  bytes: Uint8Array,
  documents: { readonly before?: Document; readonly after?: Document } = {},
): StoredRecord {
  assertWritable(batch, collection);
  const { recordId } = record;
  const before = new LazyDocument(record.bytes, documents.before);
  const after = new LazyDocument(bytes, documents.after);
  const changes: IndexChange[] = [];
  for (const index of collection.indexes) {
    const entries = index.entriesOf(after.for(index));
    const old = index.entriesOf(before.for(index)).keys;
    const added = without(entries.keys, old);
    const removed = without(old, entries.keys);
    if (added.length === 0 && removed.length === 0) continue;
    const change = { index, entries, added, removed };
    checkUnique(batch, collection, change, after, recordId);
    changes.push(change);
  }
  batch.put('records', recordKey(collection.id, recordId), bytes, record.bytes);
  for (const change of changes) applyChange(batch, change, recordId);
  if (bytes.length !== record.bytes.length) {
    batch.addCounters(collection.id, 0, bytes.length - record.bytes.length);
  }
  return { recordId, bytes };
}

/** Takes a document away. */
export function removeDocument(
  batch: WriteBatch,
  collection: Collection,
  record: StoredRecord,
  document?: Document,
): void {
  assertWritable(batch, collection);
  const lazy = new LazyDocument(record.bytes, document);
  for (const index of collection.indexes) {
    const { keys } = index.entriesOf(lazy.for(index));
    const entries: IndexEntries = { keys: [], multikey: [] };
    applyChange(batch, { index, entries, added: [], removed: keys }, record.recordId);
  }
  batch.remove('records', recordKey(collection.id, record.recordId), record.bytes);
  batch.addCounters(collection.id, -1, -record.bytes.length);
}

/** Removes the oldest documents until a capped collection is within its bounds. */
function trimCapped(batch: WriteBatch, collection: Collection): void {
  const { capped } = collection;
  if (capped === undefined) return;
  for (;;) {
    const { count, bytes } = batch.counters(collection.id);
    const tooMany = capped.maxDocuments !== undefined && count > capped.maxDocuments;
    if (count <= 1 || (!tooMany && bytes <= capped.maxBytes)) return;
    const oldest = firstRecord(batch, collection);
    if (oldest === undefined) return;
    removeDocument(batch, collection, oldest);
  }
}

/** The document that is first in natural order. */
export function firstRecord(view: ReadView, collection: Collection): StoredRecord | undefined {
  const { prefix, end } = collection.space;
  for (const { key, value } of view.range('records', { start: prefix, end })) {
    return { recordId: recordIdOfKey(key), bytes: value };
  }
  return undefined;
}

/** The document of a record id. */
export function readRecord(
  view: ReadView,
  collection: Collection,
  recordId: RecordId,
): StoredRecord | undefined {
  const bytes = view.get('records', recordKey(collection.id, recordId));
  return bytes === undefined ? undefined : { recordId, bytes };
}

/** The document with an `_id`, by the shortest way; undefined where the collection has no such index. */
export function findById(
  view: ReadView,
  collection: Collection,
  id: Value,
): StoredRecord | undefined {
  const index = collection.idIndex;
  if (index === undefined) return undefined;
  const [key] = index.entriesOf(new Map([['_id', id]])).keys;
  if (key === undefined) return undefined;
  for (const recordId of recordsOfKey(view, index, key)) {
    const record = readRecord(view, collection, recordId);
    if (record === undefined) continue;
    if (index.hasUniqueEntries) return record;
    const own = readTopLevelField(record.bytes, '_id');
    if (valuesEqual(own, id, index.collator)) return record;
  }
  return undefined;
}

/**
 * Writes the entries of one document into an index that is being built, where they may be already.
 *
 * @throws DuplicateKey, CannotIndexParallelArrays
 */
export function addToIndex(
  batch: WriteBatch,
  collection: Collection,
  index: Index,
  record: StoredRecord,
): void {
  const lazy = new LazyDocument(record.bytes);
  const entries = index.entriesOf(lazy.for(index));
  const change = { index, entries, added: entries.keys, removed: [] };
  checkUnique(batch, collection, change, lazy, record.recordId);
  applyChange(batch, actualChange(batch, change, record.recordId), record.recordId);
}
