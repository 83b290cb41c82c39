/** Making, listing and dropping indexes (manual: createIndexes, listIndexes, dropIndexes). */
import type { Document } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';

const test = useEngine();

const database = () => test().client.db('idx');
const items = () => database().collection('items');
const run = (command: Document) => database().command(command);
const create = (...indexes: Document[]) => run({ createIndexes: 'items', indexes });

beforeEach(async () => {
  await database().dropDatabase();
  await run({ create: 'items' });
});

const index = (key: Document, more: Document = {}): Document => ({
  key,
  name: Object.entries(key).flat().join('_'),
  ...more,
});

const COLLATION = { locale: 'de', strength: 2 };

describe('createIndexes', () => {
  it.each<[string, Document, Document]>([
    ['ascending', index({ a: 1 }), { key: { a: 1 } }],
    ['descending', index({ a: -1, b: 1 }), { key: { a: -1, b: 1 } }],
    ['of other numbers', index({ a: 5 }), { key: { a: 5 } }],
    ['unique', index({ a: 1 }, { unique: true }), { unique: true }],
    ['not unique', index({ a: 1 }, { unique: false }), {}],
    ['sparse', index({ a: 1 }, { sparse: true }), { sparse: true }],
    ['hidden', index({ a: 1 }, { hidden: true }), { hidden: true }],
    ['not hidden', index({ a: 1 }, { hidden: false }), {}],
    ['background', index({ a: 1 }, { background: true }), { background: true }],
    ['that expires', index({ a: 1 }, { expireAfterSeconds: 3600 }), { expireAfterSeconds: 3600 }],
    ['that expires at once', index({ a: 1 }, { expireAfterSeconds: 0 }), { expireAfterSeconds: 0 }],
    [
      'partial',
      index({ a: 1 }, { partialFilterExpression: { b: { $gt: 5 } } }),
      { partialFilterExpression: { b: { $gt: 5 } } },
    ],
    [
      'with a collation',
      index({ a: 1 }, { collation: COLLATION }),
      { collation: { locale: 'de', strength: 2, caseLevel: false } },
    ],
    ['hashed', index({ a: 'hashed' }), { key: { a: 'hashed' } }],
    ['wildcard', index({ '$**': 1 }), { key: { '$**': 1 } }],
    ['wildcard below', index({ 'a.$**': 1 }), { key: { 'a.$**': 1 } }],
    [
      'wildcard with a projection',
      index({ '$**': 1 }, { wildcardProjection: { a: 1 } }),
      { wildcardProjection: { a: 1 } },
    ],
    ['compound wildcard', index({ a: 1, 'b.$**': 1 }), { key: { a: 1, 'b.$**': 1 } }],
    ['2dsphere', index({ a: '2dsphere' }), { '2dsphereIndexVersion': 3 }],
    ['2d', index({ a: '2d' }, { bits: 20, min: -10, max: 10 }), { bits: 20, min: -10, max: 10 }],
    [
      'text',
      index({ a: 'text' }),
      {
        key: { _fts: 'text', _ftsx: 1 },
        weights: { a: 1 },
        default_language: 'english',
        language_override: 'language',
        textIndexVersion: 3,
      },
    ],
    [
      'text with weights',
      index(
        { a: 'text', b: 'text' },
        { weights: { b: 5 }, default_language: 'german', language_override: 'lang' },
      ),
      { weights: { a: 1, b: 5 }, default_language: 'german', language_override: 'lang' },
    ],
    ['text of all', index({ '$**': 'text' }), { weights: { '$**': 1 } }],
    [
      'text after another field',
      index({ c: 1, a: 'text' }),
      { key: { c: 1, _fts: 'text', _ftsx: 1 } },
    ],
    ['prepared to be unique', index({ a: 1 }, { prepareUnique: true }), { prepareUnique: true }],
  ])('%s', async (_, spec, expected) => {
    expect(await create(spec)).toMatchObject({
      numIndexesBefore: 1,
      numIndexesAfter: 2,
      createdCollectionAutomatically: false,
      commitQuorum: 'votingMembers',
    });
    const [, made] = await items().indexes();
    expect(made).toMatchObject({ v: 2, name: spec['name'], ...expected });
    if (Object.keys(expected).length === 0) {
      expect(Object.keys(made ?? {}).sort()).toEqual(['key', 'name', 'v']);
    }
  });

  it('answers what was there already', async () => {
    await create(index({ a: 1 }));
    expect(await create(index({ a: 1 }))).toMatchObject({
      numIndexesBefore: 2,
      numIndexesAfter: 2,
      note: 'all indexes already exist',
    });
    expect(await run({ createIndexes: 'new', indexes: [index({ a: 1 })] })).toMatchObject({
      createdCollectionAutomatically: true,
      numIndexesBefore: 1,
    });
  });

  it('makes none when one of several is refused', async () => {
    await expectOutcome(() => create(index({ a: 1 }), index({ b: 'nothing' })), { code: 67 });
    expect(await items().indexes()).toHaveLength(1);
  });

  it.each<[string, Document, number]>([
    ['an empty key', index({}, { name: 'x' }), 67],
    ['a key of 0', index({ a: 0 }), 67],
    ['a key of true', index({ a: true }), 67],
    ['a key of a document', index({ a: {} }, { name: 'x' }), 67],
    ['an unknown plugin', index({ a: 'nothing' }), 67],
    ['an empty field', index({ '': 1 }, { name: 'x' }), 67],
    ['a field with $', index({ 'a.$b': 1 }), 67],
    ['a field with an empty part', index({ 'a..b': 1 }), 67],
    ['a key that is none', { key: 5, name: 'x' }, 14],
    ['no key', { name: 'x' }, 9],
    ['no name', { key: { a: 1 } }, 9],
    ['an empty name', { key: { a: 1 }, name: '' }, 67],
    ['the name *', { key: { a: 1 }, name: '*' }, 2],
    ['a name that is none', { key: { a: 1 }, name: 5 }, 14],
    ['an unknown option', index({ a: 1 }, { nothing: 1 }), 197],
    ['an old version', index({ a: 1 }, { v: 0 }), 67],
    ['an unknown version', index({ a: 1 }, { v: 3 }), 67],
    ['a unique option of another type', index({ a: 1 }, { unique: 'yes' }), 14],
    ['an expiry of another type', index({ a: 1 }, { expireAfterSeconds: 'soon' }), 14],
    ['a negative expiry', index({ a: 1 }, { expireAfterSeconds: -1 }), 67],
    ['too large an expiry', index({ a: 1 }, { expireAfterSeconds: 1e12 }), 67],
    ['expiry of two fields', index({ a: 1, b: 1 }, { expireAfterSeconds: 5 }), 67],
    ['expiry of _id', { key: { _id: 1 }, name: '_id_', expireAfterSeconds: 5 }, 197],
    ['a partial filter of another type', index({ a: 1 }, { partialFilterExpression: 5 }), 14],
    [
      'a partial filter with $ne',
      index({ a: 1 }, { partialFilterExpression: { b: { $ne: 1 } } }),
      67,
    ],
    [
      'a partial filter with a pattern',
      index({ a: 1 }, { partialFilterExpression: { b: /x/ } }),
      67,
    ],
    [
      'a partial filter of an unknown operator',
      index({ a: 1 }, { partialFilterExpression: { b: { $nothing: 1 } } }),
      2,
    ],
    [
      'partial and sparse',
      index({ a: 1 }, { partialFilterExpression: { b: 1 }, sparse: true }),
      67,
    ],
    [
      'a partial index on _id',
      { key: { _id: 1 }, name: '_id_', partialFilterExpression: { a: 1 } },
      197,
    ],
    ['a unique hashed index', index({ a: 'hashed' }, { unique: true }), 16764],
    ['two hashed fields', index({ a: 'hashed', b: 'hashed' }), 31303],
    ['a unique wildcard', index({ '$**': 1 }, { unique: true }), 67],
    ['a wildcard that expires', index({ '$**': 1 }, { expireAfterSeconds: 5 }), 67],
    ['a wildcard projection elsewhere', index({ a: 1 }, { wildcardProjection: { a: 1 } }), 2],
    ['a wildcard projection below', index({ 'a.$**': 1 }, { wildcardProjection: { a: 1 } }), 2],
    ['an empty wildcard projection', index({ '$**': 1 }, { wildcardProjection: {} }), 9],
    [
      'a mixed wildcard projection',
      index({ '$**': 1 }, { wildcardProjection: { a: 1, b: 0 } }),
      31254,
    ],
    ['two wildcards', index({ 'a.$**': 1, 'b.$**': 1 }), 67],
    ['a hashed wildcard', index({ '$**': 'hashed' }), 67],
    ['a weight of 0', index({ a: 'text' }, { weights: { a: 0 } }), 67],
    ['a language that is none', index({ a: 'text' }, { default_language: 'klingon' }), 67],
    ['a collation of no language', index({ a: 1 }, { collation: { locale: 'nothing' } }), 2],
    ['a text index with a collation', index({ a: 'text' }, { collation: COLLATION }), 67],
    ['a hidden _id', { key: { _id: 1 }, name: '_id_', hidden: true }, 197],
    ['a sparse _id', { key: { _id: 1 }, name: '_id_', sparse: true }, 197],
    [
      'too many fields',
      index(Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, 1]))),
      13103,
    ],
    ['bits out of bounds', index({ a: '2d' }, { bits: 40 }), 72],
  ])('refuses %s', async (_, spec, code) => {
    await expectOutcome(() => create(spec), { code });
  });

  it.each<[string, Document, Document, number]>([
    ['the same key by another name', index({ a: 1 }), { key: { a: 1 }, name: 'other' }, 85],
    ['the same name with another key', index({ a: 1 }), { key: { b: 1 }, name: 'a_1' }, 86],
    ['the same but unique', index({ a: 1 }), index({ a: 1 }, { unique: true }), 86],
    ['the same but sparse', index({ a: 1 }), index({ a: 1 }, { sparse: true }), 86],
    ['the same but expiring', index({ a: 1 }), index({ a: 1 }, { expireAfterSeconds: 5 }), 85],
    [
      'the same but partial',
      index({ a: 1 }),
      index({ a: 1 }, { partialFilterExpression: { b: 1 } }),
      86,
    ],
    ['the same but of a collation', index({ a: 1 }), index({ a: 1 }, { collation: COLLATION }), 86],
    ['the same but hidden', index({ a: 1 }), index({ a: 1 }, { hidden: true }), 85],
    ['a second text index', index({ a: 'text' }), index({ b: 'text' }), 85],
    ['another name for _id', index({ a: 1 }), { key: { _id: 1 }, name: 'other' }, 0],
  ])('beside one that is there: %s', async (_, first, second, code) => {
    await create(first);
    await expectOutcome(() => create(second), code === 0 ? { ok: 1 } : { code });
  });

  it.each<[string, Document]>([
    ['another collation and name', { key: { a: 1 }, name: 'c', collation: COLLATION }],
    ['another filter and name', { key: { a: 1 }, name: 'p', partialFilterExpression: { b: 1 } }],
    ['sparse and another name', { key: { a: 1 }, name: 's', sparse: true }],
    ['another direction', { key: { a: -1 }, name: 'a_-1' }],
  ])('lets two indexes have one key with %s', async (_, second) => {
    await create(index({ a: 1 }));
    expect(await create(second)).toMatchObject({ numIndexesAfter: 3 });
  });

  it.each<[string, Document, number]>([
    ['no indexes', { createIndexes: 'items', indexes: [] }, 2],
    ['a list that is none', { createIndexes: 'items', indexes: 'x' }, 14],
    ['nothing', { createIndexes: 'items' }, 40414],
    [
      'an unknown option',
      { createIndexes: 'items', indexes: [index({ a: 1 })], nothing: 1 },
      40415,
    ],
    ['a view', { createIndexes: 'view', indexes: [index({ a: 1 })] }, 166],
    [
      'a quorum of text',
      { createIndexes: 'items', indexes: [index({ a: 1 })], commitQuorum: 'nothing' },
      79,
    ],
    [
      'a quorum too large',
      { createIndexes: 'items', indexes: [index({ a: 1 })], commitQuorum: 5 },
      229,
    ],
  ])('refuses %s', async (_, command, code) => {
    await run({ create: 'view', viewOn: 'items', pipeline: [] });
    await expectOutcome(() => run(command), { code });
  });

  it.each([1, 0, 'majority', 'votingMembers'])('takes the quorum %o', async (commitQuorum) => {
    const command = { createIndexes: 'items', indexes: [index({ a: 1 })], commitQuorum };
    expect(await run(command)).toMatchObject({ ok: 1 });
  });

  it('ignores unknown options where that is wanted', async () => {
    const indexes = [index({ a: 1 }, { nothing: 1 })];
    await run({ createIndexes: 'items', indexes, ignoreUnknownIndexOptions: true });
    expect((await items().indexes())[1]).not.toHaveProperty('nothing');
  });

  it('fails over duplicates and arrays side by side', async () => {
    await items().insertMany([{ a: 1, x: [1], y: [2] }, { a: 1 }]);
    await expectOutcome(() => create(index({ a: 1 }, { unique: true })), {
      code: 11000,
      keyValue: { a: 1 },
    });
    await expectOutcome(() => create(index({ x: 1, y: 1 })), { code: 171 });
    await create(index({ x: 1, z: 1 }));
    await expectOutcome(() => items().insertOne({ x: [1], z: [2] }), { code: 171 });
    await create(index({ h: 'hashed' }));
    await expectOutcome(() => items().insertOne({ h: [1] }), { code: 16766 });
  });
});

