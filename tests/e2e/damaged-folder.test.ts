/** Data folders with damaged pages: `quorate check` and `quorate engine` say so, end, and change nothing. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = join(import.meta.dirname, '../../packages/server/dist/bundle/main.js');
const PAGE_BYTES = 4096;
const MAX_RUN_MS = 20_000;
const DAMAGED = 2;

let base = '';
let sound = '';

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

/** Runs a command to its end, or until it says that it has started. */
function run(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [program, ...args]);
    let output = '';
    let isOver = false;
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(limit);
      child.kill('SIGKILL');
      resolve({ code, signal, output });
    };
    const limit = setTimeout(() => finish(null, 'SIGALRM'), MAX_RUN_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (output.includes('engine started')) child.kill('SIGTERM');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('close', finish);
  });
}

async function digest(folder: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(folder, 'data.mdb')))
    .digest('hex');
}

/** Numbers that are the same in each run. */
function* numbersFrom(seed: number): Generator<number> {
  let state = seed * 2_654_435_761;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

async function damage(folder: string, seed: number): Promise<number> {
  const path = join(folder, 'data.mdb');
  const pages = Math.floor((await stat(path)).size / PAGE_BYTES);
  const numbers = numbersFrom(seed);
  const next = (): number => numbers.next().value ?? 0;
  const page = Math.floor(next() * pages);
  const kind = seed % 3;
  const file = await open(path, 'r+');
  const bytes = Buffer.alloc(PAGE_BYTES);
  if (kind === 1) for (let at = 0; at < PAGE_BYTES; at++) bytes[at] = Math.floor(next() * 256);
  // a page in the place of another: all of it is well formed
  if (kind === 2) await file.read(bytes, 0, PAGE_BYTES, Math.floor(next() * pages) * PAGE_BYTES);
  await file.write(bytes, 0, PAGE_BYTES, page * PAGE_BYTES);
  await file.close();
  return page;
}

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'quorate-damaged-'));
  sound = join(base, 'sound');
  const engine = spawn(process.execPath, [program, 'engine', '--data', sound, '--port', '0']);
  const uri = await new Promise<string>((resolve) => {
    let output = '';
    engine.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const [, found] = /started, (\S+)\n/.exec(output) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  const client = await MongoClient.connect(uri);
  const items = client.db('d').collection('items');
  await items.createIndexes([{ key: { n: 1 } }, { key: { text: 1, n: -1 } }]);
  for (let part = 0; part < 5; part++) {
    await items.insertMany(
      Array.from({ length: 1000 }, (_, n) => ({ n, text: `text ${n}`, more: 'x'.repeat(n % 700) })),
    );
  }
  const large = Array.from({ length: 20 }, () => ({ bytes: Buffer.alloc(30_000, 7) }));
  await client.db('d').collection('large').insertMany(large);
  await items.deleteMany({ n: { $lt: 100 } });
  await client.close();
  engine.kill('SIGTERM');
  await once(engine, 'exit');
});
afterAll(() => rm(base, { recursive: true, force: true }));

describe('a sound folder', () => {
  it('is found sound, and is started on', async () => {
    expect(await run(['check', sound])).toMatchObject({ code: 0 });
    const started = await run(['engine', '--data', sound, '--port', '0']);
    expect(started).toMatchObject({ code: 0, output: expect.stringContaining('engine started') });
  });
});

describe.each(Array.from({ length: 24 }, (_, seed) => seed))('damage %i', (seed) => {
  it('is told, or is where nothing is', async () => {
    const folder = join(base, `damaged-${seed}`);
    await cp(sound, folder, { recursive: true });
    const page = await damage(folder, seed);
    const before = await digest(folder);
    const checked = await run(['check', folder]);
    const about = `page ${page}: ${JSON.stringify(checked)}`;
    expect(checked.signal, about).toBeNull();
    expect([0, 1, DAMAGED], about).toContain(checked.code);
    expect(checked.output, about).toMatch(/is damaged|is no document|problems/);
    expect(checked.output, about).not.toMatch(/\n\s+at /);
    expect(await digest(folder)).toBe(before);
    // what the check finds in pages the start has to find too, before it touches anything
    if (checked.output.includes('is damaged')) {
      const started = await run(['engine', '--data', folder, '--port', '0']);
      expect(started.signal, about).toBeNull();
      expect(started.code, about).not.toBe(0);
      expect(started.output, about).toContain('is damaged');
      expect(started.output, about).not.toMatch(/\n\s+at /);
      expect(await digest(folder)).toBe(before);
    }
    await rm(folder, { recursive: true });
  });
});

describe('a file cut off', () => {
  it.each([0.25, 0.5, 0.9])('after %f of it is told', async (share) => {
    const folder = join(base, `cut-${share}`);
    await cp(sound, folder, { recursive: true });
    const path = join(folder, 'data.mdb');
    const file = await open(path, 'r+');
    await file.truncate(Math.floor((await stat(path)).size * share));
    await file.close();
    const checked = await run(['check', folder]);
    expect(checked).toMatchObject({ code: 1, output: expect.stringContaining('is damaged') });
  });
});
