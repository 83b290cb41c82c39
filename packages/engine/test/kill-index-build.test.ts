import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  buildEngineProcess,
  type EngineProcess,
  startEngineProcess,
} from './support/engine-process.ts';

const KILLS = Number(process.env['KILLS'] ?? 15);
const DOCUMENTS = 8000;
const DATABASE = 'killed';

interface Item {
  _id: number;
  n: number;
  tags: number[];
  text: string;
}

let dataPath = '';

beforeAll(buildEngineProcess);
beforeEach(async () => {
  dataPath = await mkdtemp(join(tmpdir(), 'quorate-kill-'));
});
afterEach(async () => {
  await rm(dataPath, { recursive: true, force: true });
});

function item(_id: number): Item {
  return { _id, n: _id % 97, tags: [_id % 7, _id % 11, _id % 13], text: `text ${_id}` };
}

async function connect(engine: EngineProcess): Promise<MongoClient> {
  const client = new MongoClient(engine.uri, { serverSelectionTimeoutMS: 250, retryWrites: false });
  return client.connect();
}

/** Inserts, changes and removes what the new indexes shall hold, until the engine is gone. */
async function writeOn(client: MongoClient, firstId: number, acknowledged: Set<number>) {
  const items = client.db(DATABASE).collection<Item>('items');
  try {
    for (let id = firstId; ; id += 2) {
      await items.insertOne(item(id));
      acknowledged.add(id);
      await items.updateOne({ _id: (id * 7919) % DOCUMENTS }, { $push: { tags: id % 5 } });
      await items.insertOne(item(id + 1));
      await items.deleteOne({ _id: id + 1 });
    }
  } catch {
    // the engine was killed
  }
}

/** What the killed engine left: whole indexes, all documents. Clears the way for the next builds. */
async function checkAndClear(client: MongoClient, acknowledged: Set<number>, built: Set<string>) {
  const items = client.db(DATABASE).collection<Item>('items');
  const stored = new Set((await items.find().toArray()).map(({ _id }) => _id));
  expect([...acknowledged].filter((id) => !stored.has(id))).toEqual([]);
  const present = new Set((await items.indexes()).map(({ name }) => name));
  expect([...built].filter((name) => !present.has(name))).toEqual([]);
  const reply = await client.db(DATABASE).command({ validate: 'items' });
  expect(reply).toMatchObject({ valid: true, errors: [] });
  if (present.has('tags_1_n_-1')) {
    const byIndex = await items.find({ tags: 3 }).hint('tags_1_n_-1').toArray();
    const byScan = await items.find({ tags: 3 }).hint({ $natural: 1 }).toArray();
    expect(byIndex.map(({ _id }) => _id).sort()).toEqual(byScan.map(({ _id }) => _id).sort());
  }
  await items.dropIndexes();
  built.clear();
}

it(`an index whose build was killed ${KILLS} times is whole or not there, and can be built again`, async () => {
  const acknowledged = new Set<number>();
  const built = new Set<string>();
  let unfinished = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const engine = await startEngineProcess(dataPath);
    const client = await connect(engine);
    const items = client.db(DATABASE).collection<Item>('items');
    if (kill === 0) {
      await items.insertMany(Array.from({ length: DOCUMENTS }, (_, id) => item(id)));
    } else {
      await checkAndClear(client, acknowledged, built);
    }
    const building = items
      .createIndexes([
        { key: { tags: 1, n: -1 }, sparse: kill % 2 === 0 },
        { key: { text: 1 }, unique: true },
      ])
      .then(
        (names) => {
          for (const name of names) built.add(name);
        },
        () => {
          unfinished += 1;
        },
      );
    const writers = [0, 1].map((writer) =>
      writeOn(client, DOCUMENTS * 10 * (kill + 1) + DOCUMENTS * 4 * writer, acknowledged),
    );
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 250));
    await engine.kill();
    await client.close(true);
    await Promise.all([building, ...writers]);
  }
  expect(unfinished).toBeGreaterThan(0);
  const engine = await startEngineProcess(dataPath);
  const client = await MongoClient.connect(engine.uri);
  try {
    await checkAndClear(client, acknowledged, built);
    await client.db(DATABASE).collection('items').createIndex({ text: 1 }, { unique: true });
    const reply = await client.db(DATABASE).command({ validate: 'items' });
    expect(reply).toMatchObject({ valid: true, nIndexes: 2, errors: [] });
  } finally {
    await client.close();
    await engine.kill();
  }
}, 180_000);
