/** Every option of a change stream, and what contradicts (manual, "Change Streams", "$changeStream"). */
import {
  type ChangeStream,
  type ChangeStreamDocument,
  type ChangeStreamOptions,
  type Document,
  type MongoClient,
  Timestamp,
} from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from '../support/any-document.ts';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';

const test = useEngine();

const database = () => test().client.db('watched');
const items = () => database().collection<AnyDocument>('items');

/** A stream that is open on the server. */
async function open(
  options: ChangeStreamOptions = {},
  on: { watch: MongoClient['watch'] } = items(),
  pipeline: Document[] = [],
): Promise<ChangeStream> {
  const stream = on.watch(pipeline, { maxAwaitTimeMS: 50, ...options });
  await stream.tryNext();
  return stream as ChangeStream;
}

async function take(stream: ChangeStream, count: number): Promise<ChangeStreamDocument[]> {
  const events: ChangeStreamDocument[] = [];
  while (events.length < count) events.push(await stream.next());
  await stream.close();
  return events;
}

const kinds = (events: readonly { operationType: string }[]): string[] =>
  events.map(({ operationType }) => operationType);

beforeEach(async () => {
  await database().dropDatabase();
  await items().insertOne({ _id: 1, n: 1 });
});

const keepImages = () =>
  database().command({ collMod: 'items', changeStreamPreAndPostImages: { enabled: true } });

describe('fullDocument', () => {
  it.each([
    ['default', undefined],
    ['updateLookup', { _id: 1, n: 3 }],
    ['whenAvailable', null],
  ])('%s, without images', async (fullDocument, expected) => {
    const stream = await open({ fullDocument });
    await items().updateOne({ _id: 1 }, { $set: { n: 2 } });
    await items().updateOne({ _id: 1 }, { $set: { n: 3 } });
    const [event] = await take(stream, 1);
    expect((event as Document)['fullDocument']).toEqual(expected);
  });

  it.each(['whenAvailable', 'required'])('%s, with images', async (fullDocument) => {
    await keepImages();
    const stream = await open({ fullDocument });
    await items().updateOne({ _id: 1 }, { $set: { n: 2 } });
    await items().updateOne({ _id: 1 }, { $set: { n: 3 } });
    expect(await take(stream, 1)).toMatchObject([{ fullDocument: { _id: 1, n: 2 } }]);
  });

  it('required fails the stream without an image', async () => {
    const stream = await open({ fullDocument: 'required' });
    await items().updateOne({ _id: 1 }, { $set: { n: 2 } });
    await expect(take(stream, 1)).rejects.toMatchObject({ code: 47 });
  });

  it('updateLookup gives null for what is gone', async () => {
    const stream = await open({ fullDocument: 'updateLookup' });
    await items().updateOne({ _id: 1 }, { $set: { n: 2 } });
    await items().deleteOne({ _id: 1 });
    expect(await take(stream, 1)).toMatchObject([{ operationType: 'update', fullDocument: null }]);
  });
});

describe('fullDocumentBeforeChange', () => {
  it.each(['whenAvailable', 'required'])('%s, with images', async (fullDocumentBeforeChange) => {
    await keepImages();
    const stream = await open({ fullDocumentBeforeChange });
    await items().updateOne({ _id: 1 }, { $set: { n: 2 } });
    await items().replaceOne({ _id: 1 }, { n: 3 });
    await items().deleteOne({ _id: 1 });
    await items().insertOne({ _id: 2 });
    const events = await take(stream, 4);
    expect(events.map((event) => (event as Document)['fullDocumentBeforeChange'])).toEqual([
      { _id: 1, n: 1 },
      { _id: 1, n: 2 },
      { _id: 1, n: 3 },
      undefined,
    ]);
  });

  it('whenAvailable gives null without images, off nothing, required fails', async () => {
    const available = await open({ fullDocumentBeforeChange: 'whenAvailable' });
    const off = await open({ fullDocumentBeforeChange: 'off' });
    const required = await open({ fullDocumentBeforeChange: 'required' });
    await items().deleteOne({ _id: 1 });
    expect(await take(available, 1)).toMatchObject([{ fullDocumentBeforeChange: null }]);
    expect((await take(off, 1))[0]).not.toHaveProperty('fullDocumentBeforeChange');
    await expect(take(required, 1)).rejects.toMatchObject({ code: 47 });
  });
});

