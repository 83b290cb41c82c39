import { Binary, type Document, toDocument } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { Position } from '../oplog/oplog-entry.ts';
import type { Store } from '../storage/store.ts';
import type { CursorRegistry } from './cursor-registry.ts';
import type { OperationRegistry } from './operation.ts';
import { findOldRecords } from './retry-record.ts';
import { Session } from './session.ts';
import type { HeldSnapshot, Transaction } from './transaction.ts';

/** MongoDB's logicalSessionTimeoutMinutes. */
export const SESSION_TIMEOUT_MINUTES = 30;
const SWEEP_INTERVAL_MS = 60_000;
/** Twice an hour all records are looked through for forgotten ones. */
const SWEEPS_PER_SEARCH = 30;
const RECORDS_PER_REMOVAL = 500;
/** How long a snapshot read outside transactions keeps its snapshot for those that follow. */
const SNAPSHOT_LIFETIME_MS = 60_000;
const MAX_HELD_SNAPSHOTS = 64;
const UUID_BYTES = 16;

/** The sessions the engine knows, their transactions, and the snapshots their reads share. */
export class SessionRegistry {
  readonly #store: Store;
  readonly #cursors: CursorRegistry;
  readonly #operations: OperationRegistry;
  readonly #sessions = new Map<string, Session>();
  readonly #snapshots = new Map<Position, HeldSnapshot & { timer: NodeJS.Timeout }>();
  readonly #sweeper: NodeJS.Timeout;
  /** Sessions that are over and may have left a record of their last write. */
  #ended: string[] = [];
  #sweeps = 0;
  /** Server parameter `transactionLifetimeLimitSeconds`. */
  transactionLifetimeMs = 60_000;

  constructor(store: Store, cursors: CursorRegistry, operations: OperationRegistry) {
    this.#store = store;
    this.#cursors = cursors;
    this.#operations = operations;
    this.#sweeper = setInterval(() => this.#expire(), SWEEP_INTERVAL_MS);
    this.#sweeper.unref();
  }

  /** The session of a command's `lsid`, made when it is new. */
  use(lsid: Document): Session {
    const id = lsid.get('id');
    checkFields(lsid);
    if (!(id instanceof Binary) || id.sub_type !== Binary.SUBTYPE_UUID) {
      throw new MongoCommandError(
        'TypeMismatch',
        "BSON field 'OperationSessionInfo.lsid.id' is the wrong type, expected type 'binData'",
      );
    }
    if (id.length() !== UUID_BYTES) {
      throw new MongoCommandError(
        'InvalidUUID',
        'uuid must be a 16-byte binary field with UUID (4) subtype',
      );
    }
    const key = keyOf(id);
    let session = this.#sessions.get(key);
    if (session === undefined) {
      session = new Session(key, id, toDocument({ id }));
      this.#sessions.set(key, session);
    }
    session.lastUsedAtMs = Date.now();
    return session;
  }

  find(key: string): Session | undefined {
    return this.#sessions.get(key);
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  get size(): number {
    return this.#sessions.size;
  }

  /** The session is over: its transaction is aborted, its cursors are closed. */
  end(key: string): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    session.transaction?.abort();
    this.#cursors.removeWhere((cursor) => cursor.sessionKey === key);
    this.#sessions.delete(key);
    if (session.lastTransactionNumber >= 0n) this.#ended.push(key);
  }

  /** As `end`, and what runs in it is interrupted; the session itself may be used on. */
  kill(key: string): void {
    const session = this.#sessions.get(key);
    session?.transaction?.abort();
    this.#cursors.removeWhere((cursor) => cursor.sessionKey === key);
    for (const operation of this.#operations.all()) {
      if (operation.sessionKey === key) operation.interrupt();
    }
  }

  /** Ends a transaction that reached its time limit. */
  expireTransaction(session: Session, transaction: Transaction): void {
    transaction.abort();
    this.#closeTransactionCursors(session, transaction);
  }

