/** Making, listing, renaming and changing collections (manual: create, listCollections, renameCollection, collMod). */
import type { Document } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';

const test = useEngine();

const database = () => test().client.db('colls');
const run = (command: Document) => database().command(command);
const admin = (command: Document) => test().client.db('admin').command(command);
const infoOf = async (name: string): Promise<Document | undefined> => {
  const [info] = await database().listCollections({ name }).toArray();
  return info;
};

beforeEach(async () => {
  await database().dropDatabase();
  await test().client.db('colls2').dropDatabase();
});

const COLLATION = {
  locale: 'fr',
  caseLevel: false,
  caseFirst: 'off',
  strength: 3,
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
};

describe('create', () => {
  it.each<[string, Document, Document]>([
    ['nothing', {}, {}],
    ['capped', { capped: true, size: 5000, max: 10 }, { capped: true, size: 5120, max: 10 }],
    ['a small capped one', { capped: true, size: 1 }, { capped: true, size: 256 }],
    ['capped: false', { capped: false }, {}],
    ['a collation', { collation: { locale: 'fr' } }, { collation: COLLATION }],
    ['the simple collation', { collation: { locale: 'simple' } }, {}],
    [
      'a validator',
      { validator: { a: { $type: 'int' } }, validationLevel: 'moderate', validationAction: 'warn' },
      { validator: { a: { $type: 'int' } }, validationLevel: 'moderate', validationAction: 'warn' },
    ],
    ['a validator alone', { validator: { a: 1 } }, { validator: { a: 1 } }],
    [
      'images',
      { changeStreamPreAndPostImages: { enabled: true } },
      { changeStreamPreAndPostImages: { enabled: true } },
    ],
    [
      'a clustered index',
      { clusteredIndex: { key: { _id: 1 }, unique: true, name: 'c' } },
      { clusteredIndex: { v: 2, key: { _id: 1 }, name: 'c', unique: true } },
    ],
    [
      'a clustered index that expires',
      { clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 100 },
      {
        clusteredIndex: { v: 2, key: { _id: 1 }, name: '_id_', unique: true },
        expireAfterSeconds: 100,
      },
    ],
    [
      'time series',
      { timeseries: { timeField: 't', metaField: 'm', granularity: 'minutes' } },
      {
        timeseries: {
          timeField: 't',
          metaField: 'm',
          granularity: 'minutes',
          bucketMaxSpanSeconds: 86400,
        },
      },
    ],
    [
      'time series in hours',
      { timeseries: { timeField: 't', granularity: 'hours' }, expireAfterSeconds: 7 },
      {
        timeseries: { timeField: 't', granularity: 'hours', bucketMaxSpanSeconds: 2592000 },
        expireAfterSeconds: 7,
      },
    ],
    [
      'time series in buckets',
      { timeseries: { timeField: 't', bucketMaxSpanSeconds: 60, bucketRoundingSeconds: 60 } },
      { timeseries: { timeField: 't', bucketMaxSpanSeconds: 60, bucketRoundingSeconds: 60 } },
    ],
    [
      'a view',
      { viewOn: 'x', pipeline: [{ $match: { a: 1 } }] },
      { viewOn: 'x', pipeline: [{ $match: { a: 1 } }] },
    ],
    ['a view without stages', { viewOn: 'x' }, { viewOn: 'x', pipeline: [] }],
    [
      'storage options',
      { storageEngine: { wiredTiger: {} } },
      { storageEngine: { wiredTiger: {} } },
    ],
  ])('with %s', async (_, options, expected) => {
    await run({ create: 'made', ...options });
    const info = await infoOf('made');
    expect(info?.['options']).toMatchObject(expected);
    expect(Object.keys(info?.['options'] ?? {}).sort()).toEqual(Object.keys(expected).sort());
  });

  it.each<[string, Document, number]>([
    ['capped without size', { capped: true }, 72],
    ['size without capped', { size: 100 }, 72],
    ['max without capped', { max: 100 }, 72],
    ['a negative size', { capped: true, size: -1 }, 51024],
    ['a size of text', { capped: true, size: 'big' }, 14],
    ['an unknown option', { nothing: 1 }, 40415],
    ['a validator that is none', { validator: 5 }, 14],
    ['an unknown operator in a validator', { validator: { a: { $nothing: 1 } } }, 2],
    ['$where in a validator', { validator: { $where: 'true' } }, 2],
    ['$text in a validator', { validator: { $text: { $search: 'a' } } }, 2],
    ['$near in a validator', { validator: { a: { $near: [0, 0] } } }, 2],
    ['a level that is none', { validationLevel: 'nothing' }, 2],
    ['an action that is none', { validationAction: 'nothing' }, 2],
    ['a collation without locale', { collation: { strength: 1 } }, 40414],
    ['a collation of no language', { collation: { locale: 'nothing' } }, 2],
    ['a pipeline without viewOn', { pipeline: [] }, 72],
    ['a view with a validator', { viewOn: 'x', validator: {} }, 72],
    ['a capped view', { viewOn: 'x', capped: true, size: 1 }, 72],
    ['a view that writes', { viewOn: 'x', pipeline: [{ $out: 'y' }] }, 167],
    ['a view of a change stream', { viewOn: 'x', pipeline: [{ $changeStream: {} }] }, 167],
    ['a view of an unknown stage', { viewOn: 'x', pipeline: [{ $nothing: {} }] }, 40324],
    ['a view on nothing', { viewOn: '' }, 2],
    ['time series without time', { timeseries: { metaField: 'm' } }, 40414],
    ['time series with a time below', { timeseries: { timeField: 'a.b' } }, 72],
    ['time series with the same fields', { timeseries: { timeField: 'a', metaField: 'a' } }, 72],
    ['time series with an id as meta', { timeseries: { timeField: 'a', metaField: '_id' } }, 72],
    ['time series of unknown grain', { timeseries: { timeField: 'a', granularity: 'days' } }, 2],
    [
      'time series with both grains',
      {
        timeseries: {
          timeField: 'a',
          granularity: 'hours',
          bucketMaxSpanSeconds: 60,
          bucketRoundingSeconds: 60,
        },
      },
      72,
    ],
    [
      'time series with half a bucket',
      { timeseries: { timeField: 'a', bucketMaxSpanSeconds: 60 } },
      72,
    ],
    [
      'time series with uneven buckets',
      { timeseries: { timeField: 'a', bucketMaxSpanSeconds: 60, bucketRoundingSeconds: 30 } },
      72,
    ],
    ['capped time series', { timeseries: { timeField: 'a' }, capped: true, size: 1 }, 72],
    ['an unknown field of time series', { timeseries: { timeField: 'a', nothing: 1 } }, 40415],
    ['expiry of a plain collection', { expireAfterSeconds: 5 }, 72],
    ['a negative expiry', { timeseries: { timeField: 'a' }, expireAfterSeconds: -1 }, 72],
    ['a clustered index of another key', { clusteredIndex: { key: { a: 1 }, unique: true } }, 197],
    [
      'a clustered index not unique',
      { clusteredIndex: { key: { _id: 1 }, unique: false } },
      5979700,
    ],
    ['a clustered index without key', { clusteredIndex: { unique: true } }, 40414],
    [
      'a capped clustered one',
      { clusteredIndex: { key: { _id: 1 }, unique: true }, capped: true, size: 5 },
      72,
    ],
    ['images of another type', { changeStreamPreAndPostImages: true }, 14],
  ])('refuses %s', async (_, options, code) => {
    await expectOutcome(() => run({ create: 'made', ...options }), { code });
  });

  it.each([
    ['', 73],
    ['.a', 73],
    ['a.', 73],
    ['a$b', 73],
    ['system.nothing', 73],
    [`${'x'.repeat(260)}`, 73],
  ])('refuses the name %j', async (create, code) => {
    await expectOutcome(() => run({ create }), { code });
  });

  it.each([
    ['a/b', 73],
    ['x'.repeat(64), 73],
    ['COLLS', 13297],
  ])('refuses the database %j', async (name, code) => {
    await run({ create: 'made' });
    await expectOutcome(() => test().client.db(name).command({ create: 'c' }), { code });
  });

  it('of what is there is no error with the same options, and one with others', async () => {
    await run({ create: 'made', capped: true, size: 512 });
    expect(await run({ create: 'made', capped: true, size: 512 })).toMatchObject({ ok: 1 });
    await expectOutcome(() => run({ create: 'made' }), { code: 48, codeName: 'NamespaceExists' });
    await run({ create: 'view', viewOn: 'made', pipeline: [] });
    await expectOutcome(() => run({ create: 'view', viewOn: 'other', pipeline: [] }), { code: 48 });
    await expectOutcome(() => run({ create: 'view' }), { code: 48 });
  });
});

