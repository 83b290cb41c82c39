import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, Timestamp } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from './support/any-document.ts';
import { useEngine } from './support/engine.ts';

const test = useEngine();
const collection = () => test().client.db('crud').collection<AnyDocument>('things');

beforeEach(async () => {
  await collection().deleteMany({});
});

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('insert', () => {
  it('gives every BSON type back unchanged and fields in their order', async () => {
    const document = {
      _id: 1,
      z: new Int32(1),
      a: Long.fromString('9007199254740993'),
      d: new Double(1),
      e: Decimal128.fromString('1.10'),
      b: new Binary(Buffer.from([1, 2]), 128),
      t: new Timestamp({ t: 1, i: 2 }),
      r: /x/i,
      min: new MinKey(),
      max: new MaxKey(),
      2: 'two',
      1: 'one',
      nested: { $odd: 1, 'a.b': 2 },
    };
    await collection().insertOne(document as AnyDocument);
    const options = { promoteValues: false, promoteLongs: false } as const;
    const found = await collection().findOne({ _id: 1 }, options);
    expect(Object.keys(found ?? {})).toEqual(Object.keys(document));
    expect(found).toMatchObject({
      a: document.a,
      d: expect.any(Double),
      z: expect.any(Int32),
      e: document.e,
      b: { sub_type: 128 },
      t: document.t,
    });
  });

  it('reports every failure of an unordered insert and stores the rest', async () => {
    await collection().insertOne({ _id: 2 });
    const documents = [{ _id: 1 }, { _id: 2 }, { _id: 3 }, { _id: 3 }];
    const error = await failure(collection().insertMany(documents, { ordered: false }));
    expect(error).toMatchObject({ code: 11000, result: { insertedCount: 2 } });
    expect((error as { writeErrors: { index: number }[] }).writeErrors.map((e) => e.index)).toEqual(
      [1, 3],
    );
    expect(await collection().countDocuments()).toBe(3);
  });

  it('counts by pipeline what a read of the documents finds', async () => {
    await collection().createIndex({ n: 1 });
    await collection().insertMany(
      Array.from({ length: 50 }, (_, i) => ({ _id: i, n: i % 7, m: [i % 3, i % 5] })),
    );
    const filters = [{}, { n: 3 }, { n: { $gt: 2 }, m: 1 }, { m: 4 }, { _id: 7 }, { n: 'none' }];
    for (const filter of filters) {
      for (const options of [{}, { skip: 2 }, { limit: 5 }, { skip: 4, limit: 3 }, { skip: 99 }]) {
        const found = await collection().find(filter, options).toArray();
        expect(await collection().countDocuments(filter, options)).toBe(found.length);
      }
    }
    const group = (stage: object) =>
      collection()
        .aggregate([{ $match: { n: 3 } }, { $sort: { n: -1 } }, { $group: stage }])
        .toArray();
    expect(await group({ _id: null, total: { $sum: 1 } })).toEqual([{ _id: null, total: 7 }]);
    expect(await group({ _id: 1, total: { $sum: 2 } })).toEqual([{ _id: 1, total: 14 }]);
    expect(await group({ _id: 1, a: { $sum: 1 }, b: { $sum: '$n' } })).toEqual([
      { _id: 1, a: 7, b: 21 },
    ]);
    expect(await collection().countDocuments({}, { hint: 'n_1' })).toBe(50);
    expect(await test().client.db('crud').collection('none').countDocuments()).toBe(0);
  });

  it('stops an ordered insert at the first failure', async () => {
    const error = await failure(collection().insertMany([{ _id: 1 }, { _id: 1 }, { _id: 2 }]));
    expect(error).toMatchObject({ code: 11000 });
    expect(await collection().countDocuments()).toBe(1);
  });

  it('answers a duplicate with its key pattern and value', async () => {
    await collection().createIndex({ email: 1 }, { unique: true, sparse: true });
    await collection().insertOne({ email: 'a@b.c' });
    expect(await failure(collection().insertOne({ email: 'a@b.c' }))).toMatchObject({
      code: 11000,
      keyPattern: { email: 1 },
      keyValue: { email: 'a@b.c' },
    });
  });
});

