/** cluster.md part F: whose tokens are known to whom, behind each balancer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADMIN,
  ask,
  BASIC,
  hasProgram,
  login,
  startBalancer,
  TestCluster,
  tally,
  waitFor,
} from '../support/cluster.ts';

const REQUESTS = 300;

async function statuses(url: string, count: number, headers: Record<string, string>) {
  const seen: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const { Authorization: authorization = BASIC, ...rest } = headers;
    seen.push((await ask(url, '/', { authorization, headers: rest })).status);
  }
  return tally(seen);
}

const BALANCERS = ['haproxy', 'nginx', 'caddy'] as const;

/** Random tokens are given where a password is asked for. */
function asPassword(token: string): string {
  return `Basic ${Buffer.from(`${ADMIN.name}:${token}`).toString('base64')}`;
}

describe('tokens of the default configuration', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open();
  });
  afterAll(() => cluster?.close());

  for (const kind of BALANCERS) {
    it.skipIf(!hasProgram(kind))(`are known to all nodes behind ${kind}`, async () => {
      const balancer = await startBalancer(kind, cluster.ports);
      try {
        const { token } = await login(balancer.url);
        const seen = await statuses(balancer.url, REQUESTS, { Authorization: `Bearer ${token}` });
        expect(seen).toEqual({ 200: REQUESTS });
      } finally {
        await balancer.close();
      }
    });
  }

  it('are known as Bearer, as password and as cookie, also after their node was killed', async () => {
    const { token } = await login(cluster.url(0));
    await cluster.nodes[0]?.kill();
    const password = Buffer.from(`${ADMIN.name}:${token}`).toString('base64');
    for (const url of cluster.urls.slice(1)) {
      expect((await ask(url, '/', { authorization: `Bearer ${token}` })).status).toBe(200);
      expect((await ask(url, '/', { authorization: `Basic ${password}` })).status).toBe(200);
    }
    await cluster.startNode(0);
    await cluster.waitUntilReady();
    expect((await ask(cluster.url(0), '/', { authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('are refused everywhere within a second of DELETE /token', async () => {
    const { token } = await login(cluster.url(0));
    const authorization = `Bearer ${token}`;
    for (const url of cluster.urls)
      expect((await ask(url, '/', { authorization })).status).toBe(200);
    expect((await ask(cluster.url(0), '/token', { method: 'DELETE', authorization })).status).toBe(
      204,
    );
    for (const url of cluster.urls) {
      await waitFor(
        'the token to be refused',
        async () => (await ask(url, '/', { authorization })).status === 401,
        1000,
      );
    }
  });
});

describe('random tokens', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open({
      rho: '/rndTokenManager/enabled->true;/jwtTokenManager/enabled->false',
    });
  });
  afterAll(() => cluster?.close());

  it('are known to the node that issued them alone', async () => {
    const { token } = await login(cluster.url(0));
    const seen = [];
    for (const url of cluster.urls)
      seen.push((await ask(url, '/', { authorization: asPassword(token) })).status);
    expect(seen).toEqual([200, 401, 401]);
  });

  for (const kind of BALANCERS) {
    it.skipIf(!hasProgram(kind))(`are refused by foreign nodes behind ${kind}`, async () => {
      const balancer = await startBalancer(kind, cluster.ports);
      try {
        const { token } = await login(balancer.url);
        const seen = await statuses(balancer.url, REQUESTS, { Authorization: asPassword(token) });
        expect(Object.keys(seen)).toEqual(['200', '401']);
        // two of three, where the balancer takes them in turn
        expect(seen[401]).toBeGreaterThan(REQUESTS / 3);
      } finally {
        await balancer.close();
      }
    });

    it.skipIf(!hasProgram(kind))(
      `work behind a sticky cookie of ${kind}; the death of the node costs exactly one 401`,
      async () => {
        const balancer = await startBalancer(kind, cluster.ports, { isSticky: true });
        try {
          let { token, cookie } = await login(balancer.url);
          expect(cookie).toMatch(/^QNODE=./);
          expect(
            await statuses(balancer.url, 100, { Authorization: asPassword(token), Cookie: cookie }),
          ).toEqual({ 200: 100 });
          const owner = await indexOfOwner(cluster, token);
          await cluster.nodes[owner]?.kill();
          const seen: number[] = [];
          for (let i = 0; i < 60; i += 1) {
            const reply = await ask(balancer.url, '/', {
              authorization: asPassword(token),
              headers: { Cookie: cookie },
            });
            seen.push(reply.status);
            cookie = cookieOf(reply.headers) ?? cookie;
            if (reply.status === 401) {
              const again = await login(balancer.url, { Cookie: cookie });
              token = again.token;
              cookie = again.cookie === '' ? cookie : again.cookie;
            }
          }
          expect(tally(seen)).toEqual({ 200: 59, 401: 1 });
          await cluster.startNode(owner);
          await cluster.waitUntilReady();
        } finally {
          await balancer.close();
        }
      },
    );
  }
});

/** Which node knows a random token. */
async function indexOfOwner(cluster: TestCluster, token: string): Promise<number> {
  const authorization = asPassword(token);
  const replies = await Promise.all(cluster.urls.map((url) => ask(url, '/', { authorization })));
  return replies.findIndex(({ status }) => status === 200);
}

/** As a browser keeps it. */
function cookieOf(headers: Headers): string | undefined {
  return headers
    .getSetCookie()
    .find((line) => line.startsWith('QNODE='))
    ?.split(';')[0];
}

describe('shared tokens', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open({
      rho: '/sharedTokenManager/enabled->true;/jwtTokenManager/enabled->false',
    });
  });
  afterAll(() => cluster?.close());

  it('are known everywhere without affinity, also after their node was killed, until they are taken back', async () => {
    const { token } = await login(cluster.url(0));
    const authorization = asPassword(token);
    for (const url of cluster.urls)
      expect((await ask(url, '/', { authorization })).status).toBe(200);
    await cluster.nodes[0]?.kill();
    for (const url of cluster.urls.slice(1))
      expect((await ask(url, '/', { authorization })).status).toBe(200);
    await cluster.startNode(0);
    await cluster.waitUntilReady();
    expect((await ask(cluster.url(0), '/', { authorization })).status).toBe(200);
    const out = await ask(cluster.url(1), '/token', { method: 'DELETE', authorization });
    expect(out.status).toBe(204);
    for (const url of cluster.urls) {
      await waitFor(
        'the token to be refused',
        async () => (await ask(url, '/', { authorization })).status === 401,
        1000,
      );
    }
  });
});

