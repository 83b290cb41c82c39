import { type Balancer, pause, type TestCluster } from '../../tests/support/cluster.ts';
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

interface Sample {
  /** Processor time of all nodes for one request, microseconds. */
  readonly cost: number;
  readonly requestsPerSecond: number;
  /** Shares of one core. */
  readonly nodes: readonly number[];
  readonly engine: number;
  readonly haproxy: number;
}

/** Cost of a request at equal load, and throughput, with one, two and three nodes; rounds alternate, for the machine's speed drifts. */
export async function benchScaling({ isShort }: Extent): Promise<Row[]> {
  const paced = await sampleCounts(isShort ? 1 : 5, isShort ? 3000 : 6000, THINK_MS);
  const full = await sampleCounts(isShort ? 1 : 3, isShort ? 3000 : 6000);
  const costOf = (count: number) =>
    percentile(paced.get(count)?.map(({ cost }) => cost) ?? [], 0.5);
  const growth = costOf(3) / costOf(1);
  return [
    ...COUNTS.map((count) => toRow(count, paced.get(count) ?? [], 'at equal load')),
    {
      name: 'cost of a request with three nodes beside one, at equal load for each',
      value: `${growth.toFixed(2)}x`,
      target: '<= 1.15x',
      met: growth <= 1.15,
    },
    ...COUNTS.map((count) => toRow(count, full.get(count) ?? [], 'on a full machine')),
  ];
}

async function sampleCounts(
  rounds: number,
  ms: number,
  thinkMs?: number,
): Promise<ReadonlyMap<number, readonly Sample[]>> {
  const samples = new Map<number, Sample[]>(COUNTS.map((count) => [count, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const count of COUNTS) {
      const sample = await withBalancedCluster({ nodes: count }, (cluster, balancer) =>
        measure(cluster, balancer, ms, thinkMs),
      );
      samples.get(count)?.push(sample);
    }
  }
  return samples;
}

async function measure(
  cluster: TestCluster,
  balancer: Balancer,
  ms: number,
  thinkMs?: number,
): Promise<Sample> {
  const clients = CLIENTS_PER_NODE * cluster.nodes.length;
  const load = await startLoad({
    urls: [balancer.url],
    clients,
    ...(thinkMs !== undefined && { thinkMs }),
  });
  // compiled by then, and the balancer's slow start is over
  await pause(3000);
  const pids = cluster.nodes.flatMap((node) => (node === undefined ? [] : [node.pid]));
  const all = [...pids, cluster.engine.pid, balancer.pid];
  const before = all.map(processorSeconds);
  const requestsBefore = load.requestCount;
  const startedAtMs = performance.now();
  await pause(ms);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const requests = load.requestCount - requestsBefore;
  const used = all.map((pid, i) => processorSeconds(pid) - (before[i] ?? 0));
  await load.stop();
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
