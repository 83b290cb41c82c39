/** `quorate cluster`: engine, nodes and a balancer on one machine, to try all of it; ends with all of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { balancerConfig } from '../cluster/load-balancer/balancer-config.ts';
import { DEFAULT_BALANCER_SETTINGS } from '../cluster/load-balancer/settings.ts';
import { QuorateError } from '../errors/quorate-error.ts';

const TABLE_EVERY_MS = 1000;

/** Starts everything, shows the nodes until a signal. */
export async function runCluster(options: {
  readonly nodes: number;
  readonly port: number;
  readonly data: string;
}): Promise<void> {
  const kind = ['haproxy', 'nginx'].find(isInstalled) as 'haproxy' | 'nginx' | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'quorate-cluster-'));
  const children: ChildProcess[] = [];
  const stop = (): void => {
    // nodes first: their drain needs the database
    for (const child of children.slice(1)) child.kill('SIGINT');
    setTimeout(() => {
      for (const child of children) child.kill('SIGTERM');
      setTimeout(() => process.exit(0), 1000);
    }, 1500);
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  const enginePort = await freePort();
  children.push(startSelf(['engine', '--data', options.data, '--port', String(enginePort)], {}));
  const nodes: string[] = [];
  for (let i = 0; i < options.nodes; i += 1) {
    const port = await freePort();
    const node = startSelf(['start'], {
      MONGODB_URI: `mongodb://127.0.0.1:${enginePort}`,
      PORT: String(port),
      HOST: '127.0.0.1',
      RHO: [process.env['RHO'], `/core/name->"node${i + 1}"`].filter(Boolean).join(';'),
    });
    showPassword(node);
    children.push(node);
    nodes.push(`127.0.0.1:${port}`);
  }
  if (kind === undefined) {
    process.stdout.write('Neither haproxy nor nginx is installed: the nodes have no balancer\n');
  } else {
    const file = join(folder, `${kind}.conf`);
    const settings = { ...DEFAULT_BALANCER_SETTINGS, nodes, listenPort: options.port };
    writeFileSync(file, balancerConfig(kind, settings));
    const args =
      kind === 'haproxy' ? ['-f', file] : ['-p', folder, '-c', file, '-g', 'daemon off;'];
    children.push(spawn(kind, args, { stdio: ['ignore', 'ignore', 'inherit'] }));
    process.stdout.write(`${kind} answers at http://localhost:${options.port} (${file})\n`);
  }
  setInterval(() => void showTable(nodes), TABLE_EVERY_MS);
}

function startSelf(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  const [, main = ''] = process.argv;
  return spawn(process.execPath, [...process.execArgv, main, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
}

/** Of all that the nodes log, the first account's password is what the visitor needs. */
function showPassword(node: ChildProcess): void {
  node.stdout?.on('data', (chunk: Buffer) => {
    const [, password] = /admin password: ([\w-]+)/.exec(chunk.toString()) ?? [];
    if (password !== undefined) process.stdout.write(`admin password: ${password}\n`);
  });
}

interface ReadyAnswer {
  readonly state?: string;
  readonly checks?: { readonly database?: { readonly detail?: { readonly latencyMs?: number } } };
}

let shownLines = 0;
let shownText = '';

/** Rewrites the table in place on a terminal; elsewhere a new one is written when something changed. */
async function showTable(nodes: readonly string[]): Promise<void> {
  const rows = await Promise.all(
    nodes.map(async (address, i) => {
      const answer = await askReady(address);
      const latency = answer.checks?.database?.detail?.latencyMs;
      const name = `node${i + 1}`.padEnd(8);
      return {
        text: `${name}${address.padEnd(22)}${(answer.state ?? 'away').padEnd(10)}`,
        latency,
      };
    }),
  );
  const isTerminal = process.stdout.isTTY === true;
  const text = rows.map((row) => row.text).join('\n');
  if (!isTerminal && text === shownText) return;
  shownText = text;
  const up = isTerminal && shownLines > 0 ? `\u001b[${shownLines}A` : '';
  const lines = rows.map((row) =>
    isTerminal && row.latency !== undefined ? `${row.text}${row.latency} ms` : row.text,
  );
  process.stdout.write(
    `${up}${lines.map((line) => `${isTerminal ? '\u001b[2K' : ''}${line}\n`).join('')}`,
  );
  shownLines = rows.length;
}

async function askReady(address: string): Promise<ReadyAnswer> {
  try {
    const signal = AbortSignal.timeout(900);
    const reply = await fetch(`http://${address}/health/ready`, { signal });
    return (await reply.json()) as ReadyAnswer;
  } catch {
    return {};
  }
}

function isInstalled(program: string): boolean {
  const folders = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`.split(delimiter);
  return folders.some((folder) => existsSync(join(folder, program)));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', (cause) =>
      reject(new QuorateError('ERR_CONFIG_LISTENER', { message: 'No port is free', cause })),
    );
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
