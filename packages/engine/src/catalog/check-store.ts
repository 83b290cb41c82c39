import { decodeDocument } from '../bson/codec.ts';
import type { Document } from '../bson/value.ts';
import type { ReadView } from '../storage/store.ts';
import type { Catalog } from './catalog.ts';
import type { Collection } from './collection.ts';
import type { Index } from './index.ts';
import { indexKey, readRecordId, recordIdOfKey } from './store-keys.ts';

/** Something that is not as it has to be, in words. */
export interface StoreProblem {
  readonly namespace: string;
  readonly index: string | undefined;
  readonly text: string;
}

export interface StoreCheck {
  readonly collections: number;
  readonly documents: number;
  readonly indexEntries: number;
  readonly problems: readonly StoreProblem[];
}

const MAX_PROBLEMS = 100;

/** What an index should hold, as text, computed from the documents. */
type ExpectedEntries = Map<string, number>;

class Checker {
  readonly problems: StoreProblem[] = [];
  collections = 0;
  documents = 0;
  indexEntries = 0;

  check(view: ReadView, collection: Collection): void {
    this.collections++;
    const indexes = collection.indexes.filter(({ isReady, hasEntries }) => isReady && hasEntries);
    const expected = new Map<Index, ExpectedEntries>(indexes.map((index) => [index, new Map()]));
    const seen = this.#readDocuments(view, collection, expected);
    const counted = view.counters(collection.id);
    if (counted.count !== seen.count || counted.bytes !== seen.bytes) {
      this.#report(
        collection,
        undefined,
        `counted ${counted.count} documents of ${counted.bytes} bytes, there are ${seen.count} of ${seen.bytes}`,
      );
    }
    for (const [index, entries] of expected) this.#checkIndex(view, collection, index, entries);
  }

  #readDocuments(
    view: ReadView,
    collection: Collection,
    expected: ReadonlyMap<Index, ExpectedEntries>,
  ): { count: number; bytes: number } {
    const { prefix, end } = collection.space;
    const seen = { count: 0, bytes: 0 };
    for (const { key, value } of view.range('records', { start: prefix, end })) {
      seen.count++;
      seen.bytes += value.length;
      const recordId = recordIdOfKey(key);
      const document = this.#decode(collection, recordId, value);
      if (document === undefined) continue;
      for (const [index, entries] of expected) {
        for (const one of index.entriesOf(document).keys) {
          const stored = indexKey(
            index.space.prefix,
            one,
            index.hasUniqueEntries ? undefined : recordId,
          );
          entries.set(stored.toString('latin1'), recordId);
        }
      }
    }
    this.documents += seen.count;
    return seen;
  }

  #decode(collection: Collection, recordId: number, bytes: Uint8Array): Document | undefined {
    try {
      return decodeDocument(bytes);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#report(collection, undefined, `record ${recordId} is no document: ${reason}`);
      return undefined;
    }
  }

  #checkIndex(
    view: ReadView,
    collection: Collection,
    index: Index,
    expected: ExpectedEntries,
  ): void {
    const { prefix, end } = index.space;
    let count = 0;
    let bytes = 0;
    for (const { key, value } of view.range('index', { start: prefix, end })) {
      count++;
      bytes += key.length + value.length;
      const text = Buffer.from(key).toString('latin1');
      const recordId = index.hasUniqueEntries ? readRecordId(value) : recordIdOfKey(key);
      if (expected.get(text) !== recordId) {
        this.#report(collection, index, `entry of record ${recordId} without its document`);
      }
      expected.delete(text);
    }
    this.indexEntries += count;
    for (const recordId of expected.values()) {
      this.#report(collection, index, `record ${recordId} has no entry`);
    }
    const counted = view.counters(index.id);
    if (counted.count !== count || counted.bytes !== bytes) {
      this.#report(
        collection,
        index,
        `counted ${counted.count} entries of ${counted.bytes} bytes, there are ${count} of ${bytes}`,
      );
    }
  }

  #report(collection: Collection, index: Index | undefined, text: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({ namespace: collection.namespace, index: index?.name, text });
  }
}

/**
 * Compares every index and counter with the documents they are made from. Reads everything and
 * keeps one collection's keys in memory.
 */
export function checkStore(view: ReadView, catalog: Catalog): StoreCheck {
  const checker = new Checker();
  for (const database of catalog.databases(view)) {
    for (const collection of catalog.collections(view, database)) {
      if (collection.type !== 'view') checker.check(view, collection);
    }
  }
  const { collections, documents, indexEntries, problems } = checker;
  return { collections, documents, indexEntries, problems };
}

/** As `checkStore`, of one collection. */
export function checkCollection(view: ReadView, collection: Collection): StoreCheck {
  const checker = new Checker();
  checker.check(view, collection);
  const { collections, documents, indexEntries, problems } = checker;
  return { collections, documents, indexEntries, problems };
}
