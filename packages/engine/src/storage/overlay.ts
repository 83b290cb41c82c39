import { keyText } from './key-text.ts';
import type { Entry, RangeOptions } from './store.ts';

/** A key written by a transaction. */
export interface OverlayEntry {
  readonly text: string;
  readonly key: Uint8Array;
  /** Null: removed. */
  value: Uint8Array | null;
  /** What the transaction's snapshot holds. */
  readonly base: Uint8Array | null;
  /** Written by `putShared`. */
  readonly shared: boolean;
}

/** The index of the first entry whose key is not less than `text`. */
function lowerBound(entries: readonly OverlayEntry[], text: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle] as OverlayEntry).text < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The keys of one table that a transaction has written, on top of another view of the table. */
export class Overlay {
  readonly #entries = new Map<string, OverlayEntry>();
  #sorted: OverlayEntry[] | undefined = [];

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  find(key: Uint8Array): OverlayEntry | undefined {
    return this.#entries.size === 0 ? undefined : this.#entries.get(keyText(key));
  }

  add(entry: OverlayEntry): void {
    this.#entries.set(entry.text, entry);
    this.#sorted = undefined;
  }

  [Symbol.iterator](): Iterator<OverlayEntry> {
    return this.#entries.values();
  }

  /** The entries of a range in the order of travel, as they are now. */
  slice(options: RangeOptions): OverlayEntry[] {
    this.#sorted ??= [...this.#entries.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
    const sorted = this.#sorted;
    let from = 0;
    if (options.start !== undefined) {
      const start = keyText(options.start);
      from = lowerBound(sorted, start);
      if (options.startExclusive === true && sorted[from]?.text === start) from++;
    }
    const to = options.end === undefined ? sorted.length : lowerBound(sorted, keyText(options.end));
    const slice = sorted.slice(from, to);
    return options.reverse === true ? slice.reverse() : slice;
  }

  /** `below` with the overlay's puts added and its removals left out. */
  *merge(below: Iterable<Entry>, options: RangeOptions): Generator<Entry, void, undefined> {
    const own = this.slice(options);
    const sign = options.reverse === true ? -1 : 1;
    let next = 0;
    for (const entry of below) {
      let order = -1;
      while (next < own.length) {
        const candidate = own[next] as OverlayEntry;
        order = Buffer.compare(candidate.key, entry.key) * sign;
        if (order > 0) break;
        next++;
        if (candidate.value !== null) yield { key: candidate.key, value: candidate.value };
        if (order === 0) break;
      }
      if (order !== 0) yield entry;
    }
    for (; next < own.length; next++) {
      const { key, value } = own[next] as OverlayEntry;
      if (value !== null) yield { key, value };
    }
  }
}
