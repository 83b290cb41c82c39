/** The least `size` of many entries in an order, without keeping the others: a bounded heap. */
export class TopEntries<T> {
  private readonly size: number;
  private readonly compare: (left: T, right: T) => number;
  /** Greatest entry first. */
  private readonly heap: T[] = [];

  constructor(size: number, compare: (left: T, right: T) => number) {
    this.size = size;
    this.compare = compare;
  }

  add(entry: T): void {
    const { heap } = this;
    if (heap.length < this.size) {
      heap.push(entry);
      this.raise(heap.length - 1);
    } else if (this.compare(entry, heap[0] as T) < 0) {
      heap[0] = entry;
      this.sink(0);
    }
  }

  private raise(start: number): void {
    const { heap } = this;
    const entry = heap[start] as T;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.compare(entry, heap[parent] as T) <= 0) break;
      heap[i] = heap[parent] as T;
      i = parent;
    }
    heap[i] = entry;
  }

  private sink(start: number): void {
    const { heap } = this;
    const entry = heap[start] as T;
    let i = start;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.compare(heap[child + 1] as T, heap[child] as T) > 0) {
        child++;
      }
      if (this.compare(heap[child] as T, entry) <= 0) break;
      heap[i] = heap[child] as T;
      i = child;
    }
    heap[i] = entry;
  }

  /** The entries in order. */
  sorted(): T[] {
    return this.heap.toSorted(this.compare);
  }
}