describe('listCollections', () => {
  beforeEach(async () => {
    await run({ create: 'b' });
    await run({ create: 'a', capped: true, size: 512 });
    await run({ create: 'v', viewOn: 'a', pipeline: [] });
  });

  it.each<[string, Document, string[]]>([
    ['all', {}, ['a', 'b', 'v']],
    ['a name', { name: 'a' }, ['a']],
    ['a pattern', { name: /^[ab]$/ }, ['a', 'b']],
    ['a type', { type: 'view' }, ['v']],
    ['an option', { 'options.capped': true }, ['a']],
    ['either', { $or: [{ name: 'b' }, { type: 'view' }] }, ['b', 'v']],
    ['nothing', { name: 'nothing' }, []],
  ])('by %s', async (_, filter, names) => {
    const listed = await database().listCollections(filter).toArray();
    expect(
      listed
        .map(({ name }) => name)
        .filter((name) => name !== 'system.views')
        .sort(),
    ).toEqual(names);
  });

  it('tells of each what it is', async () => {
    expect(await infoOf('b')).toEqual({
      name: 'b',
      type: 'collection',
      options: {},
      info: { readOnly: false, uuid: expect.anything() },
      idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
    });
    expect(await infoOf('v')).toEqual({
      name: 'v',
      type: 'view',
      options: { viewOn: 'a', pipeline: [] },
      info: { readOnly: true },
    });
  });

  it('nameOnly gives name and type, for what one is allowed to see too', async () => {
    const options = { nameOnly: true, authorizedCollections: true };
    expect(await database().listCollections({ name: 'a' }, options).toArray()).toEqual([
      { name: 'a', type: 'collection' },
    ]);
  });

  it('of a database that is not there is empty', async () => {
    expect(await test().client.db('nothing-here').listCollections().toArray()).toEqual([]);
  });

  it('shows unique ids that stay over renamings', async () => {
    const before = await infoOf('b');
    await database().renameCollection('b', 'c');
    expect((await infoOf('c'))?.['info'].uuid).toEqual(before?.['info'].uuid);
  });
});

