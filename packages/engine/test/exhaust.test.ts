import { afterEach, describe, expect, it } from 'vitest';
import { useEngine } from './support/engine.ts';
import { RawClient, type RawReply } from './support/raw-client.ts';

const test = useEngine();
let raw: RawClient;

afterEach(() => raw.close());

/** All replies to one message, to the one that says no more will come. */
async function exchange(command: object): Promise<RawReply[]> {
  const id = raw.send('t', command, { exhaustAllowed: true });
  const replies: RawReply[] = [];
  do {
    const reply = await raw.receive();
    expect(reply.message.responseTo).toBe(replies.at(-1)?.message.requestId ?? id);
    replies.push(reply);
  } while (replies.at(-1)?.message.moreToCome);
  return replies;
}

async function openCursor(batchSize: number): Promise<bigint> {
  raw = new RawClient(test().engine.port);
  const { cursor } = await raw.command('t', { find: 'exhausted', batchSize });
  return cursor.id;
}

describe('a message that allows several replies', () => {
  it('of getMore is answered to the end of its cursor', async () => {
    const collection = test().client.db('t').collection<{ _id: number }>('exhausted');
    const ids = Array.from({ length: 100 }, (_, _id) => _id);
    await collection.insertMany(ids.map((_id) => ({ _id })));
    const getMore = await openCursor(7);
    const replies = await exchange({ getMore, collection: 'exhausted', batchSize: 7 });
    const read = replies.flatMap(({ body }) => body['cursor'].nextBatch);
    expect(read.map(({ _id }) => _id)).toEqual(ids.slice(7));
    expect(replies).toHaveLength(14);
    expect(replies.at(-1)?.body['cursor'].id).toBe(0n);
    // the connection is free again
    expect(await raw.command('t', { ping: 1 })).toMatchObject({ ok: 1 });
  });

  it('ends with the error that ends it', async () => {
    raw = new RawClient(test().engine.port);
    const replies = await exchange({ getMore: 12345n, collection: 'exhausted' });
    expect(replies.map(({ body }) => body['code'])).toEqual([43]);
  });

  it('waits for a client that does not read', async () => {
    const { client } = test();
    const collection = client.db('t').collection('large');
    const text = 'x'.repeat(1_000_000);
    await collection.insertMany(Array.from({ length: 60 }, (_, n) => ({ n, text })));
    raw = new RawClient(test().engine.port);
    const { cursor } = await raw.command('t', { find: 'large', batchSize: 1 });
    raw.pause();
    const getMores = async (): Promise<number> =>
      (await client.db('admin').command({ serverStatus: 1 }))['opcounters'].getmore;
    const before = await getMores();
    const reading = exchange({ getMore: cursor.id, collection: 'large', batchSize: 1 });
    for (let turn = 0; turn < 200; turn += 1) await client.db('admin').command({ ping: 1 });
    expect((await getMores()) - before).toBeLessThan(59);
    raw.resume();
    const read = (await reading).flatMap(({ body }) =>
      body['cursor'].nextBatch.map((item: { n: number }) => item.n),
    );
    expect(read).toEqual(Array.from({ length: 59 }, (_, n) => n + 1));
  });

  it('of another command is answered once', async () => {
    raw = new RawClient(test().engine.port);
    const replies = await exchange({ find: 'exhausted', batchSize: 2 });
    expect(replies).toHaveLength(1);
  });

  it('of a hello that fails is answered once', async () => {
    raw = new RawClient(test().engine.port);
    const replies = await exchange({ hello: 1, topologyVersion: {}, maxAwaitTimeMS: -1n });
    expect(replies.map(({ body }) => body['code'])).toEqual([31373]);
  });
});
