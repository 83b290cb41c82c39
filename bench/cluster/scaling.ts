import { pause } from '../../tests/support/cluster.ts';
import {
  type Extent,
  processorSeconds,
  type Row,
  startLoad,
  withBalancedCluster,
} from './measure.ts';

/** Throughput and cost of a request with one, two and three nodes. */
export async function benchScaling({ isShort }: Extent): Promise<Row[]> {
  const rows: Row[] = [];
  const costs: number[] = [];
  for (const count of [1, 2, 3]) {
    await withBalancedCluster({ nodes: count }, async (cluster, balancer) => {
      const load = await startLoad({ urls: [balancer.url], clients: 24 });
      await pause(isShort ? 1000 : 4000);
      const pids = cluster.nodes.flatMap((node) => (node === undefined ? [] : [node.pid]));
      const others = { engine: cluster.engine.pid, haproxy: balancer.pid };
      const before = pids.map(processorSeconds);
      const othersBefore = Object.values(others).map(processorSeconds);
      const requestsBefore = load.requestCount;
      const startedAtMs = performance.now();
      await pause(isShort ? 3000 : 15_000);
      const seconds = (performance.now() - startedAtMs) / 1000;
      const requests = load.requestCount - requestsBefore;
      const used = pids.map((pid, i) => processorSeconds(pid) - (before[i] ?? 0));
      const otherShares = Object.entries(others).map(
        ([name, pid], i) =>
          `${name} ${Math.round(((processorSeconds(pid) - (othersBefore[i] ?? 0)) / seconds) * 100)} %`,
      );
      await load.stop();
      const cost = (used.reduce((sum, value) => sum + value, 0) / requests) * 1e6;
      costs.push(cost);
      rows.push({
        name: `${count} node${count === 1 ? '' : 's'}: processor time of the nodes for a request`,
        value: `${cost.toFixed(0)} us`,
        note: `${Math.round(requests / seconds)} requests/s; nodes ${used.map((value) => `${Math.round((value / seconds) * 100)} %`).join(', ')} of a core; ${otherShares.join(', ')}`,
      });
    });
  }
  const growth = (costs[2] ?? Number.NaN) / (costs[0] ?? Number.NaN);
  rows.push({
    name: 'cost of a request with three nodes beside one',
    value: `${growth.toFixed(2)}x`,
    target: '<= 1.15x',
    met: growth <= 1.15,
  });
  return rows;
}