describe('the start', () => {
  it('resumeAfter, startAfter and startAtOperationTime', async () => {
    const stream = await open();
    const session = test().client.startSession();
    await items().insertOne({ _id: 2 }, { session });
    const time = session.operationTime;
    await items().insertOne({ _id: 3 });
    const [first] = await take(stream, 2);
    for (const options of [{ resumeAfter: first?._id }, { startAfter: first?._id }]) {
      const resumed = items().watch([], options) as ChangeStream;
      expect(await take(resumed, 1)).toMatchObject([{ documentKey: { _id: 3 } }]);
    }
    const events = await take(
      items().watch([], { startAtOperationTime: time as Timestamp }) as ChangeStream,
      2,
    );
    expect(events).toMatchObject([{ documentKey: { _id: 2 } }, { documentKey: { _id: 3 } }]);
    await session.endSession();
  });

  const token = { _data: '8200000001000000010000000001' };
  it.each([
    ['resumeAfter and startAfter', { resumeAfter: token, startAfter: token }, 50865],
    [
      'resumeAfter and a time',
      { resumeAfter: token, startAtOperationTime: new Timestamp({ t: 1, i: 1 }) },
      40674,
    ],
    [
      'startAfter and a time',
      { startAfter: token, startAtOperationTime: new Timestamp({ t: 1, i: 1 }) },
      40674,
    ],
    ['a token that is none', { resumeAfter: { _data: 'nothing' } }, 260],
    ['a token without data', { resumeAfter: { nothing: 1 } }, 40647],
    ['a token of another type', { resumeAfter: { _data: 5 } }, 40647],
    ['a token older than the log', { resumeAfter: token }, 286],
    ['a time older than the log', { startAtOperationTime: new Timestamp({ t: 1, i: 1 }) }, 286],
    ['a time of another type', { startAtOperationTime: 5 }, 14],
    ['a mode of full documents that is none', { fullDocument: 'nothing' }, 2],
    ['a mode of images that is none', { fullDocumentBeforeChange: 'nothing' }, 2],
    ['a mode of another type', { fullDocument: 5 }, 14],
    ['an unknown option', { nothing: 1 }, 40415],
    ['a flag of another type', { showExpandedEvents: 'yes' }, 14],
    ['the whole cluster from elsewhere', { allChangesForCluster: true }, 72],
  ])('is refused for %s', async (_, options, code) => {
    const aggregate = { aggregate: 'items', pipeline: [{ $changeStream: options }], cursor: {} };
    await expectOutcome(() => database().command(aggregate), { code });
  });

  it.each([
    ['a stage that is not the first', [{ $match: {} }, { $changeStream: {} }], 40602],
    ['a spec that is none', [{ $changeStream: 1 }], 50808],
    ['a $group', [{ $changeStream: {} }, { $group: { _id: 1 } }], 20],
    ['a $sort', [{ $changeStream: {} }, { $sort: { a: 1 } }], 20],
    ['an $out', [{ $changeStream: {} }, { $out: 'x' }], 20],
    ['a $lookup', [{ $changeStream: {} }, { $lookup: { from: 'a', as: 'b', pipeline: [] } }], 20],
    ['an unknown stage', [{ $changeStream: {} }, { $nothing: 1 }], 40324],
    [
      'a split that is not the last',
      [{ $changeStream: {} }, { $changeStreamSplitLargeEvent: {} }, { $match: {} }],
      7182802,
    ],
  ])('is refused for %s', async (_, pipeline, code) => {
    const aggregate = { aggregate: 'items', pipeline, cursor: {} };
    await expectOutcome(() => database().command(aggregate), { code });
  });

  it('is refused on a view, in a transaction, and at another read concern', async () => {
    await database().createCollection('view', { viewOn: 'items', pipeline: [] });
    const watch =
      (target: string, more: object = {}) =>
      () =>
        database().command({
          aggregate: target,
          pipeline: [{ $changeStream: {} }],
          cursor: {},
          ...more,
        });
    await expectOutcome(watch('view'), { code: 166 });
    await expectOutcome(watch('items', { readConcern: { level: 'local' } }), { code: 72 });
    await expectOutcome(
      () =>
        test().client.withSession((session) =>
          session.withTransaction(async () => {
            await items().watch([], { session }).tryNext();
          }),
        ),
      { code: 263 },
    );
  });
});

