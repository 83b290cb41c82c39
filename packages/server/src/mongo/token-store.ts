/** Opaque tokens of all nodes: only their hashes are stored (cluster.md E1). */
import type { BsonDocument } from '../model/bson.ts';
import type { AccountIdentity } from '../model/identity.ts';
import { decodeDocument } from '../model/raw-bson.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'tokens' };

/** A stored token: whom it stands for, and until when. */
export interface StoredToken {
  readonly account: AccountIdentity;
  readonly expiresAtMs: number;
}

/** The collection of token hashes; MongoDB removes what has expired. */
export class TokenStore {
  private readonly mongo: MongoAccess;
  private hasIndex = false;

  constructor(mongo: MongoAccess) {
    this.mongo = mongo;
  }

  async save(hash: string, { account, expiresAtMs }: StoredToken): Promise<void> {
    await mapped(async () => {
      if (!this.hasIndex) {
        await this.collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
        await this.collection.createIndex({ name: 1 });
        this.hasIndex = true;
      }
      const { name, roles, properties } = account;
      const fields = { name, roles: [...roles], properties, expiresAt: new Date(expiresAtMs) };
      await this.collection.updateOne(
        { _id: hash as never },
        { $set: fields as never },
        { upsert: true, writeConcern: { w: 'majority' } },
      );
    });
  }

  async find(hash: string): Promise<StoredToken | undefined> {
    const bytes = await mapped(() =>
      this.collection.findOne({ _id: hash as never }, { raw: true, readPreference: 'primary' }),
    );
    return bytes === null ? undefined : toToken(decodeDocument(bytes as unknown as Uint8Array));
  }

  /** Restarts a token's life. */
  async prolong(hash: string, expiresAtMs: number): Promise<void> {
    await mapped(() =>
      this.collection.updateOne(
        { _id: hash as never },
        { $set: { expiresAt: new Date(expiresAtMs) } },
      ),
    );
  }

  /** Ends all tokens of an account, or of everybody. */
  async deleteOf(name: string | undefined): Promise<void> {
    await mapped(() =>
      this.collection.deleteMany(name === undefined ? {} : { name }, {
        writeConcern: { w: 'majority' },
      }),
    );
  }

  private get collection() {
    return collectionOf(this.mongo.client, NAMESPACE);
  }
}

function toToken(document: BsonDocument): StoredToken | undefined {
  const name = document.get('name');
  const roles = document.get('roles');
  const properties = document.get('properties');
  const expiresAt = document.get('expiresAt');
  if (typeof name !== 'string' || !Array.isArray(roles) || !(expiresAt instanceof Date)) {
    return undefined;
  }
  return {
    account: {
      kind: 'account',
      name,
      roles: roles.filter((role) => typeof role === 'string'),
      properties: properties instanceof Map ? properties : new Map(),
    },
    expiresAtMs: expiresAt.getTime(),
  };
}