describe.each([
  ['signed', 'jwtTokenManager', (token: string) => `Bearer ${token}`],
  ['shared', 'sharedTokenManager', asPassword],
] as const)('%s tokens', (_, manager, toAuthorization) => {
  let cluster: TestCluster;
  beforeAll(async () => {
    const managers = ['jwtTokenManager', 'sharedTokenManager'];
    const rho = managers.map((name) => `/${name}/enabled->${name === manager}`).join(';');
    cluster = await TestCluster.open({ rho });
  });
  afterAll(() => cluster?.close());

  for (const kind of BALANCERS) {
    it.skipIf(!hasProgram(kind))(
      `are known behind ${kind} without affinity, while a node dies under them`,
      async () => {
        const balancer = await startBalancer(kind, cluster.ports);
        try {
          const { token } = await login(balancer.url);
          const headers = { Authorization: toAuthorization(token) };
          expect(await statuses(balancer.url, 100, headers)).toEqual({ 200: 100 });
          await cluster.nodes[0]?.kill();
          const seen = await statuses(balancer.url, 100, headers);
          expect(seen).not.toHaveProperty('401');
          expect(seen[200]).toBeGreaterThan(95);
          await cluster.startNode(0);
          await cluster.waitUntilReady();
        } finally {
          await balancer.close();
        }
      },
    );
  }
});

describe('tokens of a configured key', () => {
  let cluster: TestCluster;
  const key = (letter: string): string =>
    `/jwtConfigProvider/key->"${letter.repeat(40)}";/jwtConfigProvider/key-ring->false`;
  beforeAll(async () => {
    cluster = await TestCluster.open({ isStarted: false, rho: key('a') });
    await cluster.engine.start();
    await cluster.startNode(0);
    await cluster.startNode(1);
  });
  afterAll(() => cluster?.close());

  it.each([
    ['key', key('b')],
    ['issuer', '/jwtConfigProvider/issuer->"elsewhere"'],
    ['audience', '/jwtConfigProvider/audience->"others"'],
  ])('are good on nodes with the same, and refused by one with another %s', async (_, rho) => {
    await cluster.startNode(2, { rho });
    const { token } = await login(cluster.url(0));
    const authorization = `Bearer ${token}`;
    const seen = [];
    for (const url of cluster.urls) seen.push((await ask(url, '/', { authorization })).status);
    await cluster.nodes[2]?.kill();
    expect(seen).toEqual([200, 200, 401]);
  });
});
