import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEngine } from '../src/index.ts';
import { backupFolder, checkFolder, restoreFolder } from '../src/maintenance/index.ts';
import { UnknownFormatError } from '../src/storage/format-version.ts';
import type { AnyDocument } from './support/any-document.ts';
import { buildEngineProcess, startEngineProcess } from './support/engine-process.ts';

let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'quorate-maintenance-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Account {
  _id: number;
  balance: number;
}

describe('a backup', () => {
  it('taken while transfers are written holds all of them or none, and resumes streams', async () => {
    await buildEngineProcess();
    const data = join(folder, 'data');
    const engine = await startEngineProcess(data);
    const client = await MongoClient.connect(engine.uri);
    const accounts = client.db('bank').collection<Account>('accounts');
    await accounts.insertMany(Array.from({ length: 20 }, (_, _id) => ({ _id, balance: 100 })));
    const savings = client.db('bank').collection<Account>('savings');
    const transactions = client.db('bank').collection('transactions');
    await savings.insertMany(Array.from({ length: 20 }, (_, _id) => ({ _id, balance: 100 })));
    await accounts.createIndex({ balance: 1 });
    const stream = accounts.watch();
    await stream.tryNext();
    const token = stream.resumeToken;
    await stream.close();
    let isOver = false;
    let transfers = 0;
    const transfer = async (from: number): Promise<void> => {
      for (let round = 0; !isOver; round += 1) {
        const to = (from + 1 + (round % 19)) % 20;
        await client
          .withSession((session) =>
            session.withTransaction(async () => {
              await accounts.updateOne({ _id: from }, { $inc: { balance: -1 } }, { session });
              await savings.updateOne({ _id: to }, { $inc: { balance: 1 } }, { session });
              await transactions.insertOne({ from, to }, { session });
            }),
          )
          .catch(() => undefined);
        transfers += 1;
      }
    };
    const writers = [0, 5, 10].map(transfer);
    const backups: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      const target = join(folder, `backup-${round}`);
      await backupFolder(data, target);
      backups.push(target);
    }
    isOver = true;
    await Promise.all(writers);
    await client.close();
    await engine.kill();
    expect(transfers).toBeGreaterThan(10);
    let movedAtLast = 0;
    for (const [round, backup] of backups.entries()) {
      const restored = join(folder, `restored-${round}`);
      await restoreFolder(backup, restored);
      expect((await checkFolder(restored)).problems).toEqual([]);
      const again = await startEngine({ dataPath: restored, port: 0 });
      const reader = await MongoClient.connect(again.uri);
      const collection = reader.db('bank').collection<Account>('accounts');
      const all = await collection.find().toArray();
      const bank = reader.db('bank');
      const saved = await bank.collection<Account>('savings').find().toArray();
      const sum = (list: readonly Account[]): number =>
        list.reduce((total, { balance }) => total + balance, 0);
      // money moves between two collections, and a third one counts the transfers
      expect(sum(all) + sum(saved)).toBe(4000);
      const moved = await bank.collection('transactions').countDocuments();
      movedAtLast = moved;
      expect(sum(saved)).toBe(2000 + moved);
      const resumed = collection.watch([], { resumeAfter: token });
      expect(await resumed.tryNext()).toMatchObject({ operationType: 'update' });
      await resumed.close();
      await reader.close();
      await again.close();
    }
    expect(movedAtLast).toBeGreaterThan(0);
  }, 60_000);

  it('is never written over data, nor restored from half a backup', async () => {
    const data = join(folder, 'data');
    await (await startEngine({ dataPath: data, port: 0 })).close();
    const target = join(folder, 'backup');
    await backupFolder(data, target);
    await expect(backupFolder(data, target)).rejects.toThrow('is not empty');
    await expect(restoreFolder(target, data)).rejects.toThrow('is not empty');
    await rm(join(target, 'BACKUP.json'));
    await expect(restoreFolder(target, join(folder, 'other'))).rejects.toThrow(
      'no finished backup',
    );
  });
});

describe('a check', () => {
  it('finds an index entry that is missing', async () => {
    const data = join(folder, 'data');
    const engine = await startEngine({ dataPath: data, port: 0 });
    const client = await MongoClient.connect(engine.uri);
    await client
      .db('d')
      .collection<AnyDocument>('c')
      .insertMany([{ _id: 1 }, { _id: 2 }]);
    await client.close();
    await engine.close();
    expect(await checkFolder(data)).toMatchObject({ collections: 1, documents: 2, problems: [] });
    const environment = open({ path: data, noSubdir: false, maxDbs: 16 });
    const index = environment.openDB({ name: 'index', keyEncoding: 'binary', encoding: 'binary' });
    const [first] = [...index.getKeys({ limit: 1 })];
    await index.remove(first as Buffer);
    await environment.close();
    const { problems } = await checkFolder(data);
    expect(problems.map(({ text }) => text)).toContain('record 1 has no entry');
  });

  type Damage = (table: (name: string) => Database<Buffer, Buffer>) => Promise<unknown>;
  const damages: readonly (readonly [string, Damage, RegExp])[] = [
    [
      'an index entry without its document',
      async (table) => {
        const [key] = [...table('records').getKeys({ limit: 1 })];
        await table('records').remove(key as Buffer);
      },
      /entry of record 1 without its document/,
    ],
    [
      'a count that is wrong',
      async (table) => {
        for (const key of [...table('counters').getKeys()]) {
          const value = Buffer.from(table('counters').get(key) as Buffer);
          value.writeDoubleBE(value.readDoubleBE(0) + 7, 0);
          await table('counters').put(key, value);
        }
      },
      /counted 9 documents .* there are 2/,
    ],
    [
      'bytes that are no document',
      async (table) => {
        const [key] = [...table('records').getKeys({ limit: 1 })];
        const value = Buffer.from(table('records').get(key as Buffer) as Buffer);
        value.fill(0xff, 4, 9);
        await table('records').put(key as Buffer, value);
      },
      /record 1 is no document/,
    ],
  ];
  it.each(damages)('finds %s', async (_what, damage, text) => {
    const data = join(folder, 'data');
    const engine = await startEngine({ dataPath: data, port: 0 });
    const client = await MongoClient.connect(engine.uri);
    const items = client.db('d').collection<AnyDocument>('c');
    await items.createIndex({ n: 1 });
    await items.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    await client.close();
    await engine.close();
    const environment = open({ path: data, noSubdir: false, maxDbs: 16 });
    await damage((name) =>
      environment.openDB<Buffer, Buffer>({ name, keyEncoding: 'binary', encoding: 'binary' }),
    );
    await environment.close();
    const { problems } = await checkFolder(data);
    expect(problems.map((problem) => problem.text).join('\n')).toMatch(text);
  });

  it('refuses an unknown format, as everything does, and touches nothing', async () => {
    const data = join(folder, 'data');
    await mkdir(data);
    await writeFile(join(data, 'FORMAT'), 'quorate-engine 99\n');
    await writeFile(join(data, 'data.mdb'), 'of a later version');
    const attempts = [
      () => checkFolder(data),
      () => backupFolder(data, join(folder, 'backup')),
      () => startEngine({ dataPath: data, port: 0 }),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrow(UnknownFormatError);
    expect(await readFile(join(data, 'FORMAT'), 'utf8')).toBe('quorate-engine 99\n');
    expect(await readFile(join(data, 'data.mdb'), 'utf8')).toBe('of a later version');
    expect((await readdir(data)).filter((name) => !name.startsWith('engine-lock')).sort()).toEqual([
      'FORMAT',
      'data.mdb',
    ]);
  });
});
