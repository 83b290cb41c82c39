import type { Binary, Document } from '../bson/value.ts';
import type { RetryRecord } from './retry-record.ts';
import type { Transaction } from './transaction.ts';

/** A logical session (manual, "Server Sessions"): what one client does in order. */
export class Session {
  readonly key: string;
  readonly id: Binary;
  /** The lsid document as entries of the log carry it. */
  readonly lsid: Document;
  lastUsedAtMs = Date.now();
  /** The greatest transaction number seen, of a transaction or a retryable write; -1 for none. */
  lastTransactionNumber = -1n;
  transaction: Transaction | undefined;
  /** What the last retryable write did; undefined until loaded from the store. */
  retryRecord: RetryRecord | undefined;
  retryRecordLoaded = false;
  /** The tail of the queue of commands that carry a transaction number. */
  #queue: Promise<unknown> | undefined;

  constructor(key: string, id: Binary, lsid: Document) {
    this.key = key;
    this.id = id;
    this.lsid = lsid;
  }

  /** Runs `work` after the session's earlier numbered commands: one of them at a time. */
  runInOrder<T>(work: () => T | Promise<T>): T | Promise<T> {
    const before = this.#queue;
    if (before === undefined) {
      const result = work();
      if (!(result instanceof Promise)) return result;
      return this.#enqueue(result);
    }
    return this.#enqueue(before.then(work));
  }

  #enqueue<T>(result: Promise<T>): Promise<T> {
    const settled: Promise<unknown> = result.then(ignore, ignore).then(() => {
      if (this.#queue === settled) this.#queue = undefined;
    });
    this.#queue = settled;
    return result;
  }
}

function ignore(): void {
  // only the end of the command before matters, not how it ended
}
