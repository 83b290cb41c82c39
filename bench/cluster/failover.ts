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
    // full rate: a second that has 80 % of the median of all quiet seconds
    const rateAt = (tenth: number) =>
      report.perTenth.slice(tenth, tenth + 10).reduce((sum, count) => sum + count, 0);
    const quiet = report.perTenth.flatMap((_, tenth) =>
      tenth % 10 === 0 && elections.every((at) => tenth < at - 10 || tenth > at + 30)
        ? [rateAt(tenth)]
        : [],
    );
    const usual = percentile(quiet, 0.5);
    const recoveries = elections.map((at) => {
      let tenth = at;
      while (tenth < report.perTenth.length && rateAt(tenth) < usual * 0.8) tenth += 1;
      return (tenth - at) * 100;
    });
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
        value: String(bad.length + report.wrong.length + report.givenUp),
        target: '0',
        met: bad.length + report.wrong.length + report.givenUp === 0,
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
