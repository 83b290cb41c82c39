/** A cluster as its users run it: engine process, node processes, a balancer in front. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import {
  type BalancerKind,
  balancerConfig,
} from '../../packages/server/src/cluster/load-balancer/balancer-config.ts';
import { DEFAULT_BALANCER_SETTINGS } from '../../packages/server/src/cluster/load-balancer/settings.ts';
import type { PartitionedNetwork } from './network-namespaces.ts';
import { type NodeProcess, startNodeProcess } from './node-process.ts';
import { ReplicaSetProcess } from './replica-set-process.ts';

const MAIN = join(import.meta.dirname, '../../packages/server/dist/bundle/main.js');
export const ADMIN = { name: 'admin', password: 'cluster-test-1' };
export const PROBE_MS = 200;
export const DRAIN_MS = 900;

/** The first account has a known password; everything is mounted; stops are quick. */
export const CLUSTER_RHO = [
  '/mongo/mongo-mounts->[{"what":"*","where":"/"}]',
  `/mongoRealmAuthenticator/create-user-document->${JSON.stringify(JSON.stringify({ _id: ADMIN.name, password: ADMIN.password, roles: ['admin'] }))}`,
  '/mongoRealmAuthenticator/bcrypt-hashed-password->false',
  `/quorate/drain-delay->${DRAIN_MS}`,
  '/logging/requests-log-mode->0',
].join(';');

export function hasProgram(name: string): boolean {
  const folders = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`.split(delimiter);
  return folders.some((folder) => existsSync(join(folder, name)));
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** The engine in a process of its own: it can be killed and started again on the same data. */
export class EngineProcess {
  readonly port: number;
  private readonly folder: string;
  private child: ChildProcess | undefined;

  constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  get pid(): number {
    return this.child?.pid ?? -1;
  }

  get uri(): string {
    return `mongodb://127.0.0.1:${this.port}`;
  }

  start(): Promise<void> {
    const args = [MAIN, 'engine', '--data', this.folder, '--port', String(this.port)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.child = child;
    return new Promise((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('engine started')) resolve();
      });
      child.once('exit', (code) => reject(new Error(`the engine ended with ${code}`)));
    });
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill(signal);
    await closed;
  }
}

/** What Debian has; the others are not started in tests. */
export type BalancerProgram = Extract<BalancerKind, 'haproxy' | 'nginx' | 'caddy'>;

export interface Balancer {
  readonly url: string;
  readonly pid: number;
  /** What it has written so far; HAProxy tells what went wrong, was repeated or sent elsewhere. */
  log(): string;
  close(): Promise<void>;
}