describe('find', () => {
  beforeEach(async () => {
    const documents = Array.from({ length: 250 }, (_, i) => ({ _id: i, n: i % 10, s: `s${i}` }));
    await collection().insertMany(documents);
  });

  it.each([
    ['all', {}, {}, 250],
    ['a range', { _id: { $gte: 10, $lt: 20 } }, {}, 10],
    ['skip and limit', {}, { skip: 240, limit: 100 }, 10],
    ['a small batch size', {}, { batchSize: 7 }, 250],
    ['a negative limit', {}, { limit: -5 }, 5],
    ['a regular expression', { s: /^s1\d$/ }, {}, 10],
    ['$expr', { $expr: { $eq: ['$_id', { $multiply: ['$n', 2] }] } }, {}, 1],
  ])('reads %s', async (_, filter, options, count) => {
    expect(await collection().find(filter, options).toArray()).toHaveLength(count);
  });

  it('sorts, projects and pages to the end without loss', async () => {
    const found = await collection()
      .find({}, { sort: { n: -1, _id: 1 }, projection: { n: 1 }, batchSize: 13 })
      .toArray();
    expect(found[0]).toEqual({ _id: 9, n: 9 });
    expect(new Set(found.map(({ _id }) => _id)).size).toBe(250);
  });

  it('lets a cursor be killed', async () => {
    const cursor = collection().find({}, { batchSize: 2 });
    await cursor.next();
    const { id } = cursor;
    await cursor.close();
    const command = { getMore: id, collection: 'things' };
    expect(await failure(test().client.db('crud').command(command))).toMatchObject({ code: 43 });
  });

  it('uses an index and says so', async () => {
    await collection().createIndex({ n: 1 });
    const explained = await collection().find({ n: 3 }).explain('executionStats');
    expect(explained['executionStats']).toMatchObject({
      nReturned: 25,
      totalKeysExamined: 25,
      totalDocsExamined: 25,
    });
    expect(JSON.stringify(explained['queryPlanner'].winningPlan)).toContain('IXSCAN');
  });

  it('refuses a hint that names no index', async () => {
    expect(await failure(collection().find({}, { hint: 'nope' }).toArray())).toMatchObject({
      code: 2,
    });
  });

  it('ends at maxTimeMS', async () => {
    const slow = collection().aggregate(
      [
        { $lookup: { from: 'things', pipeline: [], as: 'all' } },
        { $unwind: '$all' },
        { $lookup: { from: 'things', pipeline: [], as: 'more' } },
        { $unwind: '$more' },
        { $group: { _id: null, n: { $sum: 1 } } },
      ],
      { maxTimeMS: 50 },
    );
    expect(await failure(slow.toArray())).toMatchObject({ code: 50 });
  });
});

