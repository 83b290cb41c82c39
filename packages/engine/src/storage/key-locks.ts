/** Who holds a key until a transaction is over, and who waits for that. */
export class KeyLocks {
  readonly #owners = new Map<string, LockOwner>();

  get isEmpty(): boolean {
    return this.#owners.size === 0;
  }

  ownerOf(key: string): LockOwner | undefined {
    return this.#owners.get(key);
  }

  take(key: string, owner: LockOwner): void {
    this.#owners.set(key, owner);
  }

  release(keys: Iterable<string>): void {
    for (const key of keys) this.#owners.delete(key);
  }
}

/** A transaction as the locks see it. */
export interface LockOwner {
  /** Calls `action` once the owner's keys are free. */
  onRelease(action: () => void): void;
}
