// `npm test`: installs what is missing, builds, runs every kind of test this machine can run, and
// closes with one line of totals. Arguments narrow it: `npm test -- path/to/file.test.ts -t "name"`.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

function run(command, args, options = {}) {
  return spawnSync(command, args, { stdio: 'inherit', ...options }).status ?? 1;
}

if (!existsSync('node_modules/vitest')) {
  const status = run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
  if (status !== 0) process.exit(status);
}
for (const step of [['node_modules/typescript/bin/tsc', '-b'], ['tools/bundle.mjs']]) {
  const built = run(process.execPath, step);
  if (built !== 0) process.exit(built);
}

// thousands of coloured dots are no reading
process.env.NO_COLOR = '1';

const filters = process.argv.slice(2);
const vitest = join('node_modules', 'vitest', 'vitest.mjs');
if (filters.length > 0) process.exit(run(process.execPath, [vitest, 'run', ...filters]));

/** Programs that some tests need; without one its tests are skipped by name. */
const optionalPrograms = {
  haproxy: 'load balancer tests',
  nginx: 'load balancer tests',
  chromium: 'browser tests',
};
/** Kinds of tests that need a program which an environment variable names. */
const optionalKinds = {
  'conformance on a second database': 'SECANTUS does not name the program secantusd-py',
  'specification tests of the drivers': 'DRIVER_SPECS does not name the folder of their files',
  'conformance on a newer Node': 'NEWER_NODE does not name its program',
};
const onPath = (name) =>
  (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
const missing = Object.keys(optionalPrograms).filter((name) => !onPath(name));

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const folder = mkdtempSync(join(tmpdir(), 'quorate-test-'));
runKind(['unit']);
// side by side: the specifications are one file, which leaves the other core to the engine's own tests
runKind(['engine', ...driverSpecs()]);
runKind(['conformance'], newerNode());
await runOnSecondDatabase();
runKind(['e2e']);
runKind(['faults']);
rmSync(folder, { recursive: true, force: true });

for (const failure of failures) console.log(`FAILED ${failure}`);
for (const name of missing) {
  const reason = optionalKinds[name] ?? `no ${name} on the PATH`;
  console.log(`not run here: ${optionalPrograms[name] ?? name} (${reason})`);
}
console.log(
  `${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`,
);
process.exit(totals.failed > 0 || totals.passed === 0 ? 1 : 0);

/** Runs the tests of vitest projects and adds to the totals. */
function runKind(
  projects,
  { label = projects.join(' and '), node = process.execPath, env = {}, options = [] } = {},
) {
  const startedAt = Date.now();
  const report = join(folder, `${label.replaceAll(' ', '-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = run(
    node,
    [
      vitest,
      'run',
      ...projects.flatMap((project) => ['--project', project]),
      '--passWithNoTests',
      '--silent=passed-only',
      ...reporters,
      ...options,
    ],
    { env: { ...process.env, ...env } },
  );
  const counted = countReport(report);
  totals.passed += counted.passed;
  totals.failed += counted.failed;
  totals.skipped += counted.skipped;
  // a file that could not be loaded, or an error outside of any test, fails the run too
  if (status !== 0 && counted.failed === 0) {
    totals.failed += 1;
    failures.push(`${label}: the runner failed without a failing test (see above)`);
  }
  failures.push(...counted.names.map((name) => `${label}: ${name}`));
  const seconds = Math.round((Date.now() - startedAt) / 1000);
  console.log(
    `${label}: ${counted.passed} passed, ${counted.failed} failed, ${counted.skipped} skipped (${seconds} s)`,
  );
}

/** The project of the drivers' specification tests on the engine, where their files are there. */
function driverSpecs() {
  const specs = process.env.DRIVER_SPECS;
  if (specs && existsSync(specs)) return ['driver-specs'];
  missing.push('specification tests of the drivers');
  return [];
}

/** The rows run twice: on the embedded engine with a newer Node, where there is one, and on another database with this one. */
function newerNode() {
  const node = process.env.NEWER_NODE;
  const label = 'conformance on a newer Node';
  if (!node || !existsSync(node)) {
    missing.push(label);
    return {};
  }
  const { stdout } = spawnSync(node, ['-v'], { encoding: 'utf8' });
  return { node, label: `conformance on Node ${stdout.trim()}` };
}

/** The conformance rows again, on SecantusDB: an independent server that speaks MongoDB's protocol. */
async function runOnSecondDatabase() {
  const label = 'conformance on a second database';
  const program = process.env.SECANTUS;
  if (!program || !existsSync(program)) {
    missing.push(label);
    return;
  }
  const port = await freePort();
  const server = spawn(
    program,
    ['--port', String(port), '--storage-path', ':memory:', '--log-level', 'ERROR'],
    { cwd: folder, stdio: 'ignore' },
  );
  try {
    await listening(port);
    const env = {
      MONGODB_URI: `mongodb://127.0.0.1:${port}/`,
      CONFORMANCE_GAPS: 'secantusdb',
    };
    // the server is slow and single-threaded: two files at once make rows wait longer than they may
    runKind(['conformance'], { label, env, options: ['--maxWorkers=1', '--retry=1'] });
  } catch (error) {
    totals.failed += 1;
    failures.push(`${label}: ${error.message}`);
  } finally {
    server.kill('SIGTERM');
  }
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function listening(port) {
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.setTimeout(1000, () => socket.destroy());
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('SecantusDB did not start within 30 s');
}

function countReport(path) {
  const counted = { passed: 0, failed: 0, skipped: 0, names: [] };
  if (!existsSync(path)) return counted;
  const report = JSON.parse(readFileSync(path, 'utf8'));
  counted.passed = report.numPassedTests;
  counted.failed = report.numFailedTests;
  counted.skipped = report.numPendingTests + (report.numTodoTests ?? 0);
  for (const file of report.testResults) {
    for (const test of file.assertionResults) {
      if (test.status === 'failed') counted.names.push(test.fullName);
    }
  }
  return counted;
}
