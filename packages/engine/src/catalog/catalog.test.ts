import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeDocument } from '../bson/codec.ts';
import { type Document, toDocument, type Value } from '../bson/value.ts';
import { openLmdbStore } from '../storage/lmdb-store.ts';
import type { Store, WriteBatch } from '../storage/store.ts';
import { Catalog } from './catalog.ts';
import { checkStore } from './check-store.ts';
import type { Collection } from './collection.ts';
import {
  findById,
  firstRecord,
  insertDocument,
  removeDocument,
  replaceDocument,
  type StoredRecord,
} from './documents.ts';
import { buildIndexes, createIndexes } from './index-build.ts';

let folder: string;
let store: Store;
let catalog: Catalog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-catalog-'));
  store = await openLmdbStore(folder);
  catalog = Catalog.open(store);
});

afterEach(async () => {
  const { problems } = checkStore(store.latest, catalog);
  await catalog.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
  expect(problems).toEqual([]);
});

const write = <T>(work: (batch: WriteBatch) => T): Promise<T> =>
  store.write(work, { durable: false });

const document = (fields: Record<string, Value>): Document => toDocument(fields);

const insert = (
  batch: WriteBatch,
  collection: Collection,
  fields: Record<string, Value>,
): StoredRecord => insertDocument(batch, collection, encodeDocument(document(fields)));

const spec = (key: Record<string, Value>, options: Record<string, Value> = {}): Document =>
  document({
    v: 2,
    key: document(key),
    name: Object.entries(key)
      .map(([path, direction]) => `${path}_${direction}`)
      .join('_'),
    ...options,
  });

const makeIndex = (
  key: Record<string, Value>,
  options: Record<string, Value> = {},
): Promise<unknown> =>
  write((batch) =>
    createIndexes(batch, catalog, catalog.ensure(batch, 'db', 'c'), [spec(key, options)]),
  );

const indexKeys = (name: string): number | undefined =>
  catalog.stats(store.latest, catalog.get(store.latest, 'db', 'c')).indexKeys.get(name);

async function reopen(): Promise<void> {
  await catalog.close();
  await store.close();
  store = await openLmdbStore(folder);
  catalog = Catalog.open(store);
}

