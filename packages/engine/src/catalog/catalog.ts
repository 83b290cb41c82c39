import { randomBytes } from 'node:crypto';
import { valuesEqual } from '../bson/compare.ts';
import { Binary, type Document, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument } from '../query/describe.ts';
import type { ReadView, Store, WriteBatch } from '../storage/store.ts';
import { collectionKey, encodeCollection, loadCollections } from './catalog-entry.ts';
import { Collection, type CollectionState } from './collection.ts';
import { CollectionMap } from './collection-map.ts';
import { checkCollectionOptions, keptOptions, typeOfOptions } from './collection-options.ts';
import { Garbage } from './garbage.ts';
import type { Index } from './index.ts';
import { matchesExistingIndex } from './index-conflict.ts';
import { sameKeyPattern } from './index-key-pattern.ts';
import { type IndexSpec, MAX_INDEXES, parseIndexSpec } from './index-spec.ts';
import { checkCollectionName } from './namespace.ts';
import { type CatalogOptions, OptionsCompiler, withFullCollation } from './options-compiler.ts';

export interface CollectionStats {
  readonly count: number;
  /** Sum of the documents' sizes in BSON. */
  readonly bytes: number;
  /** Bytes of the keys by index name. */
  readonly indexBytes: ReadonlyMap<string, number>;
  /** Number of keys by index name. */
  readonly indexKeys: ReadonlyMap<string, number>;
}

export interface NewIndexes {
  readonly before: number;
  readonly after: number;
  readonly created: readonly Index[];
}

const UUID_SUBTYPE = 4;

function randomUuid(): Binary {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  return new Binary(bytes, UUID_SUBTYPE);
}

/** Names of databases and collections, with their options and indexes. */
export class Catalog {
  readonly #store: Store;
  readonly #compiler: OptionsCompiler;
  readonly #collections = new CollectionMap();
  readonly #garbage: Garbage;
  #lastId = 0;

  private constructor(store: Store, options: CatalogOptions) {
    this.#store = store;
    this.#compiler = new OptionsCompiler(options);
    this.#garbage = new Garbage(store);
  }

  /** Reads the catalog of a store. */
  static open(store: Store, options: CatalogOptions = {}): Catalog {
    const catalog = new Catalog(store, options);
    catalog.#load();
    return catalog;
  }

