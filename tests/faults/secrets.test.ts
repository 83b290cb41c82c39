/** No node keeps a secret in clear text, on disk or in its log (cluster.md, invariant 6). */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN, ask, CLUSTER_RHO, login } from '../support/cluster.ts';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';

const PASSWORD = 'the-password-of-ann-7431';
const WRONG = 'a-wrong-password-9274';

describe.each(['jwtTokenManager', 'sharedTokenManager'])('secrets, with %s', (manager) => {
  let folder = '';
  let node: NodeProcess;
  const secrets = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-secrets-'));
    const others = ['jwtTokenManager', 'sharedTokenManager', 'rndTokenManager'];
    node = await startNodeProcess({
      dataFolder: join(folder, 'data'),
      rho: [
        CLUSTER_RHO,
        '/mongoRealmAuthenticator/bcrypt-hashed-password->true',
        ...others.map((name) => `/${name}/enabled->${name === manager}`),
        '/refreshTokens/enabled->true',
        '/apiKeys/enabled->true',
        '/auditLog/enabled->true',
        '/auditLog/scope->"all"',
        '/auditLog/collection->true',
        '/logging/log-level->"TRACE"',
        '/logging/requests-log-mode->2',
        '/logging/log-to-file->true',
        `/logging/log-file-path->${JSON.stringify(join(folder, 'node.log'))}`,
      ].join(';'),
    });
  });
  afterAll(async () => {
    await node?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are given to clients, and work', async () => {
    secrets.set('password of the administrator', ADMIN.password);
    secrets.set('wrong password', WRONG);
    secrets.set('password of a new account', PASSWORD);
    const basic = (name: string, password: string) =>
      `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
    const ann = { _id: 'ann', password: PASSWORD, roles: ['author'] };
    const made = await ask(node.url, '/restheart/users', { method: 'POST', body: ann });
    expect(made.status).toBe(201);
    const authorization = basic('ann', PASSWORD);
    expect((await ask(node.url, '/roles/ann', { authorization })).status).toBe(200);
    const refused = await ask(node.url, '/roles/ann', { authorization: basic('ann', WRONG) });
    expect(refused.status).toBe(401);
    const { token } = await login(node.url);
    secrets.set('token', token);
    const bearer = manager === 'jwtTokenManager' ? `Bearer ${token}` : basic(ADMIN.name, token);
    expect((await ask(node.url, '/', { authorization: bearer })).status).toBe(200);
    const cookie = await ask(node.url, '/token/cookie', { method: 'POST' });
    expect(cookie.status).toBe(200);
    const reply = await fetch(`${node.url}/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: 'password', username: 'ann', password: PASSWORD }),
    });
    expect(reply.status).toBe(200);
    const grant = (await reply.json()) as { access_token: string; refresh_token?: string };
    secrets.set('token of the grant', grant.access_token);
    expect(grant.refresh_token).toBeDefined();
    secrets.set('refresh token', grant.refresh_token ?? '');
    const key = await ask(node.url, '/apikeys', { method: 'POST', body: { label: 'robot' } });
    expect(key.status).toBe(201);
    secrets.set('API key', (JSON.parse(key.text) as { key: string }).key);
    // the client's own mistake: a password in a query, and in the path
    await ask(node.url, `/none/none?filter=${encodeURIComponent('{')}`, { authorization });
  });

  it('are neither in the log nor in the data folder, in clear or as Basic credentials', async () => {
    expect(secrets.size).toBe(7);
    await node.stop();
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.some((file) => file.endsWith('node.log'))).toBe(true);
    expect(files.some((file) => file.endsWith('.mdb'))).toBe(true);
    const places = [
      ['the console', Buffer.from(node.log())] as const,
      ...files.map((file) => [file, readFileSync(file)] as const),
    ];
    const logged = places.find(([name]) => name.endsWith('node.log'))?.[1].toString() ?? '';
    expect(logged).toContain('/token');
    // what is no secret is found there, so that secrets would be
    expect(places.some(([name, bytes]) => name.endsWith('.mdb') && bytes.includes('robot'))).toBe(
      true,
    );
    for (const [what, secret] of secrets) {
      for (const account of [ADMIN.name, 'ann']) {
        const forms = [secret, Buffer.from(`${account}:${secret}`).toString('base64')];
        for (const form of forms)
          for (const [place, bytes] of places)
            expect(bytes.includes(form), `${what} in ${place}`).toBe(false);
      }
    }
  });
});
