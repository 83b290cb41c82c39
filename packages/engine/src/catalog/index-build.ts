/** Filling new indexes from the documents that are there already. */

import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { nextTurn } from '../lib/sliced.ts';
import type { Store, WriteBatch } from '../storage/store.ts';
import type { Catalog, NewIndexes } from './catalog.ts';
import type { Collection } from './collection.ts';
import { addToIndex } from './documents.ts';
import type { Index } from './index.ts';
import { recordIdOfKey } from './store-keys.ts';

/** Collections up to this size are indexed at once, within the batch. */
const MAX_AT_ONCE = 500;
const CHUNK_MS = 10;

/**
 * Indexes a chunk of the documents from `start` on.
 *
 * @returns where to go on; undefined at the end
 */
function fillSome(
  batch: WriteBatch,
  collection: Collection,
  indexes: readonly Index[],
  start: Uint8Array | undefined,
  budgetMs: number,
): Uint8Array | undefined {
  const { prefix, end } = collection.space;
  const deadline = performance.now() + budgetMs;
  for (const { key, value } of batch.range('records', {
    start: start ?? prefix,
    end,
    startExclusive: start !== undefined,
  })) {
    const record = { recordId: recordIdOfKey(key), bytes: value };
    for (const index of indexes) addToIndex(batch, collection, index, record);
    if (performance.now() > deadline) return key;
  }
  return undefined;
}

/**
 * Makes indexes and fills them within the batch: for small collections and inside transactions.
 *
 * @throws DuplicateKey, CannotCreateIndex, IndexOptionsConflict …
 */
export function createIndexes(
  batch: WriteBatch,
  catalog: Catalog,
  collection: Collection,
  specs: readonly Document[],
): NewIndexes {
  const before = collection.indexes.length;
  const wanted = catalog.newIndexSpecs(collection, specs);
  const created =
    wanted.length === 0 ? [] : catalog.addIndexes(batch, collection, wanted, { isReady: true });
  if (created.length > 0) {
    fillSome(batch, collection, created, undefined, Number.POSITIVE_INFINITY);
  }
  return { before, after: before + created.length, created };
}

type Started =
  | { readonly isDone: true; readonly result: NewIndexes }
  | { readonly isDone: false; readonly result: NewIndexes; readonly collection: Collection };

/**
 * Makes indexes of a collection of any size, giving other work its turn in between. Documents
 * written meanwhile enter the new indexes at once; these are read only when they are complete.
 *
 * @param find - the collection, made if need be; called inside the first batch
 * @throws DuplicateKey and others; the indexes are gone again then
 */
export async function buildIndexes(
  store: Store,
  catalog: Catalog,
  find: (batch: WriteBatch) => Collection,
  specs: readonly Document[],
  options: { readonly onReady?: (batch: WriteBatch, created: readonly Index[]) => void } = {},
): Promise<NewIndexes> {
  const started = await store.write(
    (batch): Started => {
      const collection = find(batch);
      if (batch.counters(collection.id).count <= MAX_AT_ONCE) {
        const result = createIndexes(batch, catalog, collection, specs);
        options.onReady?.(batch, result.created);
        return { isDone: true, result };
      }
      const before = collection.indexes.length;
      const wanted = catalog.newIndexSpecs(collection, specs);
      if (wanted.length === 0)
        return { isDone: true, result: { before, after: before, created: [] } };
      const created = catalog.addIndexes(batch, collection, wanted, { isReady: false });
      return {
        isDone: false,
        collection,
        result: { before, after: before + created.length, created },
      };
    },
    { durable: true },
  );
  if (started.isDone) return started.result;
  const { collection, result } = started;
  try {
    await fillAll(store, collection, result.created);
    await store.write(
      (batch) => {
        catalog.markReady(batch, collection, result.created);
        options.onReady?.(batch, result.created);
      },
      { durable: true },
    );
    return result;
  } catch (error) {
    if (!collection.isDropped) {
      await store.write((batch) => catalog.dropIndexes(batch, collection, result.created), {
        durable: true,
      });
    }
    throw error;
  }
}

async function fillAll(
  store: Store,
  collection: Collection,
  indexes: readonly Index[],
): Promise<void> {
  let start: Uint8Array | undefined;
  do {
    start = await store.write(
      (batch) => {
        if (collection.isDropped) {
          throw new MongoCommandError(
            'IndexBuildAborted',
            `collection dropped: ${collection.namespace}`,
          );
        }
        return fillSome(batch, collection, indexes, start, CHUNK_MS);
      },
      { durable: false },
    );
    await nextTurn();
  } while (start !== undefined);
}
