// Starts the measured programs as processes of their own, as a user would.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const main = join(root, 'packages/server/dist/bundle/main.js');
const running = new Set();

process.on('exit', () => {
  for (const stop of running) stop();
});

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A process that is ready when `ready()` resolves; `stop` ends it and removes its folder. */
async function start(args, { env = {}, ready, program = process.execPath }) {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-bench-'));
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      log = (log + chunk).slice(-20_000);
    });
  }
  const kill = () => child.kill('SIGKILL');
  running.add(kill);
  let exited = false;
  const closed = new Promise((resolve) =>
    child.on('close', () => {
      exited = true;
      resolve();
    }),
  );
  const deadline = Date.now() + 30_000;
  while (!(await ready(() => log))) {
    if (exited || Date.now() > deadline)
      throw new Error(`${args.join(' ')} did not start:\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return {
    pid: child.pid,
    async stop() {
      running.delete(kill);
      kill();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url) {
  try {
    return (await fetch(url)).status < 500;
  } catch {
    return false;
  }
}

async function listens(port) {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export async function startEngine() {
  const port = await freePort();
  const engine = await start([main, 'engine', '--data', 'data', '--port', String(port)], {
    ready: () => listens(port),
  });
  return { ...engine, uri: `mongodb://127.0.0.1:${port}/?directConnection=true` };
}

const secantus = process.env.SECANTUS;
/** Whether SecantusDB can be measured beside the engine: `SECANTUS` names its program. */
export const hasSecondDatabase = secantus !== undefined && existsSync(secantus);

export async function startSecondDatabase() {
  const port = await freePort();
  const args = ['--port', String(port), '--storage-path', ':memory:', '--log-level', 'ERROR'];
  const second = await start(args, { program: secantus, ready: () => listens(port) });
  return { ...second, uri: `mongodb://127.0.0.1:${port}/?directConnection=true` };
}

/** A node on `uri`, or with the embedded engine when there is none. */
export async function startNode(uri, overrides = []) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const startedAt = performance.now();
  const node = await start([main, 'start'], {
    env: {
      PORT: String(port),
      ...(uri ? { MONGODB_URI: uri } : { QUORATE_DATA: 'data' }),
      RHO: [
        '/mongo/mongo-mounts->[{"what":"*","where":"/"}]',
        '/logging/log-level->"WARN"',
        '/fullAuthorizer/enabled->true',
        '/fullAuthorizer/authentication-required->false',
        ...overrides,
      ].join(';'),
    },
    ready: () => answers(`${url}/ping`),
  });
  return { ...node, url, startMs: performance.now() - startedAt };
}

export const startBareServer = (uri) => startBare('bench/bare-server.mjs', uri);
export const startBareResources = (uri) => startBare('bench/bare-resources.mjs', uri);

async function startBare(script, uri) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = await start([join(root, script), uri, String(port)], {
    ready: () => listens(port),
  });
  return { ...server, url };
}

/** The kernel's clock ticks, in which /proc counts. */
const TICKS_PER_SECOND = 100;

/** What a process has used of the processors since it began. */
export function processorSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory of a process, in MB. */
export function memoryMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
