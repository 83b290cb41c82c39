import { pause } from '../../tests/support/cluster.ts';
import { type Extent, faultsOf, percentile, type Row, startLoad, withCluster } from './measure.ts';

/** Sixty seconds of mixed load, an election every ten; the ledger at the end. */
export async function benchFailover({ isShort }: Extent): Promise<Row[]> {
  return withCluster({ hasReplicaSet: true }, async (cluster) => {
    const set = cluster.replicaSet;
    if (set === undefined) throw new Error('there is a replica set');
    const load = await startLoad({ urls: cluster.urls, clients: 8 });
    const startedAtMs = load.startTimeMs;
    const elections: number[] = [];
    for (let i = 0; i < (isShort ? 2 : 5); i += 1) {
      await pause(isShort ? 4000 : 10_000);
      await set.order('stepDown');
      await set.order('waitForPrimary');
      elections.push(Math.floor((Date.now() - startedAtMs) / 100));
    }
    await pause(isShort ? 4000 : 10_000);
    const report = await load.stop();
    const audit = await load.audit(cluster.url(0));
    const recoveries = elections.map((at) => recoveryMs(report.perTenth, at));
    const bad = Object.keys(report.statuses).filter((status) => !/^(2..|503)$/.test(status));
    return [
      {
        name: 'failover: acknowledged writes lost, doubled or miscounted',
        value: String(faultsOf(audit)),
        target: '0',
        met: faultsOf(audit) === 0,
        note: `${audit.acknowledged} inserts, ${report.requests} requests, ${elections.length} elections`,
      },
      {
        name: 'failover: answers other than success and 503 with Retry-After',
        value: String(bad.length + report.wrong.length + report.givenUp.length),
        target: '0',
        met: bad.length + report.wrong.length + report.givenUp.length === 0,
        note: JSON.stringify(report.statuses),
      },
      {
        name: 'failover: full rate again after the new primary, longest',
        value: `${Math.max(...recoveries)} ms`,
        target: '<= 2000 ms',
        met: Math.max(...recoveries) <= 2000,
        note: recoveries.map((ms) => `${ms} ms`).join(', '),
      },
    ];
  });
}

/**
 * From the new primary to the first second that has 80 % of the usual rate. Usual is what the load had just before or has soon after, the
 * lesser of both: other work on the machine changes its speed within a minute, and is not what is measured.
 */
function recoveryMs(perTenth: readonly number[], electedAt: number): number {
  const second = (tenth: number) =>
    perTenth.slice(tenth, tenth + 10).reduce((sum, count) => sum + count, 0);
  const medianOf = (from: number, seconds: number) =>
    percentile(
      Array.from({ length: seconds }, (_, i) => second(from + i * 10)),
      0.5,
    );
  const usual = Math.min(medianOf(electedAt - 50, 4), medianOf(electedAt + 30, 5));
  let tenth = electedAt;
  while (tenth < perTenth.length && second(tenth) < usual * 0.8) tenth += 1;
  return (tenth - electedAt) * 100;
}
