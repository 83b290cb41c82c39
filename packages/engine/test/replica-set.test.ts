import { MongoClient, type MongoClientOptions } from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { type ReplicaSet, startReplicaSet } from '../src/testing/index.ts';

const DATABASE = 'rehearsed';
let set: ReplicaSet | undefined;
const clients: MongoClient[] = [];

async function start(): Promise<ReplicaSet> {
  set = await startReplicaSet();
  return set;
}

async function connect(uri: string, options: MongoClientOptions = {}): Promise<MongoClient> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000, ...options });
  clients.push(client);
  return client.connect();
}

function items(client: MongoClient) {
  return client.db(DATABASE).collection<{ _id?: number | string; n?: number }>('items');
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await set?.close();
  set = undefined;
});

describe('a rehearsed replica set', () => {
  it('is discovered by the driver from any member', async () => {
    const { uri, members } = await start();
    const [, second] = members;
    const client = await connect(`mongodb://${second?.address}/?replicaSet=rehearsal`);
    await items(client).insertOne({ _id: 1 });
    const hello = await client.db('admin').command({ hello: 1 });
    expect(hello).toMatchObject({
      setName: 'rehearsal',
      isWritablePrimary: true,
      secondary: false,
      hosts: members.map(({ address }) => address),
      primary: members[0]?.address,
      me: members[0]?.address,
    });
    expect(uri).toContain('replicaSet=rehearsal');
    const direct = await connect(second?.uri ?? '');
    expect(await direct.db('admin').command({ hello: 1 })).toMatchObject({
      isWritablePrimary: false,
      secondary: true,
      primary: members[0]?.address,
    });
    const status = await direct.db('admin').command({ replSetGetStatus: 1 });
    expect(status['members'].map((member: { stateStr: string }) => member.stateStr)).toEqual([
      'PRIMARY',
      'SECONDARY',
      'SECONDARY',
    ]);
  });

  it('answers a write to a secondary, and a read that names none, as MongoDB does', async () => {
    const { members } = await start();
    const client = await connect(members[1]?.uri ?? '');
    const write = items(client).insertOne({ _id: 1 });
    await expect(write).rejects.toMatchObject({ code: 10107, codeName: 'NotWritablePrimary' });
    const read = client
      .db(DATABASE)
      .command({ find: 'items' }, { readPreference: 'primary' })
      .catch((error: unknown) => error);
    // the driver itself asks a directly connected secondary with primaryPreferred
    expect(await read).toHaveProperty('cursor');
  });

  it('shows stale data on a secondary that lags, and fresh data to a causal session', async () => {
    const { uri, members } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1, n: 0 });
    await set?.settle();
    for (const member of members.slice(1)) set?.setReplicationLag(member, 300);
    await items(client).updateOne({ _id: 1 }, { $set: { n: 1 } }, { writeConcern: { w: 1 } });
    const stale = await items(client).findOne({ _id: 1 }, { readPreference: 'secondary' });
    expect(stale).toMatchObject({ n: 0 });
    await client.withSession({ causalConsistency: true }, async (session) => {
      await items(client).updateOne(
        { _id: 1 },
        { $set: { n: 2 } },
        { session, writeConcern: { w: 1 } },
      );
      const fresh = await items(client).findOne(
        { _id: 1 },
        { session, readPreference: 'secondary' },
      );
      expect(fresh).toMatchObject({ n: 2 });
    });
  });

  it('waits for a majority where a write asks for it, and says when that takes too long', async () => {
    const { uri, members } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1 });
    for (const member of members.slice(1)) set?.setReplicationLag(member, 60_000);
    const late = items(client).insertOne(
      { _id: 2 },
      { writeConcern: { w: 'majority', wtimeoutMS: 50 } },
    );
    await expect(late).rejects.toMatchObject({ code: 64 });
    const [, second] = members;
    if (second !== undefined) set?.setReplicationLag(second, 0);
    await items(client).insertOne({ _id: 3 }, { writeConcern: { w: 2 } });
    expect(await items(client).countDocuments()).toBe(3);
  });

  it('follows an election by step-down, and keeps what a majority had', async () => {
    const { uri } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1 });
    await client.db('admin').command({ replSetStepDown: 10 });
    await items(client).insertOne({ _id: 2 });
    expect(set?.primary()?.index).not.toBe(0);
    expect(await items(client).countDocuments()).toBe(2);
    await items(client).createIndex({ n: 1 });
    expect(await items(client).indexes()).toHaveLength(2);
  });

  it('loses a write of w:1 that no other member had, and rolls it back', async () => {
    const { uri, members } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1 });
    await set?.settle();
    for (const member of members.slice(1)) set?.setReplicationLag(member, 60_000);
    await items(client).insertOne({ _id: 2 }, { writeConcern: { w: 1 } });
    await client.db(DATABASE).createCollection('lost', { writeConcern: { w: 1 } });
    await set?.elect(1);
    for (const member of members) set?.setReplicationLag(member, 0);
    await items(client).insertOne({ _id: 3 });
    await set?.settle();
    expect(members[0]?.rollbacks).toBe(1);
    const old = await connect(members[0]?.uri ?? '');
    expect(await items(old).find().toArray()).toEqual([{ _id: 1 }, { _id: 3 }]);
    expect(await old.db(DATABASE).listCollections({ name: 'lost' }).toArray()).toEqual([]);
  });

  it('elects another primary when one is killed, and takes it back as a secondary', async () => {
    const { uri } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1 });
    await set?.kill(0);
    await items(client).insertOne({ _id: 2 });
    expect(set?.primary()?.index).not.toBe(0);
    await set?.restart(0);
    await set?.settle();
    const back = await connect(set?.members[0]?.uri ?? '');
    expect(await items(back).countDocuments()).toBe(2);
  });

  it('a primary cut off from the others acknowledges no majority and steps down', async () => {
    const { members } = await start();
    const alone = await connect(members[0]?.uri ?? '', { retryWrites: false });
    await items(alone).insertOne({ _id: 1 });
    set?.isolate(0);
    const reply = await alone
      .db(DATABASE)
      .command({ insert: 'items', documents: [{ _id: 2 }], writeConcern: { w: 'majority' } })
      .catch((error: unknown) => error);
    expect(reply).toMatchObject({ code: 189 });
    expect(members[0]?.role).toBe('secondary');
    expect((await set?.waitForPrimary())?.index).not.toBe(0);
    set?.heal();
    await set?.settle();
    expect(await items(alone).find().toArray()).toEqual([{ _id: 1 }]);
  });

  it('ends a transaction with its primary, by TransientTransactionError', async () => {
    const { uri } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1, n: 0 });
    const session = client.startSession();
    session.startTransaction();
    await items(client).updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
    await set?.stepDown();
    await set?.waitForPrimary();
    const failure: unknown = await items(client)
      .updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ errorLabelSet: new Set(['TransientTransactionError']) });
    await session.abortTransaction();
    await session.withTransaction(async () => {
      await items(client).updateOne({ _id: 1 }, { $inc: { n: 10 } }, { session });
    });
    await session.endSession();
    expect(await items(client).findOne({ _id: 1 })).toMatchObject({ n: 10 });
  });

  it('commits again on the new primary what has been committed on the old', async () => {
    const { uri } = await start();
    const client = await connect(uri);
    await client.db(DATABASE).createCollection('items');
    const session = client.startSession();
    session.startTransaction();
    await items(client).insertOne({ _id: 1 }, { session });
    await session.commitTransaction();
    await set?.stepDown();
    await set?.waitForPrimary();
    await session.commitTransaction();
    await session.endSession();
    expect(await items(client).countDocuments()).toBe(1);
  });

  it('goes on with cursors whose connections were cut only by an error', async () => {
    const { uri } = await start();
    const client = await connect(uri);
    await items(client).insertOne({ _id: 1 });
    set?.cutSockets();
    expect(await items(client).findOne({ _id: 1 })).toEqual({ _id: 1 });
    set?.cutSockets();
    await items(client).insertOne({ _id: 2 });
    expect(await items(client).countDocuments()).toBe(2);
  });
});
