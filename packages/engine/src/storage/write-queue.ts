import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { DiskRoom } from './disk-room.ts';
import { KeyLocks } from './key-locks.ts';
import type { LmdbTables } from './lmdb-view.ts';
import { KeyLockedError, type StoreChange, type WriteBatch, type WriteOptions } from './store.ts';
import { WorkBatch } from './work-batch.ts';

/** What becomes of a group; the three follow in this order. */
export interface GroupCommit {
  /** Readers see it, and the next group may begin. Never fails. */
  readonly visible: Promise<void>;
  /** Fails when LMDB could not commit or flush it. */
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

/** Groups that are visible but not yet on the disk, at most; more would only be smaller ones. */
const MAX_FLUSHING = 2;

/**
 * Group commit: the works that are queued when LMDB hands over its writer run in order inside one
 * transaction. Once a group is visible the next one runs while it is being flushed.
 */
export class WriteQueue {
  readonly #tables: LmdbTables;
  readonly #begin: (run: () => void) => GroupCommit;
  readonly #room: DiskRoom;
  readonly #observe: ((changes: readonly StoreChange[]) => void) | undefined;
  readonly locks: KeyLocks = new KeyLocks();
  #queued: QueuedWork[] = [];
  #commits = 0;
  #isBusy = false;
  #isClosed = false;
  #flushing = new Set<Promise<void>>();
  #idle: (() => void)[] = [];

  constructor(
    tables: LmdbTables,
    begin: (run: () => void) => GroupCommit,
    room: DiskRoom,
    observe?: (changes: readonly StoreChange[]) => void,
  ) {
    this.#tables = tables;
    this.#begin = begin;
    this.#room = room;
    this.#observe = observe;
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
    await Promise.all(this.#flushing);
  }

  #start(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    void this.#runGroups();
  }

  async #runGroups(): Promise<void> {
    while (this.#queued.length > 0) {
      if (this.#flushing.size >= MAX_FLUSHING) await Promise.race(this.#flushing);
      await this.#runGroup();
    }
    this.#isBusy = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #runGroup(): Promise<void> {
    const finished: FinishedWork[] = [];
    const taken: QueuedWork[] = [];
    let group: GroupCommit;
    try {
      this.#room.look();
      group = this.#begin(() => {
        taken.push(...this.#queued.splice(0));
        for (const work of taken) this.#runWork(work, finished);
      });
    } catch (error) {
      await this.#failGroup(taken, finished, error);
      return;
    }
    const failure = group.committed.then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    const early = await Promise.race([group.visible, failure]);
    if (early !== undefined) {
      await this.#failGroup(taken, finished, early.error);
      return;
    }
    this.#commits += 1;
    this.#tellObserver(finished);
    const answered = finished.filter(runCommittedActions);
    answer(answered, false);
    const flushing = this.#answerDurable(answered, failure, group.flushed);
    this.#flushing.add(flushing);
    void flushing.finally(() => this.#flushing.delete(flushing));
  }

  /** Never fails: what goes wrong is told to those who asked for durability. */
  async #answerDurable(
    answered: readonly FinishedWork[],
    failure: Promise<{ readonly error: unknown } | undefined>,
    flushed: Promise<void>,
  ): Promise<void> {
    try {
      const failed = await failure;
      if (failed !== undefined) throw await causeOf(failed.error);
      await flushed;
      answer(answered, true);
    } catch (error) {
      // readable already, so nothing is undone; only that it will last cannot be promised
      const told = toStorageError(error, () => this.#room.isFull);
      for (const { work } of answered) if (work.options.durable) work.reject(told);
    }
  }

  #tellObserver(finished: readonly FinishedWork[]): void {
    if (this.#observe === undefined) return;
    const changes = finished.flatMap(({ work, batch }) =>
      work.options.unobserved === true ? [] : batch.changes,
    );
    if (changes.length > 0) this.#observe(changes);
  }

  async #failGroup(taken: QueuedWork[], finished: FinishedWork[], error: unknown): Promise<void> {
    // LMDB gave no transaction at all: what waits for it would wait in vain
    if (taken.length === 0) taken.push(...this.#queued.splice(0));
    const failure = toStorageError(await causeOf(error), () => this.#room.isFull);
    for (const { batch } of finished.reverse()) batch.runUndoActions();
    for (const work of taken) work.reject(failure);
  }

  #runWork(work: QueuedWork, finished: FinishedWork[]): void {
    const batch = new WorkBatch(this.#tables, this.locks);
    try {
      work.options.interruption?.check();
      const result = work.run(batch);
      if (batch.blockedBy !== undefined) throw new KeyLockedError();
      batch.finish();
      this.#room.take(batch.changes);
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
    let isWaiting = true;
    const unsubscribe = work.options.interruption?.subscribe((reason) => {
      isWaiting = false;
      work.reject(reason);
    });
    owner.onRelease(() => {
      unsubscribe?.();
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
