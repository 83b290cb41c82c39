import type { Document, RawDocument } from '../bson/value.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { runSliced, SLICE_MS } from '../lib/sliced.ts';
import type { Operation } from '../session/operation.ts';

const ITEMS_PER_CLOCK_LOOK = 128;

/** Visits all items, giving other work its turn; a promise only when it takes longer than a slice. */
export function visitAll<T>(
  operation: Operation,
  items: Iterable<T | Pause>,
  visit: (item: T) => void,
): Promise<void> | undefined {
  const iterator = items[Symbol.iterator]();
  return runSliced(() => {
    operation.check();
    const end = performance.now() + SLICE_MS;
    for (let turn = 1; ; turn++) {
      const { done, value } = iterator.next();
      if (done) return true;
      if (value !== PAUSE) visit(value as T);
      const isLookDue = value === PAUSE || turn % ITEMS_PER_CLOCK_LOOK === 0;
      if (isLookDue && performance.now() > end) return false;
    }
  });
}

/** All documents of a stream. */
export function readAll(
  operation: Operation,
  items: Iterable<Document | RawDocument | Pause>,
): (Document | RawDocument)[] | Promise<(Document | RawDocument)[]> {
  const found: (Document | RawDocument)[] = [];
  const later = visitAll<Document | RawDocument>(operation, items, (item) => found.push(item));
  return later === undefined ? found : later.then(() => found);
}
