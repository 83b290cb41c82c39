import { expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';

const test = useEngine({ ttlIntervalMs: 50 });

it('removes expired documents and tells change streams of it', async () => {
  const items = test().client.db('ttl').collection<{ _id: string; at: Date }>('items');
  await items.createIndex({ at: 1 }, { expireAfterSeconds: 1 });
  const stream = items.watch([{ $match: { operationType: 'delete' } }]);
  const next = stream.next();
  await items.insertMany([
    { _id: 'old', at: new Date(Date.now() - 60_000) },
    { _id: 'new', at: new Date(Date.now() + 600_000) },
  ]);
  expect(await next).toMatchObject({ documentKey: { _id: 'old' } });
  expect(await items.distinct('_id')).toEqual(['new']);
  await stream.close();
});

it('shows record ids and index keys', async () => {
  const items = test().client.db('ttl').collection('shapes');
  await items.insertOne({ a: 1, b: 2 });
  await items.createIndex({ a: 1 });
  expect(await items.find({ a: 1 }, { returnKey: true }).toArray()).toEqual([{ a: 1 }]);
  const [shown] = await items
    .find({}, { showRecordId: true, projection: { _id: 0, b: 1 } })
    .toArray();
  expect(shown).toEqual({ b: 2, $recordId: expect.anything() });
  const limits = { hint: { a: 1 }, min: { a: 0 }, max: { a: 1 } } as const;
  expect(await items.find({}, limits).toArray()).toEqual([]);
});