/** Starts a balancer with the recipe that `quorate lb-config` gives, probing faster. */
export async function startBalancer(
  kind: BalancerProgram,
  nodePorts: readonly number[],
  options: { readonly isSticky?: boolean } = {},
): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), `quorate-${kind}-`));
  const listenPort = await freePort();
  const file = join(folder, kind === 'caddy' ? 'Caddyfile' : `${kind}.conf`);
  const config = balancerConfig(kind, {
    ...DEFAULT_BALANCER_SETTINGS,
    nodes: nodePorts.map((port) => `127.0.0.1:${port}`),
    listenPort,
    probeIntervalMs: PROBE_MS,
    isSticky: options.isSticky ?? false,
  });
  // Caddy's own administration port would be shared by all of them
  writeFileSync(file, kind === 'caddy' ? `{\n\tadmin off\n}\n${config}` : config);
  const args = {
    haproxy: ['-f', file],
    nginx: [
      '-p',
      folder,
      '-c',
      file,
      '-e',
      'stderr',
      '-g',
      `daemon off; error_log stderr; pid ${join(folder, 'pid')};`,
    ],
    caddy: ['run', '--config', file, '--adapter', 'caddyfile'],
  }[kind];
  const child = spawn(kind, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PATH: `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin`,
      HOME: folder,
    },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-100_000);
    });
  }
  let hasEnded = false;
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => {
      hasEnded = true;
      resolve();
    });
  });
  const url = `http://127.0.0.1:${listenPort}`;
  await waitFor(kind, async () => {
    if (hasEnded) return true;
    return (await fetch(`${url}/health/live`)).ok;
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  if (hasEnded) throw new Error(`${kind} ended: ${log}`);
  return {
    url,
    pid: child.pid ?? -1,
    log: () => log,
    async close() {
      child.kill(kind === 'haproxy' ? 'SIGTERM' : 'SIGQUIT');
      setTimeout(() => child.kill('SIGKILL'), 500).unref();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Asks again until the answer is true. */
export async function waitFor(
  what: string,
  check: () => Promise<boolean>,
  limitMs = 20_000,
): Promise<void> {
  const until = Date.now() + limitMs;
  for (;;) {
    if (await check().catch(() => false)) return;
    if (Date.now() > until) throw new Error(`waited too long for ${what}`);
    await pause(20);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Engine and nodes; nodes may be stopped, killed and started again on their port. */
export class TestCluster {
  readonly engine: EngineProcess;
  readonly ports: readonly number[];
  readonly nodes: (NodeProcess | undefined)[] = [];
  /** Instead of the engine, where it was asked for. */
  replicaSet: ReplicaSetProcess | undefined;
  private readonly folder: string;
  private readonly rho: string;
  private network: PartitionedNetwork | undefined;

  private constructor(folder: string, enginePort: number, ports: readonly number[], rho: string) {
    this.folder = folder;
    this.engine = new EngineProcess(enginePort, join(folder, 'data'));
    this.ports = ports;
    this.rho = rho;
  }

  /** @param options - `isStarted` false: nothing runs yet */
  static async open(
    options: {
      readonly nodes?: number;
      readonly rho?: string;
      readonly isStarted?: boolean;
      readonly hasReplicaSet?: boolean;
      /** Instead of the one that `hasReplicaSet` starts; it is closed with the cluster. */
      readonly replicaSet?: ReplicaSetProcess;
      /** Each node in a network of its own. */
      readonly network?: PartitionedNetwork;
    } = {},
  ): Promise<TestCluster> {
    const ports: number[] = [];
    for (let i = 0; i < (options.nodes ?? 3); i += 1) ports.push(await freePort());
    const folder = mkdtempSync(join(tmpdir(), 'quorate-cluster-'));
    const rho = [CLUSTER_RHO, options.rho].filter(Boolean).join(';');
    const cluster = new TestCluster(folder, await freePort(), ports, rho);
    if (options.isStarted === false) return cluster;
    cluster.network = options.network;
    cluster.replicaSet = options.replicaSet;
    if (options.replicaSet !== undefined) await options.replicaSet.order('status');
    else if (options.hasReplicaSet === true) cluster.replicaSet = await ReplicaSetProcess.start();
    else await cluster.engine.start();
    await cluster.startNodes();
    await cluster.waitUntilReady();
    return cluster;
  }

  async startNodes(): Promise<void> {
    await Promise.all(this.ports.map((_, i) => this.startNode(i)));
  }

  /** @param own - what distinguishes it from the others */
  async startNode(
    index: number,
    own: { readonly rho?: string; readonly environment?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    this.nodes[index] = await startNodeProcess({
      mongoUri: this.replicaSet?.uri ?? this.engine.uri,
      port: this.ports[index] ?? 0,
      rho: [this.rho, `/core/name->"node${index + 1}"`, own.rho].filter(Boolean).join(';'),
      environment: { ...own.environment, ...(this.network && { HOST: '0.0.0.0' }) },
      ...(this.network && { launcher: this.network.nodeLauncher(index) }),
    });
  }

  async waitUntilReady(): Promise<void> {
    for (const url of this.urls)
      await waitFor(`${url} to be ready`, async () => (await fetch(`${url}/health/ready`)).ok);
  }

  get urls(): readonly string[] {
    return this.ports.map((_, index) => this.url(index));
  }

  url(index: number): string {
    return `http://${this.network?.nodeAddress(index) ?? '127.0.0.1'}:${this.ports[index]}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node?.kill()));
    await this.engine.stop();
    await this.replicaSet?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const BASIC = `Basic ${Buffer.from(`${ADMIN.name}:${ADMIN.password}`).toString('base64')}`;

/** A token of the administrator, from the node or balancer at `url`. */
export async function login(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly token: string; readonly cookie: string }> {
  const reply = await fetch(`${url}/token`, {
    method: 'POST',
    headers: { Authorization: BASIC, ...headers },
  });
  const body = (await reply.json()) as { access_token: string };
  const cookie = (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  return { token: body.access_token, cookie };
}

/** One request; a connection that breaks counts as status 0. */
export async function ask(
  url: string,
  path: string,
  options: {
    readonly method?: string;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    readonly authorization?: string;
  } = {},
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  try {
    const reply = await fetch(`${url}${path}`, {
      method: options.method ?? 'GET',
      headers: {
        Authorization: options.authorization ?? BASIC,
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    return { status: reply.status, headers: reply.headers, text: await reply.text() };
  } catch (error) {
    return { status: 0, headers: new Headers(), text: String(error) };
  }
}

/** How often each status came. */
export function tally(statuses: readonly number[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}
