/** What the suites of `npm run bench:cluster` have in common. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Balancer, login, startBalancer, TestCluster } from '../../tests/support/cluster.ts';
import { type Audit, LedgerLoad, type LoadOptions } from '../../tests/support/ledger-load.ts';

/** One printed line. */
export interface Row {
  readonly name: string;
  readonly value: string;
  readonly target?: string;
  readonly met?: boolean;
  readonly note?: string;
}

/** How thorough a run is: everything, or enough to see that it works. */
export interface Extent {
  readonly isShort: boolean;
}

/** One subject of the benchmark. */
export type Suite = (extent: Extent) => Promise<Row[]>;

const CLOCK_TICKS = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString() || 100);

/** Seconds of processor time that a process has used. */
export function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

/** @param share - 0.5 is the median */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A cluster for the time of `run`. */
export async function withCluster<T>(
  options: Parameters<typeof TestCluster.open>[0],
  run: (cluster: TestCluster) => Promise<T>,
): Promise<T> {
  const cluster = await TestCluster.open(options);
  try {
    return await run(cluster);
  } finally {
    await cluster.close();
  }
}

/** The same behind HAProxy. */
export function withBalancedCluster<T>(
  options: Parameters<typeof TestCluster.open>[0],
  run: (cluster: TestCluster, balancer: Balancer) => Promise<T>,
): Promise<T> {
  return withCluster(options, async (cluster) => {
    const balancer = await startBalancer('haproxy', cluster.ports);
    try {
      return await run(cluster, balancer);
    } finally {
      await balancer.close();
    }
  });
}

/** Clients with a token, already at work. */
export async function startLoad(options: Omit<LoadOptions, 'authorization'>): Promise<LedgerLoad> {
  const { token } = await login(options.urls[0] ?? '');
  const load = new LedgerLoad({ ...options, authorization: `Bearer ${token}` });
  await load.start();
  return load;
}

/** Writes that are not in the database exactly as they were acknowledged. */
export function faultsOf({ lost, doubled, miscounted }: Audit): number {
  return lost.length + doubled.length + miscounted.length;
}

/** Answers other than success. */
export function failuresOf(statuses: Readonly<Record<number, number>>): number {
  return Object.entries(statuses).reduce(
    (sum, [status, count]) => sum + (/^2..$/.test(status) ? 0 : count),
    0,
  );
}
