/** `quorate can`: the built program asks a running node. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic } from '../support/jwt.ts';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';
import { ask } from '../support/security-rows.ts';

const MAIN = join(import.meta.dirname, '../../packages/server/dist/bundle/main.js');
const PASSWORD = 'explained-7';

let folder = '';
let node: NodeProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-can-'));
  const account = JSON.stringify({ _id: 'admin', password: PASSWORD, roles: ['admin'] });
  node = await startNodeProcess({
    dataFolder: join(folder, 'data'),
    rho: [
      `/mongoRealmAuthenticator/create-user-document->${JSON.stringify(account)}`,
      '/mongoRealmAuthenticator/bcrypt-hashed-password->false',
    ].join(';'),
  });
  const rule = {
    _id: 'books',
    roles: ['reader'],
    predicate: 'path-prefix(/books) and method(GET)',
    mongo: { readFilter: { owner: '%USER' } },
  };
  for (const text of [
    `POST /acl ${JSON.stringify(rule)}`,
    'POST /users {"_id":"ann","password":"x","roles":["reader"]}',
  ]) {
    const reply = await ask(node.url, text, { Authorization: basic('admin', PASSWORD) });
    expect(reply.status, reply.body.toString()).toBe(201);
  }
});
afterAll(async () => {
  await node?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function can(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, 'can', ...args, '--url', node.url], {
    cwd: folder,
    env: { PATH: process.env['PATH'], QUORATE_PASSWORD: PASSWORD, ...environment },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  return new Promise<{ code: number | null; output: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, output })),
  );
}

describe('quorate can', () => {
  it('says yes, by which rule, and what it filters', async () => {
    const { code, output } = await can(['ann', 'GET', '/books?pagesize=1']);
    expect(output).toContain('allowed: permission books');
    expect(output).toContain('roles: reader');
    expect(output).toContain('readFilter: {"owner":"ann"}');
    expect(code).toBe(0);
  });

  it('says no with 2, and why', async () => {
    const denied = await can(['ann', 'DELETE', '/books/1']);
    expect(denied.output).toContain('not allowed: no rule matches');
    expect(denied.output).toContain('reader: books: predicate is false');
    expect(denied.code).toBe(2);
    const nobody = await can(['-', 'GET', '/books']);
    expect(nobody).toMatchObject({ code: 2, output: expect.stringContaining('anonymous') });
  });

  it('tries rules that are not in force', async () => {
    const file = join(folder, 'rules.json');
    const rule = { _id: 'new', roles: ['$unauthenticated'], predicate: 'path(/books)' };
    writeFileSync(file, JSON.stringify([rule, { _id: 'bad', roles: ['x'], predicate: 'path(' }]));
    const { code, output } = await can(['-', 'GET', '/books', '--rules', file]);
    expect(output).toContain('allowed: permission new');
    expect(output).toMatch(/Permission bad is ignored: .*column/);
    expect(code).toBe(0);
    expect((await can(['-', 'GET', '/books'])).code).toBe(2);
  });

  it('says what is missing when it cannot ask', async () => {
    const wrong = await can(['ann', 'GET', '/books'], { QUORATE_PASSWORD: 'wrong' });
    expect(wrong).toMatchObject({ code: 255, output: expect.stringContaining('answers 401') });
    const unknown = await can(['nobody-of-that-name', 'GET', '/books']);
    expect(unknown.output).toContain('There is no account nobody-of-that-name');
    expect((await can(['ann', 'GET'])).code).toBe(1);
  });
});
