import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { KeyLocks } from './key-locks.ts';
import type { LmdbTables } from './lmdb-view.ts';
import { KeyLockedError, type WriteBatch, type WriteOptions } from './store.ts';
import { WorkBatch } from './work-batch.ts';

/** Runs a function inside an LMDB transaction; `committed` and `flushed` follow in this order. */
export interface GroupCommit {
  readonly committed: Promise<void>;
  readonly flushed: Promise<void>;
}

interface QueuedWork {
  readonly run: (batch: WriteBatch) => unknown;
  readonly options: WriteOptions;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface FinishedWork {
  readonly work: QueuedWork;
  readonly batch: WorkBatch;
  readonly result: unknown;
}

/** LMDB's and the operating system's numbers for "no space left". */
const NO_SPACE_CODES = new Set([28, 122, 27, -30792]);
const NO_SPACE_TEXT = /no space|ENOSPC|MDB_MAP_FULL|quota|file too large/i;

/** What LMDB makes of a write that the file system took only in part. */
const IO_ERROR = 5;

/**
 * A failure of LMDB as the client is told of it.
 *
 * @param isDiskFull - asked when the error alone does not tell
 */
export function toStorageError(error: unknown, isDiskFull: () => boolean): Error {
  if (error instanceof MongoCommandError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const isNoSpace =
    NO_SPACE_TEXT.test(message) ||
    (typeof code === 'number' && NO_SPACE_CODES.has(code)) ||
    (code === IO_ERROR && isDiskFull());
  if (isNoSpace) {
    return new MongoCommandError('OutOfDiskSpace', `Write failed: ${message}`);
  }
  return new MongoCommandError('InternalError', `Write failed: ${message}`);
}

/** lmdb tells the cause of a failed commit by a promise on the error. */
async function causeOf(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error;
  try {
    await error.commitError;
  } catch (cause) {
    return cause;
  }
  return error;
}

/**
 * Group commit: the works that are queued when LMDB hands over its writer run in order inside one
 * transaction. One group at a time: the next gathers while this one is being flushed.
 */
export class WriteQueue {
  readonly #tables: LmdbTables;
  readonly #begin: (run: () => void) => GroupCommit;
  readonly #isDiskFull: () => boolean;
  readonly locks: KeyLocks = new KeyLocks();
  #queued: QueuedWork[] = [];
  #commits = 0;
  #isBusy = false;
  #isClosed = false;
  #idle: (() => void)[] = [];

  constructor(
    tables: LmdbTables,
    begin: (run: () => void) => GroupCommit,
    isDiskFull: () => boolean,
  ) {
    this.#tables = tables;
    this.#begin = begin;
    this.#isDiskFull = isDiskFull;
  }

  /** How many groups have been committed. */
  get commits(): number {
    return this.#commits;
  }

  add<T>(run: (batch: WriteBatch) => T, options: WriteOptions): Promise<T> {
    if (this.#isClosed) {
      return Promise.reject(new MongoCommandError('ShutdownInProgress', 'The engine is closing'));
    }
    return new Promise<T>((resolve, reject) => {
      this.#queued.push({ run, options, resolve: (value) => resolve(value as T), reject });
      this.#start();
    });
  }

  /** Takes no more work; resolves when what was queued is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isBusy) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #start(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    void this.#runGroups();
  }

  async #runGroups(): Promise<void> {
    while (this.#queued.length > 0) await this.#runGroup();
    this.#isBusy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #runGroup(): Promise<void> {
    const finished: FinishedWork[] = [];
    const taken: QueuedWork[] = [];
    let flushed: Promise<void>;
    try {
      const group = this.#begin(() => {
        taken.push(...this.#queued.splice(0));
        for (const work of taken) this.#runWork(work, finished);
      });
      flushed = group.flushed;
      await group.committed;
    } catch (error) {
      await this.#failGroup(taken, finished, error);
      return;
    }
    this.#commits += 1;
    const answered = finished.filter(runCommittedActions);
    answer(answered, false);
    if (!answered.some(({ work }) => work.options.durable)) return;
    try {
      await flushed;
      answer(answered, true);
    } catch (error) {
      // readable already, so nothing is undone; only that it will last cannot be promised
      const failure = toStorageError(error, this.#isDiskFull);
      for (const { work } of answered) if (work.options.durable) work.reject(failure);
    }
  }

  async #failGroup(taken: QueuedWork[], finished: FinishedWork[], error: unknown): Promise<void> {
    // LMDB gave no transaction at all: what waits for it would wait in vain
    if (taken.length === 0) taken.push(...this.#queued.splice(0));
    const failure = toStorageError(await causeOf(error), this.#isDiskFull);
    for (const { batch } of finished.reverse()) batch.runUndoActions();
    for (const work of taken) work.reject(failure);
  }

  #runWork(work: QueuedWork, finished: FinishedWork[]): void {
    const batch = new WorkBatch(this.#tables, this.locks);
    try {
      work.options.signal?.throwIfAborted();
      const result = work.run(batch);
      if (batch.blockedBy !== undefined) throw new KeyLockedError();
      batch.finish();
      finished.push({ work, batch, result });
    } catch (error) {
      this.#undoWork(work, batch, error);
    }
  }

  /** If even the undoing fails, LMDB fails the commit of the whole group. */
  #undoWork(work: QueuedWork, batch: WorkBatch, error: unknown): void {
    try {
      batch.undo();
    } finally {
      if (batch.blockedBy !== undefined) this.#wait(work, batch.blockedBy);
      else work.reject(error);
    }
  }

  #wait(work: QueuedWork, owner: { onRelease(action: () => void): void }): void {
    const { signal } = work.options;
    let isWaiting = true;
    const onAbort = (): void => {
      isWaiting = false;
      work.reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    owner.onRelease(() => {
      signal?.removeEventListener('abort', onAbort);
      if (!isWaiting) return;
      this.#queued.push(work);
      this.#start();
    });
  }
}

/** False when an action failed: its writer is told, though the write stays. */
function runCommittedActions({ work, batch }: FinishedWork): boolean {
  try {
    batch.runCommittedActions();
    return true;
  } catch (error) {
    work.reject(error);
    return false;
  }
}

function answer(finished: readonly FinishedWork[], durable: boolean): void {
  for (const { work, result } of finished) {
    if (work.options.durable === durable) work.resolve(result);
  }
}