describe('dropIndexes', () => {
  beforeEach(() => create(index({ a: 1 }), index({ b: 1 }), index({ c: 1 }), index({ d: 'text' })));
  const drop = (value: unknown) => run({ dropIndexes: 'items', index: value });
  const names = async () => (await items().indexes()).map(({ name }) => name);

  it.each<[string, unknown, string[]]>([
    ['a name', 'a_1', ['_id_', 'b_1', 'c_1', 'd_text']],
    ['a key', { b: 1 }, ['_id_', 'a_1', 'c_1', 'd_text']],
    ['names', ['a_1', 'c_1'], ['_id_', 'b_1', 'd_text']],
    ['all', '*', ['_id_']],
  ])('by %s', async (_, value, left) => {
    expect(await drop(value)).toMatchObject({ nIndexesWas: 5 });
    expect(await names()).toEqual(left);
  });

  it.each<[string, unknown, number]>([
    ['a name that is not there', 'nothing', 27],
    ['a key that is not there', { nothing: 1 }, 27],
    ['a list with one that is not there', ['a_1', 'nothing'], 27],
    ['_id by name', '_id_', 72],
    ['_id by key', { _id: 1 }, 72],
    ['_id in a list', ['_id_'], 72],
    ['all in a list', ['*'], 27],
    ['another type', 5, 14],
  ])('refuses %s', async (_, value, code) => {
    await expectOutcome(() => drop(value), { code });
    expect(await names()).toHaveLength(5);
  });

  it('refuses a key that two indexes have, and one of a collection that is not there', async () => {
    await create({ key: { a: 1 }, name: 'second', sparse: true });
    await expectOutcome(() => drop({ a: 1 }), { code: 181 });
    await expectOutcome(() => run({ dropIndexes: 'missing', index: '*' }), { code: 26 });
    await expectOutcome(() => run({ dropIndexes: 'items' }), { code: 40414 });
  });
});

