import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const outfile = `${root}node_modules/.cache/engine-main.mjs`;

/** Bundles the engine's sources, so that a process of it starts within a moment. */
export async function buildEngineProcess(): Promise<void> {
  mkdirSync(`${root}node_modules/.cache`, { recursive: true });
  await build({
    entryPoints: [`${root}src/main.ts`],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    target: 'node20',
    logLevel: 'silent',
  });
}

export interface EngineProcess {
  readonly uri: string;
  readonly pid: number;
  /** Ends it at once, as loss of power would. */
  kill(): Promise<void>;
}

/**
 * An engine in a process of its own.
 *
 * @param options.maxFileBytes - no file of the process may grow beyond; needs bash
 */
export async function startEngineProcess(
  dataPath: string,
  options: { readonly port?: number; readonly maxFileBytes?: number } = {},
): Promise<EngineProcess> {
  const args = [
    outfile,
    '--data',
    dataPath,
    '--port',
    String(options.port ?? 0),
    '--test-commands',
  ];
  // the limit's signal is ignored, so that writes past it fail with EFBIG as they do on a full disk
  const limit = `trap '' XFSZ; ulimit -f ${Math.floor((options.maxFileBytes ?? 0) / 1024)}; exec "$0" "$@"`;
  const command = options.maxFileBytes === undefined ? [] : ['bash', '-c', limit];
  const [program = process.execPath, ...rest] = [...command, process.execPath, ...args];
  const child: ChildProcess = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, uri] = /^listening (.+)$/.exec(line) ?? [];
    if (uri !== undefined) {
      return {
        uri,
        pid: child.pid ?? 0,
        kill: async () => {
          child.kill('SIGKILL');
          await exited;
        },
      };
    }
  }
  throw new Error('the engine did not start');
}
