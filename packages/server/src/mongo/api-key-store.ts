/** Keys of programs, stored as SHA-256 only: a random key of 256 bits needs no slow hash. */
import { createHash, randomBytes } from 'node:crypto';
import { LruCache } from '../lib/lru-cache.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'apikeys' };

/** How a key begins, so that people and secret scanners know one. */
export const API_KEY_PREFIX = 'qk_';

/** A key as its owner sees it. */
export interface ApiKey {
  readonly id: string;
  readonly owner: string;
  readonly label: string;
  /** A subset of the owner's; undefined: all the owner has. */
  readonly roles: readonly string[] | undefined;
  readonly createdAt: Date;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
}

interface ApiKeyDocument {
  readonly _id: string;
  readonly owner: string;
  readonly label: string;
  readonly roles: readonly string[] | null;
  readonly hash: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly lastUsedAt: Date | null;
}

/** How long a node believes what it read: a deleted key is refused everywhere after it. */
const BELIEVED_MS = 1000;
const USE_NOTED_EVERY_MS = 60_000;

/** The collection of keys. */
export class ApiKeyStore {
  private readonly mongo: MongoAccess;
  private readonly known: LruCache<string, ApiKey>;

  constructor(mongo: MongoAccess) {
    this.mongo = mongo;
    this.known = new LruCache({ maxEntries: 10_000, ttlMs: BELIEVED_MS });
  }

  /** Makes a key; its text is shown this once. */
  async create(
    given: Pick<ApiKey, 'owner' | 'label' | 'roles' | 'expiresAt'>,
  ): Promise<{ readonly key: ApiKey; readonly text: string }> {
    const text = API_KEY_PREFIX + randomBytes(32).toString('base64url');
    const document: ApiKeyDocument = {
      _id: randomBytes(9).toString('base64url'),
      owner: given.owner,
      label: given.label,
      roles: given.roles ?? null,
      hash: hashOf(text),
      createdAt: new Date(),
      expiresAt: given.expiresAt ?? null,
      lastUsedAt: null,
    };
    await mapped(async () => {
      await this.collection.createIndex({ hash: 1 }, { unique: true });
      await this.collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
      await this.collection.insertOne(document as never, { writeConcern: { w: 'majority' } });
    });
    return { key: toKey(document), text };
  }

  /** The live key of this text. */
  async find(text: string): Promise<ApiKey | undefined> {
    const hash = hashOf(text);
    const known = this.known.get(hash);
    if (known !== undefined) return known;
    const found = (await mapped(() =>
      this.collection.findOne({ hash }, { readPreference: 'primary' }),
    )) as unknown as ApiKeyDocument | null;
    if (found === null || (found.expiresAt !== null && found.expiresAt <= new Date())) {
      return undefined;
    }
    const key = toKey(found);
    this.known.set(hash, key);
    await this.noteUse(key);
    return key;
  }

  async list(owner: string): Promise<readonly ApiKey[]> {
    const cursor = this.collection.find({ owner }).sort({ createdAt: 1 });
    const documents = (await mapped(() => cursor.toArray())) as unknown as ApiKeyDocument[];
    return documents.map(toKey);
  }

  /** False when the owner has no such key. */
  async delete(owner: string, id: string): Promise<boolean> {
    this.known.clear();
    const { deletedCount } = await mapped(() =>
      this.collection.deleteOne({ _id: id as never, owner }, { writeConcern: { w: 'majority' } }),
    );
    return deletedCount === 1;
  }

  private async noteUse({ id, lastUsedAt }: ApiKey): Promise<void> {
    const now = new Date();
    if (lastUsedAt && now.getTime() - lastUsedAt.getTime() < USE_NOTED_EVERY_MS) return;
    await mapped(() =>
      this.collection.updateOne({ _id: id as never }, { $set: { lastUsedAt: now } }),
    );
  }

  private get collection() {
    return collectionOf(this.mongo.client, NAMESPACE);
  }
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function toKey(document: ApiKeyDocument): ApiKey {
  const { _id, owner, label, roles, createdAt, expiresAt, lastUsedAt } = document;
  return {
    id: _id,
    owner,
    label,
    roles: roles ?? undefined,
    createdAt,
    expiresAt: expiresAt ?? undefined,
    lastUsedAt: lastUsedAt ?? undefined,
  };
}
