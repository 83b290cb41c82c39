/** Read and write concerns (manual, "Read Concern", "Write Concern"), as commands name them. */
import { Timestamp } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnyDocument } from '../support/any-document.ts';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';
import { RawClient } from '../support/raw-client.ts';

const test = useEngine();

let socket: RawClient;
const send = (command: object) => socket.command('concerns', command);
const items = () => test().client.db('concerns').collection<AnyDocument>('items');

beforeAll(async () => {
  socket = new RawClient(test().engine.port);
  await items().insertMany([{ _id: 1 }, { _id: 2 }]);
});
afterAll(() => socket.close());

describe('write concerns', () => {
  const insert = (writeConcern: unknown) =>
    send({ insert: 'items', documents: [{}], writeConcern });

  it.each([
    [{}],
    [{ w: 0 }],
    [{ w: 1 }],
    [{ w: 'majority' }],
    [{ w: 'majority', j: true, wtimeout: 100 }],
    [{ w: 1, j: false }],
    [{ w: 1, fsync: true }],
    [{ j: true }],
    [{ w: 1, wtimeout: 0 }],
    [{ w: 1, wtimeout: 1.5 }],
  ])('%o is met', async (writeConcern) => {
    const reply = await insert(writeConcern);
    expect(reply).toMatchObject({ ok: 1, n: 1 });
    expect(reply).not.toHaveProperty('writeConcernError');
  });

  it.each([
    [{ w: 2 }, 100, 'UnsatisfiableWriteConcern'],
    [{ w: 50, wtimeout: 10 }, 100, 'UnsatisfiableWriteConcern'],
    [{ w: 'nothing' }, 79, 'UnknownReplWriteConcern'],
  ])('%o is written, with an error beside it', async (writeConcern, code, codeName) => {
    const before = await items().countDocuments();
    expect(await insert(writeConcern)).toMatchObject({
      ok: 1,
      n: 1,
      writeConcernError: { code, codeName, errInfo: { writeConcern } },
    });
    expect(await items().countDocuments()).toBe(before + 1);
  });

  it.each([
    ['a negative number', { w: -1 }, 9],
    ['too large a number', { w: 51 }, 9],
    ['a w of true', { w: true }, 9],
    ['j of text', { j: 'yes' }, 14],
    ['both j and fsync', { j: true, fsync: true }, 9],
    ['no document', 5, 14],
  ])('%s is refused', async (_, writeConcern, code) => {
    expect(await insert(writeConcern)).toMatchObject({ ok: 0, code });
  });

  it.each([
    ['find', { find: 'items' }],
    ['count', { count: 'items' }],
    ['distinct', { distinct: 'items', key: 'a' }],
    ['listCollections', { listCollections: 1 }],
    ['an aggregation that writes nothing', { aggregate: 'items', pipeline: [], cursor: {} }],
  ])('are refused by %s', async (_, command) => {
    expect(await send({ ...command, writeConcern: { w: 1 } })).toMatchObject({ code: 72 });
  });

  it('that cannot be met come beside the answers of all commands that write', async () => {
    const writeConcern = { w: 3 };
    const error = { ok: 1, writeConcernError: { code: 100 } };
    for (const command of [
      { update: 'items', updates: [{ q: {}, u: { $set: { a: 1 } } }] },
      { delete: 'items', deletes: [{ q: { _id: 99 }, limit: 1 }] },
      { findAndModify: 'items', query: {}, update: { $set: { b: 1 } } },
      { create: 'made' },
      { createIndexes: 'items', indexes: [{ key: { x: 1 }, name: 'x' }] },
      { collMod: 'items' },
      { dropIndexes: 'items', index: 'x' },
      { aggregate: 'items', pipeline: [{ $out: 'out' }], cursor: {} },
      { drop: 'made' },
    ]) {
      expect(await send({ ...command, writeConcern })).toMatchObject(error);
    }
    const rename = { renameCollection: 'concerns.out', to: 'concerns.renamed', writeConcern };
    expect(await socket.command('admin', rename)).toMatchObject(error);
    expect(await send({ dropDatabase: 1, writeConcern })).toMatchObject(error);
  });

  it('of an unordered write with errors come beside them', async () => {
    await items().deleteMany({});
    await items().insertOne({ _id: 1 });
    const reply = await send({
      insert: 'items',
      documents: [{ _id: 1 }, { _id: 2 }],
      ordered: false,
      writeConcern: { w: 2 },
    });
    expect(reply).toMatchObject({
      ok: 1,
      n: 1,
      writeErrors: [{ index: 0, code: 11000 }],
      writeConcernError: { code: 100 },
    });
  });

  it('reach the driver’s user as MongoWriteConcernError or as part of the bulk error', async () => {
    const writeConcern = { w: 2 };
    await expectOutcome(() => items().insertOne({}, { writeConcern }), { code: 100 });
    await expectOutcome(() => items().insertMany([{}, {}], { writeConcern }), {
      name: 'MongoBulkWriteError',
    });
    expect(await items().insertOne({}, { writeConcern: { w: 0 } })).toMatchObject({
      acknowledged: false,
    });
  });
});

