/** What all nodes share and each keeps in memory: read again when it changes (cluster.md E6). */
import { RepeatedTask } from '../lib/repeated-task.ts';
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
const FIRST_LOAD_RETRY_MS = 250;

/** Reads a collection at the start, at each change, and now and then while changes are not heard of. */
export class FollowedCollection {
  /** Resolves when the content was read once, or the database did not answer in time. */
  readonly ready: Promise<void>;
  /** Resolves when the content was read once, however late. */
  readonly loaded: Promise<void>;
  private readonly feed: ChangeFeed;
  private readonly options: FollowedCollectionOptions;
  private loadedAtMs = Number.NEGATIVE_INFINITY;
  private readonly noteLoaded: () => void;
  private readonly reading = new RepeatedTask(() => this.read());
  private hasWarned = false;

  constructor(feed: ChangeFeed, options: FollowedCollectionOptions) {
    this.feed = feed;
    this.options = options;
    let noteLoaded = (): void => {};
    this.loaded = new Promise((resolve) => {
      noteLoaded = resolve;
    });
    this.noteLoaded = noteLoaded;
    void this.reload();
    feed.onGap(() => void this.reload());
    feed.onChange(({ database, collection }) => {
      if (database === options.database && collection === options.collection) void this.reload();
    });
    setInterval(() => {
      if (!feed.isLive || !this.isLoaded) void this.reload();
    }, options.pollMs).unref();
    this.ready = Promise.race([this.loaded, afterMs(PATIENCE_MS)]);
  }

  /** True while the content in memory is at most some seconds behind. */
  get isFresh(): boolean {
    return (this.feed.isLive && this.isLoaded) || this.now() - this.loadedAtMs < 5000;
  }

  /** True once the content was read. */
  get isLoaded(): boolean {
    return this.loadedAtMs > Number.NEGATIVE_INFINITY;
  }

  /**
   * One reading at a time; what changes meanwhile is read by a second one. Never rejects.
   *
   * @returns false when it could not be read
   */
  reload(): Promise<boolean> {
    return this.reading.request();
  }

  private async read(): Promise<boolean> {
    try {
      await this.options.load();
      this.loadedAtMs = this.now();
      this.hasWarned = false;
      this.noteLoaded();
      return true;
    } catch (error) {
      const { collection, warn } = this.options;
      if (this.feed.isClosed) return false;
      if (!this.hasWarned) warn(`The shared ${collection} cannot be read`, error);
      this.hasWarned = true;
      // the node is not ready before; later readings come by changes or by the clock
      if (!this.isLoaded) setTimeout(() => void this.reload(), FIRST_LOAD_RETRY_MS).unref();
      return false;
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
