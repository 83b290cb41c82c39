import { type Balancer, pause, type TestCluster, waitFor } from '../../tests/support/cluster.ts';
import type { LedgerLoad } from '../../tests/support/ledger-load.ts';
import {
  type Extent,
  percentile,
  processorSeconds,
  type Row,
  startLoad,
  withBalancedCluster,
} from './measure.ts';

const COUNTS = [1, 2, 3] as const;
/** The same pressure on each node: what travels together, and so the cost of a request, depends on it. */
const CLIENTS_PER_NODE = 10;
/**
 * Pause of a client between two requests where cost is measured: about 150 requests/s for each node, so that the machine is not
 * full with three nodes. On a full one processes that take turns on a core cost each other time, whatever they do.
 */
const THINK_MS = 60;

/** The compiler has seen a node's code by then; without it nodes that share a load would be measured colder than one alone. */
const WARM_REQUESTS_PER_NODE = 4000;

interface Sample {
  /** Processor time of all nodes for one request, microseconds. */
  readonly cost: number;
  readonly requestsPerSecond: number;
  /** Shares of one core. */
  readonly nodes: readonly number[];
  readonly engine: number;
  readonly haproxy: number;
}

/** The same cluster under full load, and under the same load for each node. */
interface Round {
  readonly full: Sample;
  readonly paced: Sample;
}

/** Cost of a request at equal load, and throughput, with one, two and three nodes; rounds alternate, for the machine's speed drifts. */
export async function benchScaling({ isShort }: Extent): Promise<Row[]> {
  const rounds = new Map<number, Round[]>(COUNTS.map((count) => [count, []]));
  for (let round = 0; round < (isShort ? 1 : 3); round += 1) {
    for (const count of COUNTS) {
      const sample = await withBalancedCluster({ nodes: count }, (cluster, balancer) =>
        runRound(cluster, balancer, isShort ? 2000 : 6000),
      );
      rounds.get(count)?.push(sample);
    }
  }
  const samplesOf = (count: number, kind: keyof Round) =>
    (rounds.get(count) ?? []).map((round) => round[kind]);
  const costOf = (count: number) =>
    percentile(
      samplesOf(count, 'paced').map(({ cost }) => cost),
      0.5,
    );
  const growth = costOf(3) / costOf(1);
  return [
    ...COUNTS.map((count) => toRow(count, samplesOf(count, 'paced'), 'at equal load')),
    {
      name: 'cost of a request with three nodes beside one, at equal load for each',
      value: `${growth.toFixed(2)}x`,
      target: '<= 1.15x',
      met: growth <= 1.15,
    },
    ...COUNTS.map((count) => toRow(count, samplesOf(count, 'full'), 'on a full machine')),
  ];
}

async function runRound(cluster: TestCluster, balancer: Balancer, ms: number): Promise<Round> {
  const clients = CLIENTS_PER_NODE * cluster.nodes.length;
  const load = await startLoad({ urls: [balancer.url], clients });
  const wanted = WARM_REQUESTS_PER_NODE * cluster.nodes.length;
  await waitFor('the nodes to be warm', async () => load.requestCount >= wanted, 120_000);
  const full = await measure(cluster, balancer, load, ms);
  load.thinkMs = THINK_MS;
  await pause(1000);
  const paced = await measure(cluster, balancer, load, ms);
  await load.stop();
  return { full, paced };
}

async function measure(
  cluster: TestCluster,
  balancer: Balancer,
  load: LedgerLoad,
  ms: number,
): Promise<Sample> {
  const pids = cluster.nodes.flatMap((node) => (node === undefined ? [] : [node.pid]));
  const all = [...pids, cluster.engine.pid, balancer.pid];
  const before = all.map(processorSeconds);
  const requestsBefore = load.requestCount;
  const startedAtMs = performance.now();
  await pause(ms);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const requests = load.requestCount - requestsBefore;
  const used = all.map((pid, i) => processorSeconds(pid) - (before[i] ?? 0));
  const ofNodes = used.slice(0, pids.length);
  const [engine = 0, haproxy = 0] = used.slice(pids.length);
  return {
    cost: (ofNodes.reduce((sum, value) => sum + value, 0) / requests) * 1e6,
    requestsPerSecond: requests / seconds,
    nodes: ofNodes.map((value) => value / seconds),
    engine: engine / seconds,
    haproxy: haproxy / seconds,
  };
}

function toRow(count: number, samples: readonly Sample[], where: string): Row {
  const median = (read: (sample: Sample) => number) => percentile(samples.map(read), 0.5);
  const percent = (read: (sample: Sample) => number) => `${Math.round(median(read) * 100)} %`;
  const nodes = Array.from({ length: count }, (_, i) => percent((sample) => sample.nodes[i] ?? 0));
  return {
    name: `${count} node${count === 1 ? '' : 's'}: processor time of the nodes for a request ${where}`,
    value: `${median(({ cost }) => cost).toFixed(0)} us`,
    note: `${Math.round(median((sample) => sample.requestsPerSecond))} requests/s; nodes ${nodes.join(', ')} of a core; engine ${percent((sample) => sample.engine)}, haproxy ${percent((sample) => sample.haproxy)}; medians of ${samples.length}`,
  };
}
