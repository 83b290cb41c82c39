/** Cursors through the driver, and as commands (manual, "Cursors", commands find, getMore, killCursors). */
import { type CommandStartedEvent, type FindCursor, Long, type MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from '../support/any-document.ts';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';

const test = useEngine();

let client: MongoClient;
const commands: CommandStartedEvent[] = [];

const database = () => client.db('cursors');
const items = () => database().collection<AnyDocument>('items');
const names = (): string[] => commands.map(({ commandName }) => commandName);
const ids = (documents: readonly AnyDocument[]) => documents.map(({ _id }) => _id);
const run = (command: object) => database().command(command);

beforeAll(async () => {
  client = await test().connect({ monitorCommands: true });
  client.on('commandStarted', (event) => commands.push(event));
  await items().insertMany(
    Array.from({ length: 12 }, (_, _id) => ({ _id, n: _id % 3, text: `t${_id}` })),
  );
  await items().createIndex({ n: 1 });
  await database().createCollection('capped', { capped: true, size: 4096, max: 5 });
  await database().createCollection('view', { viewOn: 'items', pipeline: [{ $match: { n: 1 } }] });
});
afterAll(() => client.close());
beforeEach(() => {
  commands.length = 0;
});

describe('batches', () => {
  it.each([
    ['batchSize', { batchSize: 5 }, 12, ['find', 'getMore', 'getMore']],
    ['batchSize 0', { batchSize: 0 }, 12, ['find', 'getMore']],
    ['a limit below the batch', { limit: 3, batchSize: 5 }, 3, ['find']],
    ['a limit over batches', { limit: 7, batchSize: 3 }, 7, ['find', 'getMore', 'getMore']],
    ['a limit that ends with a batch', { limit: 6, batchSize: 3 }, 6, ['find', 'getMore']],
    ['a negative limit', { limit: -4 }, 4, ['find']],
    ['a negative limit and a batch', { limit: -4, batchSize: 2 }, 2, ['find']],
    ['singleBatch', { singleBatch: true, batchSize: 4 }, 4, ['find']],
    ['skip and limit', { skip: 10, limit: 5 }, 2, ['find']],
  ])('by %s', async (_, options, count, expected) => {
    expect(await items().find({}, options).toArray()).toHaveLength(count);
    expect(names()).toEqual(expected);
  });

  it('of a command: the first is 101 documents, the next as many as fit', async () => {
    const many = database().collection('many');
    await many.insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
    const { cursor } = await run({ find: 'many' });
    expect(cursor.firstBatch).toHaveLength(101);
    const next = await run({ getMore: cursor.id, collection: 'many' });
    expect(next['cursor']).toMatchObject({ id: 0, ns: 'cursors.many' });
    expect(next['cursor'].nextBatch).toHaveLength(399);
  });

  it('hold no more than 16 MB', async () => {
    const large = database().collection('large');
    const bytes = Buffer.alloc(1024 * 1024);
    for (let n = 0; n < 20; n++) await large.insertOne({ bytes });
    const { cursor } = await run({ find: 'large' });
    expect(cursor.firstBatch).toHaveLength(15);
    await run({ killCursors: 'large', cursors: [cursor.id] });
  });
});

describe('the driver’s methods', () => {
  const cursor = (): FindCursor<AnyDocument> =>
    items().find({}, { sort: { _id: 1 }, batchSize: 5 });

  it('hasNext, next and tryNext go through all, then give null', async () => {
    const one = cursor();
    expect(await one.hasNext()).toBe(true);
    expect(await one.next()).toMatchObject({ _id: 0 });
    expect(await one.tryNext()).toMatchObject({ _id: 1 });
    expect(await one.toArray()).toHaveLength(10);
    expect(await one.hasNext()).toBe(false);
    expect(await one.next()).toBeNull();
    expect(one.closed).toBe(true);
  });

  it('forEach, for await, map and stream', async () => {
    const seen: unknown[] = [];
    await cursor().forEach(({ _id }) => {
      seen.push(_id);
    });
    expect(seen).toHaveLength(12);
    let count = 0;
    for await (const _ of cursor()) count += 1;
    expect(count).toBe(12);
    expect(
      await cursor()
        .map(({ _id }) => _id)
        .toArray(),
    ).toContain(11);
    let streamed = 0;
    for await (const _ of cursor().stream()) streamed += 1;
    expect(streamed).toBe(12);
  });

  it('rewind and clone begin again', async () => {
    const one = cursor();
    await one.next();
    one.rewind();
    expect(ids(await one.toArray())).toHaveLength(12);
    expect(ids(await one.clone().toArray())).toHaveLength(12);
  });

  it('close kills the cursor on the server', async () => {
    const one = cursor();
    await one.next();
    const { id } = one;
    await one.close();
    expect(names()).toEqual(['find', 'killCursors']);
    await expectOutcome(() => run({ getMore: id, collection: 'items' }), {
      code: 43,
      codeName: 'CursorNotFound',
      message: `cursor id ${id} not found`,
    });
  });

  it('count and explain', async () => {
    expect(await cursor().filter({ n: 1 }).count()).toBe(4);
    expect(await cursor().filter({ n: 1 }).explain()).toHaveProperty('queryPlanner.winningPlan');
  });

  it('buffered documents can be taken', async () => {
    const one = cursor();
    await one.next();
    expect(one.bufferedCount()).toBe(4);
    expect(one.readBufferedDocuments(2)).toHaveLength(2);
    await one.close();
  });
});

describe('killed cursors', () => {
  const open = async (session?: object): Promise<Long> => {
    const { cursor } = await run({ find: 'items', batchSize: 1, ...session });
    return cursor.id;
  };

  it('are told from unknown ones, once', async () => {
    const id = await open();
    const unknown = Long.fromNumber(12345);
    const kill = { killCursors: 'items', cursors: [id, unknown] };
    expect(await run(kill)).toMatchObject({
      cursorsKilled: [id],
      cursorsNotFound: [12345],
      cursorsAlive: [],
      cursorsUnknown: [],
    });
    expect(await run(kill)).toMatchObject({ cursorsKilled: [] });
  });

  it('end a driver’s cursor by CursorNotFound', async () => {
    const cursor = items().find({}, { batchSize: 2 });
    await cursor.next();
    await run({ killCursors: 'items', cursors: [cursor.id] });
    await expect(cursor.toArray()).rejects.toMatchObject({ code: 43 });
  });

  it.each([
    ['no getMore of another collection', { collection: 'other' }, 13],
    ['no negative batchSize', { collection: 'items', batchSize: -1 }, 51024],
    ['no maxTimeMS without awaitData', { collection: 'items', maxTimeMS: 10 }, 2],
    ['no missing collection', {}, 40414],
    ['no unknown field', { collection: 'items', nothing: 1 }, 40415],
  ])('take %s', async (_, fields, code) => {
    const id = await open();
    await expectOutcome(() => run({ getMore: id, ...fields }), { code });
    await run({ killCursors: 'items', cursors: [id] });
  });

  it.each([
    [{ getMore: 'text', collection: 'items' }, 14],
    [{ getMore: 5, collection: 'items' }, 43],
    [{ getMore: Long.fromNumber(99), collection: '' }, 73],
    [{ killCursors: 'items' }, 40414],
    [{ killCursors: 'items', cursors: ['a'] }, 14],
    [{ killCursors: 1, cursors: [Long.fromNumber(1)] }, 73],
  ])('refuse %o by %i', async (command, code) => {
    await expectOutcome(() => run(command), { code });
  });
});

describe('tailable cursors', () => {
  const capped = () => database().collection<AnyDocument>('capped');

  it('wait at the end of a capped collection and go on', async () => {
    await capped().insertOne({ _id: 1 });
    const cursor = capped().find({}, { tailable: true, awaitData: true, maxAwaitTimeMS: 50 });
    expect(await cursor.next()).toMatchObject({ _id: 1 });
    expect(await cursor.tryNext()).toBeNull();
    const next = cursor.next();
    await capped().insertOne({ _id: 2 });
    expect(await next).toMatchObject({ _id: 2 });
    await cursor.close();
    const waits = commands.filter(({ commandName }) => commandName === 'getMore');
    expect(waits[0]?.command).toMatchObject({ maxTimeMS: 50 });
  });

  it('without awaitData give what there is', async () => {
    const cursor = capped().find({}, { tailable: true });
    expect(await cursor.next()).toMatchObject({ _id: 1 });
    expect(await cursor.tryNext()).toMatchObject({ _id: 2 });
    expect(await cursor.tryNext()).toBeNull();
    expect(cursor.closed).toBe(false);
    await cursor.close();
  });

  it('end when what they stand on is overwritten', async () => {
    const cursor = capped().find({}, { tailable: true, batchSize: 1 });
    await cursor.next();
    for (let n = 10; n < 20; n++) await capped().insertOne({ _id: n });
    await expect(cursor.next()).rejects.toMatchObject({ code: 136 });
  });

  it.each([
    ['a collection that is not capped', { find: 'items', tailable: true }, 2],
    ['awaitData alone', { find: 'capped', awaitData: true }, 9],
    ['a sort', { find: 'capped', tailable: true, sort: { _id: 1 } }, 2],
    ['backwards order', { find: 'capped', tailable: true, sort: { $natural: -1 } }, 2],
    ['singleBatch', { find: 'capped', tailable: true, singleBatch: true }, 2],
    ['a view', { find: 'view', tailable: true }, 168],
  ])('are refused for %s', async (_, command, code) => {
    await expectOutcome(() => run(command), { code });
  });

  it('on an empty collection are over at once', async () => {
    await database().createCollection('empty', { capped: true, size: 4096 });
    const { cursor } = await run({ find: 'empty', tailable: true });
    expect(cursor).toMatchObject({ id: 0, firstBatch: [] });
  });
});

describe('options of find', () => {
  it.each([
    ['min and max', { min: { n: 1 }, max: { n: 2 }, hint: { n: 1 } }, [1, 4, 7, 10]],
    ['hint $natural', { hint: { $natural: -1 }, limit: 2 }, [11, 10]],
    [
      'a collation',
      { sort: { text: 1 }, collation: { locale: 'en', numericOrdering: true } },
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    ],
    ['allowDiskUse', { sort: { n: -1, _id: 1 }, allowDiskUse: true, limit: 2 }, [2, 5]],
    ['noCursorTimeout', { noCursorTimeout: true, limit: 1 }, [0]],
    ['a comment', { comment: { any: 'thing' }, limit: 1 }, [0]],
    ['let', { filter: { $expr: { $eq: ['$_id', '$$wanted'] } }, let: { wanted: 3 } }, [3]],
  ] as const)('%s', async (_, options, expected) => {
    const { cursor } = await run({ find: 'items', ...options });
    expect(ids(cursor.firstBatch)).toEqual(expected);
  });

  it('returnKey and showRecordId', async () => {
    const keys = await items().find({ n: 1 }, { returnKey: true, hint: 'n_1', limit: 1 }).toArray();
    expect(keys).toEqual([{ n: 1 }]);
    const [first] = await items().find({}, { showRecordId: true, limit: 1 }).toArray();
    expect(first).toMatchObject({ _id: 0, $recordId: expect.anything() });
  });

  it.each([
    ['max below min', { min: { n: 2 }, max: { n: 1 }, hint: { n: 1 } }, 51175],
    ['min of another index', { min: { text: 1 }, hint: { n: 1 } }, 51174],
    ['min without a hint', { min: { n: 1 } }, 51173],
    ['min with hint $natural', { min: { n: 1 }, hint: { $natural: 1 } }, 2],
    ['hint of no index', { hint: { nothing: 1 } }, 2],
    ['a negative skip', { skip: -1 }, 51024],
    ['a negative batchSize', { batchSize: -1 }, 51024],
    ['$natural mixed with others', { sort: { $natural: 1, n: 1 } }, 2],
    ['a sort by 0', { sort: { n: 0 } }, 15975],
    ['a sort by text', { sort: { n: 'up' } }, 15974],
    ['a projection of both kinds', { projection: { n: 1, text: 0 } }, 31254],
    ['an unknown operator', { filter: { n: { $nothing: 1 } } }, 2],
    ['an unknown top-level operator', { filter: { $nothing: 1 } }, 2],
    ['an unknown option', { nothing: 1 }, 40415],
    ['a collation of no language', { collation: { locale: 'xx-nothing' } }, 2],
    ['an unknown field of a collation', { collation: { locale: 'en', nothing: 1 } }, 40415],
    ['a filter that is none', { filter: 'text' }, 14],
    ['a sort that is none', { sort: 'text' }, 14],
    ['a negative maxTimeMS', { maxTimeMS: -1 }, 2],
    ['a fractional maxTimeMS', { maxTimeMS: 1.5 }, 2],
    ['a text as maxTimeMS', { maxTimeMS: 'soon' }, 14],
    ['an undefined variable', { filter: { $expr: '$$nothing' } }, 17276],
  ])('refuses %s by code %i', async (_, options, code) => {
    await expectOutcome(() => run({ find: 'items', ...options }), { code });
  });

  it('gives an empty cursor for what is not there', async () => {
    expect(await run({ find: 'missing' })).toMatchObject({
      cursor: { id: 0, ns: 'cursors.missing', firstBatch: [] },
    });
  });
});

describe('other cursors', () => {
  it('of aggregate keep to their batches', async () => {
    const cursor = items().aggregate([{ $match: {} }], { batchSize: 5 });
    expect(await cursor.toArray()).toHaveLength(12);
    expect(names()).toEqual(['aggregate', 'getMore', 'getMore']);
    await expectOutcome(() => run({ aggregate: 'items', pipeline: [] }), { code: 9 });
    const negative = { aggregate: 'items', pipeline: [], cursor: { batchSize: -1 } };
    await expectOutcome(() => run(negative), { code: 51024 });
    const unknown = { aggregate: 'items', pipeline: [], cursor: { nothing: 1 } };
    await expectOutcome(() => run(unknown), { code: 40415 });
  });

  it('of listCollections and listIndexes too', async () => {
    const lists = await run({ listCollections: 1, cursor: { batchSize: 2 } });
    expect(lists['cursor'].firstBatch).toHaveLength(2);
    expect(lists['cursor'].ns).toBe('cursors.$cmd.listCollections');
    const rest = await run({ getMore: lists['cursor'].id, collection: '$cmd.listCollections' });
    expect(rest['cursor'].nextBatch.length).toBeGreaterThan(1);
    const indexes = await run({ listIndexes: 'items', cursor: { batchSize: 1 } });
    expect(indexes['cursor']).toMatchObject({
      ns: 'cursors.items',
      firstBatch: [{ name: '_id_' }],
    });
    const more = await run({ getMore: indexes['cursor'].id, collection: 'items' });
    expect(more['cursor'].nextBatch).toMatchObject([{ name: 'n_1' }]);
  });

  it('end with their collection', async () => {
    const gone = database().collection('gone');
    await gone.insertMany([{}, {}, {}]);
    const cursor = gone.find({}, { batchSize: 1 });
    await cursor.next();
    await gone.drop();
    await expect(cursor.toArray()).rejects.toMatchObject({ code: 175 });
  });

  it('end with their database', async () => {
    const gone = client.db('gone').collection('c');
    await gone.insertMany([{}, {}, {}]);
    const cursor = gone.find({}, { batchSize: 1 });
    await cursor.next();
    await client.db('gone').dropDatabase();
    await expect(cursor.toArray()).rejects.toMatchObject({ code: 175 });
  });

  it('survive the drop of an index they do not use, and neither their own nor a renaming', async () => {
    const renamed = database().collection('renamed');
    await renamed.insertMany([{}, {}, {}]);
    await renamed.createIndex({ a: 1 });
    const cursor = renamed.find({}, { batchSize: 1 });
    await cursor.next();
    await renamed.dropIndex('a_1');
    expect(await cursor.next()).not.toBeNull();
    await renamed.createIndex({ a: 1 });
    const byIndex = renamed.find({}, { batchSize: 1, hint: 'a_1' });
    await byIndex.next();
    await renamed.dropIndex('a_1');
    await expect(byIndex.toArray()).rejects.toMatchObject({ code: 175 });
    await renamed.rename('renamed-again');
    await expect(cursor.toArray()).rejects.toMatchObject({ code: 175 });
  });
});