describe('read concerns', () => {
  const find = (readConcern: unknown) => send({ find: 'items', readConcern });

  it.each([
    [{}],
    [{ level: 'local' }],
    [{ level: 'available' }],
    [{ level: 'majority' }],
    [{ level: 'linearizable' }],
    [{ level: 'snapshot' }],
    [{ level: 'majority', afterClusterTime: new Timestamp({ t: 1, i: 1 }) }],
    [{ afterClusterTime: new Timestamp({ t: 1, i: 1 }) }],
  ])('%o is met', async (readConcern) => {
    expect(await find(readConcern)).toMatchObject({ ok: 1 });
  });

  it.each([
    ['an unknown level', { level: 'nothing' }, 2],
    ['a level of another type', { level: 5 }, 14],
    ['an unknown field', { level: 'local', nothing: 1 }, 40415],
    ['no document', 'majority', 14],
    ['a time of another type', { afterClusterTime: 5 }, 14],
    ['a time of the future', { afterClusterTime: new Timestamp({ t: 4_000_000_000, i: 1 }) }, 72],
    ['no time', { afterClusterTime: new Timestamp({ t: 0, i: 0 }) }, 72],
    [
      'a time for linearizable reads',
      { level: 'linearizable', afterClusterTime: new Timestamp({ t: 1, i: 1 }) },
      72,
    ],
    [
      'a time for available reads',
      { level: 'available', afterClusterTime: new Timestamp({ t: 1, i: 1 }) },
      72,
    ],
  ])('%s is refused', async (_, readConcern, code) => {
    expect(await find(readConcern)).toMatchObject({ ok: 0, code });
  });

  it.each([
    ['an insert', { insert: 'items', documents: [{}] }],
    ['an update', { update: 'items', updates: [{ q: {}, u: { $set: { a: 1 } } }] }],
    ['a create', { create: 'other' }],
    ['an index', { createIndexes: 'items', indexes: [{ key: { x: 1 }, name: 'x' }] }],
  ])('beyond local are refused by %s', async (_, command) => {
    expect(await send({ ...command, readConcern: { level: 'majority' } })).toMatchObject({
      code: 72,
    });
    expect(await send({ ...command, readConcern: { level: 'local' } })).toMatchObject({ ok: 1 });
  });

  it.each([
    ['count', { count: 'items' }],
    ['listCollections', { listCollections: 1 }],
    ['listIndexes', { listIndexes: 'items' }],
  ])('of a snapshot are refused by %s', async (_, command) => {
    expect(await send({ ...command, readConcern: { level: 'snapshot' } })).toMatchObject({
      code: 72,
    });
  });

  it('are refused in a transaction behind its first command', async () => {
    const session = test().client.startSession();
    session.startTransaction({ readConcern: { level: 'snapshot' } });
    await items().findOne({}, { session });
    await session.abortTransaction();
    await session.endSession();
    const { UUID, Long } = await import('mongodb');
    const lsid = { id: new UUID() };
    const begin = { lsid, txnNumber: Long.ONE, autocommit: false };
    expect(await send({ find: 'items', ...begin, startTransaction: true })).toMatchObject({
      ok: 1,
    });
    const again = { find: 'items', ...begin, readConcern: { level: 'snapshot' } };
    expect(await send(again)).toMatchObject({ code: 72 });
    const local = { find: 'items', lsid, txnNumber: Long.fromNumber(2), autocommit: false };
    expect(
      await send({ ...local, startTransaction: true, readConcern: { level: 'linearizable' } }),
    ).toMatchObject({ code: 72 });
  });
});
