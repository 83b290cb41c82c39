/** One conversation, each of its requests to another node (cluster.md A1, A2, E3, E8, E9, invariants 1 and 3; design "Beyond the reference"). */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, BASIC, login, pause, TestCluster, waitFor } from '../support/cluster.ts';

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' };

describe('three nodes', () => {
  let cluster: TestCluster;
  let turn = 0;
  /** The next node's URL. */
  const next = (): string => {
    turn += 1;
    return cluster.url(turn % 3);
  };

  beforeAll(async () => {
    cluster = await TestCluster.open({
      rho: [
        '/oauthAuthorizationService/enabled->true',
        '/fileRealmAuthenticator/enabled->true',
        '/fileRealmAuthenticator/users->[{"userid":"ann","password":"pa","roles":["admin"]}]',
        '/digestAuthMechanism/enabled->true',
        '/digestAuthMechanism/authenticator->"fileRealmAuthenticator"',
      ].join(';'),
    });
    await ask(next(), '/shop', { method: 'PUT' });
    await ask(next(), '/shop/things', { method: 'PUT', body: { note: 'all' } });
    const body = Array.from({ length: 30 }, (_, n) => ({ _id: n, n, group: n % 3 }));
    expect((await ask(next(), '/shop/things', { method: 'POST', body })).status).toBe(200);
  });
  afterAll(() => cluster?.close());

  it.each([
    ['GET', '/'],
    ['GET', '/shop'],
    ['GET', '/shop/things?pagesize=7&page=2&sort=-n&count'],
    ['GET', '/shop/things?filter={"group":1}&keys={"n":1}&rep=HAL'],
    ['GET', '/shop/things/3'],
    ['HEAD', '/shop/things/3'],
    ['GET', '/shop/things/_size'],
    ['GET', '/shop/things/_meta'],
    ['GET', '/shop/things/_indexes'],
    ['OPTIONS', '/shop/things'],
    ['GET', '/shop/things/none'],
    ['GET', '/none/none'],
    ['GET', '/shop/things?filter={'],
    ['PATCH', '/shop/things/3'],
  ])('answer %s %s alike', async (method, path) => {
    const replies = await Promise.all(
      cluster.urls.map(async (url) => {
        const { status, headers, text } = await ask(url, path, { method });
        return { status, text, headers: [...headers].filter(([name]) => name !== 'date') };
      }),
    );
    const [first] = replies;
    for (const reply of replies) expect(reply).toEqual(first);
  });

  it.skipIf(!existsSync('/proc/self/net/tcp'))(
    'speak to nobody but their clients and the database (A6)',
    async () => {
      await Promise.all(cluster.urls.map((url) => ask(url, '/shop/things')));
      const own = new Set(cluster.ports);
      const database = Number(new URL(cluster.engine.uri).port);
      for (const node of cluster.nodes) {
        const { established, listening } = socketsOf(node?.pid ?? 0);
        expect(listening.filter((port) => !own.has(port))).toEqual([]);
        const called = established.filter(({ local }) => !own.has(local));
        expect(called.length).toBeGreaterThan(0);
        expect(called.filter(({ remote }) => remote !== database)).toEqual([]);
      }
    },
  );

  it('take a code of authorization from each other, once', async () => {
    const verifier = randomBytes(32).toString('base64url');
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const query = `redirect_uri=${encodeURIComponent('http://localhost:1/cb')}&code_challenge=${challenge}&code_challenge_method=S256`;
    const reply = await fetch(`${next()}/authorize?${query}`, {
      method: 'POST',
      headers: { Authorization: BASIC },
      redirect: 'manual',
    });
    const code = new URL(reply.headers.get('location') ?? '').searchParams.get('code') ?? '';
    const exchange = async () => {
      const body = new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
      });
      const answer = await fetch(`${next()}/token`, { method: 'POST', headers: FORM, body });
      return { status: answer.status, body: (await answer.json()) as { access_token?: string } };
    };
    const { status, body } = await exchange();
    expect(status).toBe(200);
    const authorization = `Bearer ${body.access_token}`;
    expect((await ask(next(), '/shop', { authorization })).status).toBe(200);
    for (const _ of cluster.urls) expect((await exchange()).status).toBe(400);
  });

  it('renew tokens of each other', async () => {
    let { token } = await login(next());
    for (let i = 0; i < 6; i += 1) {
      const authorization = `Bearer ${token}`;
      const reply = await ask(next(), '/token?renew', { method: 'POST', authorization });
      expect(reply.status).toBe(200);
      const { access_token: renewed } = JSON.parse(reply.text) as { access_token: string };
      expect(renewed).not.toBe(token);
      token = renewed;
    }
    expect((await ask(next(), '/shop', { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('know nonces of each other, for Digest', async () => {
    const challenge = await fetch(`${next()}/shop`);
    const nonce = /nonce="([^"]+)"/.exec(challenge.headers.get('www-authenticate') ?? '')?.[1];
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    for (const nc of ['00000001', '00000002', '00000003']) {
      const ha1 = md5('ann:RESTHeart Realm:pa');
      const response = md5(`${ha1}:${nonce}:${nc}:0a4f:auth:${md5('GET:/shop')}`);
      const authorization = `Digest username="ann", realm="RESTHeart Realm", nonce="${nonce}", uri="/shop", qop=auth, nc=${nc}, cnonce="0a4f", response="${response}", opaque="${'0'.repeat(32)}"`;
      expect((await ask(next(), '/shop', { authorization })).status).toBe(200);
    }
  });

  it('carry one transaction together', async () => {
    const made = await ask(next(), '/_sessions', { method: 'POST' });
    const sid = /_sessions\/([^/]+)$/.exec(made.headers.get('location') ?? '')?.[1];
    const transactions = `/_sessions/${sid}/_txns`;
    expect((await ask(next(), transactions, { method: 'POST' })).status).toBe(201);
    const within = `sid=${sid}&txn=1`;
    for (const _id of ['t1', 't2', 't3']) {
      const options = { method: 'POST', body: { _id } };
      expect((await ask(next(), `/shop/things?${within}`, options)).status).toBe(201);
    }
    expect((await ask(next(), `/shop/things/t1?${within}`)).status).toBe(200);
    expect((await ask(next(), '/shop/things/t1')).status).toBe(404);
    expect((await ask(next(), `${transactions}/1`, { method: 'PATCH' })).status).toBe(200);
    for (const url of cluster.urls) expect((await ask(url, '/shop/things/t3')).status).toBe(200);
  });

  it('go on with cursors of each other', async () => {
    const seen: number[] = [];
    let path = '/shop/things?after=&pagesize=7&sort=n&filter={"n":{"$gte":0}}';
    while (path !== '') {
      const reply = await ask(next(), path);
      seen.push(...(JSON.parse(reply.text) as { n: number }[]).map(({ n }) => n));
      const link = /<([^>]+)>; rel="next"/.exec(reply.headers.get('link') ?? '')?.[1] ?? '';
      path = link.replace(/^https?:\/\/[^/]+/, '');
    }
    expect(seen).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it('read what was written on another, for a client that carries the time along', async () => {
    let time = 'track';
    for (let n = 0; n < 20; n += 1) {
      const headers = { 'Quorate-Consistency': time };
      const put = { method: 'PUT', body: { n }, headers };
      const written = await ask(next(), '/shop/things/mine?wm=upsert', put);
      time = written.headers.get('quorate-consistency') ?? '';
      const read = await ask(next(), '/shop/things/mine', {
        headers: { 'Quorate-Consistency': time },
      });
      expect((JSON.parse(read.text) as { n: number }).n).toBe(n);
    }
  });

  it('sign with a new key while clients work, and refuse no token', async () => {
    const wrong: string[] = [];
    const kids = new Set<string>();
    const kept: string[] = [];
    let isDone = false;
    const client = async (): Promise<void> => {
      while (!isDone) {
        const reply = await ask(next(), '/token?renew', { method: 'POST' });
        const { access_token: token } = JSON.parse(reply.text) as { access_token: string };
        const head = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
        kids.add((JSON.parse(head) as { kid: string }).kid);
        kept.push(token);
        for (const url of cluster.urls) {
          const { status } = await ask(url, '/shop', { authorization: `Bearer ${token}` });
          if (status !== 200) wrong.push(`${status} at ${url}`);
        }
      }
    };
    const clients = [client(), client()];
    await pause(500);
    const before = kids.size;
    const database = await new MongoClient(cluster.engine.uri).connect();
    // as a node does it whose turn it is; a key signs ten seconds after it was made
    await database
      .db('_quorate')
      .collection<{ _id: string }>('keys')
      .insertOne({
        _id: 'after-first',
        secret: randomBytes(64),
        createdAt: new Date(Date.now() - 8000),
      } as { _id: string });
    await database.close();
    await waitFor('the new key to sign', async () => kids.has('after-first'));
    await pause(500);
    isDone = true;
    await Promise.all(clients);
    expect(before).toBe(1);
    expect(wrong).toEqual([]);
    const [oldest = ''] = kept;
    for (const url of cluster.urls) {
      expect((await ask(url, '/shop', { authorization: `Bearer ${oldest}` })).status).toBe(200);
    }
  });
});

const ESTABLISHED = '01';
const LISTENING = '0A';

/** Ports of the TCP sockets that a process holds (proc(5): /proc/net/tcp; /proc/PID/fd). */
function socketsOf(pid: number): {
  readonly established: readonly { readonly local: number; readonly remote: number }[];
  readonly listening: readonly number[];
} {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // closed since it was listed
    }
  }
  const established: { local: number; remote: number }[] = [];
  const listening: number[] = [];
  const port = (address = ''): number => Number.parseInt(address.split(':')[1] ?? '', 16);
  for (const table of ['tcp', 'tcp6']) {
    const lines = readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1);
    for (const line of lines) {
      const [, local, remote, state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (!inodes.has(inode)) continue;
      if (state === LISTENING) listening.push(port(local));
      if (state === ESTABLISHED) established.push({ local: port(local), remote: port(remote) });
    }
  }
  return { established, listening };
}
