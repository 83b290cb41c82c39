import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import type { Log } from '../observe/log.ts';

/**
 * Writes the process id where scripts look for it: `/var/run` if that can be written, else the folder for temporary files,
 * one name for each pair of configuration and override file (operations.md §1.2). Removed when the process ends.
 */
export function writePidFile(config: LoadedConfig, log: Log): void {
  const path = join(pidFolder(), `quorate-${hashOf(config)}.pid`);
  if (existsSync(path)) log.warn(`Found pid file ${path}: another instance may be running`);
  try {
    writeFileSync(path, String(process.pid));
  } catch (error) {
    log.warn(`Pid file ${path} cannot be written`, { err: error });
    return;
  }
  log.info(`Pid file ${path}`);
  process.once('exit', () => rmSync(path, { force: true }));
}

function pidFolder(): string {
  try {
    accessSync('/var/run', constants.W_OK);
    return '/var/run';
  } catch {
    return tmpdir();
  }
}

function hashOf({ configFile, overrideFile }: LoadedConfig): string {
  if (configFile === undefined) return '0';
  const paths = [configFile, overrideFile ?? ''].map((path) => resolve(path)).join('\n');
  return createHash('sha256').update(paths).digest('hex').slice(0, 8);
}
