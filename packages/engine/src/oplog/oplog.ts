import type { Store, WriteBatch } from '../storage/store.ts';
import {
  decodeEntry,
  encodeEntry,
  fromKey,
  type OplogEntry,
  type OplogOperation,
  type OplogOrigin,
  type Position,
  toKey,
} from './oplog-entry.ts';

export interface OplogOptions {
  readonly maxBytes?: number | undefined;
  readonly maxAgeMs?: number | undefined;
}

const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;
const DEFAULT_MAX_AGE_MS = 7 * 24 * 3600 * 1000;
const TRIM_INTERVAL_MS = 10_000;
const TRIM_CHUNK = 2_000;
/** The newest entries stay in memory: many change streams then read and decode each one once. */
const RECENT_ENTRIES = 2_048;
const RECENT_BYTES = 8 * 1024 * 1024;
/** Sorts behind all entries, whose keys have eight bytes and start with a time before 2106. */
const SIZE_KEY = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
const END_KEY = new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/**
 * The log of all changes in the order in which they took effect. Its places are the cluster times
 * that drivers see; change streams read it; it is bounded by size and age.
 */
export class Oplog {
  readonly #store: Store;
  readonly #maxBytes: number;
  readonly #maxAgeMs: number;
  readonly #listeners = new Set<() => void>();
  readonly #recent: RecentEntry[] = [];
  #recentBytes = 0;
  readonly #trimmer: NodeJS.Timeout;
  /** The last place given out; entries up to `#committed` are readable. */
  #last: Position = 0n;
  #committed: Position = 0n;
  #oldest: Position = 0n;
  #bytes = 0;
  #trimming = false;
  #notified = false;
  #stableLimit: Position | undefined;

  constructor(store: Store, options: OplogOptions = {}) {
    this.#store = store;
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
    this.#trimmer = setInterval(() => this.#trimSoon(), TRIM_INTERVAL_MS);
    this.#trimmer.unref();
  }

  /** Finds the ends of the log; an empty one gets a first entry, so that there is a cluster time. */
  async open(): Promise<void> {
    for (const { key } of this.#store.latest.range('oplog', { end: END_KEY, reverse: true })) {
      this.#last = fromKey(key);
      break;
    }
    if (this.#last === 0n) {
      await this.#store.write((batch) => this.append(batch, []), { durable: true });
    }
    this.#committed = this.#last;
    this.#findOldest();
    this.#loadSize();
  }

