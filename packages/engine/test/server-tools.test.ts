/** What shells and graphical clients do beside reading and writing documents. */
import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import type { AnyDocument } from './support/any-document.ts';
import { useEngine } from './support/engine.ts';

const test = useEngine();

const database = () => test().client.db('tools');
const admin = () => test().client.db('admin');
const collection = (name: string) => database().collection<AnyDocument>(name);

describe('fsync with lock', () => {
  it('holds writes back until as many unlocks, while reads go on', async () => {
    const things = collection('locked');
    await things.insertOne({ _id: 1 });
    expect(await admin().command({ fsync: 1, lock: true })).toMatchObject({ lockCount: 1 });
    expect(await admin().command({ fsync: 1, lock: true })).toMatchObject({ lockCount: 2 });
    let isWritten = false;
    const write = things.insertOne({ _id: 2 }).then(() => {
      isWritten = true;
    });
    expect(await things.countDocuments()).toBe(1);
    expect(await admin().command({ currentOp: 1 })).toMatchObject({ fsyncLock: true });
    expect(await admin().command({ fsyncUnlock: 1 })).toMatchObject({ lockCount: 1 });
    expect(await things.countDocuments()).toBe(1);
    expect(isWritten).toBe(false);
    expect(await admin().command({ fsyncUnlock: 1 })).toMatchObject({ lockCount: 0 });
    await write;
    expect(await things.countDocuments()).toBe(2);
    await expect(admin().command({ fsyncUnlock: 1 })).rejects.toMatchObject({ code: 20 });
  });

  it('lets a write that waits end by its time limit, and an engine close', async () => {
    await admin().command({ fsync: 1, lock: true });
    const late = collection('late').insertOne({}, { maxTimeMS: 50 });
    await expect(late).rejects.toMatchObject({ code: 50 });
    await test().restart();
    await collection('late').insertOne({});
  });
});

describe('convertToCapped', () => {
  it('keeps the newest documents that fit, and no index but that on _id', async () => {
    const things = collection('to-cap');
    const text = 'x'.repeat(1000);
    await things.insertMany(Array.from({ length: 20 }, (_, _id) => ({ _id, text })));
    await things.createIndex({ text: 1 });
    await database().command({ convertToCapped: 'to-cap', size: 5_500 });
    expect(await things.isCapped()).toBe(true);
    expect((await things.find().toArray()).map(({ _id }) => _id)).toEqual([15, 16, 17, 18, 19]);
    expect(await things.indexes()).toMatchObject([{ name: '_id_' }]);
    await things.insertOne({ _id: 20, text });
    expect(await things.countDocuments()).toBe(5);
  });

  it('ends the change streams of its collection', async () => {
    const things = collection('watched');
    await things.insertOne({ _id: 1 });
    const stream = things.watch();
    await stream.tryNext();
    await database().command({ convertToCapped: 'watched', size: 10_000 });
    const kinds = [(await stream.next()).operationType, (await stream.next()).operationType];
    expect(kinds).toEqual(['rename', 'invalidate']);
    await stream.close();
  });

  it('copies into a new collection', async () => {
    await collection('original').insertMany([{ _id: 1 }, { _id: 2 }]);
    const command = { cloneCollectionAsCapped: 'original', toCollection: 'copy', size: 10_000 };
    await database().command(command);
    expect(await collection('copy').countDocuments()).toBe(2);
    await expect(database().command(command)).rejects.toMatchObject({ code: 48 });
  });

  it.each([
    [{ convertToCapped: 'missing', size: 100 }, 26],
    [{ convertToCapped: 'missing' }, 40414],
    [{ convertToCapped: 'original', size: 0 }, 72],
  ])('refuses %o by code %i', async (command, code) => {
    await expect(database().command(command)).rejects.toMatchObject({ code });
  });
});

