/** Every public method of the driver's collections, databases and administration, with its answer. */
import { Admin, Collection, Db, type Document } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from '../support/any-document.ts';
import { useEngine } from '../support/engine.ts';

const test = useEngine();

interface Surroundings {
  readonly db: Db;
  readonly admin: Admin;
  readonly c: Collection<AnyDocument>;
}

/** The answer must match `expected`; a code means a refusal by it. */
interface Case {
  readonly call: (surroundings: Surroundings) => unknown;
  readonly expected: unknown;
}

type Cases = Readonly<Record<string, readonly Case[]>>;

const one = (call: Case['call'], expected: unknown): readonly Case[] => [{ call, expected }];
const acknowledged = { acknowledged: true };
const NO_SEARCH = { code: 31082 };

const COLLECTION: Cases = {
  insertOne: [
    { call: ({ c }) => c.insertOne({ _id: 9 }), expected: { ...acknowledged, insertedId: 9 } },
    {
      call: ({ c }) => c.insertOne({ _id: 1 }),
      expected: { code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 1 } },
    },
  ],
  insertMany: [
    { call: ({ c }) => c.insertMany([{ _id: 8 }, { _id: 9 }]), expected: { insertedCount: 2 } },
    {
      call: ({ c }) => c.insertMany([{ _id: 8 }, { _id: 1 }, { _id: 9 }], { ordered: false }),
      expected: { code: 11000, insertedCount: 2 },
    },
  ],
  bulkWrite: one(
    ({ c }) =>
      c.bulkWrite([
        { insertOne: { document: { _id: 9 } } },
        { updateOne: { filter: { _id: 1 }, update: { $set: { x: 1 } } } },
        { updateMany: { filter: { g: 1 }, update: [{ $set: { y: 1 } }] } },
        { replaceOne: { filter: { _id: 10 }, replacement: { z: 1 }, upsert: true } },
        { deleteOne: { filter: { _id: 9 } } },
        { deleteMany: { filter: { g: 0 } } },
      ]),
    {
      insertedCount: 1,
      matchedCount: 3,
      modifiedCount: 3,
      upsertedIds: { 3: 10 },
      deletedCount: 3,
    },
  ),
  updateOne: one(({ c }) => c.updateOne({ _id: 1 }, { $set: { g: 5 } }), { modifiedCount: 1 }),
  replaceOne: one(({ c }) => c.replaceOne({ _id: 7 }, { a: 1 }, { upsert: true }), {
    upsertedCount: 1,
    upsertedId: 7,
  }),
  updateMany: one(({ c }) => c.updateMany({}, { $set: { g: 1 } }), {
    matchedCount: 4,
    modifiedCount: 2,
  }),
  deleteOne: one(({ c }) => c.deleteOne({ g: 1 }), { deletedCount: 1 }),
  deleteMany: one(({ c }) => c.deleteMany({ g: 1 }), { deletedCount: 2 }),
  rename: [
    { call: async ({ c }) => (await c.rename('renamed')).namespace, expected: 'api.renamed' },
    { call: ({ c }) => c.rename('other'), expected: { code: 48 } },
    {
      call: async ({ c }) => (await c.rename('other', { dropTarget: true })).countDocuments(),
      expected: 4,
    },
    { call: ({ db }) => db.collection('missing').rename('x'), expected: { code: 26 } },
  ],
  drop: [
    { call: ({ c }) => c.drop(), expected: true },
    { call: ({ db }) => db.collection('missing').drop(), expected: true },
  ],
  findOne: one(({ c }) => c.findOne({ _id: 2 }), { _id: 2, g: 0 }),
  find: [
    {
      call: ({ c }) => c.find({}, { sort: { score: { $meta: 'textScore' } } }).toArray(),
      expected: { code: 40218 },
    },
    {
      call: ({ c }) => c.find({}, { projection: { score: { $meta: 'textScore' } } }).toArray(),
      expected: { code: 40218 },
    },
    {
      call: ({ c }) => c.find({ g: 1 }).sort({ _id: -1 }).toArray(),
      expected: [{ _id: 3 }, { _id: 1 }],
    },
  ],
  options: one(({ c }) => c.options(), {}),
  isCapped: one(({ c }) => c.isCapped(), false),
  createIndex: [
    { call: ({ c }) => c.createIndex({ x: 1 }), expected: 'x_1' },
    { call: ({ c }) => c.createIndex({ g: 1 }, { name: 'other' }), expected: { code: 85 } },
    { call: ({ c }) => c.createIndex({ x: 1 }, { name: 'g_1' }), expected: { code: 86 } },
    { call: ({ c }) => c.createIndex({ x: 'nothing' as '2d' }), expected: { code: 67 } },
    { call: ({ c }) => c.createIndex({ h: 1 }, { unique: true }), expected: { code: 11000 } },
  ],
  createIndexes: one(
    ({ c }) => c.createIndexes([{ key: { x: 1 } }, { key: { y: -1 }, name: 'y' }]),
    ['x_1', 'y'],
  ),
  dropIndex: [
    { call: ({ c }) => c.dropIndex('g_1'), expected: { nIndexesWas: 2 } },
    { call: ({ c }) => c.dropIndex('missing'), expected: { code: 27 } },
    { call: ({ c }) => c.dropIndex('_id_'), expected: { code: 72 } },
    { call: ({ db }) => db.collection('missing').dropIndex('x'), expected: { code: 26 } },
  ],
  dropIndexes: one(({ c }) => c.dropIndexes(), true),
  listIndexes: [
    { call: ({ c }) => c.listIndexes().toArray(), expected: [{ name: '_id_' }, { name: 'g_1' }] },
    { call: ({ db }) => db.collection('missing').listIndexes().toArray(), expected: { code: 26 } },
  ],
  indexExists: one(({ c }) => c.indexExists(['_id_', 'g_1']), true),
  indexInformation: one(
    ({ c }) => c.indexInformation({ full: true }),
    [
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { g: 1 }, name: 'g_1' },
    ],
  ),
  estimatedDocumentCount: one(({ c }) => c.estimatedDocumentCount(), 4),
  countDocuments: one(({ c }) => c.countDocuments({ g: 1 }, { skip: 1 }), 1),
  distinct: one(({ c }) => c.distinct('g', { _id: { $gt: 1 } }), [0, 1]),
  indexes: one(({ c }) => c.indexes(), [{ name: '_id_' }, { name: 'g_1' }]),
  findOneAndDelete: [
    { call: ({ c }) => c.findOneAndDelete({ _id: 1 }), expected: { _id: 1 } },
    {
      call: ({ c }) => c.findOneAndDelete({ _id: 99 }, { includeResultMetadata: true }),
      expected: { lastErrorObject: { n: 0 }, value: null },
    },
  ],
  findOneAndReplace: one(
    ({ c }) =>
      c.findOneAndReplace({ _id: 7 }, { a: 1 }, { upsert: true, includeResultMetadata: true }),
    { lastErrorObject: { n: 1, updatedExisting: false, upserted: 7 }, value: null },
  ),
  findOneAndUpdate: one(
    ({ c }) => c.findOneAndUpdate({ _id: 1 }, { $set: { x: 1 } }, { returnDocument: 'after' }),
    { _id: 1, x: 1 },
  ),
  aggregate: [
    {
      call: ({ c }) =>
        c.aggregate([{ $group: { _id: '$g', n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray(),
      expected: [
        { _id: 0, n: 2 },
        { _id: 1, n: 2 },
      ],
    },
    { call: ({ c }) => c.aggregate([{ $nothing: 1 }]).toArray(), expected: { code: 40324 } },
    {
      call: async ({ c, db }) => {
        await c.aggregate([{ $match: { g: 1 } }, { $out: 'written' }]).toArray();
        return await db.collection('written').countDocuments();
      },
      expected: 2,
    },
    {
      call: ({ c }) => c.aggregate([{ $merge: { into: 'c', whenMatched: 'fail' } }]).toArray(),
      expected: { code: 11000 },
    },
  ],
  watch: one(
    async ({ c }) => {
      const stream = c.watch();
      const next = stream.next();
      // the stream is open once its first batch has come
      await new Promise((resolve) => stream.once('resumeTokenChanged', resolve)).catch(
        () => undefined,
      );
      await c.insertOne({ _id: 20 });
      const event = await next;
      await stream.close();
      return event;
    },
    { operationType: 'insert', documentKey: { _id: 20 } },
  ),
  initializeUnorderedBulkOp: one(
    ({ c }) => c.initializeUnorderedBulkOp().insert({ _id: 9 }).execute(),
    { insertedCount: 1 },
  ),
  initializeOrderedBulkOp: one(
    ({ c }) => c.initializeOrderedBulkOp().insert({ _id: 1 }).execute(),
    {
      code: 11000,
    },
  ),
  count: one(({ c }) => c.count({ g: 1 }), 2),
  listSearchIndexes: one(({ c }) => c.listSearchIndexes().toArray(), NO_SEARCH),
  createSearchIndex: one(({ c }) => c.createSearchIndex({ definition: {} }), NO_SEARCH),
  createSearchIndexes: one(({ c }) => c.createSearchIndexes([{ definition: {} }]), NO_SEARCH),
  dropSearchIndex: one(({ c }) => c.dropSearchIndex('x'), NO_SEARCH),
  updateSearchIndex: one(({ c }) => c.updateSearchIndex('x', {}), NO_SEARCH),
};

const created = async (db: Db, options: Document): Promise<Document> =>
  await (await db.createCollection('made', options)).options();

const DATABASE: Cases = {
  createCollection: [
    { call: ({ db }) => created(db, {}), expected: {} },
    {
      call: ({ db }) => created(db, { capped: true, size: 5000, max: 3 }),
      expected: { capped: true, max: 3 },
    },
    {
      call: ({ db }) => created(db, { clusteredIndex: { key: { _id: 1 }, unique: true } }),
      expected: { clusteredIndex: { key: { _id: 1 }, unique: true } },
    },
    {
      call: ({ db }) => created(db, { changeStreamPreAndPostImages: { enabled: true } }),
      expected: { changeStreamPreAndPostImages: { enabled: true } },
    },
    {
      call: ({ db }) =>
        created(db, { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 60 }),
      expected: { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 60 },
    },
    {
      call: ({ db }) => created(db, { viewOn: 'c', pipeline: [{ $match: { g: 1 } }] }),
      expected: { viewOn: 'c' },
    },
    {
      call: ({ db }) => db.createCollection('c', { capped: true, size: 1 }),
      expected: { code: 48 },
    },
    { call: ({ db }) => db.createCollection('made', { capped: true }), expected: { code: 72 } },
    {
      call: async ({ db }) => {
        const series = await db.createCollection('series', { timeseries: { timeField: 't' } });
        await series.insertOne({ t: new Date(), v: 1 });
        return await series.insertOne({ v: 2 });
      },
      expected: {
        code: 2,
        message: "'t' must be present and contain a valid BSON UTC datetime value",
      },
    },
  ],
  command: one(({ db }) => db.command({ nothing: 1 }), { code: 59 }),
  aggregate: one(({ db }) => db.aggregate([{ $documents: [{ a: 1 }] }]).toArray(), [{ a: 1 }]),
  admin: one(({ db }) => db.admin().ping(), { ok: 1 }),
  collection: one(({ db }) => db.collection('c').countDocuments(), 4),
  stats: one(({ db }) => db.stats({ scale: 1024 }), {
    db: 'api',
    collections: 2,
    scaleFactor: 1024,
  }),
  listCollections: one(
    ({ db }) =>
      db.listCollections({ name: 'c' }, { nameOnly: true, authorizedCollections: true }).toArray(),
    [{ name: 'c', type: 'collection' }],
  ),
  renameCollection: one(
    async ({ db }) => (await db.renameCollection('c', 'd')).collectionName,
    'd',
  ),
  dropCollection: one(({ db }) => db.dropCollection('c'), true),
  dropDatabase: one(({ db }) => db.dropDatabase(), true),
  collections: one(
    async ({ db }) => (await db.collections()).map(({ collectionName }) => collectionName),
    ['c', 'other'],
  ),
  createIndex: one(({ db }) => db.createIndex('c', { x: 1 }), 'x_1'),
  removeUser: one(({ db }) => db.removeUser('nobody'), { code: 11 }),
  setProfilingLevel: one(({ db }) => db.setProfilingLevel('off'), 'off'),
  profilingLevel: one(({ db }) => db.profilingLevel(), 'off'),
  indexInformation: one(({ db }) => db.indexInformation('c'), { g_1: [['g', 1]] }),
  watch: one(
    async ({ db }) => {
      const stream = db.watch();
      await stream.tryNext();
      await db.collection('c').deleteOne({ g: 1 });
      const event = await stream.next();
      await stream.close();
      return event;
    },
    { operationType: 'delete' },
  ),
  runCursorCommand: one(
    ({ db }) => db.runCursorCommand({ find: 'c', filter: { g: 0 } }).toArray(),
    [{ _id: 0 }, { _id: 2 }],
  ),
};

const ADMINISTRATION: Cases = {
  command: one(({ admin }) => admin.command({ hello: 1 }), { isWritablePrimary: true }),
  buildInfo: one(({ admin }) => admin.buildInfo(), { version: expect.stringMatching(/^8\.0\./) }),
  serverInfo: one(({ admin }) => admin.serverInfo(), { maxBsonObjectSize: 16_777_216 }),
  serverStatus: one(({ admin }) => admin.serverStatus(), { opcounters: {}, connections: {} }),
  ping: one(({ admin }) => admin.ping(), { ok: 1 }),
  removeUser: one(({ admin }) => admin.removeUser('nobody'), { code: 11 }),
  validateCollection: one(({ db }) => db.command({ validate: 'c' }), { valid: true, nrecords: 4 }),
  listDatabases: one(
    ({ admin }) => admin.listDatabases({ filter: { name: 'api' }, nameOnly: true }),
    {
      databases: [{ name: 'api' }],
    },
  ),
  replSetGetStatus: one(({ admin }) => admin.replSetGetStatus(), { myState: 1 }),
};

function methodsOf(prototype: object): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
    .map(([name]) => name)
    .sort();
}

describe.each([
  ['Collection', Collection.prototype, COLLECTION],
  ['Db', Db.prototype, DATABASE],
  ['Admin', Admin.prototype, ADMINISTRATION],
] as const)('%s', (_, prototype, cases) => {
  beforeEach(async () => {
    const db = test().client.db('api');
    await db.dropDatabase();
    const c = db.collection<AnyDocument>('c');
    await c.insertMany([0, 1, 2, 3].map((_id) => ({ _id, g: _id % 2, h: 0 })));
    await c.createIndex({ g: 1 });
    await db.collection('other').insertOne({});
  });

  it('has no method that the table does not', () => {
    expect(Object.keys(cases).sort()).toEqual(methodsOf(prototype));
  });

  const rows = Object.entries(cases).flatMap(([method, list]) =>
    list.map((row, index) => ({
      title: index === 0 ? method : `${method}, case ${index + 1}`,
      ...row,
    })),
  );
  it.each(rows)('answers $title', async ({ call, expected }) => {
    const db = test().client.db('api');
    const surroundings = { db, admin: db.admin(), c: db.collection<AnyDocument>('c') };
    const answer = await Promise.resolve(call(surroundings)).catch((thrown: unknown) => thrown);
    if (typeof expected === 'object' && expected !== null) expect(answer).toMatchObject(expected);
    else expect(answer).toEqual(expected);
  });
});
