import type { ChangeStream, ChangeStreamDocument } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AnyDocument } from './support/any-document.ts';
import { useEngine } from './support/engine.ts';

const test = useEngine();
const database = () => test().client.db('streams');
const things = () => database().collection<AnyDocument>('things');
const open: ChangeStream[] = [];

function watch(...args: Parameters<ReturnType<typeof things>['watch']>): ChangeStream {
  const [pipeline, options] = args;
  const stream = things().watch(pipeline, { maxAwaitTimeMS: 100, ...options });
  open.push(stream as unknown as ChangeStream);
  return stream as unknown as ChangeStream;
}

/** The stream is open on the server once its first getMore has come back. */
async function opened(stream: ChangeStream): Promise<ChangeStream> {
  await stream.tryNext();
  return stream;
}

async function take(stream: ChangeStream, count: number): Promise<ChangeStreamDocument[]> {
  const events: ChangeStreamDocument[] = [];
  while (events.length < count) events.push(await stream.next());
  return events;
}

const kinds = (events: ChangeStreamDocument[]): string[] => events.map((e) => e.operationType);

beforeEach(async () => {
  await database().dropDatabase();
  await database().createCollection('things');
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((stream) => stream.close()));
});

describe('a change stream', () => {
  it('tells of inserts, updates, replacements and deletes in order', async () => {
    const stream = await opened(watch());
    await things().insertOne({ _id: 1, list: [1, 2, 3], old: 1 });
    await things().updateOne({ _id: 1 }, { $set: { 'a.b': 1, list: [1] }, $unset: { old: 1 } });
    await things().replaceOne({ _id: 1 }, { z: 1 });
    await things().deleteOne({ _id: 1 });
    const events = await take(stream, 4);
    expect(kinds(events)).toEqual(['insert', 'update', 'replace', 'delete']);
    expect(events[1]).toMatchObject({
      documentKey: { _id: 1 },
      ns: { db: 'streams', coll: 'things' },
      updateDescription: { removedFields: ['old'] },
    });
    expect(events[2]).toMatchObject({ fullDocument: { _id: 1, z: 1 } });
  });

  it('shows truncated arrays of pipeline updates', async () => {
    await things().insertOne({ _id: 1, list: [1, 2, 3, 4] });
    const stream = await opened(watch());
    await things().updateOne({ _id: 1 }, [{ $set: { list: { $slice: ['$list', 2] } } }]);
    const [event] = await take(stream, 1);
    expect(event).toMatchObject({
      updateDescription: { truncatedArrays: [{ field: 'list', newSize: 2 }] },
    });
  });

  it('ends by an invalidation when its collection is dropped, and starts after it', async () => {
    const stream = await opened(watch());
    await things().insertOne({ _id: 1 });
    await things().drop();
    const events = await take(stream, 3);
    expect(kinds(events)).toEqual(['insert', 'drop', 'invalidate']);
    const invalidate = events[2]?._id;
    const resumed = watch([], { resumeAfter: invalidate });
    await expect(resumed.next()).rejects.toMatchObject({ code: 260 });
    const again = await opened(watch([], { startAfter: invalidate }));
    await things().insertOne({ _id: 2 });
    expect(kinds(await take(again, 1))).toEqual(['insert']);
  });

  it('resumes exactly after a token, inside a transaction too', async () => {
    const stream = await opened(watch());
    await test().client.withSession((session) =>
      session.withTransaction(async () => {
        for (const _id of [1, 2, 3]) await things().insertOne({ _id }, { session });
      }),
    );
    await things().insertOne({ _id: 4 });
    const events = await take(stream, 4);
    expect(events[0]).toMatchObject({ txnNumber: expect.anything(), lsid: expect.anything() });
    for (const [index, event] of events.entries()) {
      if (index === 3) break;
      const rest = await take(watch([], { resumeAfter: event._id }), 3 - index);
      expect(rest.map((e) => e._id)).toEqual(events.slice(index + 1).map((e) => e._id));
    }
  });

  it('starts at an operation time', async () => {
    const { operationTime } = await database().command({ ping: 1 });
    await things().insertOne({ _id: 1 });
    const events = await take(watch([], { startAtOperationTime: operationTime }), 1);
    expect(kinds(events)).toContain('insert');
  });

  it('gives images where the collection keeps them', async () => {
    await database().command({
      collMod: 'things',
      changeStreamPreAndPostImages: { enabled: true },
    });
    await things().insertOne({ _id: 1, a: 1 });
    const options = { fullDocument: 'required', fullDocumentBeforeChange: 'required' } as const;
    const stream = await opened(watch([], options));
    await things().updateOne({ _id: 1 }, { $set: { a: 2 } });
    await things().deleteOne({ _id: 1 });
    const events = await take(stream, 2);
    expect(events[0]).toMatchObject({
      fullDocument: { _id: 1, a: 2 },
      fullDocumentBeforeChange: { _id: 1, a: 1 },
    });
    expect(events[1]).toMatchObject({ fullDocumentBeforeChange: { _id: 1, a: 2 } });
  });

  it('looks updated documents up', async () => {
    await things().insertOne({ _id: 1 });
    const stream = await opened(watch([], { fullDocument: 'updateLookup' }));
    await things().updateOne({ _id: 1 }, { $set: { a: 2 } });
    expect((await take(stream, 1))[0]).toMatchObject({ fullDocument: { _id: 1, a: 2 } });
  });

  it('runs a pipeline over the events', async () => {
    const pipeline = [
      { $match: { 'fullDocument.a': { $gt: 1 } } },
      { $project: { documentKey: 1 } },
    ];
    const stream = await opened(watch(pipeline));
    await things().insertMany([
      { _id: 1, a: 1 },
      { _id: 2, a: 2 },
    ]);
    const [event] = await take(stream, 1);
    expect(event).toEqual({ _id: expect.anything(), documentKey: { _id: 2 } });
  });

  it.each([
    ['a stage that needs all events', [{ $sort: { a: 1 } }], {}, 20],
    ['a broken token', [], { resumeAfter: { _data: 'xyz' } }, 260],
    [
      'two starting points',
      [],
      { resumeAfter: { _data: '82' }, startAfter: { _data: '82' } },
      50865,
    ],
    ['a lost token', [], { resumeAfter: { _data: `82${'0'.repeat(15)}1${'0'.repeat(9)}1` } }, 286],
    ['an unknown mode', [], { fullDocument: 'nope' }, 2],
    ['an unknown stage', [{ $nope: 1 }], {}, 40324],
    [
      'stages behind the splitting',
      [{ $changeStreamSplitLargeEvent: {} }, { $match: {} }],
      {},
      7182802,
    ],
  ])('refuses %s', async (_, pipeline, options, code) => {
    await expect(watch(pipeline, options).next()).rejects.toMatchObject({ code });
  });

  it('watches a database and the whole server', async () => {
    const db = database().watch([], { maxAwaitTimeMS: 100 });
    const all = test().client.watch([], { maxAwaitTimeMS: 100 });
    open.push(db as unknown as ChangeStream, all as unknown as ChangeStream);
    await Promise.all([db.tryNext(), all.tryNext()]);
    await database().collection('other').insertOne({ a: 1 });
    await test().client.db('elsewhere').collection('x').insertOne({ a: 1 });
    await test().client.db('elsewhere').dropDatabase();
    await database().dropDatabase();
    expect(kinds(await take(db as never, 4))).toEqual(['insert', 'drop', 'drop', 'dropDatabase']);
    expect(kinds(await take(db as never, 1))).toEqual(['invalidate']);
    expect(kinds(await take(all as never, 4))).toEqual([
      'insert',
      'insert',
      'drop',
      'dropDatabase',
    ]);
  });

  it('wakes at once on a write', async () => {
    const next = watch([], { maxAwaitTimeMS: 600_000 }).next();
    await vi.waitFor(async () => {
      const reply = await test().client.db('admin').command({ currentOp: 1, op: 'getmore' });
      expect(reply['inprog']).toHaveLength(1);
    });
    await things().insertOne({ _id: 1 });
    expect(await next).toMatchObject({ operationType: 'insert' });
  });

  it('goes on by itself after a failed getMore', async () => {
    const stream = await opened(watch());
    await test()
      .client.db('admin')
      .command({
        configureFailPoint: 'failGetMoreAfterCursorCheckout',
        mode: { times: 1 },
        data: { errorCode: 91, closeConnection: false },
      });
    const next = stream.next();
    await things().insertOne({ _id: 1 });
    expect(await next).toMatchObject({ documentKey: { _id: 1 } });
  });

  it('tells paths with numbers in field names from positions in arrays', async () => {
    await things().insertOne({ _id: 1, a: [{ 1: 1 }], b: [1, 2], c: { 0: 1 } });
    const stream = await opened(watch([], { showExpandedEvents: true }));
    await things().updateOne({ _id: 1 }, { $set: { 'a.0.1': 2, 'b.1': 3 }, $unset: { 'c.0': 1 } });
    await things().updateOne({ _id: 1 }, [
      { $replaceWith: { $setField: { field: 'x.y', input: '$$ROOT', value: 1 } } },
    ]);
    const [first, second] = await take(stream, 2);
    expect(first).toMatchObject({
      updateDescription: { disambiguatedPaths: { 'a.0.1': ['a', 0, '1'], 'c.0': ['c', '0'] } },
    });
    expect((first as { updateDescription: object }).updateDescription).not.toHaveProperty(
      'disambiguatedPaths.b.1',
    );
    expect(second).toMatchObject({
      updateDescription: { disambiguatedPaths: { 'x.y': ['x.y'] } },
    });
  });

  it('sends an event that is too large in fragments, and resumes behind each of them', async () => {
    await database().command({
      collMod: 'things',
      changeStreamPreAndPostImages: { enabled: true },
    });
    await things().insertOne({ _id: 1, value: 'q'.repeat(10 * 1024 * 1024) });
    const options = { fullDocumentBeforeChange: 'required', fullDocument: 'required' } as const;
    const stages = [{ $changeStreamSplitLargeEvent: {} }];
    const whole = await opened(watch([], options));
    const stream = await opened(watch(stages, options));
    await things().updateOne({ _id: 1 }, { $set: { value: 'z'.repeat(10 * 1024 * 1024) } });
    const fragments = await take(stream, 3);
    expect(fragments.map(({ splitEvent }) => splitEvent)).toEqual([
      { fragment: 1, of: 3 },
      { fragment: 2, of: 3 },
      { fragment: 3, of: 3 },
    ]);
    await things().updateOne({ _id: 1 }, { $set: { value: 1 } });
    const resumed = watch(stages, { ...options, resumeAfter: fragments[1]?._id });
    const [third, next] = await take(resumed, 2);
    expect(third?.splitEvent).toEqual({ fragment: 3, of: 3 });
    expect(next?.splitEvent).toBeUndefined();
    await expect(whole.next()).rejects.toMatchObject({ code: 10334 });
  });
});