describe('listIndexes', () => {
  it('of what is not there, or a view', async () => {
    await run({ create: 'view', viewOn: 'items', pipeline: [] });
    await expectOutcome(() => run({ listIndexes: 'missing' }), {
      code: 26,
      codeName: 'NamespaceNotFound',
    });
    await expectOutcome(() => run({ listIndexes: 'view' }), { code: 166 });
  });
});

describe('a unique index', () => {
  it('tells of the key that is taken', async () => {
    await create(index({ 'a.b': 1, c: -1 }, { unique: true }));
    await items().insertOne({ a: { b: 1 }, c: 'x' });
    await expectOutcome(() => items().insertOne({ a: { b: 1 }, c: 'x' }), {
      code: 11000,
      keyPattern: { 'a.b': 1, c: -1 },
      keyValue: { 'a.b': 1, c: 'x' },
      message:
        'E11000 duplicate key error collection: idx.items index: a.b_1_c_-1 dup key: { a.b: 1, c: "x" }',
    });
    await items().insertOne({});
    await expectOutcome(() => items().insertOne({}), {
      code: 11000,
      keyValue: { 'a.b': null, c: null },
    });
  });

  it('by its collation, its filter and its sparseness', async () => {
    await create(index({ a: 1 }, { unique: true, collation: COLLATION }));
    await items().insertOne({ a: 'X' });
    await expectOutcome(() => items().insertOne({ a: 'x' }), { code: 11000 });
    await create(index({ b: 1 }, { unique: true, partialFilterExpression: { p: true } }));
    await items().insertMany([
      { a: 1, b: 1 },
      { a: 2, b: 1 },
    ]);
    await create(index({ s: 1 }, { unique: true, sparse: true }));
    await items().insertMany([{ a: 3 }, { a: 4 }]);
  });
});
