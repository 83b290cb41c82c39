/** Nodes that leave behind balancers, by a restart or by kill -9 (cluster.md part F). `npm run bench:cluster` runs both for longer. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Balancer,
  type BalancerProgram,
  hasProgram,
  login,
  pause,
  startBalancer,
  TestCluster,
} from '../support/cluster.ts';
import { LedgerLoad } from '../support/ledger-load.ts';

let cluster: TestCluster;
let balancer: Balancer | undefined;
beforeAll(async () => {
  cluster = await TestCluster.open();
});
afterEach(async () => {
  await balancer?.close();
  balancer = undefined;
});
afterAll(() => cluster?.close());

async function startLoad(kind: BalancerProgram): Promise<LedgerLoad> {
  balancer = await startBalancer(kind, cluster.ports);
  const { token } = await login(balancer.url);
  const load = new LedgerLoad({
    urls: [balancer.url],
    clients: 6,
    authorization: `Bearer ${token}`,
    // without a probe nginx meets nodes that have just left: it repeats what may be repeated
    isKeyed: kind === 'nginx',
  });
  await load.start();
  return load;
}

describe('three nodes restarted one after another', () => {
  for (const kind of ['haproxy', 'nginx', 'caddy'] as const) {
    it.skipIf(!hasProgram(kind))(`fail no request behind ${kind}`, async () => {
      const load = await startLoad(kind);
      for (const [i, node] of cluster.nodes.entries()) {
        await pause(500);
        expect(await node?.stop()).toBe(0);
        await cluster.startNode(i);
        await cluster.waitUntilReady();
      }
      await pause(1000);
      const report = await load.stop();
      const failed = Object.keys(report.statuses).filter((status) => !/^2..$/.test(status));
      expect(failed, balancer?.log()).toEqual([]);
      expect(report).toMatchObject({ wrong: [], givenUp: [] });
      const audit = await load.audit(cluster.url(0));
      expect(audit).toMatchObject({ lost: [], doubled: [], miscounted: [] });
    });
  }
});

describe('nodes killed twice', () => {
  for (const kind of ['haproxy', 'nginx', 'caddy'] as const) {
    it.skipIf(!hasProgram(kind))(
      `behind ${kind} lose and double nothing of clients that repeat with their Idempotency-Key`,
      async () => {
        const load = await startLoad(kind);
        for (const i of [1, 2]) {
          await pause(800);
          await cluster.nodes[i]?.kill();
          await pause(1500);
          await cluster.startNode(i);
        }
        await pause(800);
        const report = await load.stop();
        expect(report, balancer?.log()).toMatchObject({ wrong: [], givenUp: [] });
        const audit = await load.audit(cluster.url(0));
        expect(audit).toMatchObject({ lost: [], doubled: [], miscounted: [] });
      },
    );
  }
});
