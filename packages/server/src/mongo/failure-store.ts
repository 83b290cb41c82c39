/** Failed logins of all nodes, for one limit instead of one for each node (cluster.md E7). */
import { randomUUID } from 'node:crypto';
import type { ChangeFeed } from './change-feed.ts';
import { FollowedCollection } from './followed-collection.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

export const FAILURES = 'failures';
const NAMESPACE = { database: QUORATE_DATABASE, collection: FAILURES };
const WINDOW_MS = 10_000;
const MAX_READ = 10_000;

interface FailureDocument {
  readonly source: string;
  readonly node: string;
  readonly at: Date;
}

/** What other nodes counted, at most a moment old; nothing when the database is away. */
export class FailureStore {
  private readonly mongo: MongoAccess;
  private readonly node = randomUUID();
  private readonly warn: (message: string, error: unknown) => void;
  private times = new Map<string, number[]>();
  private hasIndex = false;

  constructor(
    mongo: MongoAccess,
    feed: ChangeFeed,
    options: { readonly warn: (message: string, error: unknown) => void },
  ) {
    this.mongo = mongo;
    this.warn = options.warn;
    new FollowedCollection(feed, {
      ...NAMESPACE,
      load: () => this.load(),
      pollMs: 1000,
      warn: options.warn,
    });
  }

  add(source: string, atMs: number): Promise<void> {
    return this.write({ source, node: this.node, at: new Date(atMs) }).catch((error: unknown) =>
      this.warn('A failed login is counted by this node only', error),
    );
  }

  async readTimesOf(source: string): Promise<readonly number[] | undefined> {
    const since = new Date(Date.now() - WINDOW_MS);
    const cursor = collectionOf(this.mongo.client, NAMESPACE)
      .find(
        { source, at: { $gt: since }, node: { $ne: this.node } },
        { projection: { _id: 0, at: 1 }, readPreference: 'primary', maxTimeMS: 1000 },
      )
      .limit(MAX_READ);
    try {
      const documents = (await cursor.toArray()) as unknown as FailureDocument[];
      return documents.map(({ at }) => at.getTime());
    } catch {
      // what this node has heard of decides then
      return undefined;
    }
  }

  timesOf(source: string): readonly number[] {
    return this.times.get(source) ?? [];
  }

  private async write(document: FailureDocument): Promise<void> {
    const collection = collectionOf(this.mongo.client, NAMESPACE);
    await mapped(async () => {
      if (!this.hasIndex) {
        await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
        this.hasIndex = true;
      }
      await collection.insertOne(document as never);
    });
  }

  private async load(): Promise<void> {
    const since = new Date(Date.now() - WINDOW_MS);
    const cursor = collectionOf(this.mongo.client, NAMESPACE)
      .find({ at: { $gt: since }, node: { $ne: this.node } }, { projection: { _id: 0 } })
      .limit(MAX_READ);
    const documents = (await mapped(() => cursor.toArray())) as unknown as FailureDocument[];
    const times = new Map<string, number[]>();
    for (const { source, at } of documents) {
      const known = times.get(source);
      if (known) known.push(at.getTime());
      else times.set(source, [at.getTime()]);
    }
    this.times = times;
  }
}
