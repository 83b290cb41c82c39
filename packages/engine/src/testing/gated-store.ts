import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type {
  ReadView,
  Snapshot,
  Store,
  TransactionBatch,
  WriteBatch,
  WriteOptions,
} from '../storage/store.ts';

export function notPrimary(): MongoCommandError {
  return new MongoCommandError('NotWritablePrimary', 'not primary');
}

export function steppedDown(): MongoCommandError {
  return new MongoCommandError(
    'PrimarySteppedDown',
    'Primary stepped down while waiting for replication',
  );
}

/** A member's store as its engine sees it: writable only while the member is primary. */
export class GatedStore implements Store {
  readonly #store: Store;
  readonly #isWritable: () => boolean;

  constructor(store: Store, isWritable: () => boolean) {
    this.#store = store;
    this.#isWritable = isWritable;
  }

  get latest(): ReadView {
    return this.#store.latest;
  }

  get sizeOnDisk(): number {
    return this.#store.sizeOnDisk;
  }

  snapshot(): Snapshot {
    return this.#store.snapshot();
  }

  write<T>(work: (batch: WriteBatch) => T, options: WriteOptions): Promise<T> {
    if (!this.#isWritable()) return Promise.reject(notPrimary());
    return this.#store.write((batch) => {
      // work waits in a queue: the member may have stepped down since
      if (!this.#isWritable()) throw notPrimary();
      return work(batch);
    }, options);
  }

  begin(): TransactionBatch {
    if (!this.#isWritable()) throw notPrimary();
    return this.#store.begin();
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
