import { prefixEnd } from '../storage/key-text.ts';
import type { Store, Table, WriteBatch } from '../storage/store.ts';
import { FLAG_PREFIX } from './index.ts';
import { keySpace } from './store-keys.ts';

const PREFIX = 'd';
const CHUNK = 2000;

function garbageKey(id: number): Buffer {
  const key = Buffer.allocUnsafe(5);
  key.write(PREFIX, 0);
  key.writeUInt32BE(id, 1);
  return key;
}

function removeSome(batch: WriteBatch, table: Table, start: Buffer, end: Buffer): number {
  const keys: Uint8Array[] = [];
  for (const { key } of batch.range(table, { start, end, keysOnly: true })) {
    if (keys.length >= CHUNK) break;
    keys.push(key);
  }
  for (const key of keys) batch.remove(table, key);
  return keys.length;
}

/**
 * Clears away what dropped collections and indexes leave behind, a chunk at a time, so that a drop
 * is quick whatever the size. Ids wait in the store: the work survives a crash.
 */
export class Garbage {
  readonly #store: Store;
  readonly #waiting: number[] = [];
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Takes up what was left when the engine ended; answers the greatest id met. */
  load(): number {
    const start = Buffer.from(PREFIX);
    let last = 0;
    this.#waiting.length = 0;
    for (const { key } of this.#store.latest.range('catalog', { start, end: prefixEnd(start) })) {
      last = Buffer.from(key).readUInt32BE(1);
      this.#waiting.push(last);
    }
    this.#start();
    return last;
  }

  /** Gives up everything stored under these ids. */
  add(batch: WriteBatch, ids: readonly number[]): void {
    for (const id of ids) batch.put('catalog', garbageKey(id), Buffer.of(1));
    batch.onCommitted(() => {
      this.#waiting.push(...ids);
      this.#start();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  #start(): void {
    if (this.#running !== undefined || this.#isClosed) return;
    this.#running = this.#run()
      // what is left is taken up again with the next drop or start
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #run(): Promise<void> {
    for (let id = this.#waiting[0]; id !== undefined; id = this.#waiting[0]) {
      while (!this.#isClosed && !(await this.#clearSome(id)));
      if (this.#isClosed) return;
      this.#waiting.shift();
    }
  }

  #clearSome(id: number): Promise<boolean> {
    const { prefix, end } = keySpace(id);
    return this.#store.write(
      (batch) => {
        const removed =
          removeSome(batch, 'records', prefix, end) + removeSome(batch, 'index', prefix, end);
        if (removed > 0) return false;
        const flags = Buffer.concat([Buffer.from(FLAG_PREFIX), prefix]);
        removeSome(batch, 'catalog', flags, Buffer.concat([Buffer.from(FLAG_PREFIX), end]));
        batch.remove('counters', prefix);
        batch.remove('catalog', garbageKey(id));
        return true;
      },
      { durable: false },
    );
  }
}
