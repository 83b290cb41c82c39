/** The ACL in a MongoDB collection (security.md §8.2), read whole and kept until it changes. */
import type { BsonDocument } from '../model/bson.ts';
import { decodeDocument } from '../model/raw-bson.ts';
import type { ChangeFeed } from './change-feed.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

export interface PermissionStoreOptions<T> extends Namespace {
  /** Age at which the rules are read again while changes are not heard of, milliseconds. */
  readonly ttlMs: number;
  /** Makes the rules of their documents, which come ascending by `_id`. */
  readonly compile: (documents: readonly BsonDocument[]) => T;
  readonly now?: () => number;
}

/** The compiled rules in force. */
export class PermissionStore<T> {
  private readonly mongo: MongoAccess;
  private readonly feed: ChangeFeed;
  private readonly options: PermissionStoreOptions<T>;
  private kept: { readonly rules: T; readonly readAtMs: number } | undefined;
  private loading: Promise<T> | undefined;
  private epoch = 0;

  constructor(mongo: MongoAccess, feed: ChangeFeed, options: PermissionStoreOptions<T>) {
    this.mongo = mongo;
    this.feed = feed;
    this.options = options;
    const drop = () => {
      this.epoch += 1;
      this.kept = undefined;
      this.loading = undefined;
    };
    feed.onGap(drop);
    feed.onChange(({ database, collection }) => {
      if (database === options.database && collection === options.collection) drop();
    });
  }

  /** The rules; those of before when the database is away, for as long as their age allows. */
  current(): T | Promise<T> {
    const { kept } = this;
    const maxAgeMs = this.feed.isLive ? Number.POSITIVE_INFINITY : this.options.ttlMs;
    if (kept !== undefined && this.now() - kept.readAtMs < maxAgeMs) return kept.rules;
    this.loading ??= this.load();
    return this.loading;
  }

  private async load(): Promise<T> {
    const { epoch } = this;
    const readAtMs = this.now();
    try {
      const cursor = collectionOf(this.mongo.client, this.options)
        .find({}, { raw: true, readPreference: 'primaryPreferred' })
        .sort({ _id: 1 });
      const documents = await mapped(() => cursor.toArray());
      const rules = this.options.compile(
        documents.map((bytes) => decodeDocument(bytes as unknown as Uint8Array)),
      );
      if (epoch === this.epoch) this.kept = { rules, readAtMs };
      return rules;
    } finally {
      if (epoch === this.epoch) this.loading = undefined;
    }
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}