describe('renameCollection', () => {
  const rename = (from: string, to: string, more: Document = {}) =>
    admin({ renameCollection: from, to, ...more });

  beforeEach(async () => {
    await database()
      .collection('from')
      .insertMany([{ _id: 1 }, { _id: 2 }] as Document[]);
    await database().collection('from').createIndex({ a: 1 }, { name: 'kept' });
    await database().collection('taken').insertOne({});
    await run({ create: 'view', viewOn: 'from', pipeline: [] });
  });

  it('moves documents and indexes, within a database and to another', async () => {
    await rename('colls.from', 'colls.to');
    await rename('colls.to', 'colls2.to');
    const moved = test().client.db('colls2').collection('to');
    expect(await moved.countDocuments()).toBe(2);
    expect(await moved.indexes()).toMatchObject([{ name: '_id_' }, { name: 'kept' }]);
    expect(await infoOf('to')).toBeUndefined();
  });

  it('drops its target where that is wanted', async () => {
    await expectOutcome(() => rename('colls.from', 'colls.taken'), { code: 48 });
    await rename('colls.from', 'colls.taken', { dropTarget: true });
    expect(await database().collection('taken').countDocuments()).toBe(2);
  });

  it.each<[string, () => Promise<Document>, number]>([
    ['what is not there', () => rename('colls.nothing', 'colls.x'), 26],
    ['onto itself', () => rename('colls.from', 'colls.from'), 20],
    ['a view', () => rename('colls.view', 'colls.x'), 166],
    ['to a name that is none', () => rename('colls.from', 'colls.'), 73],
    ['to a name with $', () => rename('colls.from', 'colls.a$b'), 73],
    ['to a name with an end', () => rename('colls.from', 'colls.a.'), 73],
    ['to nothing', () => admin({ renameCollection: 'colls.from' }), 40414],
    ['to another type', () => admin({ renameCollection: 'colls.from', to: 5 }), 14],
    ['elsewhere than on admin', () => run({ renameCollection: 'colls.from', to: 'colls.x' }), 13],
  ])('refuses %s', async (_, call, code) => {
    await expectOutcome(call, { code });
  });
});

