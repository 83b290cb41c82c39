/** Tokens between nodes, and what goes beyond the reference (cluster.md E1 to E3, E7). */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../packages/engine/src/index.ts';
import { basic, claimsOf, signJwt } from '../support/jwt.ts';
import { headerValues, type WireReply } from '../support/raw-http.ts';
import { ADMIN, ask, MONGO_SECURITY } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-tokens-'));
let engine: Engine;
const before = process.env['MONGODB_URI'];
beforeAll(async () => {
  engine = await startEngine({ dataPath: join(folder, 'data'), port: 0 });
  process.env['MONGODB_URI'] = engine.uri;
});
afterAll(async () => {
  if (before === undefined) delete process.env['MONGODB_URI'];
  else process.env['MONGODB_URI'] = before;
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const OWN_KEYS = MONGO_SECURITY.replace(/jwtConfigProvider:[\s\S]*/, '');

/** Runs a test with some nodes on the one database. */
async function withNodes(
  security: string,
  count: number,
  test: (nodes: readonly string[]) => Promise<void>,
): Promise<void> {
  const nodes: Target[] = [];
  try {
    for (let i = 0; i < count; i += 1) nodes.push(await openTarget(ALL_DATABASES, security));
    await test(nodes.map(({ baseUrl }) => baseUrl));
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
}

const json = (reply: WireReply) => JSON.parse(reply.body.toString()) as Record<string, unknown>;
const statusOf = async (node: string, authorization: string, path = '/roles/admin') =>
  (await ask(node, `GET ${path}`, { Authorization: authorization })).status;

async function tokenOf(node: string, authorization = ADMIN, query = ''): Promise<string> {
  const reply = await ask(node, `GET /token${query}`, { Authorization: authorization });
  expect(reply.status, reply.body.toString()).toBe(200);
  return String(json(reply)['access_token']);
}

/** Waits for at most a second, the delay that is promised. */
async function within1s(holds: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 1000;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error('not within a second');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function makeAccount(node: string, name: string, roles = ['some']): Promise<string> {
  const body = JSON.stringify({ _id: name, password: 'pw', roles });
  const reply = await ask(node, `POST /restheart/users ${body}`, { Authorization: ADMIN });
  expect(reply.status).toBe(201);
  return basic(name, 'pw');
}

describe('signed tokens', () => {
  it('are good on every node without any configured key, and the same again on one', () =>
    withNodes(OWN_KEYS, 2, async ([a = '', b = '']) => {
      const token = await tokenOf(a);
      expect(await tokenOf(a)).toBe(token);
      expect(await tokenOf(a, ADMIN, '?renew')).not.toBe(token);
      expect(await statusOf(b, `Bearer ${token}`)).toBe(200);
      expect(await statusOf(b, basic('admin', token))).toBe(200);
      expect(await statusOf(b, basic('other', token))).toBe(401);
    }));

  it('end on every node within a second of DELETE /token', () =>
    withNodes(OWN_KEYS, 2, async ([a = '', b = '']) => {
      const authorization = `Bearer ${await tokenOf(a)}`;
      const kept = `Bearer ${await tokenOf(b)}`;
      expect((await ask(a, 'DELETE /token', { Authorization: authorization })).status).toBe(204);
      expect(await statusOf(a, authorization)).toBe(401);
      await within1s(async () => (await statusOf(b, authorization)) === 401);
      expect(await statusOf(b, kept)).toBe(200);
      expect(await statusOf(a, `Bearer ${await tokenOf(a)}`)).toBe(200);
    }));

  it('all end with ?everywhere, and a new login is good at once', () =>
    withNodes(OWN_KEYS, 2, async ([a = '', b = '']) => {
      const bob = await makeAccount(a, 'bob');
      const tokens = [await tokenOf(a, bob), await tokenOf(b, bob)];
      const mine = `Bearer ${await tokenOf(a)}`;
      expect((await ask(b, 'DELETE /token?everywhere', { Authorization: bob })).status).toBe(204);
      for (const token of tokens) {
        await within1s(async () => (await statusOf(a, `Bearer ${token}`, '/roles/bob')) === 401);
      }
      expect(await statusOf(b, `Bearer ${await tokenOf(b, bob)}`, '/roles/bob')).toBe(200);
      expect(await statusOf(a, mine)).toBe(200);
      expect((await ask(a, 'DELETE /token?user=admin', { Authorization: bob })).status).toBe(403);
      const again = `Bearer ${await tokenOf(a, bob)}`;
      expect((await ask(a, 'DELETE /token?user=bob', { Authorization: ADMIN })).status).toBe(204);
      expect(await statusOf(a, again, '/roles/bob')).toBe(401);
    }));

  it('end with a changed password, changed roles or the account, where that is asked for', () =>
    withNodes(
      `${OWN_KEYS}tokenRevocation:\n  on-password-change: true\n  on-role-change: true\n  on-deletion: true\n`,
      1,
      async ([node = '']) => {
        for (const change of ['PATCH {"password":"x2"}', 'PATCH {"roles":["z"]}', 'DELETE']) {
          const name = `eve${change.length}`;
          const authorization = await makeAccount(node, name);
          const token = `Bearer ${await tokenOf(node, authorization)}`;
          expect(await statusOf(node, token, `/roles/${name}`)).toBe(200);
          const [method = '', body = ''] = change.split(' ');
          await ask(node, `${method} /restheart/users/${name} ${body}`.trim(), {
            Authorization: ADMIN,
          });
          expect(await statusOf(node, token, `/roles/${name}`), change).toBe(401);
          if (method !== 'DELETE') continue;
          // made anew under the same name, its new token is good at once
          const anew = await makeAccount(node, name);
          const next = `Bearer ${await tokenOf(node, anew)}`;
          expect(await statusOf(node, next, `/roles/${name}`)).toBe(200);
        }
      },
    ));

  it('stay good after a change of the account by default, with its new roles in the next token', () =>
    withNodes(OWN_KEYS, 1, async ([node = '']) => {
      const carl = await makeAccount(node, 'carl');
      const token = `Bearer ${await tokenOf(node, carl)}`;
      await ask(node, 'PATCH /restheart/users/carl {"roles":["new"]}', { Authorization: ADMIN });
      expect(await statusOf(node, token, '/roles/carl')).toBe(200);
      const renewed = await ask(node, 'GET /token', { Authorization: carl });
      expect(json(renewed)['roles']).toEqual(['new']);
    }));

  it('signed with RS, ES or EdDSA keys of the ring can be verified by anybody', () =>
    withNodes(
      `${OWN_KEYS}jwtConfigProvider:\n  algorithm: ES256\n`,
      2,
      async ([a = '', b = '']) => {
        const token = await tokenOf(a);
        expect(await statusOf(b, `Bearer ${token}`)).toBe(200);
        const { keys } = json(await ask(b, 'GET /.well-known/jwks.json')) as { keys: object[] };
        expect(keys).toHaveLength(1);
        expect(Object.keys(keys[0] ?? {})).not.toContain('d');
        const [head = '', payload = '', signature = ''] = token.split('.');
        const key = createPublicKey({ key: keys[0] as never, format: 'jwk' });
        const isGood = verify(
          'sha256',
          Buffer.from(`${head}.${payload}`),
          { key, dsaEncoding: 'ieee-p1363' },
          Buffer.from(signature, 'base64url'),
        );
        expect(isGood).toBe(true);
        // the public key is no HMAC secret
        const forged = signJwt(claimsOf('admin', ['admin']), { key: JSON.stringify(keys[0]) });
        expect(await statusOf(a, `Bearer ${forged}`)).toBe(401);
      },
    ));

  it('without kid are verified by the configured key beside a ring', () =>
    withNodes(`${MONGO_SECURITY}  key-ring: true\n`, 1, async ([node = '']) => {
      expect(await statusOf(node, `Bearer ${signJwt(claimsOf('admin', ['x']))}`)).toBe(200);
      const token = await tokenOf(node);
      const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
      expect(header.kid).toBeDefined();
      expect(await statusOf(node, `Bearer ${token}`)).toBe(200);
    }));
});

describe('shared random tokens', () => {
  it('are good on every node as passwords, and end everywhere', () =>
    withNodes(`${OWN_KEYS}sharedTokenManager:\n  enabled: true\n`, 2, async ([a = '', b = '']) => {
      const reply = await ask(a, 'POST /token', { Authorization: ADMIN });
      const { access_token: token, token_type: type, expires_in: left } = json(reply);
      expect(type).toBe('Basic-Password');
      expect(left).toBeGreaterThan(890);
      expect(headerValues(reply, 'Auth-Token-Location')).toEqual(['/tokens/admin']);
      const authorization = basic('admin', String(token));
      expect(await tokenOf(a)).toBe(token);
      expect(await statusOf(b, authorization)).toBe(200);
      expect(await statusOf(b, basic('bob', String(token)))).toBe(401);
      expect(await statusOf(b, `Bearer ${String(token)}`)).toBe(401);
      expect((await ask(b, 'DELETE /token', { Authorization: authorization })).status).toBe(204);
      expect(await statusOf(b, authorization)).toBe(401);
      await within1s(async () => (await statusOf(a, authorization)) === 401);
      expect(await tokenOf(a)).not.toBe(token);
    }));

  it('in one process only with rndTokenManager', () =>
    withNodes(`${OWN_KEYS}rndTokenManager:\n  enabled: true\n`, 2, async ([a = '', b = '']) => {
      const authorization = basic('admin', await tokenOf(a));
      expect(await statusOf(a, authorization)).toBe(200);
      expect(await statusOf(b, authorization)).toBe(401);
      await ask(a, 'DELETE /token', { Authorization: authorization });
      expect(await statusOf(a, authorization)).toBe(401);
    }));
});

describe('refresh tokens', () => {
  const grant = (node: string, form: string) => ask(node, 'POST /token', {}, form);

  it('are good once, on any node; a second use ends the family and the tokens', () =>
    withNodes(`${OWN_KEYS}refreshTokens:\n  enabled: true\n`, 2, async ([a = '', b = '']) => {
      const login = json(await grant(a, 'grant_type=password&username=admin&password=secret'));
      const first = String(login['refresh_token']);
      const second = json(await grant(b, `grant_type=refresh_token&refresh_token=${first}`));
      expect(second['roles']).toEqual(['admin']);
      const access = `Bearer ${String(second['access_token'])}`;
      expect(await statusOf(a, access)).toBe(200);
      const reused = await grant(a, `grant_type=refresh_token&refresh_token=${first}`);
      expect([reused.status, json(reused)['error']]).toEqual([400, 'invalid_grant']);
      const next = String(second['refresh_token']);
      expect((await grant(b, `grant_type=refresh_token&refresh_token=${next}`)).status).toBe(400);
      await within1s(async () => (await statusOf(b, access)) === 401);
    }));

  it('are unknown where they are switched off', () =>
    withNodes(OWN_KEYS, 1, async ([node = '']) => {
      const login = json(await grant(node, 'grant_type=password&username=admin&password=secret'));
      expect(login['refresh_token']).toBeUndefined();
      expect((await grant(node, 'grant_type=refresh_token&refresh_token=x')).status).toBe(400);
    }));
});

describe('API keys', () => {
  it('act for their owner with some of his roles, until they are deleted', () =>
    withNodes(`${OWN_KEYS}apiKeys:\n  enabled: true\n`, 2, async ([a = '', b = '']) => {
      const dora = await makeAccount(a, 'dora', ['r1', 'r2']);
      const create = (body: string, authorization = dora) =>
        ask(a, `POST /apikeys ${body}`, { Authorization: authorization });
      expect((await ask(a, 'GET /apikeys')).status).toBe(401);
      expect((await create('{"roles":["admin"]}')).status).toBe(403);
      expect((await create('{"ttlDays":100000}')).status).toBe(400);
      const { key, id } = json(await create('{"label":"ci","roles":["r1"]}'));
      expect(key).toMatch(/^qk_/);
      const authorization = `Bearer ${String(key)}`;
      const roles = await ask(b, 'GET /roles/dora', { Authorization: authorization });
      expect(json(roles)).toEqual({ authenticated: true, roles: ['r1'] });
      expect((await create('{"roles":["r2"]}', authorization)).status).toBe(403);
      const list = await ask(b, 'GET /apikeys', { Authorization: dora });
      expect(list.body.toString()).not.toContain(String(key));
      expect(await statusOf(b, 'Bearer qk_nonsense', '/roles/dora')).toBe(401);
      expect((await ask(a, `DELETE /apikeys/${String(id)}`, { Authorization: ADMIN })).status).toBe(
        404,
      );
      expect((await ask(a, `DELETE /apikeys/${String(id)}`, { Authorization: dora })).status).toBe(
        204,
      );
      await within1s(async () => (await statusOf(b, authorization, '/roles/dora')) === 401);
    }));
});

describe('tokens of another issuer', () => {
  const pairs = ['k1', 'k2'].map((kid) => ({
    kid,
    ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
  }));
  const sign = (i: number, more: object = {}) => {
    const { kid = '', privateKey } = pairs[i] ?? {};
    const claims = { ...claimsOf('ann', ['r']), iss: 'https://id.example', aud: 'me', ...more };
    return `Bearer ${signJwt(claims, { alg: 'RS256', key: privateKey as never, header: { alg: 'RS256', kid } })}`;
  };
  let provider: Server;
  let shown = 1;
  let asked = 0;
  beforeAll(async () => {
    provider = createServer((_request, response) => {
      asked += 1;
      const keys = pairs.slice(0, shown).map(({ kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        use: 'sig',
      }));
      response.end(JSON.stringify({ keys }));
    });
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => void provider.close());

  it('are verified by its keys, and unknown keys are asked for, but not without end', () => {
    const uri = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/jwks`;
    const section = `remoteJwks:\n  enabled: true\n  uri: ${uri}\n  issuer: https://id.example\n  audience: me\n`;
    return withNodes(MONGO_SECURITY + section, 1, async ([node = '']) => {
      expect(await statusOf(node, sign(0), '/roles/ann')).toBe(200);
      expect(await statusOf(node, sign(0, { aud: 'you' }), '/roles/ann')).toBe(401);
      expect(await statusOf(node, sign(0, { iss: 'restheart.org' }), '/roles/ann')).toBe(401);
      expect(await statusOf(node, sign(1), '/roles/ann')).toBe(401);
      shown = 2;
      const askedBefore = asked;
      for (let i = 0; i < 20; i += 1) await statusOf(node, sign(1, { n: i }), '/roles/ann');
      expect(asked - askedBefore).toBeLessThanOrEqual(1);
      // our own key does not speak for the other issuer
      const forged = signJwt({ ...claimsOf('ann', ['r']), iss: 'https://id.example', aud: 'me' });
      expect(await statusOf(node, `Bearer ${forged}`, '/roles/ann')).toBe(401);
      expect(await statusOf(node, `Bearer ${signJwt(claimsOf('ann', ['r']))}`, '/roles/ann')).toBe(
        200,
      );
    });
  });
});

describe('the guard against guessing', () => {
  const GUARD = `${OWN_KEYS}bruteForceAttackGuard:\n  enabled: true\n  trust-x-forwarded-for: true\n`;
  const from = (ip: string, authorization = ADMIN) => ({
    Authorization: authorization,
    'X-Forwarded-For': ip,
  });

  it('counts for all nodes, at every door, and refuses what would succeed', () =>
    withNodes(GUARD, 2, async ([a = '', b = '']) => {
      const wrong = basic('bob', 'guess');
      for (let i = 0; i < 3; i += 1) {
        expect((await ask(a, 'GET /restheart', from('10.0.0.1', wrong))).status).toBe(401);
      }
      for (let i = 0; i < 2; i += 1) {
        expect((await ask(a, 'GET /token', from('10.0.0.1', wrong))).status).toBe(401);
      }
      const bob = await makeAccount(b, 'guessed');
      const good = (node: string) => ask(node, 'GET /roles/guessed', from('10.0.0.1', bob));
      const refused = await good(a);
      expect(refused.status).toBe(429);
      expect(json(refused)).toEqual({
        msg: 'Too many failed authentication attempts. Please try again later.',
      });
      expect((await ask(a, 'GET /ping', { 'X-Forwarded-For': '10.0.0.1' })).status).toBe(429);
      expect((await ask(a, 'GET /restheart', from('10.0.0.1', wrong))).status).toBe(401);
      expect((await ask(a, 'GET /roles/guessed', from('10.0.0.2', bob))).status).toBe(200);
      await within1s(async () => (await good(b)).status === 429);
    }));

  it('does not let in the password of the manuals from elsewhere, unless it is configured', () =>
    withNodes(OWN_KEYS, 1, async ([node = '']) => {
      expect((await ask(node, 'GET /roles/admin', from('10.0.0.9'))).status).toBe(200);
    }).then(() =>
      withNodes(OWN_KEYS.replace(/ {2}create-user-document:.*\n/, ''), 1, async ([node = '']) => {
        expect((await ask(node, 'GET /roles/admin', from('10.0.0.9'))).status).toBe(401);
      }),
    ));
});

describe('explanations', () => {
  it('tell the administrator which rule decides and what it filters', () =>
    withNodes(OWN_KEYS, 1, async ([node = '']) => {
      const rule = {
        _id: 'books',
        roles: ['reader'],
        predicate: "path-prefix('/books') and method(GET)",
        mongo: { readFilter: { owner: '%USER' } },
      };
      await ask(node, `POST /restheart/acl ${JSON.stringify(rule)}`, { Authorization: ADMIN });
      await makeAccount(node, 'rita', ['reader']);
      const explain = async (query: string, authorization = ADMIN) =>
        ask(node, `GET /authz/explain?${query}`, { Authorization: authorization });
      const yes = json(await explain('user=rita&method=GET&path=/books/all'));
      expect(yes).toMatchObject({
        allowed: true,
        reason: 'permission books',
        permit: { readFilter: { owner: 'rita' } },
        steps: [{ permission: 'books', role: 'reader', outcome: 'match' }],
      });
      const no = json(await explain('user=rita&method=DELETE&path=/books/all/1'));
      expect(no).toMatchObject({ allowed: false, steps: [{ outcome: 'predicate is false' }] });
      expect(json(await explain('path=/books/all'))).toMatchObject({ allowed: false });
      expect(json(await explain('user=admin&path=/books/all'))).toMatchObject({ allowed: true });
      expect((await explain('user=nobody&path=/books')).status).toBe(404);
      expect((await explain('user=rita&path=/books', basic('rita', 'pw'))).status).toBe(403);
      const trial = {
        permissions: [
          { ...rule, predicate: 'method(DELETE)' },
          { ...rule, predicate: 'oops(' },
        ],
        requests: [
          { user: 'rita', method: 'DELETE', path: '/books/all/1' },
          { roles: ['reader'], method: 'GET', path: '/books/all' },
        ],
      };
      const dry = await ask(node, `POST /authz/dry-run ${JSON.stringify(trial)}`, {
        Authorization: ADMIN,
      });
      const { results } = json(dry) as { results: { allowed: boolean; invalid: string[] }[] };
      expect(results.map(({ allowed }) => allowed)).toEqual([true, false]);
      expect(results[0]?.invalid).toHaveLength(1);
    }));
});
