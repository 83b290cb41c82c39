import { randomFillSync } from 'node:crypto';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { Cursor, type CursorFields } from './cursor.ts';

const SWEEP_INTERVAL_MS = 4_000;

/** The open cursors of the engine, and their end by idleness. */
export class CursorRegistry {
  readonly #cursors = new Map<bigint, Cursor>();
  readonly #sweeper: NodeJS.Timeout;
  /** Server parameter `cursorTimeoutMillis`; MongoDB's default is ten minutes. */
  timeoutMs = 600_000;
  timedOut = 0;
  totalOpened = 0;

  constructor() {
    this.#sweeper = setInterval(() => this.#closeIdle(), SWEEP_INTERVAL_MS);
    this.#sweeper.unref();
  }

  /** A cursor that is not yet in the registry: most results end with their first batch. */
  prepare(fields: CursorFields): Cursor {
    return new Cursor(newCursorId(), fields);
  }

  keep(cursor: Cursor): void {
    cursor.lastUsedAtMs = Date.now();
    this.totalOpened += 1;
    this.#cursors.set(cursor.id, cursor);
  }

  get(id: bigint): Cursor | undefined {
    return this.#cursors.get(id);
  }

  /** Closes a cursor, and interrupts the operation that is drawing from it. */
  remove(cursor: Cursor): void {
    this.#cursors.delete(cursor.id);
    cursor.pinnedBy?.interrupt(
      new MongoCommandError('CursorKilled', `cursor id ${cursor.id} was killed`),
    );
    cursor.close();
  }

  /** Ends cursors over what is gone: who asks for more is told why, once. */
  failWhere(predicate: (cursor: Cursor) => boolean, failure: MongoCommandError): void {
    for (const cursor of [...this.#cursors.values()]) {
      if (!predicate(cursor)) continue;
      cursor.failure = failure;
      cursor.pinnedBy?.interrupt(failure);
      cursor.close();
    }
  }

  removeWhere(predicate: (cursor: Cursor) => boolean): void {
    for (const cursor of [...this.#cursors.values()]) {
      if (predicate(cursor)) this.remove(cursor);
    }
  }

  all(): Iterable<Cursor> {
    return this.#cursors.values();
  }

  get size(): number {
    return this.#cursors.size;
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.removeWhere(() => true);
  }

  #closeIdle(): void {
    const oldest = Date.now() - this.timeoutMs;
    for (const cursor of [...this.#cursors.values()]) {
      const busy = cursor.pinnedBy !== undefined;
      if (!busy && !cursor.noTimeout && cursor.lastUsedAtMs < oldest) {
        this.timedOut += 1;
        this.remove(cursor);
      }
    }
  }
}

// taken in bulk: each find needs an id, and a call into the random generator costs more than the rest
const randomPool = Buffer.alloc(4096);
let usedOfPool = randomPool.length;

/** Random, so that a client cannot guess another's; positive, because drivers read it signed. */
function newCursorId(): bigint {
  if (usedOfPool === randomPool.length) {
    randomFillSync(randomPool);
    usedOfPool = 0;
  }
  const id = randomPool.readBigUInt64LE(usedOfPool) & 0x7fff_ffff_ffff_ffffn;
  usedOfPool += 8;
  return id === 0n ? 1n : id;
}
