/** What the nodes know of each other through the registry: drift, wrong clocks, shares of the pool (cluster.md E10, D7). */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, login, TestCluster, waitFor } from '../support/cluster.ts';

const SHIFT = pathToFileURL(join(import.meta.dirname, '../support/shift-clock.mjs')).href;

interface View {
  readonly size: number;
  readonly drift: readonly string[];
  readonly skewed: readonly string[];
  readonly poolBudget?: number;
  readonly nodes: readonly {
    readonly id: string;
    readonly name: string;
    readonly clockSkewMs: number;
    readonly poolSize: number;
  }[];
}

describe('the registry of nodes', () => {
  let cluster: TestCluster;

  const open = async (rho: string): Promise<void> => {
    cluster = await TestCluster.open({
      isStarted: false,
      rho: `/cluster/heartbeat-interval->300;${rho}`,
    });
    await cluster.engine.start();
  };
  const view = async (index = 0): Promise<View> =>
    JSON.parse((await ask(cluster.url(index), '/cluster')).text) as View;
  const waitForView = (what: string, check: (view: View) => boolean): Promise<void> =>
    waitFor(what, async () => check(await view()));
  const metrics = async (index: number): Promise<string> =>
    (await ask(cluster.url(index), '/metrics/cluster')).text;

  afterEach(() => cluster?.close());

  it('names nodes whose configuration differs, in the view, the log and the metrics', async () => {
    await open('');
    await cluster.startNodes();
    await waitForView('three equal nodes', ({ size, drift }) => size === 3 && drift.length === 0);
    expect(await metrics(0)).toContain('quorate_cluster_drift{subject="configuration"} 0');
    await cluster.nodes[2]?.stop();
    await cluster.startNode(2, { rho: '/mongoAclAuthorizer/cache-ttl->4000' });
    await waitForView('the drift', ({ drift }) => drift.join() === 'configuration');
    await waitFor('the metrics', async () =>
      (await metrics(0)).includes('quorate_cluster_drift{subject="configuration"} 1'),
    );
    await waitFor('the log', async () =>
      [0, 2].every((i) => cluster.nodes[i]?.log().includes('differ: configuration')),
    );
    await cluster.nodes[2]?.stop();
    await cluster.startNode(2);
    await waitForView('three equal nodes', ({ size, drift }) => size === 3 && drift.length === 0);
  });

  it('gives each node its share of the connections, and the first their smaller one when they start again', async () => {
    await open('/cluster/pool-budget->24');
    const sizes = async (): Promise<Record<string, number>> =>
      Object.fromEntries((await view()).nodes.map(({ name, poolSize }) => [name, poolSize]));
    for (const i of [0, 1, 2]) {
      await cluster.startNode(i);
      await waitForView('the node', ({ size }) => size === i + 1);
    }
    expect(await sizes()).toEqual({ node1: 24, node2: 12, node3: 8 });
    expect((await view()).poolBudget).toBe(8);
    await waitFor('the warning', async () =>
      [0, 1].every((i) => cluster.nodes[i]?.log().includes('more connections than its share')),
    );
    expect(cluster.nodes[2]?.log()).not.toContain('more connections than its share');
    for (const i of [0, 1]) {
      await cluster.nodes[i]?.stop();
      await cluster.startNode(i);
      await waitFor('the node', async () => (await view(2)).size === 3);
    }
    expect(await sizes()).toEqual({ node1: 8, node2: 8, node3: 8 });
  });

  it('never exceeds the budget where the number of nodes is told before', async () => {
    await open('/cluster/pool-budget->24;/cluster/pool-nodes->3');
    await cluster.startNodes();
    await waitForView('three nodes', ({ size }) => size === 3);
    expect((await view()).nodes.map(({ poolSize }) => poolSize)).toEqual([8, 8, 8]);
  });

  describe('with clocks an hour ahead and an hour behind', () => {
    const HOUR_MS = 3_600_000;
    const shifts = [0, HOUR_MS, -HOUR_MS] as const;

    beforeEach(async () => {
      await open('');
      for (const [i, shiftMs] of shifts.entries()) {
        await cluster.startNode(i, {
          environment: { NODE_OPTIONS: `--import=${SHIFT}`, CLOCK_SHIFT_MS: String(shiftMs) },
        });
      }
      await cluster.waitUntilReady();
      await waitForView('two wrong clocks', ({ skewed }) => skewed.length === 2);
    });

    it('names them in the view, the log and the metrics', async () => {
      const { nodes } = await view();
      for (const [i, shiftMs] of shifts.entries()) {
        const node = nodes.find(({ name }) => name === `node${i + 1}`);
        // the measure is as good as the way to the database is short
        expect(Math.abs((node?.clockSkewMs ?? Number.NaN) - shiftMs)).toBeLessThan(60_000);
      }
      for (const i of [1, 2]) {
        await waitFor(
          'the log',
          async () =>
            cluster.nodes[i]?.log().includes("clock differs from the database's") === true,
        );
      }
      expect(cluster.nodes[0]?.log()).not.toContain("clock differs from the database's");
      expect(await metrics(0)).toContain('quorate_skewed_nodes 2');
    });

    it('tokens of each node are good on every node, and none is after a logout everywhere', async () => {
      const tokens: string[] = [];
      for (const url of cluster.urls) tokens.push(`Bearer ${(await login(url)).token}`);
      const statuses = () =>
        Promise.all(
          cluster.urls.flatMap((url) =>
            tokens.map(async (authorization) => (await ask(url, '/', { authorization })).status),
          ),
        );
      expect(await statuses()).toEqual(Array(9).fill(200));
      const [first = ''] = tokens;
      const out = await ask(cluster.url(0), '/token?everywhere', {
        method: 'DELETE',
        authorization: first,
      });
      expect(out.status).toBe(204);
      await waitFor('all of them to be refused', async () =>
        (await statuses()).every((status) => status === 401),
      );
      for (const from of cluster.urls) {
        const authorization = `Bearer ${(await login(from)).token}`;
        for (const url of cluster.urls)
          expect((await ask(url, '/', { authorization })).status, `${from} on ${url}`).toBe(200);
      }
    });
  });
});
