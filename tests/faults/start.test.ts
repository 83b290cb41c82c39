/** Starts that race, databases that come late or go away (cluster.md part F, E14, invariant 5). */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, BASIC, login, pause, TestCluster, waitFor } from '../support/cluster.ts';

describe('first starts', () => {
  let cluster: TestCluster | undefined;
  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('that race make one administrator and one key', async () => {
    cluster = await TestCluster.open();
    const users = JSON.parse((await ask(cluster.url(0), '/restheart/users')).text) as unknown[];
    expect(users).toHaveLength(1);
    const { token } = await login(cluster.url(0));
    for (const url of cluster.urls) {
      expect((await ask(url, '/', { authorization: `Bearer ${token}` })).status).toBe(200);
    }
    const view = JSON.parse((await ask(cluster.url(1), '/cluster')).text) as { size: number };
    expect(view).toMatchObject({ size: 3, drift: [], skewed: [] });
    for (const node of cluster.nodes)
      expect(node?.log()).toMatch(/MongoDB is reached: replica set \w+/);
  });

  it('before the database is there end in a working cluster by themselves', async () => {
    cluster = await TestCluster.open({ nodes: 2, isStarted: false });
    await cluster.startNodes();
    const url = cluster.url(0);
    expect((await ask(url, '/health/live')).status).toBe(200);
    expect((await ask(url, '/health/ready')).status).toBe(503);
    expect((await ask(url, '/health/startup')).status).toBe(503);
    // longer than what a request waits for the first account
    await pause(6000);
    const early = await ask(url, '/restheart');
    expect(early.status).toBe(503);
    expect(early.headers.get('retry-after')).not.toBeNull();
    await cluster.engine.start();
    await cluster.waitUntilReady();
    await waitFor('the first login', async () => (await ask(url, '/')).status === 200, 5000);
    expect((await ask(url, '/health/startup')).status).toBe(200);
  });
});

describe('a database that is killed', () => {
  it('gives 503 with Retry-After on every path, never 401, 403 or 404, and comes back', async () => {
    const cluster = await TestCluster.open({ nodes: 2 });
    try {
      await ask(cluster.url(0), '/shop', { method: 'PUT' });
      await ask(cluster.url(0), '/shop/things', { method: 'PUT' });
      const { token } = await login(cluster.url(0));
      await cluster.engine.stop('SIGKILL');
      const seen: { what: string; status: number; retry: string | null }[] = [];
      const until = Date.now() + 5000;
      const keepAsking = async (what: string, path: string, options: Parameters<typeof ask>[2]) => {
        while (Date.now() < until) {
          const { status, headers } = await ask(cluster.url(1), path, options);
          seen.push({ what, status, retry: headers.get('retry-after') });
          await pause(50);
        }
      };
      const bearer = `Bearer ${token}`;
      await Promise.all([
        keepAsking('token read', '/shop/things', { authorization: bearer }),
        keepAsking('password read', '/shop/things', { authorization: BASIC }),
        keepAsking('write', '/shop/things', {
          method: 'POST',
          body: { a: 1 },
          authorization: bearer,
        }),
        keepAsking('login', '/token', { method: 'POST' }),
        keepAsking('ready', '/health/ready', {}),
      ]);
      const wrong = seen.filter(({ status, retry }) => status !== 503 || retry === null);
      // the last replies may have been asked for while the database was there
      expect(wrong.filter(({ status }) => status !== 200)).toEqual([]);
      expect(new Set(seen.map(({ what }) => what)).size).toBe(5);
      expect((await ask(cluster.url(1), '/health/live')).status).toBe(200);
      await cluster.engine.start();
      await waitFor('the data', async () => {
        const reply = await ask(cluster.url(1), '/shop/things', { authorization: bearer });
        return reply.status === 200;
      });
    } finally {
      await cluster.close();
    }
  });
});
