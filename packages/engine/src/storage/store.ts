/**
 * What the rest of the engine knows of storage: ordered tables of bytes, atomic batches, snapshots
 * and multi-document transactions. `lmdb-store.ts` implements it.
 */

/** The fixed tables. Several collections or indexes share one: their keys start with an id. */
export type Table =
  | 'catalog'
  | 'records'
  | 'index'
  | 'counters'
  | 'oplog'
  | 'images'
  | 'sessions'
  | 'users'
  | 'meta';

export const TABLES: readonly Table[] = [
  'catalog',
  'records',
  'index',
  'counters',
  'oplog',
  'images',
  'sessions',
  'users',
  'meta',
];

export interface Entry {
  readonly key: Uint8Array;
  /** Empty when the range was asked for keys only. */
  readonly value: Uint8Array;
}

/** The keys from `start` up to but without `end`, whatever the direction of travel. */
export interface RangeOptions {
  readonly start?: Uint8Array | undefined;
  readonly end?: Uint8Array | undefined;
  /** Leaves out `start` itself. */
  readonly startExclusive?: boolean | undefined;
  /** From the last key to the first. */
  readonly reverse?: boolean | undefined;
  /** Spares the copying of values. */
  readonly keysOnly?: boolean | undefined;
}

/** Two numbers per id that many writers add to without conflict: documents and their bytes. */
export interface Counters {
  readonly count: number;
  readonly bytes: number;
}

/** Values given out are the caller's own copies. */
export interface ReadView {
  get(table: Table, key: Uint8Array): Uint8Array | undefined;
  /**
   * Reads in chunks and seeks again between them: on the latest view it holds nothing open, and
   * sees what is written behind its place meanwhile.
   */
  range(table: Table, options: RangeOptions): Iterable<Entry>;
  counters(id: number): Counters;
}

/**
 * Changes that happen together or not at all; reads see the batch's own writes. Keys and values
 * given to it must not be changed afterwards.
 */
export interface WriteBatch extends ReadView {
  /**
   * @param previous - what the key holds now, where the caller knows it (null: nothing); spares a
   * read
   */
  put(table: Table, key: Uint8Array, value: Uint8Array, previous?: Uint8Array | null): void;
  remove(table: Table, key: Uint8Array, previous?: Uint8Array | null): void;
  /** A put that any number of transactions may do at once: the same value whoever writes it. */
  putShared(table: Table, key: Uint8Array, value: Uint8Array): void;
  addCounters(id: number, count: number, bytes: number): void;
  /**
   * Runs `undo` when the batch is undone: its work threw, or its group could not be committed. Of a
   * transaction: when it is aborted, or its commit failed.
   */
  onUndo(undo: () => void): void;
  /** Runs `action` when the batch is committed and readable, before its writer is answered. */
  onCommitted(action: () => void): void;
}

export interface Snapshot extends ReadView {
  close(): void;
}

/** A multi-document transaction: a snapshot and its own writes on top of it. */
export interface TransactionBatch extends WriteBatch {
  readonly isTransaction: true;
  /**
   * Applies the transaction's writes to the batch of a write.
   *
   * @throws WriteConflict when another writer was faster after all
   */
  commit(batch: WriteBatch): void;
  abort(): void;
  /** Runs at the beginning of `commit`, for what waits outside the store to join its batch. */
  beforeCommit(action: (batch: WriteBatch) => void): void;
}

/** One key that a committed group has changed, with what it held before. */
export interface StoreChange {
  readonly table: Table;
  readonly key: Uint8Array;
  /** null: the key was removed. */
  readonly value: Uint8Array | null;
  readonly previous: Uint8Array | null;
}

export interface WriteOptions {
  /** Answer after the flush to the disk, so that not even loss of power undoes the write. */
  readonly durable: boolean;
  /** Ends the wait for a key that an open transaction holds. */
  readonly interruption?: Interruption | undefined;
  /** Whoever listens for committed changes is not told of this write. */
  readonly unobserved?: boolean | undefined;
}

/** What may end the wait of a write: a killed operation, a time limit. */
export interface Interruption {
  /** @throws the reason, when the write is not to begin any more */
  check(): void;
  /** Calls `listener` with the reason; the answer ends the subscription. Asked only when waiting. */
  subscribe(listener: (reason: unknown) => void): () => void;
}

export interface Store {
  readonly latest: ReadView;
  snapshot(): Snapshot;
  /**
   * Runs `work` in a later turn. All work queued by then runs in order inside one commit; what
   * throws is undone alone. Work that meets a key of an open transaction is undone and runs again
   * when the transaction is over, so it must not leave traces outside the batch but by the batch's
   * own `onUndo`.
   *
   * @throws OutOfDiskSpace when the group could not be committed for want of space
   */
  write<T>(work: (batch: WriteBatch) => T, options: WriteOptions): Promise<T>;
  begin(): TransactionBatch;
  /** Bytes of the data file. */
  readonly sizeOnDisk: number;
  close(): Promise<void>;
}

/**
 * Thrown out of a work that meets a key of an open transaction; the store catches it and waits.
 * Nobody else may swallow it, and where somebody did, the work is repeated all the same.
 */
export class KeyLockedError extends Error {
  constructor() {
    super('the key belongs to an open transaction');
    this.name = 'KeyLockedError';
  }
}
