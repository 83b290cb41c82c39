// `npm run bench [-- --short] [-- name …]`: prints a table of ratios measured in this run and writes
// them as JSON to bench/results/. Only the ratios mean something: the machine's speed drifts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benchEngine } from './engine.mjs';
import { benchHttp } from './http.mjs';
import { hasWrk } from './lib/load.mjs';
import { benchMass } from './mass.mjs';
import { benchResources } from './resources.mjs';
import { benchSecurity } from './security.mjs';
import { benchStart } from './start.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const args = process.argv.slice(2);
const short = args.includes('--short');
const names = args.filter((arg) => !arg.startsWith('--'));
const suites = {
  http: benchHttp,
  resources: benchResources,
  security: benchSecurity,
  mass: benchMass,
  start: benchStart,
  engine: benchEngine,
};

const rows = [];
for (const [name, suite] of Object.entries(suites)) {
  if (names.length > 0 && !names.includes(name)) continue;
  rows.push(...(await suite({ short })));
}

const width = Math.max(...rows.map((row) => row.name.length));
console.log(`\n${'measure'.padEnd(width)}  ${'value'.padStart(12)}  ${'target'.padStart(10)}`);
for (const row of rows) {
  const met = row.met === undefined ? '' : row.met ? 'met' : 'MISSED';
  console.log(
    `${row.name.padEnd(width)}  ${row.value.padStart(12)}  ${(row.target ?? '').padStart(10)}  ${met} ${row.note ?? ''}`.trimEnd(),
  );
}
mkdirSync('bench/results', { recursive: true });
const file = `bench/results/${new Date().toISOString().replaceAll(':', '-')}.json`;
writeFileSync(
  file,
  JSON.stringify(
    {
      node: process.version,
      cpus: cpus().length,
      loadGenerator: hasWrk ? 'wrk' : 'autocannon',
      short,
      rows,
    },
    null,
    2,
  ),
);
console.log(`\n${file}`);
process.exit(0);
