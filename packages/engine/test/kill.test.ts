import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEngineProcess, startEngineProcess } from './support/engine-process.ts';

const KILLS = Number(process.env['KILLS'] ?? 100);
const WRITERS = 4;
const DATABASE = 'killed';

interface Item {
  _id: number;
  n: number;
  tags: number[];
}

let dataPath = '';

beforeAll(async () => {
  await buildEngineProcess();
  dataPath = await mkdtemp(join(tmpdir(), 'quorate-kill-'));
});
afterAll(async () => {
  await rm(dataPath, { recursive: true, force: true });
});

/** What has been acknowledged: the value of `n` each document must at least have. */
type Acknowledged = Map<number, number>;

/** Inserts, updates and transactions until the engine is gone. */
async function write(client: MongoClient, nextId: () => number, acknowledged: Acknowledged) {
  const items = client.db(DATABASE).collection<Item>('items');
  try {
    for (;;) {
      const _id = nextId();
      await items.insertOne({ _id, n: 0, tags: [_id % 7, _id % 11] });
      acknowledged.set(_id, 0);
      await items.updateOne({ _id }, { $inc: { n: 1 }, $push: { tags: _id % 13 } });
      acknowledged.set(_id, 1);
      const [first, second] = [nextId(), nextId()];
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await items.insertOne({ _id: first, n: 5, tags: [] }, { session });
          await items.insertOne({ _id: second, n: 5, tags: [] }, { session });
        }),
      );
      acknowledged.set(first, 5).set(second, 5);
    }
  } catch {
    // the engine was killed
  }
}

describe('an engine killed in the middle of writes', () => {
  it(`keeps what it has acknowledged, through ${KILLS} kills`, async () => {
    const acknowledged: Acknowledged = new Map();
    let lastId = 0;
    const nextId = (): number => ++lastId;
    for (let kill = 0; kill < KILLS; kill++) {
      const engine = await startEngineProcess(dataPath);
      const client = new MongoClient(engine.uri, {
        serverSelectionTimeoutMS: 250,
        retryWrites: false,
      });
      await client.connect();
      if (kill === 0) {
        const items = client.db(DATABASE).collection<Item>('items');
        await items.createIndexes([{ key: { n: 1 } }, { key: { tags: 1, n: -1 } }]);
      }
      const writers = Array.from({ length: WRITERS }, () => write(client, nextId, acknowledged));
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 120));
      await engine.kill();
      await client.close(true);
      await Promise.all(writers);
    }
    const engine = await startEngineProcess(dataPath);
    const client = await MongoClient.connect(engine.uri);
    try {
      const stored = new Map<number, number>();
      for await (const { _id, n } of client.db(DATABASE).collection<Item>('items').find()) {
        stored.set(_id, n);
      }
      const lost = [...acknowledged].filter(([id, n]) => (stored.get(id) ?? -1) < n);
      expect(lost).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(KILLS);
      const reply = await client.db(DATABASE).command({ validate: 'items' });
      expect(reply).toMatchObject({ valid: true, errors: [] });
    } finally {
      await client.close();
      await engine.kill();
    }
  }, 300_000);
});
