import { Long, UUID } from 'bson';
import {
  MongoClient,
  type ServerDescriptionChangedEvent,
  type ServerHeartbeatSucceededEvent,
} from 'mongodb';
import { afterEach, describe, expect, it } from 'vitest';
import { type ReplicaSet, startReplicaSet } from '../src/testing/index.ts';
import type { AnyDocument } from './support/any-document.ts';
import { RawClient } from './support/raw-client.ts';

const DATABASE = 'rehearsed';
const ends: (() => unknown)[] = [];

async function start(): Promise<ReplicaSet> {
  const set = await startReplicaSet();
  ends.push(() => set.close());
  return set;
}

function rawClient(port: number): RawClient {
  const client = new RawClient(port);
  ends.push(() => client.close());
  return client;
}

function lsid() {
  return { id: new UUID() };
}

/** A write as a driver that can retry sends it. */
function retryableInsert(_id: number, more: object = {}) {
  return {
    insert: 'items',
    documents: [{ _id }],
    lsid: lsid(),
    txnNumber: Long.fromNumber(1),
    ...more,
  };
}

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe('what members of a rehearsed set tell a driver', () => {
  it('labels what a primary alone takes, with the version of the topology', async () => {
    const { members } = await start();
    const secondary = rawClient(members[1]?.port ?? 0);
    const refused = await secondary.command(DATABASE, retryableInsert(1));
    expect(refused).toMatchObject({
      ok: 0,
      code: 10107,
      codeName: 'NotWritablePrimary',
      errorLabels: ['RetryableWriteError'],
      topologyVersion: { counter: expect.anything() },
    });
    const plain = await secondary.command(DATABASE, { insert: 'items', documents: [{ _id: 1 }] });
    expect(plain).toMatchObject({ code: 10107 });
    expect(plain['errorLabels'] ?? []).not.toContain('RetryableWriteError');
    const read = await secondary.command(DATABASE, { find: 'items' });
    expect(read).toMatchObject({ code: 13435, codeName: 'NotPrimaryNoSecondaryOk' });
  });

  it('labels a write whose primary steps down before a majority has it', async () => {
    const set = await start();
    for (const { index } of set.members.slice(1)) set.setReplicationLag(index, 60_000);
    const primary = rawClient(set.members[0]?.port ?? 0);
    const writeConcern = { w: 'majority' };
    const waiting = primary.command(DATABASE, retryableInsert(1, { writeConcern }));
    const other = rawClient(set.members[0]?.port ?? 0);
    const written = async () => (await other.command(DATABASE, { count: 'items' }))['n'] === 1;
    while (!(await written()));
    await set.elect(1);
    const reply = await waiting;
    const told = reply['writeConcernError'] ?? reply;
    expect([189, 11602, 10107]).toContain(told['code']);
    expect(reply['errorLabels']).toEqual(['RetryableWriteError']);
  });

  it('answers an awaited hello at once when the primary changes, and not before', async () => {
    const set = await start();
    const watcher = rawClient(set.members[1]?.port ?? 0);
    const hello = await watcher.command('admin', { hello: 1 });
    const { topologyVersion } = hello;
    let isAnswered = false;
    const awaited = watcher
      .command('admin', { hello: 1, topologyVersion, maxAwaitTimeMS: 60_000 })
      .finally(() => {
        isAnswered = true;
      });
    const other = rawClient(set.members[1]?.port ?? 0);
    for (let i = 0; i < 20; i += 1) await other.command('admin', { ping: 1 });
    expect(isAnswered).toBe(false);
    await set.elect(1);
    const changed = await awaited;
    expect(changed['topologyVersion'].processId).toEqual(topologyVersion.processId);
    expect(BigInt(changed['topologyVersion'].counter)).toBeGreaterThan(
      BigInt(topologyVersion.counter),
    );
    await set.waitForPrimary();
    const after = await watcher.command('admin', { hello: 1 });
    expect(after).toMatchObject({ isWritablePrimary: true, me: set.members[1]?.address });
  });

  it('leads a driver to the new primary by the stream of hellos alone', async () => {
    const set = await start();
    // no heartbeat of its own accord would come in time
    const client = new MongoClient(set.uri, {
      heartbeatFrequencyMS: 60_000,
      serverMonitoringMode: 'stream',
    });
    ends.push(() => client.close());
    const heartbeats: ServerHeartbeatSucceededEvent[] = [];
    const primaries: string[] = [];
    client.on('serverHeartbeatSucceeded', (event) => heartbeats.push(event));
    client.on('serverDescriptionChanged', (event: ServerDescriptionChangedEvent) => {
      if (event.newDescription.type === 'RSPrimary') primaries.push(event.address);
    });
    await client.connect();
    const items = client.db(DATABASE).collection<AnyDocument>('items');
    await items.insertOne({ _id: 0 });
    for (const index of [1, 2, 0]) {
      await set.elect(index);
      await items.insertOne({ _id: index + 1 });
      expect(primaries.at(-1)).toBe(set.members[index]?.address);
    }
    expect(heartbeats.some(({ awaited }) => awaited)).toBe(true);
    expect(await items.countDocuments()).toBe(4);
  });

  it('keeps reads of secondaries apart from those of the primary', async () => {
    const set = await start();
    const client = await MongoClient.connect(set.uri);
    ends.push(() => client.close());
    const items = client.db(DATABASE).collection<AnyDocument>('items');
    await items.insertOne({ _id: 1 });
    await set.settle();
    for (const { index } of set.members.slice(1)) set.setReplicationLag(index, 60_000);
    await items.insertOne({ _id: 2 }, { writeConcern: { w: 1 } });
    const count = (readPreference: 'primary' | 'secondary') =>
      items.find({}, { readPreference }).toArray();
    expect(await count('primary')).toHaveLength(2);
    expect(await count('secondary')).toHaveLength(1);
    const majority = items.find({}, { readConcern: { level: 'majority' }, maxTimeMS: 100 });
    await expect(majority.toArray()).rejects.toMatchObject({ code: 50 });
    for (const { index } of set.members.slice(1)) set.setReplicationLag(index, 0);
    await set.settle();
    expect(await count('secondary')).toHaveLength(2);
  });
});