  /** Reads the catalog again: the store was changed by other means than this object. */
  reload(): void {
    const before = this.#collections.clear();
    this.#load();
    const present = new Set(this.#collections.all().map(({ id }) => id));
    for (const collection of before) collection.isDropped = !present.has(collection.id);
  }

  /** Waits for the clearing of dropped collections, as far as it has come to. */
  close(): Promise<void> {
    return this.#garbage.close();
  }

  // ------------------------------------------------------------ reading

  /** The collection or view of a name. */
  find(view: ReadView, database: string, name: string): Collection | undefined {
    return this.#collections.find(view, database, name);
  }

  /** @throws NamespaceNotFound */
  get(view: ReadView, database: string, name: string): Collection {
    const collection = this.find(view, database, name);
    if (collection !== undefined) return collection;
    throw new MongoCommandError('NamespaceNotFound', `ns does not exist: ${database}.${name}`);
  }

  findByUuid(view: ReadView, database: string, uuid: Binary): Collection | undefined {
    return this.collections(view, database).find((one) => valuesEqual(one.uuid, uuid));
  }

  /** Names of the databases that have collections, in order. */
  databases(view: ReadView): string[] {
    return this.#collections.databases(view).sort();
  }

  /** Collections and views of a database, ordered by name. */
  collections(view: ReadView, database: string): Collection[] {
    return this.#collections.inDatabase(view, database).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  stats(view: ReadView, collection: Collection): CollectionStats {
    const { count, bytes } = view.counters(collection.id);
    const indexBytes = new Map<string, number>();
    const indexKeys = new Map<string, number>();
    for (const index of collection.indexes) {
      const counters = view.counters(index.id);
      indexBytes.set(index.name, counters.bytes);
      indexKeys.set(index.name, counters.count);
    }
    return { count, bytes, indexBytes, indexKeys };
  }

  // ------------------------------------------------------------ collections

  /**
   * Makes a collection or view; one that is there already with the same options is answered.
   *
   * @throws NamespaceExists, InvalidNamespace, InvalidOptions …
   */
  create(
    batch: WriteBatch,
    database: string,
    name: string,
    options: Document = new Map(),
  ): Collection {
    checkCollectionName(database, name);
    checkCollectionOptions(options);
    const kept = withFullCollation(keptOptions(options));
    const existing = this.find(batch, database, name);
    if (existing !== undefined) return acceptExisting(existing, kept);
    this.#checkDatabaseCase(batch, database);
    const uuid = options.get('uuid');
    const state: CollectionState = {
      database,
      name,
      uuid: uuid instanceof Binary ? uuid : randomUuid(),
      options: kept,
      indexes: [],
      ...this.#compiler.compileOptions(kept),
    };
    const indexes =
      typeOfOptions(kept) === 'collection' ? [this.#compiler.idIndex(this.#nextId(), state)] : [];
    const collection = new Collection(this.#nextId(), { ...state, indexes }, 0);
    this.#save(batch, collection);
    this.#collections.add(batch, collection);
    return collection;
  }

  /** The collection of a name, which is made when there is none, as inserts do. */
  ensure(batch: WriteBatch, database: string, name: string): Collection {
    return this.find(batch, database, name) ?? this.create(batch, database, name);
  }

  /** Drops a collection or view; its documents are cleared away later. */
  drop(batch: WriteBatch, collection: Collection): void {
    batch.remove('catalog', collectionKey(collection.namespace));
    this.#garbage.add(batch, [collection.id, ...collection.indexes.map(({ id }) => id)]);
    this.#collections.remove(batch, collection);
    collection.isDropped = true;
    batch.onUndo(() => {
      collection.isDropped = false;
    });
  }

  /** Drops all collections and views of a database and answers them. */
  dropDatabase(batch: WriteBatch, database: string): Collection[] {
    const collections = this.collections(batch, database);
    for (const collection of collections) this.drop(batch, collection);
    return collections;
  }

  /**
   * Renames a collection; one of the new name is dropped when `dropTarget` is set.
   *
   * @throws NamespaceExists, IllegalOperation
   */
  rename(
    batch: WriteBatch,
    collection: Collection,
    database: string,
    name: string,
    options: { readonly dropTarget?: boolean } = {},
  ): void {
    checkCollectionName(database, name);
    const target = this.find(batch, database, name);
    if (target === collection) {
      throw new MongoCommandError(
        'IllegalOperation',
        `Can't rename a collection to itself: ${collection.namespace}`,
      );
    }
    if (target !== undefined) {
      if (options.dropTarget !== true) {
        throw new MongoCommandError('NamespaceExists', 'target namespace exists');
      }
      this.drop(batch, target);
    }
    this.#collections.remove(batch, collection);
    batch.remove('catalog', collectionKey(collection.namespace));
    this.#setState(batch, collection, { ...collection.state, database, name });
    this.#collections.add(batch, collection);
  }

  /** Replaces a collection's options (collMod). */
  setOptions(batch: WriteBatch, collection: Collection, options: Document): void {
    const kept = keptOptions(options);
    this.#setState(batch, collection, {
      ...collection.state,
      options: kept,
      ...this.#compiler.compileOptions(kept),
    });
  }

  // ------------------------------------------------------------ indexes

  /** The index of a name. */
  findIndex(collection: Collection, name: string): Index | undefined {
    return collection.indexes.find((index) => index.name === name);
  }

  /** Indexes with a key pattern; several where their options differ. */
  indexesWithKey(collection: Collection, key: Document): Index[] {
    return collection.indexes.filter((index) => sameKeyPattern(index.keyPattern, key));
  }

  /**
   * The specifications among `specs` that are not there yet, checked.
   *
   * @throws CannotCreateIndex, IndexOptionsConflict, IndexKeySpecsConflict …
   */
  newIndexSpecs(collection: Collection, specs: readonly Document[]): IndexSpec[] {
    const known = collection.indexes.map(({ spec }) => spec);
    const wanted: IndexSpec[] = [];
    for (const document of specs) {
      const spec = parseIndexSpec(this.#compiler.withCollation(document, collection));
      if (!matchesExistingIndex(spec, known)) {
        known.push(spec);
        wanted.push(spec);
      }
    }
    if (known.length > MAX_INDEXES) {
      const key = describeDocument(wanted.at(-1)?.key ?? new Map());
      throw new MongoCommandError(
        'CannotCreateIndex',
        `add index fails, too many indexes for ${collection.namespace} key:${key}`,
      );
    }
    return wanted;
  }

  /** Enters indexes into the catalog, empty; `index-build.ts` fills them. */
  addIndexes(
    batch: WriteBatch,
    collection: Collection,
    specs: readonly IndexSpec[],
    options: { readonly isReady: boolean },
  ): Index[] {
    const added = specs.map((spec) => {
      const index = this.#compiler.makeIndex(this.#nextId(), spec);
      index.isReady = options.isReady;
      return index;
    });
    const indexes = [...collection.indexes, ...added];
    this.#setState(batch, collection, { ...collection.state, indexes });
    return added;
  }

  /** Lets built indexes be used. */
  markReady(batch: WriteBatch, collection: Collection, indexes: readonly Index[]): void {
    for (const index of indexes) index.isReady = true;
    batch.onUndo(() => {
      for (const index of indexes) index.isReady = false;
    });
    this.#save(batch, collection);
  }

  /** Takes indexes out of a collection; their keys are cleared away later. */
  dropIndexes(batch: WriteBatch, collection: Collection, dropped: readonly Index[]): void {
    const gone = new Set(dropped);
    const indexes = collection.indexes.filter((index) => !gone.has(index));
    this.#setState(batch, collection, { ...collection.state, indexes });
    for (const index of dropped) {
      index.isDropped = true;
      batch.onUndo(() => {
        index.isDropped = false;
      });
    }
    this.#garbage.add(
      batch,
      dropped.map(({ id }) => id),
    );
  }

  /**
   * Changes an index's options (collMod: expireAfterSeconds, hidden, unique).
   *
   * @param changes - `undefined` takes an option away
   */
  changeIndex(
    batch: WriteBatch,
    collection: Collection,
    index: Index,
    changes: ReadonlyMap<string, Value | undefined>,
  ): Index {
    const document: Document = new Map(index.spec.document);
    for (const [field, value] of changes) {
      if (value === undefined) document.delete(field);
      else document.set(field, value);
    }
    const changed = this.#compiler.makeIndex(index.id, { ...index.spec, document }, index);
    changed.isReady = index.isReady;
    const indexes = collection.indexes.map((one) => (one === index ? changed : one));
    this.#setState(batch, collection, { ...collection.state, indexes });
    return changed;
  }

  // ------------------------------------------------------------ inner parts

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #checkDatabaseCase(view: ReadView, database: string): void {
    const lower = database.toLowerCase();
    const other = this.#collections
      .databases(view)
      .find((name) => name !== database && name.toLowerCase() === lower);
    if (other === undefined) return;
    throw new MongoCommandError(
      'Location13297',
      `db already exists with different case already have: [${other}] trying to create [${database}]`,
    );
  }
  #setState(batch: WriteBatch, collection: Collection, state: CollectionState): void {
    const before = collection.state;
    collection.state = state;
    batch.onUndo(() => {
      collection.state = before;
    });
    this.#save(batch, collection);
  }

  #save(batch: WriteBatch, collection: Collection): void {
    batch.put('catalog', collectionKey(collection.namespace), encodeCollection(collection));
  }

  #load(): void {
    const { collections, lastId } = loadCollections(this.#store.latest, this.#compiler);
    for (const collection of collections) this.#collections.load(collection);
    this.#lastId = Math.max(this.#lastId, lastId, this.#garbage.load());
    this.#dropUnfinished(collections);
  }

  /** The engine ended during these builds, which have to be asked for again. */
  #dropUnfinished(collections: readonly Collection[]): void {
    const isUnfinished = (index: Index): boolean => !index.isReady;
    const affected = collections.filter(({ indexes }) => indexes.some(isUnfinished));
    if (affected.length === 0) return;
    const dropped = this.#store.write(
      (batch) => {
        for (const collection of affected) {
          this.dropIndexes(batch, collection, collection.indexes.filter(isUnfinished));
        }
      },
      { durable: false },
    );
    // they stay unread, and the next start tries again
    dropped.catch(() => undefined);
  }
}

function acceptExisting(existing: Collection, wanted: Document): Collection {
  const options: Document = new Map(existing.options);
  if (valuesEqual(sorted(options), sorted(wanted))) return existing;
  throw new MongoCommandError(
    'NamespaceExists',
    existing.type === 'view'
      ? `namespace ${existing.namespace} already exists, but is a view on ${existing.database}.${String(existing.options.get('viewOn'))} rather than a collection`
      : `namespace ${existing.namespace} already exists, but with different options: ${describeDocument(existing.options)}`,
  );
}

function sorted(options: Document): Document {
  return new Map([...options].sort(([a], [b]) => (a < b ? -1 : 1)));
}
