/**
 * `npm run bench:cluster [-- --short] [-- scaling coherence failover restart kill registry]`: what a cluster costs and how
 * it fails, measured with real processes. The figures of one run may be compared with each other; the machine's speed drifts.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { MongoClient } from 'mongodb';
import {
  ask,
  type Balancer,
  hasProgram,
  login,
  pause,
  startBalancer,
  TestCluster,
} from '../tests/support/cluster.ts';
import { LedgerLoad } from '../tests/support/ledger-load.ts';
import { simulateRegistry } from './lib/registry-simulation.ts';

interface Row {
  readonly name: string;
  readonly value: string;
  readonly target?: string;
  readonly met?: boolean;
  readonly note?: string;
}

const args = process.argv.slice(2);
const isShort = args.includes('--short');
const names = args.filter((arg) => !arg.startsWith('--'));
const CLOCK_TICKS = Number(spawnSync('getconf', ['CLK_TCK']).stdout?.toString() || 100);

/** Seconds of processor time that a process has used. */
function processorSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A cluster behind HAProxy for the time of `run`. */
async function withCluster<T>(
  options: Parameters<typeof TestCluster.open>[0],
  run: (cluster: TestCluster, balancer: Balancer) => Promise<T>,
): Promise<T> {
  const cluster = await TestCluster.open(options);
  const balancer = await startBalancer('haproxy', cluster.ports);
  try {
    return await run(cluster, balancer);
  } finally {
    await balancer.close();
    await cluster.close();
  }
}

