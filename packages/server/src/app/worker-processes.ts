/** `quorate.workers` above 1: several processes that share the ports, each a complete node with its own connections. */

import cluster, { type Worker } from 'node:cluster';
import type { LoadedConfig } from '../config/load.ts';
import type { Log } from '../observe/log.ts';
import { openEmbeddedEngine } from './embedded-engine.ts';

// a worker that dies at once must not be started in a busy loop
const RESTART_AFTER_MS = 1000;

/** What a worker tells the first process. */
export interface WorkerReady {
  readonly kind: 'ready';
  readonly url: string;
}

/** True in a process that was started by `startWorkers`. */
export function isWorkerProcess(): boolean {
  return cluster.isWorker;
}

const NUMBER_VARIABLE = 'QUORATE_WORKER';

/** Which of the workers this process is, from 1; one that is started again has the number of the one that ended. Undefined: none. */
export function workerNumber(): string | undefined {
  return isWorkerProcess() ? process.env[NUMBER_VARIABLE] : undefined;
}

/** The workers, as the first process sees them. */
export interface WorkerProcesses {
  readonly url: string;
  /** Every worker drains and ends, then the engine. */
  close(options?: { readonly announceMs?: number }): Promise<void>;
}

/** Starts the engine, if no other database is named, and the workers; resolves when all of them listen. */
export async function startWorkers(config: LoadedConfig, log: Log): Promise<WorkerProcesses> {
  const { settings } = config;
  const needsEngine = settings.mclient['connection-string'] === null && settings.mongo.enabled;
  const engine = needsEngine
    ? await openEmbeddedEngine(settings.quorate.data, settings.quorate['engine-port'], log)
    : undefined;
  // each worker accepts by itself: the connections that the first process hands to one that dies would hang, answered by nobody
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  let isStopping = false;
  const database = engine === undefined ? {} : { MONGODB_URI: engine.uri };
  const fork = (number: number): Worker => {
    const worker = cluster.fork({ ...database, [NUMBER_VARIABLE]: String(number) });
    worker.once('exit', (code, signal) => {
      if (isStopping) return;
      log.error(`A worker ended (${signal ?? code}) and is started again`, {
        worker: worker.process.pid,
      });
      setTimeout(() => {
        if (!isStopping) fork(number);
      }, RESTART_AFTER_MS);
    });
    return worker;
  };
  const workers = Array.from({ length: settings.quorate.workers }, (_, i) => fork(i + 1));
  const urls = await Promise.all(workers.map(waitUntilReady));
  return {
    url: urls[0] ?? '',
    async close({ announceMs = 0 } = {}) {
      isStopping = true;
      const workers = Object.values(cluster.workers ?? {});
      await Promise.all(workers.map((worker) => stopWorker(worker, announceMs)));
      await engine?.close();
    },
  };
}

function waitUntilReady(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: WorkerReady) => {
      if (message.kind === 'ready') resolve(message.url);
    });
    worker.once('exit', () => reject(new Error('a worker could not start')));
  });
}

function stopWorker(worker: Worker | undefined, announceMs: number): Promise<void> {
  if (worker === undefined || worker.isDead()) return Promise.resolve();
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.send({ kind: 'stop', announceMs });
  });
}