describe('the database "local"', () => {
  const oplog = () => test().client.db('local').collection('oplog.rs');
  const last = async (filter: Document): Promise<Document | null> =>
    await oplog().findOne(filter, { sort: { $natural: -1 } });

  it('lists the log, and tells its size', async () => {
    const local = test().client.db('local');
    const names = (await local.listCollections().toArray()).map(({ name }) => name);
    expect(names).toEqual(['oplog.rs', 'startup_log', 'system.replset']);
    expect(await local.command({ collStats: 'oplog.rs' })).toMatchObject({
      capped: true,
      maxSize: 536_870_912,
    });
    expect(await local.collection('system.replset').findOne()).toMatchObject({ _id: 'quorate' });
    expect(await oplog().countDocuments()).toBeGreaterThan(1);
  });

  it('shows each kind of change in the form of MongoDB', async () => {
    const things = collection('logged');
    const ns = 'tools.logged';
    await things.insertOne({ _id: 1, list: [1, 2], in: { a: 1, b: 2 } });
    expect(await last({ ns, op: 'i' })).toMatchObject({
      o: { _id: 1, list: [1, 2] },
      o2: { _id: 1 },
      v: 2,
      t: 1,
      wall: expect.any(Date),
      ui: expect.anything(),
    });
    await things.updateOne({ _id: 1 }, { $set: { 'list.1': 5, 'in.a': 2 }, $unset: { 'in.b': 1 } });
    expect(await last({ ns, op: 'u' })).toMatchObject({
      o: { $v: 2, diff: { slist: { a: true, u1: 5 }, sin: { u: { a: 2 }, d: { b: false } } } },
      o2: { _id: 1 },
    });
    await things.replaceOne({ _id: 1 }, { r: 1 });
    expect(await last({ ns, op: 'u' })).toMatchObject({ o: { _id: 1, r: 1 }, o2: { _id: 1 } });
    await things.deleteOne({ _id: 1 });
    expect(await last({ ns, op: 'd' })).toMatchObject({ o: { _id: 1 } });
    await things.drop();
    expect(await last({ ns: 'tools.$cmd', op: 'c' })).toMatchObject({ o: { drop: 'logged' } });
  });

  it('shows a transaction as one entry with its operations', async () => {
    await collection('moved').insertOne({ _id: 0 });
    await test().client.withSession((session) =>
      session.withTransaction(async () => {
        for (const _id of [1, 2]) await collection('moved').insertOne({ _id }, { session });
      }),
    );
    expect(await last({ 'o.applyOps.ns': 'tools.moved' })).toMatchObject({
      op: 'c',
      ns: 'admin.$cmd',
      txnNumber: expect.anything(),
      o: {
        applyOps: [
          { op: 'i', o: { _id: 1 } },
          { op: 'i', o: { _id: 2 } },
        ],
      },
    });
  });

  it('can be followed from a time on', async () => {
    const { ts } = (await last({})) ?? {};
    const tail = oplog().find(
      { ts: { $gt: ts }, ns: 'tools.followed' },
      { tailable: true, awaitData: true, maxAwaitTimeMS: 200 },
    );
    expect(await tail.tryNext()).toBeNull();
    const next = tail.next();
    await collection('followed').insertOne({ _id: 7 });
    expect(await next).toMatchObject({ op: 'i', o: { _id: 7 } });
    await tail.close();
  });

  it('refuses writes to what the server keeps', async () => {
    const insert = test().client.db('local').collection('oplog.rs').insertOne({});
    await expect(insert).rejects.toMatchObject({ code: 73 });
  });
});

describe('statistics', () => {
  it('count the uses of each index, but not its explanations', async () => {
    const things = collection('indexed');
    await things.createIndex({ n: 1 });
    await things.insertMany([{ n: 1 }, { n: 2 }]);
    const uses = async (): Promise<number> => {
      const all = await things.aggregate([{ $indexStats: {} }, { $match: { name: 'n_1' } }]);
      return Number((await all.next())?.['accesses'].ops);
    };
    expect(await uses()).toBe(0);
    await things.find({ n: 1 }).explain();
    await things.findOne({ n: 1 });
    await things.updateOne({ n: 2 }, { $set: { x: 1 } });
    expect(await uses()).toBe(2);
    const [stats] = await things.aggregate([{ $collStats: { latencyStats: {} } }]).toArray();
    expect(stats?.['latencyStats'].reads.ops).toBeGreaterThan(0);
  });

  it('of a view are refused as MongoDB does, but for its latencies', async () => {
    await database().createCollection('view', { viewOn: 'indexed', pipeline: [{ $match: {} }] });
    const stats = (spec: Document) =>
      collection('view')
        .aggregate([{ $collStats: spec }])
        .toArray();
    await expect(stats({ storageStats: {} })).rejects.toMatchObject({
      code: 166,
      message: 'Namespace tools.view is a view, not a collection',
    });
    expect(await stats({ latencyStats: {} })).toMatchObject([{ ns: 'tools.view' }]);
  });

  it('of the server have what performance charts draw, and leave out what is not wanted', async () => {
    const status = await admin().command({ serverStatus: 1, repl: 0 });
    expect(status).toMatchObject({
      network: { bytesIn: expect.any(Number), bytesOut: expect.any(Number) },
      globalLock: { activeClients: { readers: 0, writers: 0 }, currentQueue: { total: 0 } },
    });
    expect(status).not.toHaveProperty('repl');
  });

  it('of an explained pipeline tell what each stage has given', async () => {
    const things = collection('explained');
    await things.insertMany([1, 2, 3, 4].map((n) => ({ n, g: n % 2 })));
    const explained = await things
      .aggregate([{ $match: { n: { $gt: 1 } } }, { $group: { _id: '$g' } }, { $match: { _id: 0 } }])
      .explain('executionStats');
    const given = explained['stages'].map((stage: Document) => Number(stage['nReturned']));
    expect(given).toEqual([3, 2, 1]);
  });
});

describe('a step-down that is forced', () => {
  it('makes a secondary of the only member until it elects itself, and keeps connections', async () => {
    const things = collection('stepped');
    await things.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const direct = await test().connect({
      directConnection: true,
      retryWrites: false,
      heartbeatFrequencyMS: 500,
    });
    const secondary = direct.db('tools').collection('stepped');
    const cursor = secondary.find({}, { batchSize: 1, readPreference: 'secondaryPreferred' });
    await cursor.next();
    const stepDown = { replSetStepDown: 30, secondaryCatchUpPeriodSecs: 5, force: true };
    expect(await direct.db('admin').command(stepDown)).toMatchObject({ ok: 1 });
    await expect(secondary.insertOne({})).rejects.toMatchObject({ code: 10107 });
    expect(await cursor.next()).toMatchObject({ _id: 2 });
    await cursor.close();
    const hello = await direct.db('admin').command({ hello: 1 });
    expect(hello).toMatchObject({ isWritablePrimary: false, secondary: true });
    await direct.db('admin').command({ replSetFreeze: 0 });
    await things.insertOne({ _id: 4 });
    expect(await admin().command({ replSetGetStatus: 1 })).toMatchObject({ term: 2, myState: 1 });
  });
});