describe('showExpandedEvents', () => {
  it('tells of collections and indexes', async () => {
    const stream = await open({ showExpandedEvents: true }, database() as unknown as MongoClient);
    const made = await database().createCollection('made');
    await made.createIndex({ a: 1 }, { name: 'by-a' });
    await database().command({ collMod: 'made', index: { name: 'by-a', hidden: true } });
    await made.dropIndex('by-a');
    await made.rename('renamed');
    await database()
      .collection('renamed')
      .insertOne({ _id: 1 } as Document);
    await database()
      .collection('renamed')
      .updateOne({}, { $set: { 'a.0': 1 } });
    await database().collection('renamed').drop();
    const events = (await take(stream, 8)) as Document[];
    expect(kinds(events as { operationType: string }[])).toEqual([
      'create',
      'createIndexes',
      'modify',
      'dropIndexes',
      'rename',
      'insert',
      'update',
      'drop',
    ]);
    expect(events[0]).toMatchObject({
      collectionUUID: expect.anything(),
      ns: { db: 'watched', coll: 'made' },
      operationDescription: { idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } },
    });
    expect(events[1]).toMatchObject({
      operationDescription: { indexes: [{ v: 2, key: { a: 1 }, name: 'by-a' }] },
    });
    expect(events[2]).toMatchObject({
      operationDescription: { index: { name: 'by-a', hidden: true } },
      stateBeforeChange: {
        collectionOptions: { uuid: expect.anything() },
        indexOptions: { hidden: false },
      },
    });
    expect(events[3]).toMatchObject({
      operationDescription: { indexes: [{ v: 2, key: { a: 1 }, name: 'by-a' }] },
    });
    expect(events[4]).toMatchObject({
      to: { db: 'watched', coll: 'renamed' },
      operationDescription: { to: { db: 'watched', coll: 'renamed' } },
    });
    expect(events[6]).toMatchObject({ updateDescription: { disambiguatedPaths: {} } });
    expect(events[7]).toHaveProperty('collectionUUID');
  });

  it('are silent without it', async () => {
    const stream = await open({}, database() as unknown as MongoClient);
    const made = await database().createCollection('made');
    await made.createIndex({ a: 1 });
    await made.insertOne({});
    const [event] = (await take(stream, 1)) as Document[];
    expect(event).toMatchObject({ operationType: 'insert' });
    expect(event).not.toHaveProperty('collectionUUID');
  });

  it('tell of views too', async () => {
    const stream = await open({ showExpandedEvents: true }, database() as unknown as MongoClient);
    await database().createCollection('view', { viewOn: 'items', pipeline: [{ $match: {} }] });
    expect(await take(stream, 1)).toMatchObject([
      {
        operationType: 'create',
        operationDescription: { viewOn: 'items', pipeline: [{ $match: {} }] },
      },
    ]);
  });
});

