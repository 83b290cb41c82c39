/**
 * Networks that fall apart: packets vanish between nodes and members, and between members (issue of failover; cluster.md invariants
 * 2, 5 and part F). The members' own partition is the replica set's order `isolate`; that between nodes and members is the kernel's.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ask, login, pause, TestCluster, waitFor } from '../support/cluster.ts';
import { LedgerLoad } from '../support/ledger-load.ts';
import { PartitionedNetwork, whyNoPartitions } from '../support/network-namespaces.ts';
import { ReplicaSetProcess } from '../support/replica-set-process.ts';

const reason = whyNoPartitions();
const MEMBERS = [0, 1, 2] as const;
/** The driver gives up a member that is silent after its heartbeat and connect timeouts, 15 s together. */
const NOTICED_MS = 40_000;

describe.skipIf(reason !== undefined)(
  `partitions${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let network: PartitionedNetwork;
    let set: ReplicaSetProcess;
    let cluster: TestCluster;

    beforeEach(async () => {
      network = new PartitionedNetwork(3, 3);
      set = await ReplicaSetProcess.start({
        launcher: network.databaseLauncher,
        hosts: network.memberAddresses,
      });
      const rho = '/tokenRevocation/fail-closed->true';
      cluster = await TestCluster.open({ network, replicaSet: set, rho });
    });
    afterEach(async () => {
      await cluster?.close();
      network.close();
    });

    const cut = (node: number, members: readonly number[]): void => {
      for (const member of members) network.cut(node, member);
    };
    const startLoad = async (urls: readonly string[]): Promise<LedgerLoad> => {
      // of a node at which nobody logs out: it would take back the token that it gave as well
      const { token } = await login(cluster.url(1));
      const load = new LedgerLoad({
        urls,
        clients: 4,
        authorization: `Bearer ${token}`,
        thinkMs: 10,
      });
      await load.start();
      return load;
    };
    const expectClean = async (load: LedgerLoad): Promise<void> => {
      const report = await load.stop();
      expect(report).toMatchObject({ wrong: [], givenUp: [] });
      expect(Object.keys(report.statuses).filter((status) => !/^(2..|503)$/.test(status))).toEqual(
        [],
      );
      const audit = await load.audit(cluster.url(1));
      expect(audit).toMatchObject({ lost: [], doubled: [], miscounted: [] });
      expect(audit.acknowledged).toBeGreaterThan(20);
    };

    it('between a node and the database: that node says 503 and trusts no token, the others notice nothing', async () => {
      const { token } = await login(cluster.url(2));
      const authorization = `Bearer ${token}`;
      expect((await ask(cluster.url(2), '/restheart', { authorization })).status).toBe(200);
      const load = await startLoad(cluster.urls.slice(0, 2));
      const seen = new Set<number>();
      const refusals: string[] = [];
      const keepAsking = async (options: Parameters<typeof ask>[2], until: () => boolean) => {
        while (!until()) {
          const { status, headers, text } = await ask(cluster.url(2), '/restheart', options);
          seen.add(status);
          if (status !== 200 && !(status === 503 && headers.get('retry-after') !== null))
            refusals.push(`${status} ${text}`);
          await pause(50);
        }
      };
      let isHealed = false;
      cut(2, MEMBERS);
      const asking = [
        keepAsking({ authorization }, () => isHealed),
        keepAsking({}, () => isHealed),
      ];
      await waitFor('the node to be taken out', async () => {
        return (await ask(cluster.url(2), '/health/ready')).status === 503;
      });
      expect((await ask(cluster.url(2), '/health/live')).status).toBe(200);
      // taken back where the node cannot hear of it
      await ask(cluster.url(0), '/token', { method: 'DELETE', authorization });
      await waitFor(
        'the token to be doubted',
        async () => (await ask(cluster.url(2), '/restheart', { authorization })).status === 503,
        NOTICED_MS,
      );
      network.heal();
      isHealed = true;
      await Promise.all(asking);
      // 401 is right from the moment on at which the node can hear of it again
      expect(refusals.filter((refusal) => !refusal.startsWith('401'))).toEqual([]);
      await waitFor(
        'the node to be back, and to have heard',
        async () => {
          const ready = await ask(cluster.url(2), '/health/ready');
          const refused = await ask(cluster.url(2), '/restheart', { authorization });
          return ready.status === 200 && refused.status === 401;
        },
        NOTICED_MS,
      );
      expect(seen).toContain(503);
      await expectClean(load);
    });

    it('between a node and the primary alone: it reads from secondaries where that is asked for, and writes again when they elect', async () => {
      const { primary = 0 } = await set.order('waitForPrimary');
      const url = cluster.url(0);
      for (const path of ['/shop', '/shop/things']) await ask(url, path, { method: 'PUT' });
      await ask(url, '/shop/things', { method: 'POST', body: { a: 1 } });
      const { token } = await login(url);
      const authorization = `Bearer ${token}`;
      await set.order('settle');
      cut(0, [primary]);
      const write = () =>
        ask(url, '/shop/things', { method: 'POST', body: { a: 2 }, authorization });
      await waitFor(
        'the loss of the primary',
        async () => {
          const reply = await write();
          if (reply.status !== 201) expect(reply.status, reply.text).toBe(503);
          return reply.status === 503 && reply.headers.get('retry-after') !== null;
        },
        NOTICED_MS,
      );
      await waitFor(
        'reads from secondaries',
        async () => {
          const path = '/shop/things?readPreference=secondaryPreferred';
          const reply = await ask(url, path, { authorization });
          if (reply.status !== 200) expect(reply.status, reply.text).toBe(503);
          return reply.status === 200;
        },
        NOTICED_MS,
      );
      await set.order('elect', (primary + 1) % 3);
      await waitFor('a write', async () => (await write()).status === 201, NOTICED_MS);
    });

    it('with the old primary and a node on the lesser side: nothing acknowledged there is rolled back', async () => {
      const load = await startLoad(cluster.urls);
      await pause(1500);
      const { primary = 0 } = await set.order('waitForPrimary');
      const others = MEMBERS.filter((member) => member !== primary);
      // node 1 sees the old primary alone, which does not know that it is none any more
      cut(0, others);
      for (const node of [1, 2]) cut(node, [primary]);
      await set.order('isolate', primary);
      await set.order('elect', others[0]);
      await pause(5000);
      await set.order('heal');
      network.heal();
      await set.order('waitForPrimary');
      await pause(5000);
      await expectClean(load);
    });
  },
);
