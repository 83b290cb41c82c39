/** Tokens that are refused although their signature is good, shared by all nodes (cluster.md E2). */
import type { RevocationList } from '../model/ports.ts';
import type { ChangeFeed } from './change-feed.ts';
import { FollowedCollection } from './followed-collection.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

export const REVOCATIONS = 'revocations';
const NAMESPACE = { database: QUORATE_DATABASE, collection: REVOCATIONS };

interface RevocationDocument {
  /** `jti:…`, `user:…` or `all` */
  readonly _id: string;
  readonly notBefore?: Date;
  /** When MongoDB may forget it: no token it refuses lives longer. */
  readonly expiresAt?: Date;
}

export interface RevocationStoreOptions {
  readonly warn: (message: string, error: unknown) => void;
  readonly now?: () => number;
  /** The clock by which tokens are issued, where it is not the node's own. */
  readonly tokenClock?: () => number;
}

/** The deny list in memory, followed by the change feed. */
export class RevocationStore implements RevocationList {
  /** Resolves when the list was read once, however late. */
  readonly loaded: Promise<void>;
  private readonly mongo: MongoAccess;
  private readonly followed: FollowedCollection;
  private readonly now: () => number;
  private readonly tokenClock: () => number;
  private tokens = new Set<string>();
  private users = new Map<string, number>();
  private everyone = Number.NEGATIVE_INFINITY;
  private hasIndex = false;

  constructor(mongo: MongoAccess, feed: ChangeFeed, options: RevocationStoreOptions) {
    this.mongo = mongo;
    this.now = options.now ?? Date.now;
    this.tokenClock = options.tokenClock ?? this.now;
    this.followed = new FollowedCollection(feed, {
      ...NAMESPACE,
      load: () => this.load(),
      pollMs: 1000,
      warn: options.warn,
      now: this.now,
    });
    this.loaded = this.followed.loaded;
  }

  get isFresh(): boolean {
    return this.followed.isFresh;
  }

  isRevoked(token: {
    jti: string | undefined;
    name: string;
    issuedAtMs: number | undefined;
  }): boolean {
    if (token.jti !== undefined && this.tokens.has(token.jti)) return true;
    const notBefore = Math.max(this.everyone, this.users.get(token.name) ?? this.everyone);
    if (notBefore === Number.NEGATIVE_INFINITY) return false;
    // a token that does not say when it was issued may be as old as any
    return token.issuedAtMs === undefined || token.issuedAtMs <= notBefore;
  }

  /** One token, until it would have ended anyway. */
  async revokeToken(jti: string, expiresAtMs: number): Promise<void> {
    this.tokens.add(jti);
    const isEndless = !Number.isFinite(expiresAtMs) || expiresAtMs > 8e15;
    await this.write(`jti:${jti}`, isEndless ? {} : { expiresAt: new Date(expiresAtMs) });
  }

  /** All tokens that an account got until now. */
  async revokeUser(name: string): Promise<void> {
    const at = this.tokenClock();
    this.users.set(name, at);
    await this.write(`user:${name}`, { notBefore: new Date(at) });
  }

  /** Everybody's tokens. */
  async revokeEveryone(): Promise<void> {
    this.everyone = this.tokenClock();
    await this.write('all', { notBefore: new Date(this.everyone) });
  }

  private async write(id: string, fields: Partial<RevocationDocument>): Promise<void> {
    const collection = collectionOf(this.mongo.client, NAMESPACE);
    await mapped(async () => {
      if (!this.hasIndex) {
        await collection.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 60 });
        this.hasIndex = true;
      }
      await collection.updateOne(
        { _id: id as never },
        { $set: { ...fields, at: new Date(this.now()) } },
        { upsert: true, writeConcern: { w: 'majority' } },
      );
    });
  }

  private async load(): Promise<void> {
    const cursor = collectionOf(this.mongo.client, NAMESPACE).find(
      {},
      { readPreference: 'primary' },
    );
    const documents = (await mapped(() => cursor.toArray())) as unknown as RevocationDocument[];
    const tokens = new Set<string>();
    const users = new Map<string, number>();
    let everyone = Number.NEGATIVE_INFINITY;
    for (const { _id, notBefore } of documents) {
      if (_id.startsWith('jti:')) tokens.add(_id.slice(4));
      else if (notBefore === undefined) continue;
      else if (_id === 'all') everyone = notBefore.getTime();
      else users.set(_id.slice(5), notBefore.getTime());
    }
    this.tokens = tokens;
    this.users = users;
    this.everyone = everyone;
  }
}
