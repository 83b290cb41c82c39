/** Start, ready, drain, stop of the process; the codes with which it ends (operations.md §1.2, cluster.md D3). */

import { spawn } from 'node:child_process';
import type { LoadedConfig } from '../config/load.ts';
import { readBuildInfo } from '../config/version.ts';
import type { Log } from '../observe/log.ts';
import { createApp, createLogFor } from './create-app.ts';
import { writePidFile } from './pid-file.ts';
import { isWorkerProcess, startWorkers } from './worker-processes.ts';

/** What runs until a signal. */
interface Running {
  readonly url: string;
  close(options?: { readonly announceMs?: number }): Promise<void>;
}

/** Starts a server, and stops it on SIGTERM or SIGINT; a second signal ends the process at once. */
export async function runServer(config: LoadedConfig): Promise<void> {
  const log = createLogFor(config);
  if (isWorkerProcess()) return runWorker(config, log);
  log.info(`Starting Quorate instance ${config.settings.core.name}`);
  log.info(`Version ${readBuildInfo().version}`);
  for (const notice of config.notices) log[notice.level](notice.text);
  const running =
    config.settings.quorate.workers > 1
      ? await startWorkers(config, log)
      : await createApp(config, { log });
  stopOnSignal(running, announceMsOf(config), log);
  writePidFile(config, log);
  const elapsedMs = Math.round(performance.now());
  log.info(`Quorate started in ${elapsedMs} ms, ${running.url}`);
  // a parent that opened a channel (tools/start.mjs, tests) need not read the log to know
  process.send?.({ kind: 'ready', url: running.url });
}

/** A worker is stopped by the first process alone: signals of the terminal reach all of them at once. */
async function runWorker(config: LoadedConfig, log: Log): Promise<void> {
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  const app = await createApp(config, { log });
  process.send?.({ kind: 'ready', url: app.url });
  const stop = (announceMs: number): void => {
    void app.close({ announceMs }).finally(() => process.exit(0));
  };
  process.once('message', (message: { readonly announceMs?: number }) =>
    stop(message.announceMs ?? 0),
  );
  process.once('disconnect', () => stop(0));
}

/**
 * Balancers have to notice that the node leaves: two of their probes, with those of our recipes. Who has the database to
 * himself has no other node that could take over.
 */
const DEFAULT_ANNOUNCE_MS = 5000;

function announceMsOf({ settings }: LoadedConfig): number {
  const given = settings.quorate['drain-delay'];
  if (given >= 0) return given;
  return settings.mclient['connection-string'] === null ? 0 : DEFAULT_ANNOUNCE_MS;
}

function stopOnSignal(running: Running, announceMs: number, log: Log): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    // somebody is in a hurry: no waiting for requests that are under way
    if (isStopping) process.exit(1);
    isStopping = true;
    log.info('Stopping Quorate...');
    running
      // SIGINT is a person at a terminal, who waits
      .close({ announceMs: signal === 'SIGINT' ? 0 : announceMs })
      .then(() => {
        log.info('Quorate stopped');
        process.exit(0);
      })
      .catch((error: unknown) => {
        log.error('Quorate did not stop cleanly', { err: error });
        process.exit(1);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/** Starts the same command in the background, logging to its file instead of the console; `--fork`. */
export function forkIntoBackground(): number {
  const args = process.argv.slice(1).filter((argument) => argument !== '--fork');
  const rho = [process.env['RHO'], '/logging/log-to-console->false', '/logging/log-to-file->true'];
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, RHO: rho.filter((part) => part !== undefined).join(';') },
  });
  child.unref();
  return child.pid ?? -1;
}
