import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, MongoServerError } from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkFolder } from '../src/maintenance/index.ts';
import { buildEngineProcess, startEngineProcess } from './support/engine-process.ts';

const DATABASE = 'full';
const MIB = 1024 * 1024;
const OUT_OF_DISK_SPACE = 14031;

/** A place of little room, and what makes it roomy again. */
interface SmallPlace {
  readonly folder: string;
  makeRoom(): void;
  remove(): void;
}

function mountSmall(): SmallPlace | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-full-'));
  const mount = (options: string): number | null =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', folder]).status;
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  if (mount('size=14m') !== 0) {
    remove();
    return undefined;
  }
  return {
    folder,
    makeRoom: () => mount('remount,size=200m'),
    remove() {
      spawnSync('umount', [folder]);
      remove();
    },
  };
}

interface Item {
  _id: number;
  text: string;
  n: number;
}

const WRITERS = 4;

/** Inserts and changes until nothing fits any more; answers what was acknowledged and the errors. */
async function fill(client: MongoClient): Promise<{ n: Map<number, number>; errors: unknown[] }> {
  const items = client.db(DATABASE).collection<Item>('items');
  const n = new Map<number, number>();
  const errors: unknown[] = [];
  let lastId = 0;
  const write = async (): Promise<void> => {
    for (;;) {
      const _id = ++lastId;
      try {
        await items.insertOne({ _id, text: `${_id} `.repeat(2000), n: 0 });
        n.set(_id, 0);
        await items.updateOne({ _id }, { $inc: { n: 1 } });
        n.set(_id, 1);
      } catch (error) {
        errors.push(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  return { n, errors };
}

async function storedItems(client: MongoClient): Promise<Map<number, number>> {
  const all = await client.db(DATABASE).collection<Item>('items').find().toArray();
  return new Map(all.map(({ _id, n }) => [_id, n]));
}

async function tryFullDisk(place: SmallPlace): Promise<void> {
  const dataPath = join(place.folder, 'data');
  let engine = await startEngineProcess(dataPath);
  let client = await MongoClient.connect(engine.uri);
  try {
    await client.db(DATABASE).collection('items').createIndex({ text: 1, n: 1 });
    const { n, errors } = await fill(client);
    expect(n.size).toBeGreaterThan(50);
    expect(errors).toHaveLength(WRITERS);
    for (const error of errors) {
      expect(error).toBeInstanceOf(MongoServerError);
      expect(error).toMatchObject({ code: OUT_OF_DISK_SPACE, codeName: 'OutOfDiskSpace' });
    }
    // it goes on reading, and refuses what does not fit without losing its head
    const full = client.db(DATABASE).collection<Item>('items');
    const more = { _id: -1, text: 'x'.repeat(4 * MIB), n: 0 };
    await expect(full.insertOne(more)).rejects.toMatchObject({ code: OUT_OF_DISK_SPACE });
    expect(await full.findOne({ _id: -1 })).toBeNull();
    const lost = async () => {
      const stored = await storedItems(client);
      return [...n].filter(([id, value]) => (stored.get(id) ?? -1) < value);
    };
    expect(await lost()).toEqual([]);
    expect(await client.db(DATABASE).command({ validate: 'items' })).toMatchObject({ valid: true });
    await client.close();
    await engine.kill();
    place.makeRoom();
    engine = await startEngineProcess(dataPath);
    client = await MongoClient.connect(engine.uri);
    expect(await lost()).toEqual([]);
    await client
      .db(DATABASE)
      .collection<Item>('items')
      .insertOne({ ...more, text: 'fits' });
    await client.close();
    await engine.kill();
    expect((await checkFolder(dataPath)).problems).toEqual([]);
  } finally {
    await client.close();
    await engine.kill();
  }
}

describe('an engine without room', () => {
  beforeAll(buildEngineProcess);

  it('answers errors on a full disk, keeps what it has acknowledged and goes on afterwards', async (context) => {
    const place = mountSmall();
    if (place === undefined) return context.skip('a small file system can be mounted by root only');
    try {
      await tryFullDisk(place);
    } finally {
      place.remove();
    }
  });

  it('removes documents from a full disk, and takes new ones in their place', async (context) => {
    const place = mountSmall();
    if (place === undefined) return context.skip('a small file system can be mounted by root only');
    const dataPath = join(place.folder, 'data');
    const engine = await startEngineProcess(dataPath);
    const client = await MongoClient.connect(engine.uri);
    try {
      const items = client.db(DATABASE).collection<Item>('items');
      const text = 'x'.repeat(10_000);
      const insert = async (firstId: number): Promise<void> => {
        for (let _id = firstId; ; _id += 1) await items.insertOne({ _id, text, n: 0 });
      };
      for (let round = 1; round <= 3; round += 1) {
        await expect(insert(round * 10_000)).rejects.toMatchObject({ code: OUT_OF_DISK_SPACE });
        expect(await items.countDocuments()).toBeGreaterThan(50);
        // the log keeps what it has told; the rest of the room is free again
        await items.deleteMany({});
        expect(await items.countDocuments()).toBe(0);
      }
      expect(await client.db(DATABASE).command({ validate: 'items' })).toMatchObject({
        valid: true,
      });
    } finally {
      await client.close();
      await engine.kill();
      place.remove();
    }
  });
});
