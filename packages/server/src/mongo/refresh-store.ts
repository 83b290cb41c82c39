/** Refresh tokens of all nodes, as hashes; each is good once (RFC 9700 §4.14.2). */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'refresh' };

interface RefreshDocument {
  readonly name: string;
  /** All tokens that came of one login. */
  readonly family: string;
  readonly usedAt?: Date;
  readonly expiresAt: Date;
}

/** What became of a refresh token. */
export type Redemption =
  | { readonly kind: 'good'; readonly name: string; readonly family: string }
  /** Shown a second time: somebody has stolen it, so the whole family is ended. */
  | { readonly kind: 'reused'; readonly name: string }
  | { readonly kind: 'unknown' };

/** The collection of refresh tokens. */
export class RefreshStore {
  private readonly mongo: MongoAccess;
  private readonly ttlMs: number;
  private hasIndex = false;

  constructor(mongo: MongoAccess, options: { readonly ttlMs: number }) {
    this.mongo = mongo;
    this.ttlMs = options.ttlMs;
  }

  /** A new token, of the family of the one it follows. */
  async create(name: string, family: string = randomUUID()): Promise<string> {
    const token = randomBytes(32).toString('base64url');
    const document = {
      _id: hashOf(token),
      name,
      family,
      expiresAt: new Date(Date.now() + this.ttlMs),
    };
    await mapped(async () => {
      if (!this.hasIndex) {
        await this.collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 });
        await this.collection.createIndex({ family: 1 });
        this.hasIndex = true;
      }
      await this.collection.insertOne(document as never, { writeConcern: { w: 'majority' } });
    });
    return token;
  }

  /** Uses a token up; of two that try at once one succeeds. */
  async redeem(token: string): Promise<Redemption> {
    const _id = hashOf(token) as never;
    const now = new Date();
    const before = (await mapped(() =>
      this.collection.findOneAndUpdate({ _id }, { $min: { usedAt: now } as never }),
    )) as unknown as RefreshDocument | null;
    if (before === null || before.expiresAt <= now) return { kind: 'unknown' };
    if (before.usedAt === undefined) {
      return { kind: 'good', name: before.name, family: before.family };
    }
    await mapped(() => this.collection.deleteMany({ family: before.family }));
    return { kind: 'reused', name: before.name };
  }

  /** Ends all refresh tokens of an account. */
  async deleteOf(name: string): Promise<void> {
    await mapped(() => this.collection.deleteMany({ name }));
  }

  private get collection() {
    return collectionOf(this.mongo.client, NAMESPACE);
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
