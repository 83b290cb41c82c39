/**
 * Properties and existence of databases and collections, kept for a short time. Own writes drop
 * them; a load that was under way during such a write is used once but not kept.
 */
import type { BsonDocument } from '../model/bson.ts';

/** What is known of a database or collection. */
export interface ResourceMetadata {
  readonly exists: boolean;
  /** Its properties document, if it has one. */
  readonly properties: BsonDocument | undefined;
}

interface Entry {
  readonly value: Promise<ResourceMetadata>;
  readonly expiresAtMs: number;
}

/** Keyed by database name and, for collections, collection name. */
export class MetadataCache {
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();

  constructor(options: { readonly ttlMs: number; readonly now?: () => number }) {
    this.#ttlMs = options.ttlMs;
    this.#now = options.now ?? Date.now;
  }

  /** The kept value, else a loaded one; concurrent callers share one load. */
  load(
    database: string,
    collection: string | undefined,
    read: () => Promise<ResourceMetadata>,
  ): Promise<ResourceMetadata> {
    if (this.#ttlMs <= 0) return read();
    const key = keyOf(database, collection);
    const kept = this.#entries.get(key);
    const now = this.#now();
    if (kept !== undefined && kept.expiresAtMs > now) return kept.value;
    const entry: Entry = { value: read(), expiresAtMs: now + this.#ttlMs };
    this.#entries.set(key, entry);
    const drop = () => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    // what does not exist may be made any moment by another node, so only existence is kept
    entry.value.then((metadata) => {
      if (!metadata.exists) drop();
    }, drop);
    if (this.#entries.size > 10_000) this.#dropExpired(now);
    return entry.value;
  }

  /** Drops what is known of a collection, or of a database with all its collections. */
  invalidate(database: string, collection?: string): void {
    if (collection !== undefined) {
      this.#entries.delete(keyOf(database, collection));
      // the first collection makes its database exist, the last one takes it along
      this.#entries.delete(keyOf(database, undefined));
      return;
    }
    const prefix = `${database}\0`;
    for (const key of this.#entries.keys()) {
      if (key.startsWith(prefix)) this.#entries.delete(key);
    }
  }

  /** Drops everything. */
  clear(): void {
    this.#entries.clear();
  }

  #dropExpired(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAtMs <= now) this.#entries.delete(key);
    }
    if (this.#entries.size > 10_000) this.#entries.clear();
  }
}

function keyOf(database: string, collection: string | undefined): string {
  return `${database}\0${collection ?? ''}`;
}
