/** Members of the replica set that answer late, or hang with their sockets open (issue of failover). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, freePort, login, pause, TestCluster, waitFor } from '../support/cluster.ts';
import { LedgerLoad } from '../support/ledger-load.ts';
import { ReplicaSetProcess } from '../support/replica-set-process.ts';
import { SlowProxy } from '../support/slow-proxy.ts';

const DELAY_MS = 300;

describe('a replica set behind slow wires', () => {
  let proxies: SlowProxy[] = [];
  let set: ReplicaSetProcess;
  let cluster: TestCluster;

  beforeEach(async () => {
    const ports = [await freePort(), await freePort(), await freePort()];
    proxies = await Promise.all(ports.map((port) => SlowProxy.open(port)));
    const advertised = proxies.map(({ port }) => `127.0.0.1:${port}`);
    set = await ReplicaSetProcess.start({ ports, advertised });
    cluster = await TestCluster.open({ nodes: 2, replicaSet: set });
  });
  afterEach(async () => {
    await cluster?.close();
    for (const proxy of proxies) proxy.close();
  });

  async function startLoad(): Promise<LedgerLoad> {
    const { token } = await login(cluster.url(0));
    const authorization = `Bearer ${token}`;
    const load = new LedgerLoad({ urls: cluster.urls, clients: 4, authorization, thinkMs: 10 });
    await load.start();
    return load;
  }

  it('with a slow secondary is as it was for all but those who ask for secondaries', async () => {
    const load = await startLoad();
    const { primary = 0 } = await set.order('waitForPrimary');
    for (const [i, proxy] of proxies.entries()) if (i !== primary) proxy.delayMs = DELAY_MS;
    await pause(2500);
    const report = await load.stop();
    expect(report).toMatchObject({ wrong: [], givenUp: [] });
    expect(Object.keys(report.statuses).filter((status) => !/^2..$/.test(status))).toEqual([]);
    const slow = await ask(cluster.url(0), '/ledger/counters/c0?readPreference=secondary');
    expect(slow.status).toBe(200);
    expect(await load.audit(cluster.url(1))).toMatchObject({
      lost: [],
      doubled: [],
      miscounted: [],
    });
  });

  it('with a slow primary answers late, and rightly', async () => {
    const load = await startLoad();
    const { primary = 0 } = await set.order('waitForPrimary');
    const slow = proxies[primary];
    if (slow === undefined) throw new Error('there is a primary');
    slow.delayMs = DELAY_MS;
    await pause(4000);
    const status = (await ask(cluster.url(0), '/health/ready')).status;
    slow.delayMs = 0;
    const report = await load.stop();
    expect(status).toBe(200);
    expect(report).toMatchObject({ wrong: [], givenUp: [] });
    expect(Object.keys(report.statuses).filter((code) => !/^(2..|503)$/.test(code))).toEqual([]);
    expect(await load.audit(cluster.url(1))).toMatchObject({
      lost: [],
      doubled: [],
      miscounted: [],
    });
  });

  it('with a primary that hangs goes on with the next one, and counts nothing twice', async () => {
    const load = await startLoad();
    await pause(1000);
    const { primary = 0 } = await set.order('waitForPrimary');
    proxies[primary]?.stall();
    await set.order('elect', (primary + 1) % 3);
    // the nodes hear of the new primary from the members that answer
    await waitFor('a write to the new primary', async () => {
      const body = { key: 'after' };
      return (await ask(cluster.url(0), '/ledger/other?wm=upsert', { method: 'PUT' })).status < 300
        ? (await ask(cluster.url(0), '/ledger/other', { method: 'POST', body })).status === 201
        : false;
    });
    await pause(1000);
    proxies[primary]?.flow();
    await pause(1000);
    const report = await load.stop();
    expect(report).toMatchObject({ wrong: [], givenUp: [] });
    expect(Object.keys(report.statuses).filter((code) => !/^(2..|503)$/.test(code))).toEqual([]);
    expect(await load.audit(cluster.url(1))).toMatchObject({
      lost: [],
      doubled: [],
      miscounted: [],
    });
  });
});