describe('collMod', () => {
  beforeEach(async () => {
    await database().collection('c').insertOne({ a: 1 });
    await database().collection('c').createIndex({ a: 1 });
    await database().collection('c').createIndex({ t: 1 }, { expireAfterSeconds: 100 });
    await run({ create: 'v', viewOn: 'c', pipeline: [] });
    await run({ create: 'capped', capped: true, size: 512 });
  });

  it.each<[string, Document, Document]>([
    [
      'the expiry of an index',
      { index: { keyPattern: { t: 1 }, expireAfterSeconds: 7 } },
      { expireAfterSeconds_old: 100, expireAfterSeconds_new: 7 },
    ],
    [
      'an index to one that expires',
      { index: { name: 'a_1', expireAfterSeconds: 7 } },
      { expireAfterSeconds_new: 7 },
    ],
    [
      'the hiding of an index',
      { index: { name: 'a_1', hidden: true } },
      { hidden_old: false, hidden_new: true },
    ],
    ['an index to what it is', { index: { name: 'a_1', hidden: false } }, { ok: 1 }],
    [
      'a validator',
      { validator: { a: 1 }, validationLevel: 'off', validationAction: 'warn' },
      { ok: 1 },
    ],
    ['images', { changeStreamPreAndPostImages: { enabled: true } }, { ok: 1 }],
    ['nothing', {}, { ok: 1 }],
  ])('changes %s', async (_, change, expected) => {
    expect(await run({ collMod: 'c', ...change })).toMatchObject(expected);
  });

  it('makes an index unique in two steps', async () => {
    const index = { keyPattern: { a: 1 } };
    await expectOutcome(() => run({ collMod: 'c', index: { ...index, unique: true } }), {
      code: 72,
    });
    await run({ collMod: 'c', index: { ...index, prepareUnique: true } });
    await expectOutcome(() => database().collection('c').insertOne({ a: 1 }), { code: 11000 });
    expect(await run({ collMod: 'c', index: { ...index, unique: true } })).toMatchObject({
      unique_new: true,
    });
    const all = await database().collection('c').indexes();
    const first = all.find(({ name }) => name === 'a_1');
    expect(first).toMatchObject({ unique: true });
    expect(first).not.toHaveProperty('prepareUnique');
  });

  it('refuses to make unique what has duplicates', async () => {
    const index = { keyPattern: { a: 1 } };
    await database().collection('c').insertOne({ a: 1 });
    await run({ collMod: 'c', index: { ...index, prepareUnique: true } });
    await expectOutcome(() => run({ collMod: 'c', index: { ...index, unique: true } }), {
      code: 359,
    });
  });

  it('changes a view, and the bounds of a capped collection', async () => {
    await run({ collMod: 'v', viewOn: 'c', pipeline: [{ $match: { a: 2 } }] });
    expect(await database().collection('v').countDocuments()).toBe(0);
    await run({ collMod: 'capped', cappedSize: 1024, cappedMax: 3 });
    expect(await infoOf('capped')).toMatchObject({ options: { size: 1024, max: 3 } });
  });

  it.each<[string, Document, number]>([
    ['what is not there', { collMod: 'nothing' }, 26],
    ['an index that is not there', { collMod: 'c', index: { name: 'nothing', hidden: true } }, 27],
    ['an index without a name', { collMod: 'c', index: { hidden: true } }, 72],
    [
      'an index by both',
      { collMod: 'c', index: { name: 'a_1', keyPattern: { a: 1 }, hidden: true } },
      72,
    ],
    ['an index by nothing to change', { collMod: 'c', index: { name: 'a_1' } }, 72],
    ['the hiding of _id', { collMod: 'c', index: { name: '_id_', hidden: true } }, 2],
    ['an unknown option', { collMod: 'c', nothing: 1 }, 40415],
    ['an unknown option of an index', { collMod: 'c', index: { name: 'a_1', nothing: 1 } }, 40415],
    ['a view to a circle', { collMod: 'v', viewOn: 'v', pipeline: [] }, 5],
    ['a view’s validator', { collMod: 'v', validator: {} }, 72],
    ['a collection’s viewOn', { collMod: 'c', viewOn: 'x', pipeline: [] }, 72],
    ['the size of what is not capped', { collMod: 'c', cappedSize: 100 }, 72],
    ['a validator of unknown operators', { collMod: 'c', validator: { a: { $nothing: 1 } } }, 2],
  ])('refuses %s', async (_, command, code) => {
    await expectOutcome(() => run(command), { code });
  });
});

describe('validation of documents', () => {
  it('refuses with details, and lets through what is to be let through', async () => {
    const validator = { $jsonSchema: { required: ['a'], properties: { a: { bsonType: 'int' } } } };
    await run({ create: 'strict', validator });
    const strict = database().collection('strict');
    await expectOutcome(() => strict.insertOne({ a: 'x' }), {
      code: 121,
      errInfo: {
        details: {
          operatorName: '$jsonSchema',
          schemaRulesNotSatisfied: [{ operatorName: 'properties' }],
        },
      },
    });
    await strict.insertOne({ a: 'x' }, { bypassDocumentValidation: true });
    await expectOutcome(() => strict.updateOne({}, { $set: { a: 'y' } }), { code: 121 });
    await run({ collMod: 'strict', validationLevel: 'moderate' });
    await strict.updateOne({}, { $set: { a: 'z' } });
    await run({ collMod: 'strict', validationAction: 'warn' });
    await strict.insertOne({ b: 1 });
  });
});
