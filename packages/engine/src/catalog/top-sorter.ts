import type { SortKey, SortPlan } from '../query/sort.ts';

interface Item<T> {
  readonly key: SortKey;
  readonly order: number;
  readonly value: T;
}

/**
 * Sorts values by key, equal ones in the order in which they came. With a limit it keeps no more
 * than that many: a heap with the last of them on top.
 */
export class TopSorter<T> {
  readonly #sort: SortPlan;
  readonly #limit: number;
  readonly #items: Item<T>[] = [];
  #added = 0;

  /** @param limit - 0 for none */
  constructor(sort: SortPlan, limit: number) {
    this.#sort = sort;
    this.#limit = limit;
  }

  add(key: SortKey, value: T): void {
    const item: Item<T> = { key, order: this.#added, value };
    this.#added += 1;
    if (this.#limit === 0) {
      this.#items.push(item);
    } else if (this.#items.length < this.#limit) {
      this.#items.push(item);
      this.#rise(this.#items.length - 1);
    } else if (this.#compare(item, this.#items[0] as Item<T>) < 0) {
      this.#items[0] = item;
      this.#sink();
    }
  }

  /** The values in order; the sorter is of no use afterwards. */
  *finish(): Generator<T, void, undefined> {
    this.#items.sort((a, b) => this.#compare(a, b));
    for (const { value } of this.#items) yield value;
  }

  #compare(a: Item<T>, b: Item<T>): number {
    return this.#sort.compareKeys(a.key, b.key) || a.order - b.order;
  }

  #rise(from: number): void {
    const items = this.#items;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (this.#compare(items[at] as Item<T>, items[above] as Item<T>) <= 0) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #sink(): void {
    const items = this.#items;
    let at = 0;
    for (;;) {
      let greatest = at;
      for (const below of [2 * at + 1, 2 * at + 2]) {
        const item = items[below];
        if (item !== undefined && this.#compare(item, items[greatest] as Item<T>) > 0) {
          greatest = below;
        }
      }
      if (greatest === at) return;
      this.#swap(at, greatest);
      at = greatest;
    }
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a] as Item<T>;
    this.#items[a] = this.#items[b] as Item<T>;
    this.#items[b] = item;
  }
}