describe('Catalog', () => {
  it('keeps collections, options and indexes across a restart', async () => {
    await write((batch) => {
      catalog.create(batch, 'db', 'log', document({ capped: true, size: 1000 }));
      catalog.create(batch, 'db', 'v', document({ viewOn: 'c', pipeline: [] }));
      const collection = catalog.ensure(batch, 'db', 'c');
      createIndexes(batch, catalog, collection, [spec({ a: 1 }, { unique: true })]);
      insert(batch, collection, { _id: 1, a: [1, 2] });
    });
    const uuid = catalog.get(store.latest, 'db', 'c').uuid;
    await reopen();
    const names = catalog.collections(store.latest, 'db').map(({ name, type }) => [name, type]);
    expect(names).toEqual([
      ['c', 'collection'],
      ['log', 'collection'],
      ['v', 'view'],
    ]);
    const collection = catalog.get(store.latest, 'db', 'c');
    expect(collection.uuid).toEqual(uuid);
    expect(collection.indexes.map(({ name, unique }) => [name, unique])).toEqual([
      ['_id_', true],
      ['a_1', true],
    ]);
    expect(collection.indexes[1]?.flags.isMultikey).toBe(true);
    await write((batch) => insert(batch, collection, { _id: 2, a: 3 }));
    expect(catalog.stats(store.latest, collection).count).toBe(2);
  });

  it('takes back a collection whose batch failed', async () => {
    await expect(
      write((batch) => {
        catalog.create(batch, 'db', 'c');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(catalog.find(store.latest, 'db', 'c')).toBeUndefined();
    expect(catalog.databases(store.latest)).toEqual([]);
  });

  it('accepts a second create with the same options and refuses others', async () => {
    const options = document({ capped: true, size: 1000 });
    const first = await write((batch) => catalog.create(batch, 'db', 'c', options));
    expect(await write((batch) => catalog.create(batch, 'db', 'c', options))).toBe(first);
    await expect(write((batch) => catalog.create(batch, 'db', 'c'))).rejects.toMatchObject({
      code: 48,
    });
  });

  it('refuses bad names and options', async () => {
    const refused = async (name: string, options: Record<string, Value> = {}): Promise<unknown> =>
      write((batch) => catalog.create(batch, 'db', name, document(options))).catch(
        (error) => error.code,
      );
    expect(await refused('a$b')).toBe(73);
    expect(await refused('.a')).toBe(73);
    expect(await refused('system.own')).toBe(73);
    expect(await refused('a', { capped: true })).toBe(72);
    expect(await refused('a', { size: 10 })).toBe(72);
    expect(await refused('a', { nonsense: 1 })).toBe(40415);
    expect(await refused('a', { validationAction: 'x' })).toBe(2);
  });

  it('drops, renames and clears what is left', async () => {
    await write((batch) => {
      for (const name of ['a', 'b']) {
        const collection = catalog.create(batch, 'db', name);
        for (let i = 0; i < 50; i++) insert(batch, collection, { _id: i });
      }
    });
    const [a, b] = catalog.collections(store.latest, 'db') as [Collection, Collection];
    await expect(write((batch) => catalog.rename(batch, a, 'db', 'b'))).rejects.toMatchObject({
      code: 48,
    });
    await write((batch) => catalog.rename(batch, a, 'db', 'b', { dropTarget: true }));
    expect(b.isDropped).toBe(true);
    expect(catalog.collections(store.latest, 'db')).toEqual([a]);
    expect(a.namespace).toBe('db.b');
    await write((batch) => catalog.dropDatabase(batch, 'db'));
    expect(catalog.databases(store.latest)).toEqual([]);
    await reopen();
    while ([...store.latest.range('catalog', {})].length > 0) await write(() => undefined);
    expect([...store.latest.range('records', {})]).toEqual([]);
    expect([...store.latest.range('index', {})]).toEqual([]);
    expect([...store.latest.range('counters', {})]).toEqual([]);
  });

  it('shows a collection made in a transaction to others only when it commits', async () => {
    const transaction = store.begin();
    const collection = catalog.ensure(transaction, 'db', 'c');
    insert(transaction, collection, { _id: 1 });
    expect(catalog.find(store.latest, 'db', 'c')).toBeUndefined();
    expect(catalog.find(transaction, 'db', 'c')).toBe(collection);
    await write((batch) => transaction.commit(batch));
    expect(catalog.find(store.latest, 'db', 'c')).toBe(collection);
    expect(findById(store.latest, collection, 1)).toBeDefined();
  });

  it('fails a transaction whose collection is dropped before it commits', async () => {
    const collection = await write((batch) => catalog.create(batch, 'db', 'c'));
    const transaction = store.begin();
    insert(transaction, collection, { _id: 1 });
    await write((batch) => catalog.drop(batch, collection));
    await expect(write((batch) => transaction.commit(batch))).rejects.toMatchObject({ code: 112 });
    transaction.abort();
  });
});

describe('createIndexes', () => {
  const code = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => 0,
      (error) => error.code,
    );

  it('answers an index that is there and refuses one that contradicts it', async () => {
    await makeIndex({ a: 1 });
    expect(await code(makeIndex({ a: 1 }))).toBe(0);
    expect(await code(makeIndex({ a: 1 }, { name: 'other' }))).toBe(85);
    expect(await code(makeIndex({ a: 1 }, { expireAfterSeconds: 5 }))).toBe(85);
    expect(await code(makeIndex({ b: 1 }, { name: 'a_1' }))).toBe(86);
    expect(await code(makeIndex({ a: 1 }, { unique: true, name: 'u' }))).toBe(0);
  });

  it('refuses malformed specifications with the codes of MongoDB', async () => {
    expect(await code(makeIndex({}))).toBe(67);
    expect(await code(makeIndex({ a: 0 }))).toBe(67);
    expect(await code(makeIndex({ a: true }))).toBe(67);
    expect(await code(makeIndex({ a: 'x' }))).toBe(67);
    expect(await code(makeIndex({ '': 1 }))).toBe(67);
    expect(await code(makeIndex({ a: 1 }, { nonsense: 1 }))).toBe(197);
    expect(await code(makeIndex({ a: 1, b: 1 }, { expireAfterSeconds: 1 }))).toBe(67);
    expect(await code(makeIndex({ a: 'hashed' }, { unique: true }))).toBe(16764);
  });

  it('refuses a unique index over duplicates and leaves nothing behind', async () => {
    await write((batch) => {
      const collection = catalog.ensure(batch, 'db', 'c');
      for (let i = 0; i < 5; i++) insert(batch, collection, { _id: i, a: i % 4 });
    });
    expect(await code(makeIndex({ a: 1 }, { unique: true }))).toBe(11000);
    expect(catalog.get(store.latest, 'db', 'c').indexes).toHaveLength(1);
  });

  it('builds over many documents while others are written', async () => {
    const collection = await write((batch) => {
      const made = catalog.ensure(batch, 'db', 'c');
      for (let i = 0; i < 6000; i++) insert(batch, made, { _id: i, a: i, t: `text ${i}` });
      return made;
    });
    const built = buildIndexes(store, catalog, () => collection, [
      spec({ a: 1 }),
      spec({ t: -1 }, { unique: true }),
    ]);
    for (let i = 0; i < 200; i++) {
      await write((batch) => {
        const record = findById(batch, collection, i * 30);
        if (record === undefined) throw new Error('missing');
        if (i % 2 === 0) removeDocument(batch, collection, record);
        else {
          const changed = encodeDocument(document({ _id: i * 30, a: -i, t: `changed ${i}` }));
          replaceDocument(batch, collection, record, changed);
        }
        insert(batch, collection, { _id: 10_000 + i, a: 1, t: `new ${i}` });
      });
    }
    expect((await built).created).toHaveLength(2);
    expect(indexKeys('a_1')).toBe(6100);
  });
});

describe('documents', () => {
  it('keeps every index in step with inserts, replacements and removals', async () => {
    await makeIndex({ a: 1, b: -1 });
    await makeIndex({ 'x.y': 1 });
    await makeIndex({ h: 'hashed' });
    await makeIndex({ s: 1 }, { sparse: true });
    await makeIndex({ p: 1 }, { partialFilterExpression: document({ p: document({ $gt: 5 }) }) });
    await makeIndex({ '$**': 1 });
    const collection = catalog.get(store.latest, 'db', 'c');
    const records = await write((batch) => [
      insert(batch, collection, {
        _id: 1,
        a: [1, 2, 2],
        b: 1,
        x: [document({ y: 1 }), document({ y: [2, 3] }), 5],
      }),
      insert(batch, collection, { _id: 2, s: 1, p: 6, h: 'x' }),
      insert(batch, collection, { _id: 3, p: 1, x: [] }),
    ]);
    expect(indexKeys('a_1_b_-1')).toBe(4);
    expect(indexKeys('x.y_1')).toBe(6);
    expect(indexKeys('s_1')).toBe(1);
    expect(indexKeys('p_1')).toBe(1);
    expect(checkStore(store.latest, catalog).problems).toEqual([]);
    await write((batch) => {
      const [first, second, third] = records as [StoredRecord, StoredRecord, StoredRecord];
      replaceDocument(batch, collection, first, encodeDocument(document({ _id: 1, a: 9, s: 2 })));
      removeDocument(batch, collection, second);
      replaceDocument(batch, collection, third, encodeDocument(document({ _id: 3, p: 7 })));
    });
    expect(indexKeys('p_1')).toBe(1);
    expect(indexKeys('s_1')).toBe(1);
  });

  it('reports a duplicate with pattern and value, and writes nothing', async () => {
    await makeIndex({ a: 1, 'b.c': 1 }, { unique: true });
    const collection = catalog.get(store.latest, 'db', 'c');
    const fields = { _id: 1, a: 'x', b: document({ c: 2 }) };
    await write((batch) => insert(batch, collection, fields));
    await write((batch) => {
      expect(() => insert(batch, collection, { ...fields, _id: 2 })).toThrow(
        'E11000 duplicate key error collection: db.c index: a_1_b.c_1 dup key: { a: "x", b.c: 2 }',
      );
      try {
        insert(batch, collection, { ...fields, _id: 1, a: 'y' });
      } catch (error) {
        expect(error).toMatchObject({
          code: 11000,
          extra: new Map([
            ['keyPattern', document({ _id: 1 })],
            ['keyValue', document({ _id: 1 })],
          ]),
        });
      }
    });
    expect(catalog.stats(store.latest, collection).count).toBe(1);
  });

  it('refuses two arrays in one compound key', async () => {
    await makeIndex({ a: 1, b: 1 });
    const collection = catalog.get(store.latest, 'db', 'c');
    await expect(
      write((batch) => insert(batch, collection, { _id: 1, a: [1], b: [1] })),
    ).rejects.toMatchObject({ code: 171 });
  });

  it('takes keys longer than the store can hold', async () => {
    await makeIndex({ a: 1 }, { unique: true });
    const collection = catalog.get(store.latest, 'db', 'c');
    const long = 'x'.repeat(10_000);
    await write((batch) => {
      insert(batch, collection, { _id: 1, a: long });
      insert(batch, collection, { _id: 2, a: `${long}y` });
      expect(() => insert(batch, collection, { _id: 3, a: long })).toThrow('E11000');
    });
    expect(collection.indexes[1]?.flags.truncated).toBe(true);
  });

  it('drops the oldest documents of a capped collection', async () => {
    const collection = await write((batch) => {
      const options = document({ capped: true, size: 10_000, max: 3 });
      const capped = catalog.create(batch, 'db', 'capped', options);
      for (let i = 0; i < 10; i++) insert(batch, capped, { _id: i });
      return capped;
    });
    expect(catalog.stats(store.latest, collection).count).toBe(3);
    expect(firstRecord(store.latest, collection)?.bytes).toEqual(
      encodeDocument(document({ _id: 7 })),
    );
  });

  it('lets two transactions insert side by side, and only one take a unique key', async () => {
    const collection = await write((batch) => catalog.create(batch, 'db', 'c'));
    const first = store.begin();
    const second = store.begin();
    insert(first, collection, { _id: 1 });
    insert(second, collection, { _id: 2 });
    expect(() => insert(second, collection, { _id: 1 })).toThrow('Write conflict');
    second.abort();
    await write((batch) => first.commit(batch));
    expect(catalog.stats(store.latest, collection).count).toBe(1);
  });
});
