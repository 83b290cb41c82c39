/** Nodes that leave behind HAProxy, by a restart or by kill -9 (cluster.md part F). `npm run bench:cluster` runs both for longer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Balancer,
  hasProgram,
  login,
  pause,
  startBalancer,
  TestCluster,
} from '../support/cluster.ts';
import { LedgerLoad } from '../support/ledger-load.ts';

describe.skipIf(!hasProgram('haproxy'))('three nodes behind HAProxy', () => {
  let cluster: TestCluster;
  let balancer: Balancer;
  beforeAll(async () => {
    cluster = await TestCluster.open();
    balancer = await startBalancer('haproxy', cluster.ports);
  });
  afterAll(async () => {
    await balancer?.close();
    await cluster?.close();
  });

  const startLoad = async (): Promise<LedgerLoad> => {
    const { token } = await login(balancer.url);
    const load = new LedgerLoad({
      urls: [balancer.url],
      clients: 6,
      authorization: `Bearer ${token}`,
    });
    await load.start();
    return load;
  };

  it('restarted one after another fail no request', async () => {
    const load = await startLoad();
    for (const [i, node] of cluster.nodes.entries()) {
      await pause(500);
      expect(await node?.stop()).toBe(0);
      await cluster.startNode(i);
      await cluster.waitUntilReady();
    }
    await pause(1000);
    const report = await load.stop();
    expect(Object.keys(report.statuses).filter((status) => !/^2..$/.test(status))).toEqual([]);
    expect(report).toMatchObject({ wrong: [], givenUp: 0 });
    const audit = await load.audit(balancer.url);
    expect(audit).toMatchObject({ lost: [], doubled: [], miscounted: [] });
  });

  it('killed twice lose nothing and double nothing of clients that repeat with their Idempotency-Key', async () => {
    const load = await startLoad();
    for (const i of [1, 2]) {
      await pause(800);
      await cluster.nodes[i]?.kill();
      await pause(1500);
      await cluster.startNode(i);
    }
    await pause(800);
    const report = await load.stop();
    expect(report).toMatchObject({ wrong: [], givenUp: 0 });
    const audit = await load.audit(balancer.url);
    expect(audit).toMatchObject({ lost: [], doubled: [], miscounted: [] });
  });
});
