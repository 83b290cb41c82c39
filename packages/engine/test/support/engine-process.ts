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
  /** Ends it at once, as loss of power would. */
  kill(): Promise<void>;
}

/** An engine in a process of its own. */
export async function startEngineProcess(dataPath: string): Promise<EngineProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    [outfile, '--data', dataPath, '--port', '0', '--test-commands'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(child, 'exit');
  if (child.stdout === null) throw new Error('no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const [, uri] = /^listening (.+)$/.exec(line) ?? [];
    if (uri !== undefined) {
      return {
        uri,
        kill: async () => {
          child.kill('SIGKILL');
          await exited;
        },
      };
    }
  }
  throw new Error('the engine did not start');
}
