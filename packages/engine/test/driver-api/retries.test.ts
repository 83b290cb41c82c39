/** Retryable reads and writes through failures that are planned (driver specifications of the same names). */
import type { CommandFailedEvent, CommandStartedEvent, Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useEngine } from '../support/engine.ts';
import { expectOutcome } from '../support/outcome.ts';

const test = useEngine();

interface Item {
  _id?: number | string;
  n?: number;
  a?: number;
}

let client: MongoClient;
let once: MongoClient;
const started: CommandStartedEvent[] = [];
const failed: CommandFailedEvent[] = [];

const items = (on: MongoClient = client) => on.db('retries').collection<Item>('items');
const names = (): string[] => started.map(({ commandName }) => commandName);
const plan = (data: Document, mode: unknown = { times: 1 }) =>
  test().client.db('admin').command({ configureFailPoint: 'failCommand', mode, data });

beforeAll(async () => {
  client = await test().connect({ monitorCommands: true });
  client.on('commandStarted', (event) => started.push(event));
  client.on('commandFailed', (event) => failed.push(event));
  once = await test().connect({ retryWrites: false, retryReads: false });
});
afterAll(async () => {
  await client.close();
  await once.close();
});
beforeEach(async () => {
  await items().deleteMany({});
  await items().insertMany([{ _id: 1 }, { _id: 2 }]);
  started.length = 0;
  failed.length = 0;
});
afterEach(() => plan({}, 'off'));

const WRITES: Readonly<Record<string, readonly [string, (on?: MongoClient) => Promise<unknown>]>> =
  {
    insertOne: ['insert', (on) => items(on).insertOne({ _id: 9 })],
    insertMany: ['insert', (on) => items(on).insertMany([{ _id: 8 }, { _id: 9 }])],
    updateOne: ['update', (on) => items(on).updateOne({ _id: 1 }, { $inc: { n: 1 } })],
    replaceOne: ['update', (on) => items(on).replaceOne({ _id: 1 }, { n: 1 })],
    deleteOne: ['delete', (on) => items(on).deleteOne({ _id: 1 })],
    findOneAndUpdate: [
      'findAndModify',
      (on) => items(on).findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }),
    ],
    findOneAndDelete: ['findAndModify', (on) => items(on).findOneAndDelete({ _id: 1 })],
    bulkWrite: ['insert', (on) => items(on).bulkWrite([{ insertOne: { document: { _id: 9 } } }])],
  };

const READS: Readonly<Record<string, readonly [string, (on?: MongoClient) => Promise<unknown>]>> = {
  find: ['find', (on) => items(on).find().toArray()],
  findOne: ['find', (on) => items(on).findOne()],
  aggregate: [
    'aggregate',
    (on) =>
      items(on)
        .aggregate([{ $match: {} }])
        .toArray(),
  ],
  distinct: ['distinct', (on) => items(on).distinct('_id')],
  countDocuments: ['aggregate', (on) => items(on).countDocuments()],
  estimatedDocumentCount: ['count', (on) => items(on).estimatedDocumentCount()],
  listCollections: [
    'listCollections',
    (on = client) => on.db('retries').listCollections().toArray(),
  ],
  listDatabases: ['listDatabases', (on = client) => on.db('admin').admin().listDatabases()],
  listIndexes: ['listIndexes', (on) => items(on).listIndexes().toArray()],
};

describe.each(Object.entries(WRITES))('%s', (_, [command, write]) => {
  it.each([
    ['an error that may pass', { errorCode: 11602 }],
    ['a cut connection', { closeConnection: true }],
    ['an error with the label', { errorCode: 2, errorLabels: ['RetryableWriteError'] }],
    [
      'a write concern error that may pass',
      { writeConcernError: { code: 91, errmsg: 'x' }, errorLabels: ['RetryableWriteError'] },
    ],
  ])('is repeated once, with its number, after %s', async (_, data) => {
    await plan({ failCommands: [command], ...data });
    await write();
    expect(names()).toEqual([command, command]);
    const numbers = started.map((event) => String(event.command['txnNumber']));
    expect(numbers[0]).toBe(numbers[1]);
    expect(numbers[0]).not.toBe('undefined');
  });

  it('is not repeated after an error that stays, nor where nobody wants it', async () => {
    await plan({ failCommands: [command], errorCode: 2 });
    await expect(write()).rejects.toThrow();
    expect(names()).toEqual([command]);
    await plan({ failCommands: [command], errorCode: 11602 });
    await expect(write(once)).rejects.toThrow();
  });
});

describe.each(Object.entries(READS))('%s', (_, [command, read]) => {
  it.each([
    ['an error that may pass', { errorCode: 10107 }],
    ['a cut connection', { closeConnection: true }],
  ])('is repeated once after %s', async (_, data) => {
    await plan({ failCommands: [command], ...data });
    await read();
    expect(names()).toEqual([command, command]);
  });

  it('is given up after the second failure, and where nobody wants it', async () => {
    await plan({ failCommands: [command], errorCode: 10107 }, { times: 2 });
    await expect(read()).rejects.toMatchObject({ code: 10107 });
    await plan({ failCommands: [command], errorCode: 10107 });
    await expect(read(once)).rejects.toMatchObject({ code: 10107 });
  });
});