  #closeTransactionCursors(session: Session, transaction: Transaction): void {
    this.#cursors.removeWhere(
      (cursor) =>
        cursor.sessionKey === session.key && cursor.transactionNumber === transaction.number,
    );
  }

  /** Cursors opened inside a transaction end with it. */
  closeTransactionCursors(session: Session, transaction: Transaction): void {
    this.#closeTransactionCursors(session, transaction);
  }

  /**
   * The snapshot at `position`, which must be held already or be the present.
   *
   * @throws SnapshotTooOld for a moment whose snapshot is not held any more
   */
  snapshotAt(position: Position, present: Position): HeldSnapshot {
    const held = this.#snapshots.get(position);
    if (held !== undefined) {
      held.timer.refresh();
      return held;
    }
    if (position < present) {
      throw new MongoCommandError(
        'SnapshotTooOld',
        'Read timestamp is older than the oldest available timestamp.',
      );
    }
    return this.#hold(position);
  }

  #hold(position: Position): HeldSnapshot {
    if (this.#snapshots.size >= MAX_HELD_SNAPSHOTS) {
      const [oldest] = this.#snapshots.keys();
      if (oldest !== undefined) this.#release(oldest);
    }
    const timer = setTimeout(() => this.#release(position), SNAPSHOT_LIFETIME_MS);
    timer.unref();
    const held = { position, snapshot: this.#store.snapshot(), timer };
    this.#snapshots.set(position, held);
    return held;
  }

  #release(position: Position): void {
    const held = this.#snapshots.get(position);
    if (held === undefined) return;
    clearTimeout(held.timer);
    this.#snapshots.delete(position);
    held.snapshot.close();
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const session of this.#sessions.values()) session.transaction?.abort();
    for (const position of [...this.#snapshots.keys()]) this.#release(position);
  }

  #expire(): void {
    const oldest = Date.now() - SESSION_TIMEOUT_MINUTES * 60_000;
    for (const session of [...this.#sessions.values()]) {
      if (session.lastUsedAtMs < oldest) this.end(session.key);
    }
    this.removeRecords(oldest).catch(() => undefined);
  }

  /**
   * Removes the records of sessions that are over, and now and then those of sessions that a process
   * before this one has served and that have not written since `oldestMs`.
   */
  async removeRecords(oldestMs: number): Promise<void> {
    const keys: Uint8Array[] = [];
    for (const key of this.#ended.splice(0)) {
      if (!this.#sessions.has(key)) keys.push(Buffer.from(key, 'hex'));
    }
    if (this.#sweeps % SWEEPS_PER_SEARCH === 0) {
      for (const key of findOldRecords(this.#store.latest, oldestMs)) {
        if (!this.#sessions.has(Buffer.from(key).toString('hex'))) keys.push(key);
      }
    }
    this.#sweeps += 1;
    for (let at = 0; at < keys.length; at += RECORDS_PER_REMOVAL) {
      const part = keys.slice(at, at + RECORDS_PER_REMOVAL);
      await this.#store.write(
        (batch) => {
          for (const key of part) batch.remove('sessions', key);
        },
        { durable: false },
      );
    }
  }
}

/** @throws Location40414, Location40415 for what is no id of a session */
function checkFields(lsid: Document): void {
  for (const name of lsid.keys()) {
    if (name === 'id' || name === 'uid' || name === 'txnNumber' || name === 'txnUUID') continue;
    throw new MongoCommandError(
      'Location40415',
      `BSON field 'OperationSessionInfo.lsid.${name}' is an unknown field.`,
    );
  }
  if (lsid.has('id')) return;
  throw new MongoCommandError(
    'Location40414',
    "BSON field 'OperationSessionInfo.lsid.id' is missing but a required field",
  );
}

/** The text under which a session is known inside the engine. */
export function keyOf(id: Binary): string {
  return Buffer.from(id.buffer.buffer, id.buffer.byteOffset, id.length()).toString('hex');
}
