/** Start, ready, drain, stop of the process; the codes with which it ends (operations.md §1.2, cluster.md D3). */

import { spawn } from 'node:child_process';
import type { LoadedConfig } from '../config/load.ts';
import { readBuildInfo } from '../config/version.ts';
import { type App, createApp, createLogFor } from './create-app.ts';

/** Starts a server, and stops it on SIGTERM or SIGINT; a second signal ends the process at once. */
export async function runServer(config: LoadedConfig): Promise<App> {
  const log = createLogFor(config);
  const { version } = readBuildInfo();
  const startedAtMs = Date.now();
  log.info(`Starting Quorate instance ${config.settings.core.name}`);
  log.info(`Version ${version}`);
  for (const notice of config.notices) log[notice.level](notice.text);
  const app = await createApp(config, { log });
  stopOnSignal(app);
  log.info(`Quorate started in ${Date.now() - startedAtMs} ms, ${app.url}`);
  // a parent that opened a channel (tools/start.mjs, tests) need not read the log to know
  process.send?.({ kind: 'ready', url: app.url });
  return app;
}

function stopOnSignal(app: App): void {
  let isStopping = false;
  const stop = (): void => {
    // somebody is in a hurry: no waiting for requests that are under way
    if (isStopping) process.exit(1);
    isStopping = true;
    app.log.info('Stopping Quorate...');
    app
      .close()
      .then(() => {
        app.log.info('Quorate stopped');
        process.exit(0);
      })
      .catch((error: unknown) => {
        app.log.error('Quorate did not stop cleanly', { err: error });
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
