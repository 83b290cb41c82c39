/** Nodes that leave under load: by a restart, and by kill -9. */
import { pause } from '../../tests/support/cluster.ts';
import {
  type Extent,
  failuresOf,
  faultsOf,
  type Row,
  startLoad,
  withBalancedCluster,
} from './measure.ts';

/** Nodes restarted one after another until the load has made its number of requests. */
export async function benchRestart({ isShort }: Extent): Promise<Row[]> {
  const wanted = isShort ? 5000 : 100_000;
  return withBalancedCluster({}, async (cluster, balancer) => {
    const load = await startLoad({ urls: [balancer.url], clients: 12 });
    let restarts = 0;
    while (load.requestCount < wanted || restarts < 3) {
      const i = restarts % cluster.nodes.length;
      await cluster.nodes[i]?.stop();
      await cluster.startNode(i);
      await cluster.waitUntilReady();
      await pause(1000);
      restarts += 1;
    }
    const report = await load.stop();
    const audit = await load.audit(balancer.url);
    const failed = failuresOf(report.statuses);
    if (failed > 0) console.log(balancer.log());
    const wrong = faultsOf(audit);
    return [
      {
        name: 'rolling restart: failed requests',
        value: String(failed),
        target: '0',
        met: failed === 0 && wrong === 0,
        note: `${report.requests} requests, ${restarts} restarts, ${wrong} writes lost or doubled; ${JSON.stringify(report.statuses)}`,
      },
    ];
  });
}

/** kill -9 of one node after another under load. */
export async function benchKill({ isShort }: Extent): Promise<Row[]> {
  return withBalancedCluster({}, async (cluster, balancer) => {
    const load = await startLoad({ urls: [balancer.url], clients: 12 });
    const kills = isShort ? 2 : 8;
    for (let i = 0; i < kills; i += 1) {
      await pause(2000);
      await cluster.nodes[i % 3]?.kill();
      await pause(2000);
      await cluster.startNode(i % 3);
      await cluster.waitUntilReady();
    }
    const report = await load.stop();
    const audit = await load.audit(balancer.url);
    const wrong = faultsOf(audit);
    return [
      {
        name: 'kill -9: writes lost or doubled',
        value: String(wrong + report.givenUp.length + report.wrong.length),
        target: '0',
        met: wrong + report.givenUp.length + report.wrong.length === 0,
        note: `${kills} kills, ${report.requests} requests, cut or refused and repeated: ${failuresOf(report.statuses)}`,
      },
    ];
  });
}
