/** The cache that `?cache` reads pages from (rest-documents.md §4.5). */

import { encodeDocument } from '../../model/raw-bson.ts';
import { type FindRequest, find } from '../../mongo/find.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace, OperationOptions } from '../../mongo/operation-options.ts';
import type { RestContext } from './handler.ts';

interface Entry {
  readonly documents: readonly Buffer[];
  readonly isComplete: boolean;
  readonly expiresAtMs: number;
}

/** Entries of one node; the oldest leaves when there are too many. */
class CollectionCache {
  readonly #entries = new Map<string, Entry>();
  #generation = 0;

  get generation(): number {
    return this.#generation;
  }

  get(key: string, nowMs: number): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs > nowMs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, entry: Entry, maxEntries: number): void {
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries) break;
      this.#entries.delete(oldest);
    }
  }

  /** Drops what a write may have changed; reads under way are not kept. */
  invalidate(prefix: string): void {
    this.#generation += 1;
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key);
  }
}

const caches = new WeakMap<MongoAccess, CollectionCache>();

function cacheOf(mongo: MongoAccess): CollectionCache {
  let cache = caches.get(mongo);
  if (cache === undefined) {
    cache = new CollectionCache();
    caches.set(mongo, cache);
  }
  return cache;
}

function prefixOf(database: string, collection?: string): string {
  return collection === undefined ? `${database}\0` : `${database}\0${collection}\0`;
}

function keyOf(namespace: Namespace, query: FindRequest, options: OperationOptions): string {
  const { filter, sort, projection, hint } = query;
  const parts = [filter, sort, projection, options.permit.readFilter].map((part) =>
    part === undefined ? '' : encodeDocument(part).toString('latin1'),
  );
  const steering = typeof hint === 'object' ? encodeDocument(hint).toString('latin1') : hint;
  const { session } = options;
  return `${prefixOf(namespace.database, namespace.collection)}${[
    ...parts.map((part) => `${part.length}:${part}`),
    steering ?? '',
    session?.sessionId ?? '',
    session?.transactionNumber ?? '',
    options.readConcern ?? '',
  ].join('\0')}`;
}

/** A page out of the first documents of a query, which are kept for the next pages. */
export async function findCached(
  { mongo, config }: RestContext,
  namespace: Namespace,
  query: FindRequest,
  options: OperationOptions,
): Promise<Buffer[]> {
  const { maxDocuments, maxEntries, ttlMs } = config.collectionCache;
  const skip = query.skip ?? 0;
  const end = skip + (query.limit ?? 0);
  if (end > maxDocuments) return find(mongo, namespace, query, options);
  const cache = cacheOf(mongo);
  const key = keyOf(namespace, query, options);
  const kept = cache.get(key, Date.now());
  if (kept !== undefined && (kept.isComplete || end <= kept.documents.length)) {
    return kept.documents.slice(skip, end);
  }
  const { generation } = cache;
  const documents = await find(
    mongo,
    namespace,
    { ...query, skip: 0, limit: maxDocuments },
    options,
  );
  if (cache.generation === generation) {
    const isComplete = documents.length < maxDocuments;
    cache.set(key, { documents, isComplete, expiresAtMs: Date.now() + ttlMs }, maxEntries);
  }
  return documents.slice(skip, end);
}

/** Forgets the pages of a collection, or of all collections of a database. */
export function invalidateCollectionCache(
  mongo: MongoAccess,
  database: string,
  collection?: string,
): void {
  caches.get(mongo)?.invalidate(prefixOf(database, collection));
}

/** Forgets the pages of all collections. */
export function clearCollectionCache(mongo: MongoAccess): void {
  caches.get(mongo)?.invalidate('');
}
