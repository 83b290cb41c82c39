/** A node as its users run it: the built program in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../packages/server/dist/bundle/main.js');
const OWN_VARIABLES = /^(RHO|RHO_FILE|RESTHEART_CONF_FILE|MONGODB_URI|PORT|HOST|QUORATE_DATA)$/;

/** Lets everybody in, and mounts all databases on `/`. */
export const OPEN_RHO = [
  '/mongo/mongo-mounts->[{"what":"*","where":"/"}]',
  '/fullAuthorizer/enabled->true',
  '/fullAuthorizer/authentication-required->false',
  '/mongoRealmAuthenticator/create-user->false',
].join(';');

export interface NodeProcess {
  readonly url: string;
  readonly pid: number;
  /** What the process has written so far. */
  log(): string;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>;
}

export interface NodeProcessOptions {
  /** Folder of the embedded engine; or `mongoUri`. */
  readonly dataFolder?: string;
  readonly mongoUri?: string;
  readonly rho?: string;
  /** 0, the default, takes a free port. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** What to start it with: the entry into a network namespace. */
  readonly launcher?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a node and waits until it is ready. */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const inherited = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name));
  const command = [process.execPath, MAIN, 'start', ...(options.args ?? [])];
  const [program = '', ...args] = [...(options.launcher ?? []), ...command];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...Object.fromEntries(inherited),
      PORT: String(options.port ?? 0),
      RHO: options.rho ?? OPEN_RHO,
      ...(options.dataFolder === undefined ? {} : { QUORATE_DATA: options.dataFolder }),
      ...(options.mongoUri === undefined ? {} : { MONGODB_URI: options.mongoUri }),
      ...options.environment,
    },
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-100_000);
    });
  }
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await readyUrl(child, closed, () => log);
  return {
    url,
    pid: child.pid ?? -1,
    log: () => log,
    stop: () => {
      child.kill('SIGTERM');
      return closed;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

function readyUrl(
  child: ChildProcess,
  closed: Promise<number | null>,
  log: () => string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: { kind?: string; url?: string }) => {
      if (message.kind === 'ready' && message.url !== undefined) resolve(message.url);
    });
    void closed.then((code) => reject(new Error(`the node ended with ${code}:\n${log()}`)));
  });
}
