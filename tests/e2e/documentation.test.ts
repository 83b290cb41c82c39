import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
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

interface Country {
  readonly cca3: string;
  readonly name: { readonly common: string };
  readonly region: string;
  readonly area: number;
  readonly borders: readonly string[];
  readonly languages: Readonly<Record<string, string>>;
}

describe('commands of the documentation', () => {
  let folder = '';
  let node: NodeProcess;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-docs-'));
    // the pages speak of files that npm has put there
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
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
    // the first block of the README is the tour, whose answers are looked at below
    const blocks = page === 'README.md' ? commandBlocks(page).slice(1) : commandBlocks(page);
    if (blocks.length === 0) continue;
    it(`${relative('.', page)} shows commands that work`, async () => {
      for (const block of blocks) {
        const { code, output } = await runScript(block);
        expect(code, `${block}\n${output}`).toBe(0);
      }
    });
  }

  it('README.md tells ten lines that give what plain JavaScript finds in the same file', async () => {
    const [tour = ''] = commandBlocks('README.md');
    expect(tour.trim().split('\n')).toHaveLength(10);
    const { code, output } = await runScript(tour);
    expect(code, output).toBe(0);
    const countries = JSON.parse(
      readFileSync(join(ROOT, 'node_modules/world-countries/countries.json'), 'utf8'),
    ) as readonly Country[];
    const neighbours = countries.filter((country) => country.borders.includes('DEU'));
    const [french, largest, size, patched, regions] = output
      .split('\n')
      .filter((line) => /^[[{]/.test(line))
      .map((line) => JSON.parse(line) as unknown);
    expect(french).toEqual(
      countries
        .filter(({ region, languages }) => region === 'Africa' && 'fra' in languages)
        .map(({ name }) => ({ name: { common: name.common } }))
        .sort((a, b) => (a.name.common < b.name.common ? -1 : 1)),
    );
    expect(largest).toEqual(
      [...countries]
        .sort((a, b) => b.area - a.area)
        .slice(5, 10)
        .map(({ cca3, area }) => ({ cca3, area })),
    );
    expect(size).toEqual({ _size: neighbours.length });
    expect(patched).toMatchObject({ matched: neighbours.length, modified: neighbours.length });
    const africa = countries.filter(({ region }) => region === 'Africa').length;
    expect(regions).toContainEqual({ _id: 'Africa', countries: africa });
    const rows = output.split('\n').filter((line) => /^[A-Z]{3},2\r?$/.test(line));
    expect(rows.map((line) => line.slice(0, 3)).sort()).toEqual(
      neighbours.map(({ cca3 }) => cca3).sort(),
    );
  });
});
