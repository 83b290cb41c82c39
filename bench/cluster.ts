/**
 * `npm run bench:cluster [-- --short] [-- scaling coherence failover restart kill registry]`: what a cluster costs and how
 * it fails, measured with real processes. The figures of one run may be compared with each other; the machine's speed drifts.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { hasProgram } from '../tests/support/cluster.ts';
import { benchCoherence } from './cluster/coherence.ts';
import { benchFailover } from './cluster/failover.ts';
import { benchKill, benchRestart } from './cluster/leaving-nodes.ts';
import type { Row, Suite } from './cluster/measure.ts';
import { benchRegistry } from './cluster/registry.ts';
import { benchScaling } from './cluster/scaling.ts';

const args = process.argv.slice(2);
const isShort = args.includes('--short');
const names = args.filter((arg) => !arg.startsWith('--'));

const suites: Readonly<Record<string, Suite>> = {
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
  for (const row of await suite({ isShort })) {
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
  JSON.stringify(
    { node: process.version, cpus: cpus().length, load: loadavg(), short: isShort, rows },
    null,
    2,
  ),
);
console.log(file);
process.exit(rows.some(({ met }) => met === false) ? 1 : 0);
