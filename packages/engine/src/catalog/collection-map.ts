import type { ReadView, TransactionBatch, WriteBatch } from '../storage/store.ts';
import type { Collection } from './collection.ts';

function asTransaction(view: ReadView): TransactionBatch | undefined {
  return 'isTransaction' in view ? (view as TransactionBatch) : undefined;
}

/** Collections by name. What a transaction makes is seen by the transaction alone till it commits. */
export class CollectionMap {
  readonly #databases = new Map<string, Map<string, Collection>>();
  readonly #ofTransactions = new WeakMap<TransactionBatch, Map<string, Collection>>();

  find(view: ReadView, database: string, name: string): Collection | undefined {
    const shared = this.#databases.get(database)?.get(name);
    if (shared !== undefined) return shared;
    const transaction = asTransaction(view);
    if (transaction === undefined) return undefined;
    return this.#ofTransactions.get(transaction)?.get(`${database}.${name}`);
  }

  databases(view: ReadView): string[] {
    const names = new Set(this.#databases.keys());
    for (const { database } of this.#own(view)) names.add(database);
    return [...names];
  }

  inDatabase(view: ReadView, database: string): Collection[] {
    const shared = this.#databases.get(database)?.values() ?? [];
    return [...shared, ...this.#own(view).filter((one) => one.database === database)];
  }

  all(): Collection[] {
    return [...this.#databases.values()].flatMap((names) => [...names.values()]);
  }

  /** Forgets all collections and answers them. */
  clear(): Collection[] {
    const known = this.all();
    this.#databases.clear();
    return known;
  }

  /** Enters a collection that was read from the store. */
  load(collection: Collection): void {
    let database = this.#databases.get(collection.database);
    if (database === undefined) {
      database = new Map();
      this.#databases.set(collection.database, database);
    }
    database.set(collection.name, collection);
  }

  add(batch: WriteBatch, collection: Collection): void {
    const transaction = asTransaction(batch);
    if (transaction !== undefined) {
      this.#addToTransaction(transaction, collection);
      return;
    }
    this.load(collection);
    const { database, name } = collection;
    batch.onUndo(() => this.#delete(database, name));
  }

  remove(batch: WriteBatch, collection: Collection): void {
    const { database, name } = collection;
    this.#delete(database, name);
    batch.onUndo(() => {
      const names = this.#databases.get(database) ?? new Map<string, Collection>();
      names.set(name, collection);
      this.#databases.set(database, names);
    });
  }

  #own(view: ReadView): Collection[] {
    const transaction = asTransaction(view);
    if (transaction === undefined) return [];
    return [...(this.#ofTransactions.get(transaction)?.values() ?? [])];
  }

  #addToTransaction(transaction: TransactionBatch, collection: Collection): void {
    let own = this.#ofTransactions.get(transaction);
    if (own === undefined) {
      own = new Map();
      this.#ofTransactions.set(transaction, own);
      const made = own;
      transaction.beforeCommit((batch) => {
        for (const one of made.values()) this.add(batch, one);
      });
    }
    own.set(collection.namespace, collection);
  }

  #delete(database: string, name: string): void {
    const names = this.#databases.get(database);
    names?.delete(name);
    if (names?.size === 0) this.#databases.delete(database);
  }
}