describe('update and delete', () => {
  it('tells matched, modified and upserted apart', async () => {
    await collection().insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    expect(await collection().updateMany({}, { $set: { a: 1 } })).toMatchObject({
      matchedCount: 2,
      modifiedCount: 1,
    });
    expect(
      await collection().updateOne({ _id: 9 }, { $set: { a: 1 } }, { upsert: true }),
    ).toMatchObject({ matchedCount: 0, upsertedCount: 1, upsertedId: 9 });
    expect(await collection().deleteMany({ a: 1 })).toMatchObject({ deletedCount: 3 });
  });

  it('updates every document of a large collection once', async () => {
    await collection().insertMany(Array.from({ length: 5_000 }, (_, i) => ({ _id: i, n: i })));
    await collection().createIndex({ n: 1 });
    const result = await collection().updateMany(
      { n: { $gte: 0 } },
      { $inc: { n: 10_000 } as never },
    );
    expect(result).toMatchObject({ matchedCount: 5_000, modifiedCount: 5_000 });
    expect(await collection().countDocuments({ n: { $gte: 10_000, $lt: 15_000 } })).toBe(5_000);
  });

  it('updates by pipeline and by array filters', async () => {
    await collection().insertOne({ _id: 1, a: 2, list: [{ x: 1 }, { x: 5 }] });
    await collection().updateOne({ _id: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }]);
    await collection().updateOne(
      { _id: 1 },
      { $set: { 'list.$[big].y': true } },
      { arrayFilters: [{ 'big.x': { $gt: 2 } }] },
    );
    expect(await collection().findOne()).toEqual({
      _id: 1,
      a: 2,
      b: 3,
      list: [{ x: 1 }, { x: 5, y: true }],
    });
  });

  it.each([
    ['a changed _id', { $set: { _id: 2 } }, 66],
    ['an unknown operator', { $nope: { a: 1 } }, 9],
    ['conflicting paths', { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['arithmetic on text', { $inc: { text: 1 } }, 14],
  ])('refuses %s', async (_, change, code) => {
    await collection().insertOne({ _id: 1, text: 'x' });
    expect(await failure(collection().updateOne({ _id: 1 }, change as object))).toMatchObject({
      code,
    });
  });

  it('finds and modifies', async () => {
    await collection().insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    const options = { sort: { a: -1 }, returnDocument: 'after', projection: { b: 1 } } as const;
    expect(await collection().findOneAndUpdate({}, { $set: { b: 1 } }, options)).toEqual({
      _id: 2,
      b: 1,
    });
    expect(await collection().findOneAndReplace({ _id: 7 }, { c: 1 }, { upsert: true })).toBeNull();
    expect(await collection().findOneAndDelete({ _id: 1 })).toEqual({ _id: 1, a: 1 });
    expect(await collection().countDocuments()).toBe(2);
  });
});

describe('bulk writes', () => {
  it('mixes kinds on one collection', async () => {
    const result = await collection().bulkWrite([
      { insertOne: { document: { _id: 1 } } },
      { updateOne: { filter: { _id: 1 }, update: { $set: { a: 1 } } } },
      { replaceOne: { filter: { _id: 2 }, replacement: { b: 1 }, upsert: true } },
      { deleteOne: { filter: { _id: 1 } } },
    ]);
    expect(result).toMatchObject({
      insertedCount: 1,
      modifiedCount: 1,
      upsertedCount: 1,
      deletedCount: 1,
    });
  });

  it('works on several collections at the level of the client', async () => {
    const result = await test().client.bulkWrite(
      [
        { name: 'insertOne', namespace: 'crud.things', document: { y: 1 } },
        { name: 'insertOne', namespace: 'crud.others', document: { x: 1 } },
        { name: 'updateMany', namespace: 'crud.things', filter: {}, update: { $set: { a: 1 } } },
        { name: 'deleteOne', namespace: 'crud.others', filter: { x: 1 } },
      ],
      { verboseResults: true },
    );
    expect(result).toMatchObject({ insertedCount: 2, modifiedCount: 1, deletedCount: 1 });
    expect(result.updateResults?.get(2)).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
  });
});

describe('collections', () => {
  it('validates documents', async () => {
    const db = test().client.db('crud');
    await db.createCollection('checked', { validator: { age: { $gte: 18 } } });
    const checked = db.collection('checked');
    await checked.insertOne({ age: 20 });
    expect(await failure(checked.insertOne({ age: 1 }))).toMatchObject({
      code: 121,
      errInfo: { failingDocumentId: expect.anything() },
    });
    await checked.insertOne({ age: 1 }, { bypassDocumentValidation: true });
  });

  it('reads through views', async () => {
    const db = test().client.db('crud');
    await collection().insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 5 },
    ]);
    await db.createCollection('large', {
      viewOn: 'things',
      pipeline: [{ $match: { a: { $gt: 2 } } }],
    });
    const view = db.collection('large');
    expect(await view.find({}, { projection: { _id: 1 } }).toArray()).toEqual([{ _id: 2 }]);
    expect(await view.countDocuments()).toBe(1);
    expect(await view.distinct('a')).toEqual([5]);
    expect(await failure(view.insertOne({}))).toMatchObject({ code: 166 });
  });

  it('keeps a capped collection within its bounds and tails it', async () => {
    const db = test().client.db('crud');
    await db.createCollection('log', { capped: true, size: 100_000, max: 3 });
    const log = db.collection<{ _id: number }>('log');
    await log.insertMany([1, 2, 3, 4, 5].map((_id) => ({ _id })));
    expect((await log.find().toArray()).map(({ _id }) => _id)).toEqual([3, 4, 5]);
    const cursor = log.find({}, { tailable: true, awaitData: true });
    for (let i = 0; i < 3; i++) await cursor.next();
    const next = cursor.next();
    await log.insertOne({ _id: 6 });
    expect(await next).toEqual({ _id: 6 });
    await cursor.close();
  });

  it('renames, drops and lists', async () => {
    const db = test().client.db('names');
    await db.createCollection('a');
    await db.createCollection('b');
    expect(await failure(db.renameCollection('a', 'b'))).toMatchObject({ code: 48 });
    await db.renameCollection('a', 'c');
    const list = await db.listCollections({}, { nameOnly: true }).toArray();
    expect(list.map(({ name }) => name)).toEqual(['b', 'c']);
    await db.dropDatabase();
    const { databases } = await test().client.db().admin().listDatabases();
    expect(databases.map(({ name }) => name)).not.toContain('names');
  });

  it('writes pipelines out', async () => {
    const db = test().client.db('crud');
    await collection().insertMany([
      { _id: 1, k: 'a' },
      { _id: 2, k: 'a' },
      { _id: 3, k: 'b' },
    ]);
    const group = { $group: { _id: '$k', n: { $sum: 1 } } };
    await collection()
      .aggregate([group, { $out: 'counts' }])
      .toArray();
    await collection()
      .aggregate([group, { $merge: { into: 'counts', whenMatched: 'merge' } }])
      .toArray();
    expect(
      await db
        .collection('counts')
        .find({}, { sort: { _id: 1 } })
        .toArray(),
    ).toEqual([
      { _id: 'a', n: 2 },
      { _id: 'b', n: 1 },
    ]);
  });

  it('is still there after a restart', async () => {
    await collection().insertOne({ _id: 'kept' });
    await collection().createIndex({ x: 1 }, { name: 'by_x' });
    await test().restart();
    expect(await collection().findOne({ _id: 'kept' })).toEqual({ _id: 'kept' });
    expect((await collection().indexes()).map(({ name }) => name)).toContain('by_x');
  });
});