/** Throughput and cost of a request with one, two and three nodes. */
async function benchScaling(): Promise<Row[]> {
  const rows: Row[] = [];
  const costs: number[] = [];
  for (const count of [1, 2, 3]) {
    await withCluster({ nodes: count }, async (cluster, balancer) => {
      const { token } = await login(balancer.url);
      const load = new LedgerLoad({
        urls: [balancer.url],
        clients: 24,
        authorization: `Bearer ${token}`,
      });
      await load.start();
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

/** From the reply of the node that made a change to its effect on the two others. */
async function benchCoherence(): Promise<Row[]> {
  const changes = isShort ? 100 : 1000;
  return withCluster({}, async (cluster) => {
    const admin = `Bearer ${(await login(cluster.url(0))).token}`;
    const change = (path: string, method: string, body?: unknown) =>
      ask(cluster.url(0), path, { method, body, authorization: admin });
    await change('/shop', 'PUT');
    await change('/shop/things', 'PUT');
    await change('/shop/_schemas', 'PUT');
    await change('/restheart/users?wm=upsert', 'POST', {
      _id: 'ann',
      password: 'secret-1',
      roles: ['r0'],
    });
    const delays = new Map<string, number[]>();
    const measure = async (
      kind: string,
      isInForce: (url: string) => Promise<boolean>,
    ): Promise<void> => {
      const startedAtMs = performance.now();
      await Promise.all(
        cluster.urls.slice(1).map(async (url) => {
          while (!(await isInForce(url))) {
            if (performance.now() - startedAtMs > 60_000) throw new Error(`${kind} takes too long`);
          }
          const list = delays.get(kind) ?? [];
          list.push(performance.now() - startedAtMs);
          delays.set(kind, list);
        }),
      );
    };
    const basic = `Basic ${Buffer.from('ann:secret-1').toString('base64')}`;
    for (let i = 0; i < changes; i += 1) {
      const kind = ['account', 'permission', 'properties', 'revocation'][i % 4];
      if (kind === 'account') {
        await change('/restheart/users/ann', 'PATCH', { roles: [`r${i}`] });
        await measure('account', async (url) =>
          (await ask(url, '/roles/ann', { authorization: basic })).text.includes(`"r${i}"`),
        );
      } else if (kind === 'permission') {
        const isOpen = i % 8 === 1;
        await (isOpen
          ? change('/restheart/acl?wm=upsert', 'POST', {
              _id: 'open',
              roles: ['$unauthenticated'],
              predicate: 'path-prefix[/shop]',
              priority: 1,
            })
          : change('/restheart/acl/open', 'DELETE'));
        await measure('permission', async (url) => (await fetch(`${url}/shop`)).ok === isOpen);
      } else if (kind === 'properties') {
        await change('/shop/things', 'PATCH', { n: i });
        await measure('properties', async (url) =>
          (await ask(url, '/shop/things/_meta', { authorization: admin })).text.includes(`${i}`),
        );
      } else {
        const { token } = await login(cluster.url(0));
        const authorization = `Bearer ${token === admin.slice(7) ? await renew(cluster.url(0)) : token}`;
        await ask(cluster.url(0), '/token', { method: 'DELETE', authorization });
        await measure(
          'revocation',
          async (url) => (await ask(url, '/', { authorization })).status === 401,
        );
      }
    }
    const all = [...delays.values()].flat();
    return [...delays, ['all kinds', all] as const].map(([kind, values]) => {
      const p99 = percentile(values, 0.99);
      return {
        name: `a change on one node is in force on the others, p99: ${kind}`,
        value: `${p99.toFixed(0)} ms`,
        target: '<= 1000 ms',
        met: p99 <= 1000,
        note: `median ${percentile(values, 0.5).toFixed(0)} ms, longest ${Math.max(...values).toFixed(0)} ms, ${values.length} observations`,
      };
    });
  });
}

async function renew(url: string): Promise<string> {
  const reply = await ask(url, '/token?renew', { method: 'POST' });
  return (JSON.parse(reply.text) as { access_token: string }).access_token;
}

/** Sixty seconds of mixed load, an election every ten; the ledger at the end. */
async function benchFailover(): Promise<Row[]> {
  return withCluster({ hasReplicaSet: true }, async (cluster) => {
    const set = cluster.replicaSet;
    if (set === undefined) throw new Error('there is a replica set');
    const { token } = await login(cluster.url(0));
    const load = new LedgerLoad({
      urls: cluster.urls,
      clients: 8,
      authorization: `Bearer ${token}`,
      thinkMs: 10,
    });
    const startedAtMs = Date.now();
    await load.start();
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
        value: String(audit.lost.length + audit.doubled.length + audit.miscounted.length),
        target: '0',
        met: audit.lost.length + audit.doubled.length + audit.miscounted.length === 0,
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

/** Nodes restarted one after another until the load has made its number of requests. */
async function benchRestart(): Promise<Row[]> {
  const wanted = isShort ? 5000 : 100_000;
  return withCluster({}, async (cluster, balancer) => {
    const { token } = await login(balancer.url);
    const load = new LedgerLoad({
      urls: [balancer.url],
      clients: 12,
      authorization: `Bearer ${token}`,
    });
    await load.start();
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
    const failed = Object.entries(report.statuses).reduce(
      (sum, [status, count]) => sum + (/^2..$/.test(status) ? 0 : count),
      0,
    );
    const wrong = audit.lost.length + audit.doubled.length + audit.miscounted.length;
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
async function benchKill(): Promise<Row[]> {
  return withCluster({}, async (cluster, balancer) => {
    const { token } = await login(balancer.url);
    const load = new LedgerLoad({
      urls: [balancer.url],
      clients: 12,
      authorization: `Bearer ${token}`,
    });
    await load.start();
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
    const wrong = audit.lost.length + audit.doubled.length + audit.miscounted.length;
    return [
      {
        name: 'kill -9: writes lost or doubled',
        value: String(wrong + report.givenUp + report.wrong.length),
        target: '0',
        met: wrong + report.givenUp + report.wrong.length === 0,
        note: `${kills} kills, ${report.requests} requests, cut or refused and repeated: ${report.requests - Object.entries(report.statuses).reduce((sum, [status, count]) => sum + (/^2/.test(status) ? count : 0), 0)}`,
      },
    ];
  });
}

/** Two hundred registered nodes: what their heartbeats and lists cost the database. */
async function benchRegistry(): Promise<Row[]> {
  const cluster = await TestCluster.open({ nodes: 0 });
  const client = await new MongoClient(cluster.engine.uri).connect();
  try {
    const rows: Row[] = [];
    // the first operations of a fresh database are no measure
    await simulateRegistry(client, { nodes: 20, beats: 20 });
    for (const count of isShort ? [10, 200] : [10, 50, 200]) {
      const before = processorSeconds(cluster.engine.pid);
      const result = await simulateRegistry(client, { nodes: count, beats: isShort ? 12 : 24 });
      const used = processorSeconds(cluster.engine.pid) - before;
      rows.push({
        name: `registry of ${count} nodes: processor time of the database for a heartbeat`,
        value: `${((used / result.beats) * 1e6).toFixed(0)} us`,
        note: `${result.documentsRead} entries read in ${result.beats} heartbeats; every node saw ${result.seen}; at one in 5 s: ${((((used / result.beats) * count) / 5) * 100).toFixed(1)} % of a core`,
      });
    }
    return rows;
  } finally {
    await client.close();
    await cluster.close();
  }
}

const suites: Readonly<Record<string, () => Promise<Row[]>>> = {
  scaling: benchScaling,
  coherence: benchCoherence,
  failover: benchFailover,
  restart: benchRestart,
  kill: benchKill,
  registry: benchRegistry,
};

if (!hasProgram('haproxy')) throw new Error('haproxy is needed');
const rows: Row[] = [];
for (const [name, suite] of Object.entries(suites)) {
  if (names.length > 0 && !names.includes(name)) continue;
  for (const row of await suite()) {
    rows.push(row);
    const verdict = row.met === undefined ? '' : row.met ? ' met' : ' MISSED';
    const target = row.target === undefined ? '' : ` (${row.target}${verdict})`;
    console.log(
      `${row.name}: ${row.value}${target}${row.note === undefined ? '' : `; ${row.note}`}`,
    );
  }
}
mkdirSync('bench/results', { recursive: true });
const file = `bench/results/cluster-${new Date().toISOString().replaceAll(':', '-')}.json`;
writeFileSync(
  file,
  JSON.stringify({ node: process.version, cpus: cpus().length, short: isShort, rows }, null, 2),
);
console.log(file);
process.exit(rows.some(({ met }) => met === false) ? 1 : 0);
