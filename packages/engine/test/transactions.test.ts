import { type MongoClient, MongoServerError, UUID } from 'mongodb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AnyDocument } from './support/any-document.ts';
import { useEngine } from './support/engine.ts';
import { RawClient } from './support/raw-client.ts';

const test = useEngine();
const accounts = (client: MongoClient = test().client) =>
  client.db('bank').collection<AnyDocument>('accounts');

beforeEach(async () => {
  await accounts().deleteMany({});
  await accounts().insertMany([
    { _id: 'a', sum: 10 },
    { _id: 'b', sum: 0 },
  ]);
});

async function failure(work: Promise<unknown>): Promise<MongoServerError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MongoServerError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('a transaction', () => {
  it('is seen whole after its commit, and before by itself alone', async () => {
    await test().client.withSession(async (session) => {
      session.startTransaction();
      await accounts().updateOne({ _id: 'a' }, { $inc: { sum: -5 } as never }, { session });
      await accounts().updateOne({ _id: 'b' }, { $inc: { sum: 5 } as never }, { session });
      expect(await accounts().findOne({ _id: 'b' }, { session })).toMatchObject({ sum: 5 });
      expect(await accounts().findOne({ _id: 'b' })).toMatchObject({ sum: 0 });
      await session.commitTransaction();
      await session.commitTransaction();
    });
    expect(await accounts().findOne({ _id: 'b' })).toMatchObject({ sum: 5 });
  });

  it('leaves nothing behind when it is aborted', async () => {
    await test().client.withSession(async (session) => {
      session.startTransaction();
      await accounts().insertOne({ _id: 'c' }, { session });
      await session.abortTransaction();
    });
    expect(await accounts().findOne({ _id: 'c' })).toBeNull();
  });

  it('reads from its snapshot whatever is written meanwhile', async () => {
    await test().client.withSession(async (session) => {
      session.startTransaction();
      expect(await accounts().findOne({ _id: 'a' }, { session })).toMatchObject({ sum: 10 });
      await accounts().updateOne({ _id: 'a' }, { $set: { sum: 99 } });
      expect(await accounts().findOne({ _id: 'a' }, { session })).toMatchObject({ sum: 10 });
      const error = await failure(
        accounts().updateOne({ _id: 'a' }, { $inc: { sum: 1 } as never }, { session }),
      );
      expect(error).toMatchObject({ code: 112 });
      expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
      await session.abortTransaction();
    });
  });

  it('fails the later of two writers at once', async () => {
    const first = test().client.startSession();
    const second = test().client.startSession();
    first.startTransaction();
    second.startTransaction();
    await accounts().insertOne({ _id: 'x' }, { session: first });
    const error = await failure(accounts().insertOne({ _id: 'x' }, { session: second }));
    expect(error.code).toBe(112);
    await first.commitTransaction();
    await second.abortTransaction();
    expect(await accounts().countDocuments()).toBe(3);
    await Promise.all([first.endSession(), second.endSession()]);
  });

  it('makes a plain write to the same document wait for its end', async () => {
    const session = test().client.startSession();
    session.startTransaction();
    await accounts().updateOne({ _id: 'a' }, { $set: { sum: 1 } }, { session });
    const waiting = accounts().updateOne({ _id: 'a' }, { $inc: { sum: 100 } as never });
    await session.commitTransaction();
    await waiting;
    expect(await accounts().findOne({ _id: 'a' })).toMatchObject({ sum: 101 });
    await session.endSession();
  });

  it('may make a collection', async () => {
    await test().client.withSession((session) =>
      session.withTransaction(() =>
        test().client.db('bank').collection('fresh').insertOne({ a: 1 }, { session }),
      ),
    );
    expect(await test().client.db('bank').collection('fresh').countDocuments()).toBe(1);
  });

  it('ends with a failed statement', async () => {
    await test().client.withSession(async (session) => {
      session.startTransaction();
      await accounts().insertOne({ _id: 'c' }, { session });
      const duplicate = await failure(accounts().insertOne({ _id: 'a' }, { session }));
      expect(duplicate.code).toBe(11000);
      expect((await failure(session.commitTransaction())).code).toBe(251);
    });
    expect(await accounts().findOne({ _id: 'c' })).toBeNull();
  });
});

