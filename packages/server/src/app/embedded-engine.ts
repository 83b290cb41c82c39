import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { QuorateError } from '../errors/quorate-error.ts';
import type { Log } from '../observe/log.ts';

/** What the thread is told. */
export interface EngineRequest {
  readonly dataPath: string;
  readonly port: number;
}

/** What it answers when it listens. */
export interface EngineStarted {
  readonly kind: 'started';
  readonly uri: string;
}

type EngineMessage =
  | EngineStarted
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'closed' };

/** A database that this process can use, whoever runs it. */
export interface EmbeddedEngine {
  readonly uri: string;
  /** True when another process on this machine runs it. */
  readonly isShared: boolean;
  close(): Promise<void>;
}

// beside the engine's own files: where a second server on this folder finds the engine that has it
const ADDRESS_FILE = 'engine-address.json';
const CLOSE_WITHIN_MS = 20_000;

/**
 * Starts the embedded engine in a thread of this process; when another process on this machine has the folder, uses that one's.
 *
 * @throws ERR_CONFIG_ENGINE when the folder can be neither opened nor shared
 */
export async function openEmbeddedEngine(
  folder: string,
  port: number,
  log: Log,
): Promise<EmbeddedEngine> {
  const dataPath = resolve(folder);
  try {
    mkdirSync(dataPath, { recursive: true });
  } catch (error) {
    throw engineError(dataPath, 'the folder cannot be made', error);
  }
  const worker = new Worker(workerUrl(), { workerData: { dataPath, port }, name: 'engine' });
  const started = await firstMessage(worker);
  if (started.kind !== 'started') {
    await worker.terminate();
    const shared = await findSharedEngine(dataPath);
    const reason = started.kind === 'failed' ? started.message : 'its thread ended';
    if (shared === undefined) throw engineError(dataPath, reason);
    log.info(`Sharing the embedded engine of another process on ${dataPath}`);
    return { uri: shared, isShared: true, close: async () => {} };
  }
  const addressPath = join(dataPath, ADDRESS_FILE);
  writeFileSync(addressPath, JSON.stringify({ uri: started.uri, pid: process.pid }));
  worker.on('error', (error) => log.error('The embedded engine failed', { err: error }));
  return {
    uri: started.uri,
    isShared: false,
    close: async () => {
      rmSync(addressPath, { force: true });
      await closeWorker(worker);
    },
  };
}

function workerUrl(): URL {
  // the extension tells whether this is the build or the sources under a TypeScript loader
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./engine-worker.${extension}`, import.meta.url);
}

function firstMessage(worker: Worker): Promise<EngineMessage> {
  return new Promise((resolveMessage) => {
    const fail = (message: string): void => resolveMessage({ kind: 'failed', message });
    worker.once('message', (message: EngineMessage) => resolveMessage(message));
    worker.once('error', (error) => fail(error.message));
    worker.once('exit', () => fail('its thread ended'));
  });
}

async function closeWorker(worker: Worker): Promise<void> {
  const closed = new Promise<void>((done) => {
    worker.once('message', () => done());
    worker.once('exit', () => done());
    setTimeout(done, CLOSE_WITHIN_MS).unref();
  });
  worker.postMessage('close');
  await closed;
  await worker.terminate();
}

/** The URI that the owner of the folder has left there, when something listens at it. */
async function findSharedEngine(dataPath: string): Promise<string | undefined> {
  try {
    const address: unknown = JSON.parse(readFileSync(join(dataPath, ADDRESS_FILE), 'utf8'));
    if (typeof address !== 'object' || address === null || !('uri' in address)) return undefined;
    const uri = String(address.uri);
    return (await isListening(uri)) ? uri : undefined;
  } catch {
    return undefined;
  }
}

function isListening(uri: string): Promise<boolean> {
  const match = /^mongodb:\/\/([^:/]+):(\d+)/.exec(uri);
  const [, host, port] = match ?? [];
  if (host === undefined || port === undefined) return Promise.resolve(false);
  return new Promise((done) => {
    const socket = connect({ host, port: Number(port), timeout: 1000 });
    const finish = (found: boolean): void => {
      socket.destroy();
      done(found);
    };
    socket.once('connect', () => finish(true));
    socket.once('error', () => finish(false));
    socket.once('timeout', () => finish(false));
  });
}

function engineError(dataPath: string, reason: string, cause?: unknown): QuorateError {
  return new QuorateError('ERR_CONFIG_ENGINE', {
    message: `The embedded engine cannot be started on ${dataPath}: ${reason}`,
    hint: 'Choose another folder (QUORATE_DATA=…), or a MongoDB (MONGODB_URI=…)',
    cause,
  });
}
