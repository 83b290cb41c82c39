import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';

/** SecantusDB, an independent server that speaks MongoDB's protocol; `SECANTUS` names its program. */
export const SECOND_DATABASE: string | undefined = findProgram();

export interface SecondDatabase {
  readonly uri: string;
  close(): Promise<void>;
}

function findProgram(): string | undefined {
  const program = process.env['SECANTUS'];
  return program !== undefined && existsSync(program) ? program : undefined;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Starts it over memory, in a folder of its own. */
export async function startSecondDatabase(): Promise<SecondDatabase> {
  if (SECOND_DATABASE === undefined) throw new Error('SECANTUS names no program');
  const folder = await mkdtemp(join(tmpdir(), 'quorate-second-'));
  const port = await freePort();
  const args = ['--port', String(port), '--storage-path', ':memory:', '--log-level', 'ERROR'];
  const child = spawn(SECOND_DATABASE, args, { cwd: folder, stdio: 'ignore' });
  const exited = once(child, 'exit');
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  const probe = new MongoClient(uri, { serverSelectionTimeoutMS: 60_000 });
  await probe.connect();
  await probe.close();
  return {
    uri,
    async close() {
      child.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