describe('collections that are listed', () => {
  it('names a clustered index among the options and the indexes', async () => {
    const db = test().client.db('listed');
    const clusteredIndex = { key: { _id: 1 }, unique: true, name: 'by id' };
    await db.createCollection('clustered', { clusteredIndex });
    const [listed] = await db.listCollections({ name: 'clustered' }).toArray();
    expect(listed).toMatchObject({ options: { clusteredIndex: { v: 2, ...clusteredIndex } } });
    expect(listed).not.toHaveProperty('idIndex');
    expect(await db.collection('clustered').indexes()).toEqual([
      { v: 2, ...clusteredIndex, clustered: true },
    ]);
  });
});

describe('what a server without a search process refuses', () => {
  it.each([
    ['$search', { aggregate: 'x', pipeline: [{ $search: {} }], cursor: {} }],
    ['$listSearchIndexes', { aggregate: 'x', pipeline: [{ $listSearchIndexes: {} }], cursor: {} }],
    ['createSearchIndexes', { createSearchIndexes: 'x', indexes: [{ definition: {} }] }],
  ])('%s', async (_, command) => {
    await expect(test().client.db('search').command(command)).rejects.toMatchObject({
      code: 31082,
      codeName: 'SearchNotEnabled',
    });
  });
});

describe('administration', () => {
  it('answers what there is nothing to do for', async () => {
    const admin = test().client.db('admin');
    expect(await admin.command({ refreshLogicalSessionCacheNow: 1 })).toMatchObject({ ok: 1 });
    expect(await test().client.db('crud').command({ planCacheClear: 'x' })).toMatchObject({
      ok: 1,
    });
    expect(await admin.command({ getDefaultRWConcern: 1 })).toMatchObject({
      defaultWriteConcern: { w: 'majority' },
      defaultReadConcern: { level: 'local' },
    });
  });
});