describe('what streams give', () => {
  it('batchSize, comment and collation reach the server', async () => {
    const stream = items().watch([{ $match: { 'fullDocument.text': 'ABC' } }], {
      batchSize: 2,
      comment: 'seen',
      collation: { locale: 'en', strength: 1 },
      maxAwaitTimeMS: 50,
    });
    await stream.tryNext();
    await items().insertMany([{ text: 'abc' }, { text: 'x' }, { text: 'Abc' }]);
    expect(await take(stream as ChangeStream, 2)).toHaveLength(2);
  });

  it('on a database and on all of them', async () => {
    const onDatabase = await open({}, database() as unknown as MongoClient);
    const onAll = await open({}, test().client);
    await test().client.db('elsewhere').collection('c').insertOne({});
    await database().collection('other').insertOne({});
    expect(await take(onDatabase, 1)).toMatchObject([{ ns: { db: 'watched', coll: 'other' } }]);
    expect(await take(onAll, 2)).toMatchObject([
      { ns: { db: 'elsewhere' } },
      { ns: { coll: 'other' } },
    ]);
  });

  it('dropDatabase invalidates the stream of a database, and no other', async () => {
    const onCollection = await open();
    const onDatabase = await open({}, database() as unknown as MongoClient);
    const onAll = await open({}, test().client);
    await database().dropDatabase();
    await test().client.db('elsewhere').collection('c').insertOne({});
    expect(kinds(await take(onCollection, 2))).toEqual(['drop', 'invalidate']);
    expect(kinds(await take(onDatabase, 3))).toEqual(['drop', 'dropDatabase', 'invalidate']);
    expect(kinds(await take(onAll, 3))).toEqual(['drop', 'dropDatabase', 'insert']);
  });

  it('a stage that takes the token away fails the stream', async () => {
    const stream = await open({}, items() as unknown as MongoClient, [{ $project: { _id: 0 } }]);
    await items().insertOne({});
    await expect(take(stream, 1)).rejects.toThrow(/resume token|_id/);
  });

  it('large events come in fragments where that is wanted', async () => {
    const stream = await open({ fullDocument: 'updateLookup' }, items() as unknown as MongoClient, [
      { $changeStreamSplitLargeEvent: {} },
    ]);
    const half = 'x'.repeat(9 * 1024 * 1024);
    await items().insertOne({ _id: 2, a: half });
    await keepImages();
    await items().updateOne({ _id: 2 }, { $set: { b: 'y'.repeat(6 * 1024 * 1024) } });
    const events = (await take(stream, 3)) as Document[];
    expect(events.map(({ splitEvent }) => splitEvent)).toEqual([
      undefined,
      { fragment: 1, of: 2 },
      { fragment: 2, of: 2 },
    ]);
  });
});

describe('resuming', () => {
  const fail = (data: object, configureFailPoint = 'failGetMoreAfterCursorCheckout') =>
    test()
      .client.db('admin')
      .command({ configureFailPoint, mode: { times: 1 }, data });

  it.each([
    6, 7, 89, 91, 133, 150, 189, 234, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 63, 43,
  ])('goes on after error %i of a getMore', async (errorCode) => {
    const stream = await open();
    await fail({ errorCode });
    const next = stream.next();
    await items().insertOne({ _id: 'after' });
    expect(await next).toMatchObject({ documentKey: { _id: 'after' } });
    await stream.close();
  });

  it.each([1, 11601, 237, 222, 280])('ends by error %i', async (errorCode) => {
    const stream = await open();
    await fail({ errorCode });
    await expect(stream.next()).rejects.toMatchObject({ code: errorCode });
    await stream.close();
  });

  it('goes on after a cut connection, and after a label that is given', async () => {
    for (const data of [
      { closeConnection: true },
      { errorCode: 5, errorLabels: ['ResumableChangeStreamError'] },
    ]) {
      const stream = await open();
      await fail({ failCommands: ['getMore'], ...data }, 'failCommand');
      const next = stream.next();
      await items().insertOne({});
      expect(await next).toMatchObject({ operationType: 'insert' });
      await stream.close();
    }
  });
});
