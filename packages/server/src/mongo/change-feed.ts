/**
 * What other nodes (or anybody) changed, as soon as MongoDB tells it: caches are dropped by it, and
 * their time to live is only the fallback (cluster.md E6).
 */
import type { ChangeStream } from 'mongodb';
import type { MongoAccess } from './mongo-access.ts';

/** A changed collection. */
export interface NamespaceChange {
  readonly database: string;
  readonly collection: string;
}

export type ChangeListener = (change: NamespaceChange) => void;

export interface ChangeFeedOptions {
  /** Which collections are watched, as an aggregation expression on `ns`; by exact names or for every database. */
  readonly namespaces: readonly { readonly database?: string; readonly collection: string }[];
  readonly retryDelayMs: number;
  readonly warn: (message: string, error: unknown) => void;
}

/** One change stream over the collections whose content is cached. */
export class ChangeFeed {
  private readonly mongo: MongoAccess;
  private readonly options: ChangeFeedOptions;
  private readonly listeners = new Set<ChangeListener>();
  private readonly gapListeners = new Set<() => void>();
  private stream: ChangeStream | undefined;
  private closed = false;
  private live = false;

  constructor(mongo: MongoAccess, options: ChangeFeedOptions) {
    this.mongo = mongo;
    this.options = options;
  }

  /** True while changes are heard of at once; caches may then keep what they hold. */
  get isLive(): boolean {
    return this.live;
  }

  /** True from the moment the node stops: what fails then is no news. */
  get isClosed(): boolean {
    return this.closed;
  }

  onChange(listener: ChangeListener): void {
    this.listeners.add(listener);
  }

  /** Called when changes may have been missed: everything cached has to go. */
  onGap(listener: () => void): void {
    this.gapListeners.add(listener);
  }

  /** A write of this very process: heard of before its reply is sent. */
  touched(change: NamespaceChange): void {
    for (const listener of this.listeners) listener(change);
  }

  /** Runs until `close`; never rejects. */
  start(): void {
    void this.run();
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.stream?.close().catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      try {
        await this.follow();
      } catch (error) {
        if (this.closed) return;
        if (this.live) this.options.warn('Changes are not heard of until MongoDB is back', error);
      }
      this.live = false;
      await new Promise((resolve) => setTimeout(resolve, this.options.retryDelayMs).unref());
    }
  }

  private async follow(): Promise<void> {
    const names = this.options.namespaces.map(({ database, collection }) => ({
      ...(database === undefined ? {} : { 'ns.db': database }),
      'ns.coll': collection,
    }));
    // the drop of a whole database names no collection
    const wanted = [...names, { operationType: 'dropDatabase' }];
    const stream = this.mongo.client.watch([{ $match: { $or: wanted } }, { $project: { ns: 1 } }]);
    this.stream = stream;
    await stream.tryNext();
    this.live = true;
    for (const listener of this.gapListeners) listener();
    for (;;) {
      const { ns } = (await stream.next()) as { ns?: { db: string; coll?: string } };
      if (ns?.coll === undefined) for (const listener of this.gapListeners) listener();
      else this.touched({ database: ns.db, collection: ns.coll });
    }
  }
}
