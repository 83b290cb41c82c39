import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { KeyLocks, LockOwner } from './key-locks.ts';
import { keyText, tableKeyText } from './key-text.ts';
import { sameValue } from './lmdb-view.ts';
import { Overlay, type OverlayEntry } from './overlay.ts';
import type {
  Counters,
  Entry,
  RangeOptions,
  ReadView,
  Snapshot,
  Table,
  TransactionBatch,
  WriteBatch,
} from './store.ts';
import { WorkBatch } from './work-batch.ts';

function writeConflict(): MongoCommandError {
  return new MongoCommandError(
    'WriteConflict',
    'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.',
    { labels: ['TransientTransactionError'] },
  );
}

/**
 * A transaction that keeps its writes in memory until it commits. The first writer of a key holds
 * it: another transaction that writes it fails at once, and so does one whose snapshot is older
 * than the key's present value.
 */
export class OverlayTransaction implements TransactionBatch, LockOwner {
  readonly isTransaction = true;
  readonly #snapshot: Snapshot;
  readonly #latest: ReadView;
  readonly #locks: KeyLocks;
  readonly #overlays = new Map<Table, Overlay>();
  readonly #locked: string[] = [];
  readonly #changes = new Map<number, { count: number; bytes: number }>();
  readonly #undoActions: (() => void)[] = [];
  readonly #committedActions: (() => void)[] = [];
  readonly #beforeCommitActions: ((batch: WriteBatch) => void)[] = [];
  readonly #releaseActions: (() => void)[] = [];
  #isOpen = true;

  constructor(snapshot: Snapshot, latest: ReadView, locks: KeyLocks) {
    this.#snapshot = snapshot;
    this.#latest = latest;
    this.#locks = locks;
  }

  get(table: Table, key: Uint8Array): Uint8Array | undefined {
    const entry = this.#overlays.get(table)?.find(key);
    if (entry !== undefined) return entry.value ?? undefined;
    return this.#snapshot.get(table, key);
  }

  range(table: Table, options: RangeOptions): Iterable<Entry> {
    const below = this.#snapshot.range(table, options);
    const overlay = this.#overlays.get(table);
    return overlay === undefined || overlay.isEmpty ? below : overlay.merge(below, options);
  }

  counters(id: number): Counters {
    const stored = this.#snapshot.counters(id);
    const change = this.#changes.get(id);
    if (change === undefined) return stored;
    return { count: stored.count + change.count, bytes: stored.bytes + change.bytes };
  }

  put(table: Table, key: Uint8Array, value: Uint8Array, previous?: Uint8Array | null): void {
    this.#set(table, key, value, previous);
  }

  remove(table: Table, key: Uint8Array, previous?: Uint8Array | null): void {
    this.#set(table, key, null, previous);
  }

  putShared(table: Table, key: Uint8Array, value: Uint8Array): void {
    this.#assertOpen();
    this.#overlay(table).add({ text: keyText(key), key, value, base: null, shared: true });
  }

  addCounters(id: number, count: number, bytes: number): void {
    const change = this.#changes.get(id) ?? { count: 0, bytes: 0 };
    change.count += count;
    change.bytes += bytes;
    this.#changes.set(id, change);
  }

  onUndo(undo: () => void): void {
    this.#undoActions.push(undo);
  }

  onCommitted(action: () => void): void {
    this.#committedActions.push(action);
  }

  beforeCommit(action: (batch: WriteBatch) => void): void {
    this.#beforeCommitActions.push(action);
  }

  onRelease(action: () => void): void {
    if (this.#isOpen) this.#releaseActions.push(action);
    else action();
  }

  commit(batch: WriteBatch): void {
    this.#assertOpen();
    if (!(batch instanceof WorkBatch)) throw new TypeError('a transaction commits into a write');
    batch.committing = this;
    for (const action of this.#beforeCommitActions) action(batch);
    this.#validate(batch);
    for (const [table, overlay] of this.#overlays) {
      for (const entry of overlay) applyEntry(batch, table, entry);
    }
    for (const [id, { count, bytes }] of this.#changes) batch.addCounters(id, count, bytes);
    batch.committing = undefined;
    batch.onCommitted(() => {
      this.#close();
      for (const action of this.#committedActions) action();
    });
  }

  abort(): void {
    if (!this.#isOpen) return;
    for (const undo of this.#undoActions.reverse()) undo();
    this.#close();
  }

  #set(
    table: Table,
    key: Uint8Array,
    value: Uint8Array | null,
    previous: Uint8Array | null | undefined,
  ): void {
    this.#assertOpen();
    const overlay = this.#overlay(table);
    const known = overlay.find(key);
    if (known !== undefined && !known.shared) {
      known.value = value;
      return;
    }
    const base = previous === undefined ? (this.#snapshot.get(table, key) ?? null) : previous;
    const lock = tableKeyText(table, key);
    if (this.#locks.ownerOf(lock) !== undefined) throw writeConflict();
    if (!sameValue(this.#latest.get(table, key), base)) throw writeConflict();
    this.#locks.take(lock, this);
    this.#locked.push(lock);
    overlay.add({ text: keyText(key), key, value, base, shared: false });
  }

  /**
   * A write that was running when this transaction took its key is seen only now. Compared with the
   * remembered values, because inside a write LMDB answers no reads of older snapshots.
   */
  #validate(batch: WriteBatch): void {
    for (const [table, overlay] of this.#overlays) {
      for (const entry of overlay) {
        if (entry.shared) continue;
        if (!sameValue(batch.get(table, entry.key), entry.base)) throw writeConflict();
      }
    }
  }

  #overlay(table: Table): Overlay {
    let overlay = this.#overlays.get(table);
    if (overlay === undefined) {
      overlay = new Overlay();
      this.#overlays.set(table, overlay);
    }
    return overlay;
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new Error('the transaction is over');
  }

  #close(): void {
    this.#isOpen = false;
    this.#snapshot.close();
    this.#locks.release(this.#locked);
    for (const action of this.#releaseActions) action();
  }
}

function applyEntry(batch: WriteBatch, table: Table, entry: OverlayEntry): void {
  const { key, value, base } = entry;
  if (value === null) {
    if (base !== null) batch.remove(table, key, base);
  } else if (entry.shared) {
    batch.putShared(table, key, value);
  } else {
    batch.put(table, key, value, base);
  }
}
