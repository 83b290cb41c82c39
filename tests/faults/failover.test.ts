/** A replica set that loses its primary under load (issue of failover; cluster.md invariant 5). `npm run bench:cluster` runs it for longer. */
import { afterEach, describe, expect, it } from 'vitest';
import { ask, login, pause, TestCluster, waitFor } from '../support/cluster.ts';
import { LedgerLoad } from '../support/ledger-load.ts';

const QUIET_MS = 2500;

describe('a replica set under load', () => {
  let cluster: TestCluster | undefined;
  afterEach(async () => {
    await cluster?.close();
    cluster = undefined;
  });

  it('loses primaries by election, death and cut sockets, and no acknowledged write', async () => {
    cluster = await TestCluster.open({ hasReplicaSet: true });
    const set = cluster.replicaSet;
    if (set === undefined) throw new Error('there is a replica set');
    const { token } = await login(cluster.url(0));
    const load = new LedgerLoad({
      urls: cluster.urls,
      clients: 6,
      authorization: `Bearer ${token}`,
      thinkMs: 5,
    });
    await load.start();
    await pause(QUIET_MS);
    await set.order('stepDown');
    await pause(QUIET_MS);
    const { primary = 0 } = await set.order('waitForPrimary');
    await set.order('kill', primary);
    await pause(QUIET_MS);
    await set.order('cutSockets');
    await pause(QUIET_MS);
    await set.order('restart', primary);
    await set.order('waitForPrimary');
    // an election that the old primary did not know of: what it alone has is rolled back
    await set.order('elect', primary);
    await pause(QUIET_MS);
    const report = await load.stop();
    expect(report.wrong).toEqual([]);
    expect(report.givenUp).toEqual([]);
    expect(Object.keys(report.statuses).filter((status) => !/^(0|2..|503)$/.test(status))).toEqual(
      [],
    );
    const audit = await load.audit(cluster.url(1));
    expect(audit).toMatchObject({ lost: [], doubled: [], miscounted: [] });
    expect(audit.acknowledged).toBeGreaterThan(20);
  });

  it('without a primary goes on with reads from secondaries, and takes writes again afterwards', async () => {
    cluster = await TestCluster.open({ hasReplicaSet: true, nodes: 1 });
    const set = cluster.replicaSet;
    if (set === undefined) throw new Error('there is a replica set');
    const url = cluster.url(0);
    await ask(url, '/shop', { method: 'PUT' });
    await ask(url, '/shop/things', { method: 'PUT' });
    await ask(url, '/shop/things', { method: 'POST', body: { a: 1 } });
    const { token } = await login(url);
    const authorization = `Bearer ${token}`;
    await set.order('settle');
    await set.order('kill', 0);
    await set.order('kill', 1);
    await waitFor('the loss of the primary', async () => {
      const reply = await ask(url, '/shop/things', {
        method: 'POST',
        body: { a: 2 },
        authorization,
      });
      return reply.status === 503 && reply.headers.get('retry-after') !== null;
    });
    const read = await ask(url, '/shop/things?readPreference=secondaryPreferred', {
      authorization,
    });
    expect(read.status).toBe(200);
    expect(JSON.parse(read.text)).toHaveLength(1);
    // or balancers would take every node out, and nobody could read
    expect((await ask(url, '/health/ready')).status).toBe(200);
    await set.order('restart', 0);
    await waitFor('a write', async () => {
      const reply = await ask(url, '/shop/things', {
        method: 'POST',
        body: { a: 3 },
        authorization,
      });
      return reply.status === 201;
    });
  });
});