describe('a write that was executed', () => {
  it('is not executed again when its answer is lost', async () => {
    await plan({
      failCommands: ['update'],
      writeConcernError: { code: 91, errmsg: 'lost' },
      errorLabels: ['RetryableWriteError'],
    });
    await items().updateOne({ _id: 1 }, { $inc: { n: 1 } });
    expect(names()).toEqual(['update', 'update']);
    expect(await items().findOne({ _id: 1 })).toEqual({ _id: 1, n: 1 });
  });

  it('answers findAndModify as before', async () => {
    await plan({
      failCommands: ['findAndModify'],
      writeConcernError: { code: 91, errmsg: 'lost' },
      errorLabels: ['RetryableWriteError'],
    });
    const before = await items().findOneAndUpdate({ _id: 1 }, { $set: { n: 5 } });
    expect(before).toEqual({ _id: 1 });
  });

  it('names the statements that were repeated', async () => {
    const { Long, UUID } = await import('mongodb');
    const { RawClient } = await import('../support/raw-client.ts');
    const socket = new RawClient(test().engine.port);
    const command = {
      insert: 'items',
      documents: [{ _id: 5 }, { _id: 6 }],
      lsid: { id: new UUID() },
      txnNumber: Long.ONE,
    };
    expect(await socket.command('retries', command)).toMatchObject({ n: 2 });
    expect(await socket.command('retries', command)).toMatchObject({
      n: 2,
      retriedStmtIds: [0, 1],
    });
    const other = { ...command, txnNumber: Long.ZERO };
    expect(await socket.command('retries', other)).toMatchObject({ code: 225 });
    socket.close();
  });
});

describe('writes of many documents', () => {
  it('are not repeated', async () => {
    await plan({ failCommands: ['update'], errorCode: 11602 });
    await expect(items().updateMany({}, { $set: { a: 1 } })).rejects.toMatchObject({ code: 11602 });
    await plan({ failCommands: ['delete'], errorCode: 11602 });
    await expect(items().deleteMany({})).rejects.toMatchObject({ code: 11602 });
    expect(started[0]?.command).not.toHaveProperty('txnNumber');
  });
});

describe('what failCommand can do', () => {
  it('blocks, and lets through afterwards', async () => {
    await plan({ failCommands: ['find'], blockConnection: true, blockTimeMS: 30 });
    expect(await items().find().toArray()).toHaveLength(2);
    await plan({ failCommands: ['find'], blockConnection: true, blockTimeMS: 5_000 });
    await expectOutcome(() => items(once).find({}, { maxTimeMS: 20 }).toArray(), { code: 50 });
  });

  it('skips, fails by chance, and for a namespace or an application', async () => {
    await plan({ failCommands: ['find'], errorCode: 2 }, { skip: 1 });
    await items().findOne();
    await expectOutcome(() => items().findOne(), { code: 2 });
    await plan({ failCommands: ['find'], errorCode: 2 }, { activationProbability: 1 });
    await expectOutcome(() => items().findOne(), { code: 2 });
    await plan({ failCommands: ['find'], errorCode: 2, namespace: 'retries.other' }, 'alwaysOn');
    await items().findOne();
    await plan({ failCommands: ['find'], errorCode: 2, appName: 'other' }, 'alwaysOn');
    await items().findOne();
  });

  it('gives labels, also none, and extra information', async () => {
    await plan({ failCommands: ['insert'], errorCode: 11602, errorLabels: [] });
    await expectOutcome(() => items().insertOne({}), { code: 11602 });
    expect(names()).toEqual(['insert']);
    await plan({ failCommands: ['find'], errorCode: 5, errorLabels: ['A', 'B'] });
    await expectOutcome(() => items().findOne(), { errorLabels: ['A', 'B'] });
  });

  it.each([
    [{ configureFailPoint: 'nothing', mode: 'off' }],
    [{ configureFailPoint: 'failCommand', mode: 'sometimes' }],
    [{ configureFailPoint: 'failCommand' }],
  ])('refuses %o', async (command) => {
    await expect(test().client.db('admin').command(command)).rejects.toThrow();
  });

  it('is told how often it has failed', async () => {
    const count = async () => (await plan({}, 'off'))['count'] as number;
    const before = await count();
    await plan({ failCommands: ['ping'], errorCode: 2 }, { times: 2 });
    for (let n = 0; n < 3; n++)
      await client
        .db('a')
        .command({ ping: 1 })
        .catch(() => undefined);
    expect((await count()) - before).toBe(2);
  });
});

describe('transactions', () => {
  it('retry their commit and their abort', async () => {
    for (const command of ['commitTransaction', 'abortTransaction']) {
      started.length = 0;
      await plan({ failCommands: [command], errorCode: 91 });
      const session = client.startSession();
      session.startTransaction();
      await items().insertOne({ _id: command }, { session });
      await session[command as 'commitTransaction']();
      expect(names().filter((name) => name === command)).toHaveLength(2);
      await session.endSession();
    }
    expect(await items().countDocuments()).toBe(3);
  });

  it('do not retry their statements, and run again as a whole', async () => {
    await plan({
      failCommands: ['insert'],
      errorCode: 112,
      errorLabels: ['TransientTransactionError'],
    });
    let runs = 0;
    await client.withSession((session) =>
      session.withTransaction(async () => {
        runs += 1;
        await items().insertOne({ _id: 7 }, { session });
      }),
    );
    expect(runs).toBe(2);
    expect(await items().countDocuments({ _id: 7 })).toBe(1);
  });
});
