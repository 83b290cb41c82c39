import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ReplicaSet, startReplicaSet } from '../src/testing/index.ts';

let set: ReplicaSet;
const clients: MongoClient[] = [];

beforeAll(async () => {
  set = await startReplicaSet();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await set.close();
});

async function order(member: number, command: object): Promise<unknown> {
  const client = new MongoClient(set.members[member]?.uri ?? '');
  clients.push(client);
  return await client
    .db('admin')
    .command(command)
    .catch((thrown: unknown) => thrown);
}

it('replSetFreeze keeps secondaries from being elected until it is taken back', async () => {
  await set.settle();
  expect(await order(0, { replSetFreeze: 60 })).toMatchObject({ codeName: 'NotSecondary' });
  for (const member of [1, 2]) {
    expect(await order(member, { replSetFreeze: 60 })).toMatchObject({ ok: 1 });
  }
  expect(await order(0, { replSetStepDown: 60 })).toMatchObject({ codeName: 'ExceededTimeLimit' });
  expect(set.primary()?.index).toBe(0);
  expect(await order(2, { replSetFreeze: 0 })).toMatchObject({ ok: 1 });
  expect(await order(0, { replSetStepDown: 60 })).toMatchObject({ ok: 1 });
  expect((await set.waitForPrimary()).index).toBe(2);
});
