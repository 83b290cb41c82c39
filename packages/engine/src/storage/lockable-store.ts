import type {
  Interruption,
  ReadView,
  Snapshot,
  Store,
  TransactionBatch,
  WriteBatch,
  WriteOptions,
} from './store.ts';

interface Waiter {
  readonly resume: () => void;
}

/**
 * A store whose writes can be held back while reads go on, so that its file may be copied
 * (manual, "fsync"). Locks are counted: writes go on when each has been released.
 */
export class LockableStore implements Store {
  readonly #store: Store;
  readonly #waiting = new Set<Waiter>();
  #locks = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  get latest(): ReadView {
    return this.#store.latest;
  }

  get sizeOnDisk(): number {
    return this.#store.sizeOnDisk;
  }

  get lockCount(): number {
    return this.#locks;
  }

  /**
   * Holds writes back, once all before it are on the disk.
   *
   * @returns how many locks there are now
   */
  async lock(): Promise<number> {
    // before the flush: what comes while it runs waits already
    this.#locks += 1;
    try {
      await this.#store.write(() => undefined, { durable: true });
    } catch (error) {
      this.unlock();
      throw error;
    }
    return this.#locks;
  }

  /** @returns how many locks are left */
  unlock(): number {
    if (this.#locks > 0) this.#locks -= 1;
    if (this.#locks === 0) {
      for (const { resume } of [...this.#waiting]) resume();
    }
    return this.#locks;
  }

  unlockAll(): void {
    while (this.#locks > 0) this.unlock();
  }

  snapshot(): Snapshot {
    return this.#store.snapshot();
  }

  write<T>(work: (batch: WriteBatch) => T, options: WriteOptions): Promise<T> {
    if (this.#locks === 0) return this.#store.write(work, options);
    return this.#wait(options.interruption).then(() => this.write(work, options));
  }

  #wait(interruption: Interruption | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#waiting.delete(waiter);
        unsubscribe?.();
      };
      const waiter: Waiter = {
        resume: () => {
          finish();
          resolve();
        },
      };
      this.#waiting.add(waiter);
      const unsubscribe = interruption?.subscribe((reason) => {
        finish();
        reject(reason);
      });
    });
  }

  begin(): TransactionBatch {
    return this.#store.begin();
  }

  close(): Promise<void> {
    this.unlockAll();
    return this.#store.close();
  }
}