  /**
   * Adds one entry in the batch of the change itself.
   *
   * @returns its place: the change's operationTime
   */
  append(
    batch: WriteBatch,
    operations: readonly OplogOperation[],
    origin: OplogOrigin = {},
  ): Position {
    const position = this.#nextPosition();
    const bytes = encodeEntry(position, operations, origin);
    batch.put('oplog', toKey(position), bytes);
    this.#bytes += bytes.length;
    batch.onUndo(() => {
      this.#bytes -= bytes.length;
    });
    batch.onCommitted(() => this.#markCommitted(position, bytes));
    return position;
  }

  /** The entry is readable: whoever waits for changes is woken. */
  #markCommitted(position: Position, bytes: Uint8Array): void {
    if (position > this.#committed) this.#committed = position;
    this.#remember({ position, bytes, decoded: undefined });
    this.#notify();
  }

  #notify(): void {
    if (this.#notified) return;
    this.#notified = true;
    // one waking for all writes that a group commit has made readable in this turn
    queueMicrotask(() => {
      this.#notified = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  /** The place of the last readable entry: the engine's operationTime and cluster time. */
  get lastPosition(): Position {
    return this.#committed;
  }

  /** Up to here change streams read: what can be rolled back is not shown to them. */
  get stablePosition(): Position {
    const limit = this.#stableLimit;
    return limit === undefined || limit > this.#committed ? this.#committed : limit;
  }

  /** For a member of a set: change streams read no further than `position`, until it is raised. */
  limitStable(position: Position): void {
    this.#stableLimit = position;
    this.#notify();
  }

  /** An entry that came from another member is readable now. */
  receive(position: Position, bytes: Uint8Array): void {
    if (position > this.#last) this.#last = position;
    this.#bytes += bytes.length;
    this.#markCommitted(position, bytes);
  }

  /** Forgets the entries after `position`, which have been taken back. */
  rewind(position: Position): void {
    this.#committed = position;
    while ((this.#recent.at(-1)?.position ?? 0n) > position) {
      this.#recentBytes -= this.#recent.pop()?.bytes.length ?? 0;
    }
  }

  get oldestPosition(): Position {
    return this.#oldest;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** Calls `listener` after each commit that added entries; the answer ends the subscription. */
  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stable entries after `position`, oldest first, as far as there are any at the moment. */
  *readAfter(position: Position): Generator<OplogEntry> {
    let place = position;
    const [oldest] = this.#recent;
    if (oldest === undefined || place < oldest.position - 1n) {
      const end = oldest === undefined ? END_KEY : toKey(oldest.position);
      for (const { key, value } of this.#store.latest.range('oplog', {
        start: toKey(place + 1n),
        end,
      })) {
        place = fromKey(key);
        if (place > this.stablePosition) return;
        yield decodeEntry(value);
      }
    }
    const stable = this.stablePosition;
    while (place < stable) {
      const next = this.#recentAfter(place);
      if (next === undefined || next.position > stable) return;
      next.decoded ??= decodeEntry(next.bytes);
      place = next.position;
      yield next.decoded;
    }
  }

  /** All readable entries, newest first. */
  *readBackwards(): Generator<OplogEntry> {
    const end = toKey(this.#committed + 1n);
    for (const { value } of this.#store.latest.range('oplog', { end, reverse: true })) {
      yield decodeEntry(value);
    }
  }

  /** How many entries there are; counted, so for whoever asks seldom. */
  countEntries(): number {
    let count = 0;
    for (const _ of this.#store.latest.range('oplog', { end: END_KEY, keysOnly: true })) count += 1;
    return count;
  }

  #remember(entry: RecentEntry): void {
    this.#recent.push(entry);
    this.#recentBytes += entry.bytes.length;
    while (this.#recent.length > RECENT_ENTRIES || this.#recentBytes > RECENT_BYTES) {
      const gone = this.#recent.shift();
      if (gone === undefined) break;
      this.#recentBytes -= gone.bytes.length;
    }
  }

  /** By binary search: the entries are in order. */
  #recentAfter(position: Position): RecentEntry | undefined {
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const entry = this.#recent[middle];
      if (entry !== undefined && entry.position > position) high = middle;
      else low = middle + 1;
    }
    return this.#recent[low];
  }

  close(): Promise<void> {
    clearInterval(this.#trimmer);
    return this.#saveSize();
  }

  #nextPosition(): Position {
    const now = BigInt(Math.floor(Date.now() / 1000)) << 32n;
    this.#last = this.#last >= now ? this.#last + 1n : now + 1n;
    return this.#last;
  }

  #findOldest(): void {
    for (const { key } of this.#store.latest.range('oplog', { end: END_KEY })) {
      this.#oldest = fromKey(key);
      return;
    }
  }

  /** The size is saved now and then with the place up to which it holds; the rest is counted. */
  #loadSize(): void {
    const saved = this.#store.latest.get('oplog', SIZE_KEY);
    let from = 0n;
    this.#bytes = 0;
    if (saved !== undefined && saved.length === 16) {
      const view = Buffer.from(saved);
      from = view.readBigUInt64BE(0);
      this.#bytes = Number(view.readBigUInt64BE(8));
    }
    for (const { value } of this.#store.latest.range('oplog', {
      start: toKey(from + 1n),
      end: END_KEY,
    })) {
      this.#bytes += value.length;
    }
  }

  async #saveSize(): Promise<void> {
    await this.#store.write(
      (batch) => {
        const saved = Buffer.allocUnsafe(16);
        saved.writeBigUInt64BE(this.#last, 0);
        saved.writeBigUInt64BE(BigInt(this.#bytes), 8);
        batch.put('oplog', SIZE_KEY, saved);
      },
      { durable: false },
    );
  }

  #trimSoon(): void {
    if (this.#trimming) return;
    this.#trimming = true;
    this.trim()
      .catch(() => undefined)
      .finally(() => {
        this.#trimming = false;
      });
  }

  /** Removes what is beyond the bounds of size and age; the newest entry always stays. */
  async trim(): Promise<void> {
    for (;;) {
      const removed = await this.#store.write((batch) => this.#trimChunk(batch), {
        durable: false,
      });
      this.#findOldest();
      if (removed < TRIM_CHUNK) break;
    }
    await this.#saveSize();
  }

  #trimChunk(batch: WriteBatch): number {
    const oldestKept = BigInt(Math.floor((Date.now() - this.#maxAgeMs) / 1000)) << 32n;
    const keys: Uint8Array[] = [];
    for (const { key, value } of batch.range('oplog', { end: END_KEY })) {
      const position = fromKey(key);
      const beyond = this.#bytes > this.#maxBytes || position < oldestKept;
      if (!beyond || position >= this.#committed || keys.length >= TRIM_CHUNK) break;
      keys.push(key);
      this.#bytes -= value.length;
    }
    for (const key of keys) batch.remove('oplog', key);
    return keys.length;
  }
}

interface RecentEntry {
  readonly position: Position;
  readonly bytes: Uint8Array;
  decoded: OplogEntry | undefined;
}
