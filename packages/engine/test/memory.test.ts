import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { platform, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildEngineProcess,
  type EngineProcess,
  startEngineProcess,
} from './support/engine-process.ts';

const DOCUMENTS = 1_000_000;
const MAX_MORE_BYTES = 200 * 1024 * 1024;
const DATABASE = 'large';

let dataPath = '';
let engine: EngineProcess;
let client: MongoClient;

/**
 * What the process itself holds: its resident memory without the pages of the data file, which LMDB
 * maps and the system takes back when it needs them.
 */
async function heldBytes(): Promise<number> {
  const status = await readFile(`/proc/${engine.pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** The most that was held above `idle` while `work` ran. */
async function mostHeld(idle: number, work: () => Promise<void>): Promise<number> {
  let most = 0;
  let isOver = false;
  const look = async (): Promise<void> => {
    while (!isOver) {
      most = Math.max(most, (await heldBytes()) - idle);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const looking = look();
  await work().finally(() => {
    isOver = true;
  });
  await looking;
  return most;
}

describe.skipIf(platform() !== 'linux')(
  `memory of an engine with ${DOCUMENTS} documents (measured on Linux)`,
  () => {
    beforeAll(async () => {
      await buildEngineProcess();
      dataPath = await mkdtemp(join(tmpdir(), 'quorate-memory-'));
      engine = await startEngineProcess(dataPath);
      client = await MongoClient.connect(engine.uri);
      const items = client
        .db(DATABASE)
        .collection<{ _id: number; text: string }>('items', { writeConcern: { w: 1 } });
      for (let first = 0; first < DOCUMENTS; first += 20_000) {
        const text = 'x'.repeat(150);
        await items.insertMany(
          Array.from({ length: 20_000 }, (_, i) => ({ _id: first + i, text })),
        );
      }
      // a fresh process, whose idle memory does not hide what is needed later
      await client.close();
      await engine.kill();
      engine = await startEngineProcess(dataPath);
      client = await MongoClient.connect(engine.uri);
      await client.db(DATABASE).collection('items').findOne();
    }, 240_000);
    afterAll(async () => {
      await client?.close();
      await engine?.kill();
      await rm(dataPath, { recursive: true, force: true });
    });

    it('a find over all of them by a slow reader stays within 200 MB', async () => {
      const idle = await heldBytes();
      let read = 0;
      const most = await mostHeld(idle, async () => {
        const cursor = client
          .db(DATABASE)
          .collection('items')
          .find({}, { batchSize: 10_000, raw: true });
        for await (const _ of cursor) {
          read += 1;
          if (read % 10_000 === 0) await new Promise((resolve) => setTimeout(resolve, 30));
        }
      });
      expect(read).toBe(DOCUMENTS);
      expect(most).toBeLessThan(MAX_MORE_BYTES);
    }, 240_000);

    it('twenty readers that stop in the middle stay within 200 MB, as do sort and $group', async () => {
      const idle = await heldBytes();
      const items = client.db(DATABASE).collection<{ _id: number }>('items');
      const most = await mostHeld(idle, async () => {
        const cursors = Array.from({ length: 20 }, () => items.find({}, { batchSize: 1000 }));
        for (const cursor of cursors) await cursor.next();
        const top = await items.find().sort({ text: -1, _id: -1 }).limit(5).toArray();
        expect(top.map(({ _id }) => _id)[0]).toBe(DOCUMENTS - 1);
        const groups = await items
          .aggregate([{ $group: { _id: { $mod: ['$_id', 10] }, n: { $sum: 1 } } }])
          .toArray();
        expect(groups).toHaveLength(10);
        for (const cursor of cursors) await cursor.close();
      });
      expect(most).toBeLessThan(MAX_MORE_BYTES);
    }, 240_000);
  },
);
