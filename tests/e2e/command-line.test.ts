import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '../../packages/server/dist/bundle/main.js');
const OWN_VARIABLES = /^(RHO|RHO_FILE|RESTHEART_CONF_FILE|MONGODB_URI|PORT|HOST|QUORATE_DATA)$/;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function environment(more: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !OWN_VARIABLES.test(name));
  return { ...Object.fromEntries(inherited), ...more };
}

function run(args: readonly string[], more: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    env: environment(more),
    encoding: 'utf8',
    cwd: folder,
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

describe('the command line', () => {
  it('prints its version and its usage, and ends with 0', () => {
    const version = run(['-v']);
    expect(version.status).toBe(0);
    expect(version.stdout).toMatch(
      /^Quorate Version \d+\.\d+\.\d+\S* Build-Time \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n$/,
    );
    expect(run(['--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage:') });
  });

  it('ends with 1 on a bad option, and shows the usage', () => {
    expect(run(['--nonsense'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Usage:'),
    });
  });

  it('prints the effective configuration on stderr, secrets masked', () => {
    const { status, stdout, stderr } = run(['-c'], {
      RHO: '/core/name->"x";/mclient/connection-string->"mongodb://a:hidden@h/"',
    });
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr.startsWith('---\n')).toBe(true);
    expect(stderr).toContain('name: x');
    expect(stderr).not.toContain('hidden');
  });

  it('prints a template from which it starts', () => {
    const { status, stderr } = run(['-t']);
    expect(status).toBe(0);
    writeFileSync(join(folder, 'template.yml'), stderr);
    expect(run(['-c', 'template.yml']).status).toBe(0);
  });

  it.each([
    ['a missing file', ['missing.yml'], {}, 'missing.yml: there is no such file'],
    ['a wrong extension', ['-o', 'x.txt'], {}, 'x.txt'],
    ['an unknown key', [], { RHO: '/http-listener/prot->1' }, '/http-listener/port'],
    ['a wrong value', [], { PORT: 'abc' }, '/http-listener/port must be a whole number'],
    ['no listener', ['-s'], { RHO: '/http-listener/enabled->false' }, 'No listener is enabled'],
  ])('ends with 255 on %s, and names it', (_name, args, more, message) => {
    const { status, stderr } = run(args, more);
    expect(status).toBe(255);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('    at ');
  });
});

describe('a running server', () => {
  it('ends with one clear line, and nothing else wrong, where its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const child = spawn(process.execPath, [MAIN, 'start'], {
      env: environment({ PORT: String(port), QUORATE_DATA: join(folder, 'taken') }),
      cwd: folder,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    const [status] = await once(child, 'close');
    other.close();
    expect(status).not.toBe(0);
    expect(output).toContain(`Cannot listen on 127.0.0.1:${port}`);
    expect(output).not.toContain('    at ');
    expect(output).not.toContain('"level":"warn"');
  });

  it('says when it is ready, answers, and ends with 0 on SIGTERM', async () => {
    const server = spawn(process.execPath, [MAIN, 'start', '-s'], {
      env: environment({ PORT: '0' }),
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    let log = '';
    server.stdout?.on('data', (chunk) => {
      log += chunk;
    });
    const ended = new Promise<number | null>((resolve) => server.once('exit', resolve));
    const ready = await new Promise<{ url: string }>((resolve) =>
      server.once('message', (message) => resolve(message as { url: string })),
    );
    const answer = await fetch(`${ready.url}/ping`);
    expect(answer.status).toBe(200);
    server.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(log).toMatch(/Quorate started in \d+ ms[\s\S]*Stopping Quorate[\s\S]*Quorate stopped/);
  });
});
