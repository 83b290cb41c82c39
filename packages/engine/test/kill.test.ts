import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEngineProcess, startEngineProcess } from './support/engine-process.ts';

const KILLS = Number(process.env['KILLS'] ?? 100);
const WRITERS = 4;
const DATABASE = 'killed';
/** Stands in the table of what is acknowledged for a pair of documents. */
const PAIR = -1;

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

interface Half {
  _id: number;
  side: string;
}

/** What has been acknowledged: the value of `n` each document must at least have. */
type Acknowledged = Map<number, number>;

/** Inserts, updates and transactions over three collections until the engine is gone. */
async function write(client: MongoClient, nextId: () => number, acknowledged: Acknowledged) {
  const items = client.db(DATABASE).collection<Item>('items');
  const [left, right] = ['left', 'right'].map((side) =>
    client.db(DATABASE).collection<Half>(side),
  ) as [Collection<Half>, Collection<Half>];
  try {
    for (;;) {
      const _id = nextId();
      await items.insertOne({ _id, n: 0, tags: [_id % 7, _id % 11] });
      acknowledged.set(_id, 0);
      await items.updateOne({ _id }, { $inc: { n: 1 }, $push: { tags: _id % 13 } });
      acknowledged.set(_id, 1);
      const pair = nextId();
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await left.insertOne({ _id: pair, side: 'left' }, { session });
          await items.updateOne({ _id }, { $set: { n: 5 } }, { session });
          await right.insertMany([{ _id: pair, side: 'right' }], { session });
          if (pair % 5 === 0) await left.deleteOne({ _id: pair - 1 }, { session });
          if (pair % 5 === 0) await right.deleteOne({ _id: pair - 1 }, { session });
        }),
      );
      acknowledged.set(_id, 5).set(pair, PAIR);
    }
  } catch {
    // the engine was killed
  }
}

async function pairsOf(client: MongoClient, side: string): Promise<Set<number>> {
  const halves = await client.db(DATABASE).collection<Half>(side).find().toArray();
  return new Set(halves.map(({ _id }) => _id));
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
        await client.db(DATABASE).collection('left').createIndex({ side: 1 });
        await client.db(DATABASE).createCollection('right');
      }
      const before = acknowledged.size;
      const writers = Array.from({ length: WRITERS }, () => write(client, nextId, acknowledged));
      // until one writer has come past a transaction, which takes a while on a busy machine
      while (acknowledged.size <= before + WRITERS)
        await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 120));
      await engine.kill();
      await client.close(true);
      await Promise.all(writers);
    }
    const engine = await startEngineProcess(dataPath);
    const client = await MongoClient.connect(engine.uri);
    try {
      const database = client.db(DATABASE);
      const stored = new Map<number, number>();
      for await (const { _id, n } of database.collection<Item>('items').find()) stored.set(_id, n);
      const items = [...acknowledged].filter(([, n]) => n !== PAIR);
      expect(items.filter(([id, n]) => (stored.get(id) ?? -1) < n)).toEqual([]);
      expect(acknowledged.size).toBeGreaterThan(KILLS);
      // a transaction happened as a whole or not at all, whether or not it was acknowledged
      const left = await pairsOf(client, 'left');
      const right = await pairsOf(client, 'right');
      expect([...left].filter((pair) => !right.has(pair))).toEqual([]);
      expect([...right].filter((pair) => !left.has(pair))).toEqual([]);
      const pairs = [...acknowledged].filter(([, n]) => n === PAIR).map(([pair]) => pair);
      const isGone = (pair: number): boolean => (pair + 1) % 5 === 0 && left.has(pair + 1);
      expect(pairs.length).toBeGreaterThan(0);
      expect(pairs.filter((pair) => !left.has(pair) && !isGone(pair))).toEqual([]);
      for (const validate of ['items', 'left', 'right']) {
        expect(await database.command({ validate })).toMatchObject({ valid: true, errors: [] });
      }
    } finally {
      await client.close();
      await engine.kill();
    }
  }, 300_000);
});
