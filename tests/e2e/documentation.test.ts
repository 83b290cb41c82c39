import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const PASSWORD = 'documentation-7';
const PAGES = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...listPages('docs'),
  ...listPages('packages'),
];

function listPages(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !/node_modules|dist\//.test(path))
    .map((path) => join(folder, path))
    .sort();
}

/** Blocks marked `sh` are commands for a running node; `console` ones are run by other tests, or need what a test lacks. */
function commandBlocks(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
}

describe('the documentation', () => {
  for (const page of PAGES) {
    it(`${page} links to files that exist`, () => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#]+)/g)].map(
        (m) => m[1] ?? '',
      );
      const missing = targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)));
      expect(missing).toEqual([]);
    });
  }
});

describe('commands of the documentation', () => {
  let folder = '';
  let node: NodeProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-docs-'));
    const account = JSON.stringify({ _id: 'admin', password: PASSWORD, roles: ['admin'] });
    node = await startNodeProcess({
      dataFolder: join(folder, 'data'),
      // the password is given in clear text, and kept so: the pages show how, not this test
      rho: [
        `/mongoRealmAuthenticator/create-user-document->${JSON.stringify(account)}`,
        '/mongoRealmAuthenticator/bcrypt-hashed-password->false',
      ].join(';'),
    });
  });
  afterAll(async () => {
    await node?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a block as one script; each curl must be answered with less than 400. */
  function runScript(script: string): Promise<{ code: number | null; output: string }> {
    const port = new URL(node.url).port;
    const prelude =
      'set -euo pipefail; curl() { command curl -sS --fail-with-body --max-time 20 "$@"; echo; }\n';
    const child = spawn(
      'bash',
      ['-c', prelude + script.replaceAll('localhost:8080', `localhost:${port}`)],
      {
        cwd: folder,
        env: { ...process.env, PASSWORD, URL: node.url },
      },
    );
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })));
  }

  for (const page of PAGES) {
    const blocks = commandBlocks(page);
    if (blocks.length === 0) continue;
    it(`${relative('.', page)} shows commands that work`, async () => {
      for (const block of blocks) {
        const { code, output } = await runScript(block);
        expect(code, `${block}\n${output}`).toBe(0);
      }
    });
  }

  it('README.md tells ten lines that give what they promise', async () => {
    const [tour = ''] = commandBlocks('README.md');
    expect(tour.trim().split('\n')).toHaveLength(10);
    const saturn = await fetch(`${node.url}/planets/saturn`, {
      headers: { Authorization: `Basic ${Buffer.from(`admin:${PASSWORD}`).toString('base64')}` },
    });
    expect(await saturn.json()).toMatchObject({ moons: 274, visited: ['Pioneer 11', 'Cassini'] });
  });
});
