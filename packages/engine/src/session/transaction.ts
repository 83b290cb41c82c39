import type { Document } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { OplogOperation, Position } from '../oplog/oplog-entry.ts';
import type { Snapshot, TransactionBatch } from '../storage/store.ts';

export type TransactionState = 'in-progress' | 'committed' | 'aborted';

/**
 * A multi-document transaction: its snapshot with its own writes on top, and the log entries these
 * writes will make when it commits.
 */
export class Transaction {
  readonly number: bigint;
  readonly startedAtMs: number;
  readonly readPosition: Position;
  readonly readConcern: Document | undefined;
  readonly operations: OplogOperation[] = [];
  state: TransactionState = 'in-progress';
  /** The operationTime of its commit, answered again when the commit is repeated. */
  commitPosition: Position | undefined;
  #batch: TransactionBatch | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(fields: {
    number: bigint;
    readPosition: Position;
    readConcern: Document | undefined;
    begin: () => TransactionBatch | undefined;
    lifetimeMs: number;
    onExpire: (transaction: Transaction) => void;
  }) {
    this.number = fields.number;
    this.startedAtMs = Date.now();
    this.readPosition = fields.readPosition;
    this.readConcern = fields.readConcern;
    this.#batch = fields.begin();
    this.#timer = setTimeout(() => fields.onExpire(this), fields.lifetimeMs);
    this.#timer.unref();
  }

  /** One that has committed before this process knew it. */
  static ofCommitted(number: bigint, position: Position): Transaction {
    const transaction = new Transaction({
      number,
      readPosition: position,
      readConcern: undefined,
      begin: () => undefined,
      lifetimeMs: 1,
      onExpire: () => undefined,
    });
    transaction.markCommitted(position);
    return transaction;
  }

  /** @throws NoSuchTransaction when it is over */
  get batch(): TransactionBatch {
    if (this.#batch === undefined) throw abortedError(this.number);
    return this.#batch;
  }

  get isOpen(): boolean {
    return this.state === 'in-progress';
  }

  abort(): void {
    if (this.state !== 'in-progress') return;
    this.state = 'aborted';
    this.#batch?.abort();
    this.#end();
  }

  markCommitted(position: Position): void {
    this.state = 'committed';
    this.commitPosition = position;
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#batch = undefined;
    this.operations.length = 0;
  }
}

export function abortedError(number: bigint): MongoCommandError {
  return new MongoCommandError(
    'NoSuchTransaction',
    `Transaction with { txnNumber: ${number} } has been aborted.`,
  );
}

export function committedError(number: bigint): MongoCommandError {
  return new MongoCommandError(
    'TransactionCommitted',
    `Transaction with { txnNumber: ${number} } has been committed.`,
  );
}

/** A snapshot that reads outside of transactions share (read concern snapshot). */
export interface HeldSnapshot {
  readonly position: Position;
  readonly snapshot: Snapshot;
}
