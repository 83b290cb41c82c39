/** What all nodes share and each keeps in memory: read again when it changes (cluster.md E6). */
import type { ChangeFeed } from './change-feed.ts';
import type { Namespace } from './operation-options.ts';

export interface FollowedCollectionOptions extends Namespace {
  /** Reads the content anew. */
  readonly load: () => Promise<void>;
  /** How often it is read while changes are not heard of, milliseconds. */
  readonly pollMs: number;
  readonly warn: (message: string, error: unknown) => void;
  readonly now?: () => number;
}

const PATIENCE_MS = 5000;

/** Reads a collection at the start, at each change, and now and then while changes are not heard of. */
export class FollowedCollection {
  /** Resolves when the content was read once, or the database did not answer in time. */
  readonly ready: Promise<void>;
  private readonly feed: ChangeFeed;
  private readonly options: FollowedCollectionOptions;
  private loadedAtMs = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | undefined;
  private isDirty = false;
  private hasWarned = false;

  constructor(feed: ChangeFeed, options: FollowedCollectionOptions) {
    this.feed = feed;
    this.options = options;
    const first = this.reload();
    feed.onGap(() => void this.reload());
    feed.onChange(({ database, collection }) => {
      if (database === options.database && collection === options.collection) void this.reload();
    });
    setInterval(() => {
      if (!feed.isLive || this.loadedAtMs < 0) void this.reload();
    }, options.pollMs).unref();
    this.ready = Promise.race([first, afterMs(PATIENCE_MS)]);
  }

  /** True while the content in memory is at most some seconds behind. */
  get isFresh(): boolean {
    return (this.feed.isLive && this.loadedAtMs > 0) || this.now() - this.loadedAtMs < 5000;
  }

  /** One reading at a time; what changes meanwhile is read by a second one. Never rejects. */
  reload(): Promise<void> {
    this.isDirty = true;
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async run(): Promise<void> {
    while (this.isDirty) {
      this.isDirty = false;
      try {
        await this.options.load();
        this.loadedAtMs = this.now();
        this.hasWarned = false;
      } catch (error) {
        const { collection, warn } = this.options;
        if (this.feed.isClosed) return;
        if (!this.hasWarned) warn(`The shared ${collection} cannot be read`, error);
        this.hasWarned = true;
        return;
      }
    }
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
