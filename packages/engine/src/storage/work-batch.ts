import type { KeyLocks, LockOwner } from './key-locks.ts';
import { tableKeyText } from './key-text.ts';
import {
  counterKey,
  decodeCounters,
  encodeCounters,
  type LmdbTables,
  readRange,
  readValue,
} from './lmdb-view.ts';
import {
  type Counters,
  type Entry,
  KeyLockedError,
  type RangeOptions,
  type StoreChange,
  type Table,
  type WriteBatch,
} from './store.ts';

interface CounterChange {
  count: number;
  bytes: number;
}

/**
 * The batch of one work inside the LMDB transaction of its group. It writes through and keeps what
 * was there before, so that one work can be undone without its neighbours: LMDB's nested
 * transactions cost several times as much for small works (measured: 4 µs against 1 µs a write).
 */
export class WorkBatch implements WriteBatch {
  readonly #tables: LmdbTables;
  readonly #locks: KeyLocks;
  readonly #steps: StoreChange[] = [];
  readonly #changes = new Map<number, CounterChange>();
  readonly #undoActions: (() => void)[] = [];
  readonly #committedActions: (() => void)[] = [];
  #blockedBy: LockOwner | undefined;
  /** The transaction that commits into this batch: its own keys are no obstacle. */
  committing: LockOwner | undefined;

  constructor(tables: LmdbTables, locks: KeyLocks) {
    this.#tables = tables;
    this.#locks = locks;
  }

  /** What it has changed, in order. */
  get changes(): readonly StoreChange[] {
    return this.#steps;
  }

  /** The transaction whose key this work met, if it met one. */
  get blockedBy(): LockOwner | undefined {
    return this.#blockedBy;
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    return readValue(this.#tables[table], key);
  }

  range(table: Table, options: RangeOptions): Iterable<Entry> {
    return readRange(this.#tables[table], options);
  }

  put(table: Table, key: Uint8Array, value: Uint8Array, previous?: Uint8Array | null): void {
    this.#prepare(table, key, value, previous);
    this.#write(table, key, value);
  }

  remove(table: Table, key: Uint8Array, previous?: Uint8Array | null): void {
    this.#prepare(table, key, null, previous);
    this.#erase(table, key);
  }

  putShared(table: Table, key: Uint8Array, value: Uint8Array): void {
    const previous = readValue(this.#tables[table], key) ?? null;
    this.#steps.push({ table, key, value, previous });
    this.#write(table, key, value);
  }

  counters(id: number): Counters {
    const stored = decodeCounters(this.get('counters', counterKey(id)));
    const change = this.#changes.get(id);
    if (change === undefined) return stored;
    return { count: stored.count + change.count, bytes: stored.bytes + change.bytes };
  }

  addCounters(id: number, count: number, bytes: number): void {
    const change = this.#changes.get(id);
    if (change === undefined) {
      this.#changes.set(id, { count, bytes });
    } else {
      change.count += count;
      change.bytes += bytes;
    }
  }

  onUndo(undo: () => void): void {
    this.#undoActions.push(undo);
  }

  onCommitted(action: () => void): void {
    this.#committedActions.push(action);
  }

  /** Writes the counters; to be called when the work has ended well. */
  finish(): void {
    for (const [id, change] of this.#changes) {
      if (change.count === 0 && change.bytes === 0) continue;
      const key = counterKey(id);
      const previous = this.get('counters', key);
      const stored = decodeCounters(previous);
      const value = encodeCounters({
        count: stored.count + change.count,
        bytes: stored.bytes + change.bytes,
      });
      this.#steps.push({ table: 'counters', key, value, previous: previous ?? null });
      this.#write('counters', key, value);
    }
  }

  /** Takes back all writes of this work inside the open LMDB transaction. */
  undo(): void {
    for (const { table, key, previous } of this.#steps.reverse()) {
      if (previous === null) this.#erase(table, key);
      else this.#write(table, key, previous);
    }
    this.runUndoActions();
  }

  /** To be called alone when LMDB has dropped the writes itself. */
  runUndoActions(): void {
    for (const undo of this.#undoActions.reverse()) undo();
  }

  runCommittedActions(): void {
    for (const action of this.#committedActions) action();
  }

  #prepare(
    table: Table,
    key: Uint8Array,
    value: Uint8Array | null,
    previous: Uint8Array | null | undefined,
  ): void {
    if (!this.#locks.isEmpty) this.#checkLock(table, key);
    const before = previous === undefined ? readValue(this.#tables[table], key) : previous;
    this.#steps.push({ table, key, value, previous: before ?? null });
  }

  #checkLock(table: Table, key: Uint8Array): void {
    const owner = this.#locks.ownerOf(tableKeyText(table, key));
    if (owner === undefined || owner === this.committing) return;
    this.#blockedBy = owner;
    throw new KeyLockedError();
  }

  // Inside an LMDB transaction these calls act at once; the promises they answer are settled ones.
  #write(table: Table, key: Uint8Array, value: Uint8Array): void {
    void this.#tables[table].put(key, value);
  }

  #erase(table: Table, key: Uint8Array): void {
    void this.#tables[table].remove(key);
  }
}
