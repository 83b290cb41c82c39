/** Accounts in a MongoDB collection (security.md §7.2). */

import { LruCache } from '../lib/lru-cache.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { AccountStore, StoredAccount } from '../model/ports.ts';
import { decodeDocument } from '../model/raw-bson.ts';
import type { ChangeFeed } from './change-feed.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

export interface MongoAccountStoreOptions extends Namespace {
  /** Property that holds the user name; may have dots. */
  readonly idProperty: string;
  readonly passwordProperty: string;
  /** `$.roles` or a deeper path. */
  readonly rolesPath: string;
  readonly passwordIsHashed: boolean;
  readonly cacheSize: number;
  /** How long an account may be kept while changes are heard of, milliseconds. */
  readonly cacheTtlMs: number;
}

/** Looks accounts up, and keeps them while the change feed would tell of their change. */
export class MongoAccountStore implements AccountStore {
  private readonly mongo: MongoAccess;
  private readonly feed: ChangeFeed;
  private readonly options: MongoAccountStoreOptions;
  private readonly cache: LruCache<string, StoredAccount>;
  private epoch = 0;

  constructor(mongo: MongoAccess, feed: ChangeFeed, options: MongoAccountStoreOptions) {
    this.mongo = mongo;
    this.feed = feed;
    this.options = options;
    this.cache = new LruCache({ maxEntries: options.cacheSize, ttlMs: options.cacheTtlMs });
    const drop = () => {
      this.epoch += 1;
      this.cache.clear();
    };
    feed.onGap(drop);
    feed.onChange(({ database, collection }) => {
      if (database === options.database && collection === options.collection) drop();
    });
  }

  find(
    name: string,
    options?: { readonly fresh?: boolean },
  ): StoredAccount | Promise<StoredAccount | undefined> {
    const kept = options?.fresh || !this.feed.isLive ? undefined : this.cache.get(name);
    return kept ?? this.read(name, options?.fresh === true);
  }

  /** While there is no primary a secondary tells; that there is no such account is for the primary alone to say. */
  private async read(name: string, isFresh: boolean): Promise<StoredAccount | undefined> {
    const epoch = this.epoch;
    const filter = { [this.options.idProperty]: name };
    const readFrom = (readPreference: 'primary' | 'primaryPreferred') =>
      mapped(() =>
        collectionOf(this.mongo.client, this.options).findOne(filter, {
          raw: true,
          readPreference,
        }),
      );
    const bytes =
      (isFresh ? null : await readFrom('primaryPreferred')) ?? (await readFrom('primary'));
    if (bytes === null) return undefined;
    const account = this.toAccount(name, decodeDocument(bytes as unknown as Uint8Array));
    // what was read before a change is not kept past it
    if (epoch === this.epoch && account !== undefined) this.cache.set(name, account);
    return account;
  }

  private toAccount(name: string, document: BsonDocument): StoredAccount | undefined {
    const { passwordProperty, rolesPath, passwordIsHashed, database } = this.options;
    const roles = lookUp(document, rolesPath.replace(/^\$\.?/, ''));
    if (roles !== undefined && !Array.isArray(roles)) return undefined;
    const password = document.get(passwordProperty);
    const properties = new Map([...document].filter(([key]) => key !== passwordProperty));
    properties.set('authDb', database);
    return {
      name,
      password: typeof password === 'string' ? password : undefined,
      passwordIsHashed,
      roles: (roles ?? []).filter((role) => typeof role === 'string'),
      properties,
    };
  }
}

function lookUp(document: BsonDocument, path: string): BsonValue | undefined {
  let value: BsonValue | undefined = document;
  for (const name of path.split('.')) value = value instanceof Map ? value.get(name) : undefined;
  return value;
}

/**
 * Makes the first account, once for all nodes: only when the collection is empty, and never twice.
 *
 * @returns true when this node made it
 */
export async function createFirstAccount(
  mongo: MongoAccess,
  namespace: Namespace,
  account: BsonDocument,
): Promise<boolean> {
  const collection = collectionOf(mongo.client, namespace);
  return mapped(async () => {
    if ((await collection.findOne({}, { projection: { _id: 1 } })) !== null) return false;
    // racing nodes insert the same _id: the unique index lets one of them win
    try {
      await collection.insertOne(account as unknown as Record<string, unknown>, {
        forceServerObjectId: true,
        writeConcern: { w: 'majority' },
      });
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === 11000) return false;
      throw error;
    }
  });
}
