import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { startReplicaSet } from '../src/testing/index.ts';
import type { AnyDocument } from './support/any-document.ts';

const ELECTIONS = Number(process.env['ELECTIONS'] ?? 6);
const WRITERS = 6;
const DATABASE = 'ledger';

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

/** Reads until a member answers: with a primary gone there may be none for a moment. */
async function untilAnswered<T>(read: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await read();
    } catch (error) {
      if (attempt > 100) throw error;
      await sleep(20);
    }
  }
}

interface Account {
  _id: number;
  n: number;
}

describe('a rehearsed set under load', () => {
  it(`loses and doubles nothing acknowledged by a majority through ${ELECTIONS} elections`, async () => {
    const set = await startReplicaSet();
    const client = await MongoClient.connect(set.uri);
    const accounts = client.db(DATABASE).collection<Account>('accounts');
    const log = client.db(DATABASE).collection<{ _id: string }>('log');
    let isOver = false;
    const counted = new Map<number, number>();
    const entries: string[] = [];
    const wrong: string[] = [];
    let inDoubt = 0;
    /**
     * The driver gives an error of a connection whose pool is cleared already no label and does not
     * retry it: the outcome is unknown, and what is stored tells. It must be one of the two.
     */
    const resolveDoubt = async (account: number, round: number, steps: number): Promise<void> => {
      inDoubt += 1;
      const before = counted.get(account) ?? 0;
      const stored = await untilAnswered(() =>
        accounts.findOne({ _id: account }, { readConcern: { level: 'majority' } }),
      );
      const n = stored?.n ?? -1;
      if (n < before || n > before + steps) wrong.push(`${account}: ${before} became ${n}`);
      counted.set(account, n);
      const _id = `${account}-${round}`;
      const logged = await untilAnswered(() =>
        log.findOne({ _id }, { readConcern: { level: 'majority' } }),
      );
      if (logged !== null && !entries.includes(_id)) entries.push(_id);
    };
    /** Adds one to its own account, again and again; the driver retries once by itself. */
    const write = async (account: number): Promise<void> => {
      for (let round = 0; !isOver; round += 1) {
        try {
          await accounts.updateOne({ _id: account }, { $inc: { n: 1 } });
          counted.set(account, (counted.get(account) ?? 0) + 1);
          await client.withSession((session) =>
            session.withTransaction(async () => {
              await accounts.updateOne({ _id: account }, { $inc: { n: 1 } }, { session });
              await log.insertOne({ _id: `${account}-${round}` }, { session });
            }),
          );
          counted.set(account, (counted.get(account) ?? 0) + 1);
          entries.push(`${account}-${round}`);
        } catch {
          await resolveDoubt(account, round, 1);
        }
      }
    };
    try {
      await client.db(DATABASE).createCollection('log');
      await accounts.insertMany(
        Array.from({ length: WRITERS }, (_, account) => ({ _id: account, n: 0 })),
      );
      const writers = Array.from({ length: WRITERS }, (_, account) => write(account));
      for (let election = 0; election < ELECTIONS; election += 1) {
        // each of these costs a write one retry, and the driver makes only one
        await sleep(150);
        set.cutSockets();
        await sleep(150);
        const primary = await set.waitForPrimary();
        if (election % 3 === 0) await set.stepDown();
        else if (election % 3 === 1) await set.elect((primary.index + 1) % 3);
        else {
          await set.kill(primary);
          await set.waitForPrimary();
          await set.restart(primary);
        }
      }
      await sleep(300);
      isOver = true;
      await Promise.all(writers);
      expect(wrong).toEqual([]);
      // most are retried by the driver
      expect(inDoubt).toBeLessThan(entries.length);
      await set.settle();
      for (const member of set.members) {
        const direct = await MongoClient.connect(member.uri);
        const stored = await direct
          .db(DATABASE)
          .collection<Account>('accounts')
          .find()
          .sort({ _id: 1 })
          .toArray();
        expect(new Map(stored.map(({ _id, n }) => [_id, n]))).toEqual(
          new Map([...counted].sort(([a], [b]) => a - b)),
        );
        const logged = await direct
          .db(DATABASE)
          .collection<{ _id: string }>('log')
          .find()
          .toArray();
        expect(logged.map(({ _id }) => _id).sort()).toEqual([...entries].sort());
        const check = await direct.db(DATABASE).command({ validate: 'log' });
        expect(check).toMatchObject({ valid: true, errors: [] });
        await direct.close();
      }
      expect(entries.length).toBeGreaterThan(WRITERS);
    } finally {
      isOver = true;
      await client.close();
      await set.close();
    }
  }, 120_000);

  it('resumes a change stream across elections without loss, doubling or what is rolled back', async () => {
    const set = await startReplicaSet();
    const client = await MongoClient.connect(set.uri);
    const items = client.db(DATABASE).collection<AnyDocument>('items');
    const seen: unknown[] = [];
    try {
      await items.insertOne({ _id: 'first' });
      const stream = items.watch();
      stream.on('change', (event) => {
        if (event.operationType === 'insert') seen.push(event.documentKey._id);
      });
      stream.on('error', () => undefined);
      await once(stream, 'resumeTokenChanged');
      const written: string[] = [];
      for (let round = 0; round < 4; round += 1) {
        for (let n = 0; n < 20; n += 1) {
          const _id = `${round}-${n}`;
          await items.insertOne({ _id });
          written.push(_id);
        }
        const primary = await set.waitForPrimary();
        for (const { index } of set.members)
          if (index !== primary.index) set.setReplicationLag(index, 60_000);
        // a majority never has it: no stream may tell of it
        await items.insertOne({ _id: `lost-${round}` }, { writeConcern: { w: 1 } });
        await set.elect((primary.index + 1) % 3);
        for (const { index } of set.members) set.setReplicationLag(index, 0);
      }
      await items.insertOne({ _id: 'last' });
      written.push('last');
      while (!seen.includes('last')) await sleep(10);
      expect(seen).toEqual(written);
      await stream.close();
    } finally {
      await client.close();
      await set.close();
    }
  }, 60_000);

  it('runs as a process of its own, which takes orders line by line', async () => {
    const root = fileURLToPath(new URL('..', import.meta.url));
    const outfile = `${root}node_modules/.cache/testing-main.mjs`;
    mkdirSync(`${root}node_modules/.cache`, { recursive: true });
    await build({
      entryPoints: [`${root}src/testing/main.ts`],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      target: 'node20',
      logLevel: 'silent',
    });
    const child = spawn(process.execPath, [outfile, '--control-port', '0'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const nextLine = async () => JSON.parse((await lines.next()).value);
    const { uri, controlPort } = await nextLine();
    const client = await MongoClient.connect(uri);
    try {
      await client.db(DATABASE).collection<AnyDocument>('items').insertOne({ _id: 1 });
      child.stdin.write('{"order":"elect","member":2}\n');
      expect(await nextLine()).toMatchObject({ ok: true, primary: 2 });
      const response = await fetch(`http://127.0.0.1:${controlPort}/`, {
        method: 'POST',
        body: '{"order":"kill","member":1}',
      });
      expect(await response.json()).toMatchObject({
        ok: true,
        members: [{}, { role: 'down' }, {}],
      });
      child.stdin.write('{"order":"nonsense"}\n');
      expect(await nextLine()).toMatchObject({ ok: false });
      expect(await client.db(DATABASE).collection('items').countDocuments()).toBe(1);
    } finally {
      await client.close();
      child.kill();
      await exited;
    }
  }, 60_000);
});
