import { statfsSync } from 'node:fs';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { StoreChange } from './store.ts';

/** With more than this left, single writes are not measured. */
const PLENTY_BYTES = 1024 * 1024 * 1024;
/** Kept for writes that remove more than they add, so that a full database can be emptied. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** With less than this left, a write that failed half way failed for want of space. */
const FULL_BYTES = 32 * 1024 * 1024;
const LOOK_EVERY_MS = 100;
const PAGE_BYTES = 4096;
const ENTRY_BYTES = 16;
const REMOVAL_BYTES = 256;
/** Branch pages, the list of free pages and what else a commit writes. */
const COMMIT_BYTES = 256 * 1024;

/** What a file system says of itself; handed in by tests. */
export type FreeBytes = () => number;

/**
 * Keeps writes that the disk cannot take away from LMDB. LMDB itself survives a full disk, but lmdb
 * 3.5 writes the message of a failed write into 100 bytes, whatever its length, and a process has
 * been seen to end by it; so it must not come to that.
 */
export class DiskRoom {
  readonly #freeBytes: FreeBytes;
  readonly #reusableBytes: () => number;
  #left = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  /**
   * @param freeBytes - what the file system can still give
   * @param reusableBytes - what is free inside of the data file; asked only when little is left
   */
  constructor(freeBytes: FreeBytes, reusableBytes: () => number) {
    this.#freeBytes = freeBytes;
    this.#reusableBytes = reusableBytes;
  }

  get isFull(): boolean {
    return this.#freeBytes() < FULL_BYTES;
  }

  /** To be called before each group of writes, outside of its transaction. */
  look(): void {
    const now = performance.now();
    if (this.#left > PLENTY_BYTES && now - this.#lookedAtMs < LOOK_EVERY_MS) return;
    this.#lookedAtMs = now;
    this.#left = this.#freeBytes();
    if (this.#left <= PLENTY_BYTES) this.#left += this.#reusableBytes() - COMMIT_BYTES;
  }

  /**
   * Admits the changes of one work to the group that is being written.
   *
   * @throws OutOfDiskSpace
   */
  take(changes: readonly StoreChange[]): void {
    if (this.#left > PLENTY_BYTES) return;
    const cost = costOf(changes);
    const reserve = makesRoom(changes) ? 0 : RESERVE_BYTES;
    if (cost > this.#left - reserve) {
      throw new MongoCommandError(
        'OutOfDiskSpace',
        `Write failed: the disk has no room for ${Math.ceil(cost / 1024)} KiB more`,
      );
    }
    this.#left -= cost;
  }
}

/** The most that changes may need on the disk. */
function costOf(changes: readonly StoreChange[]): number {
  let cost = 0;
  for (const { table, key, value, previous } of changes) {
    // what is removed lies close together most often
    if (value === null) {
      cost += REMOVAL_BYTES;
      continue;
    }
    const bytes = key.length + value.length;
    // new records and the log go to the end, where pages are shared; the rest may go anywhere
    const isAppended = previous === null && (table === 'records' || table === 'oplog');
    cost += bytes > PAGE_BYTES / 2 || !isAppended ? bytes + PAGE_BYTES : bytes + ENTRY_BYTES;
  }
  return cost;
}

/** True when more is removed than added. */
function makesRoom(changes: readonly StoreChange[]): boolean {
  let growth = 0;
  for (const { key, value, previous } of changes) {
    if (value !== null) growth += key.length + value.length;
    if (previous !== null) growth -= key.length + previous.length;
  }
  return growth < 0;
}

/** Bytes that a folder's file system has for this process; Infinity where it does not tell. */
export function freeBytesOf(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
