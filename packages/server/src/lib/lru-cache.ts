/** A bounded map that forgets what was used longest ago, and what is older than its time to live. */
export class LruCache<K, V> {
  private readonly entries = new Map<K, { readonly value: V; readonly expiresAtMs: number }>();
  private readonly maxEntries: number;
  private readonly ttlMs: number;
  private readonly sliding: boolean;
  private readonly now: () => number;

  /** @param options - `sliding`: each use starts the time to live anew */
  constructor(options: {
    readonly maxEntries: number;
    readonly ttlMs: number;
    readonly sliding?: boolean;
    readonly now?: () => number;
  }) {
    this.maxEntries = options.maxEntries;
    this.ttlMs = options.ttlMs;
    this.sliding = options.sliding ?? false;
    this.now = options.now ?? Date.now;
  }

  get(key: K): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    if (entry.expiresAtMs <= this.now()) return undefined;
    // back in at the young end
    this.entries.set(
      key,
      this.sliding ? { value: entry.value, expiresAtMs: this.now() + this.ttlMs } : entry,
    );
    return entry.value;
  }

  /** @param expiresAtMs - when the entry ends, if sooner than its time to live */
  set(key: K, value: V, expiresAtMs = Number.POSITIVE_INFINITY): void {
    this.entries.delete(key);
    this.entries.set(key, { value, expiresAtMs: Math.min(expiresAtMs, this.now() + this.ttlMs) });
    if (this.entries.size > this.maxEntries) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
  }

  delete(key: K): void {
    this.entries.delete(key);
  }

  clear(): void {
    this.entries.clear();
  }

  get size(): number {
    return this.entries.size;
  }
}
