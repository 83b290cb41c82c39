/** Limits, records and headers beyond the reference (docs/how-to/secure.md). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../packages/engine/src/index.ts';
import { basic, bearer } from '../support/jwt.ts';
import { headerValues } from '../support/raw-http.ts';
import { ADMIN, ask, MONGO_SECURITY } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-limits-'));
let engine: Engine;
let nodes: readonly Target[] = [];
const before = process.env['MONGODB_URI'];

const SECURITY = `${MONGO_SECURITY}rateLimits:
  enabled: true
  trust-x-forwarded-for: true
  policies:
    - {name: account, quota: 30, window: 3600}
    - {name: login, quota: 12, window: 3600, per: address, paths: [/token]}
auditLog:
  enabled: true
  collection: true
  collection-size: 100000
securityHeaders:
  headers:
    X-Content-Type-Options: nosniff
    Referrer-Policy: no-referrer
  strict-transport-security: max-age=1
`;

beforeAll(async () => {
  engine = await startEngine({ dataPath: join(folder, 'data'), port: 0 });
  process.env['MONGODB_URI'] = engine.uri;
  nodes = [await openTarget(ALL_DATABASES, SECURITY), await openTarget(ALL_DATABASES, SECURITY)];
});
afterAll(async () => {
  if (before === undefined) delete process.env['MONGODB_URI'];
  else process.env['MONGODB_URI'] = before;
  await Promise.all(nodes.map((node) => node.close()));
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});
const urlOf = (i: number) => nodes[i % nodes.length]?.baseUrl ?? '';

describe('rate limits', () => {
  it('are one for all nodes, and told in headers', async () => {
    const Authorization = bearer('limited', ['x']);
    const first = await ask(urlOf(0), 'GET /roles/limited', { Authorization });
    expect(first.status).toBe(200);
    expect(headerValues(first, 'RateLimit-Policy', true)).toEqual(['"account";q=30;w=3600']);
    expect(headerValues(first, 'RateLimit', true)[0]).toMatch(/^"account";r=29;t=\d+$/);
    let allowed = 1;
    let refused = 0;
    for (let i = 0; i < 60; i += 1) {
      const reply = await ask(urlOf(i), 'GET /roles/limited', { Authorization });
      if (reply.status === 200) allowed += 1;
      if (reply.status !== 429) continue;
      refused += 1;
      expect(Number(headerValues(reply, 'Retry-After', true)[0])).toBeGreaterThan(0);
      expect(headerValues(reply, 'RateLimit', true)[0]).toMatch(/^"account";r=0;t=\d+$/);
      expect(JSON.parse(reply.body.toString()).msg).toMatch(/^Too many requests/);
    }
    expect(allowed + refused).toBe(61);
    expect(allowed).toBeLessThanOrEqual(30);
    expect(allowed).toBeGreaterThanOrEqual(25);
    // others are not held to it, and refusals count too
    expect(
      (await ask(urlOf(0), 'GET /roles/other', { Authorization: bearer('other', []) })).status,
    ).toBe(200);
    expect((await ask(urlOf(0), 'GET /x', { Authorization: bearer('other', []) })).status).toBe(
      403,
    );
  });

  it('count addresses before the login, at their paths alone', async () => {
    const from = { 'X-Forwarded-For': '10.1.1.1', Authorization: basic('nobody', 'x') };
    const statuses: number[] = [];
    for (let i = 0; i < 16; i += 1) statuses.push((await ask(urlOf(0), 'GET /token', from)).status);
    expect(statuses.slice(0, 12)).toEqual(Array(12).fill(401));
    expect(statuses.slice(12)).toEqual(Array(4).fill(429));
    expect((await ask(urlOf(0), 'GET /roles/x', from)).status).toBe(401);
    expect((await ask(urlOf(0), 'GET /ping', from)).status).toBe(200);
  });
});

describe('security headers', () => {
  it('are on answers of services, without those of TLS', async () => {
    const reply = await ask(urlOf(0), 'GET /restheart', { Authorization: ADMIN });
    expect(headerValues(reply, 'X-Content-Type-Options', true)).toEqual(['nosniff']);
    expect(headerValues(reply, 'Referrer-Policy', true)).toEqual(['no-referrer']);
    expect(headerValues(reply, 'Strict-Transport-Security')).toEqual([]);
  });
});

describe('the audit log', () => {
  it('has writes and refusals, with who, what, from where and what decided', async () => {
    const Authorization = bearer('auditor', ['audited']);
    await ask(urlOf(0), 'PUT /audited', { Authorization: ADMIN });
    const forbidden = await ask(urlOf(1), 'GET /audited?filter={"secret":1}', {
      Authorization,
      'X-Forwarded-For': '10.2.2.2',
    });
    expect(forbidden.status).toBe(403);
    await ask(urlOf(0), 'GET /audited');
    expect((await ask(urlOf(0), 'GET /audited', { Authorization: ADMIN })).status).toBe(200);
    const client = await MongoClient.connect(engine.uri);
    try {
      const audit = client.db('_quorate').collection('audit');
      await expect
        .poll(() => audit.countDocuments({ path: '/audited' }), { timeout: 5000 })
        .toBe(3);
      const entries = await audit.find({ path: '/audited' }).sort({ at: 1 }).toArray();
      expect(entries).toEqual([
        expect.objectContaining({
          user: 'admin',
          method: 'PUT',
          status: 201,
          decision: 'allowed',
          decidedBy: 'mongoAclAuthorizer',
          roles: ['admin'],
        }),
        expect.objectContaining({
          user: 'auditor',
          method: 'GET',
          decision: 'forbidden',
          forwardedFor: '10.2.2.2',
          requestId: expect.any(String),
          node: expect.any(String),
        }),
        expect.objectContaining({
          user: null,
          decision: 'not authenticated',
          remoteIp: '127.0.0.1',
        }),
      ]);
      expect(JSON.stringify(entries)).not.toContain('secret');
      expect(await audit.isCapped()).toBe(true);
    } finally {
      await client.close();
    }
  });
});