async function withRaw(run: (raw: RawClient) => Promise<void>): Promise<void> {
  const raw = new RawClient(test().engine.port);
  try {
    await run(raw);
  } finally {
    raw.close();
  }
}

describe('the state of a transaction', () => {
  it('is told by codes and texts', async () => {
    const lsid = { id: new UUID() };
    await withRaw(async (raw) => {
      const probe = async (txnNumber: bigint, more: object = {}): Promise<unknown> => {
        const find = { find: 'accounts', limit: 1, lsid, txnNumber, autocommit: false, ...more };
        const reply = await raw.command('bank', find);
        return reply['ok'] === 1 ? 'ok' : [reply['code'], reply['errmsg']];
      };
      const end = (command: string, txnNumber: bigint): Promise<unknown> =>
        raw.command('admin', { [command]: 1, lsid, txnNumber, autocommit: false });
      const none = 'Given transaction number 1 does not match any in-progress transactions';
      expect(await probe(1n)).toEqual([251, expect.stringContaining(none)]);
      expect(await probe(1n, { startTransaction: true })).toBe('ok');
      expect(await probe(1n)).toBe('ok');
      expect(await end('abortTransaction', 1n)).toMatchObject({ ok: 1 });
      expect(await probe(1n)).toEqual([251, 'Transaction with { txnNumber: 1 } has been aborted.']);
      await probe(2n, { startTransaction: true });
      expect(await end('commitTransaction', 2n)).toMatchObject({ ok: 1 });
      const committed = 'Transaction with { txnNumber: 2 } has been committed.';
      expect(await probe(2n)).toEqual([256, committed]);
      const newer = /because a newer transaction 2 has already started/;
      expect(await probe(1n)).toEqual([225, expect.stringMatching(newer)]);
    });
  });
});

describe('a retryable write', () => {
  it('is executed once, also across a restart', async () => {
    const lsid = { id: new UUID() };
    const updates = [{ q: { _id: 'a' }, u: { $inc: { sum: 1 } as never } }];
    const increment = (raw: RawClient, txnNumber: bigint): Promise<unknown> =>
      raw.command('bank', { update: 'accounts', updates, lsid, txnNumber });
    await withRaw(async (raw) => {
      expect(await increment(raw, 1n)).toMatchObject({ n: 1, nModified: 1 });
      expect(await increment(raw, 1n)).toMatchObject({ n: 1, nModified: 1, retriedStmtIds: [0] });
    });
    await test().restart();
    await withRaw(async (raw) => {
      expect(await increment(raw, 1n)).toMatchObject({ n: 1, retriedStmtIds: [0] });
      expect(await increment(raw, 2n)).toMatchObject({ n: 1, nModified: 1 });
      expect(await increment(raw, 1n)).toMatchObject({ code: 225 });
    });
    expect(await accounts().findOne({ _id: 'a' })).toMatchObject({ sum: 12 });
  });

  it('survives a connection cut after the command was sent', async () => {
    const client = await test().connect();
    await client.db('admin').command({
      configureFailPoint: 'failCommand',
      mode: { times: 1 },
      data: { failCommands: ['insert'], closeConnection: true },
    });
    await accounts(client).insertOne({ _id: 'retried' });
    expect(await accounts().countDocuments({ _id: 'retried' })).toBe(1);
  });
});

describe('sessions', () => {
  it('read their snapshot with read concern snapshot', async () => {
    const session = test().client.startSession({ snapshot: true });
    expect(await accounts().countDocuments({}, { session })).toBe(2);
    await accounts().insertOne({ _id: 'late' });
    expect(await accounts().find({}, { session }).toArray()).toHaveLength(2);
    await session.endSession();
    expect(await accounts().countDocuments()).toBe(3);
  });

  it('read their own writes causally', async () => {
    await test().client.withSession({ causalConsistency: true }, async (session) => {
      await accounts().insertOne({ _id: 'own' }, { session });
      expect(await accounts().findOne({ _id: 'own' }, { session })).not.toBeNull();
      expect(session.operationTime).toBeDefined();
    });
  });
});
