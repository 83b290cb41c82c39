// `npm start`: installs what is missing, builds what has changed, starts the server and says what to try.
// `--watch` builds and starts again at each change of a source. Other arguments go to the server.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const args = process.argv.slice(2).filter((argument) => argument !== '--watch');
const isWatching = process.argv.includes('--watch');
const main = join('packages', 'server', 'dist', 'bundle', 'main.js');
const packages = ['engine', 'plugin-api', 'server'];

function run(command, commandArgs) {
  return spawnSync(command, commandArgs, { stdio: 'inherit' }).status ?? 1;
}

function newestSourceMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue;
    newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return newest;
}

/** The last file of the build is younger than all sources. */
function isBuilt() {
  if (!existsSync(main)) return false;
  const builtMs = statSync(main).mtimeMs;
  return packages.every((name) => builtMs >= newestSourceMs(join('packages', name, 'src')));
}

function build() {
  console.log('Building …');
  const compiled = run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b']);
  return compiled === 0 ? run(process.execPath, [join('tools', 'bundle.mjs')]) : compiled;
}

function tryThis(url, password) {
  const known =
    password === undefined
      ? 'P=…      # the password of admin, which the very first start on this data printed'
      : `P='${password}'      # the password of admin; it is shown only now`;
  return `
Quorate listens on ${url} — things to try:

  ${known}
  curl ${url}/ping
  curl -u "admin:$P" -X PUT  ${url}/people
  curl -u "admin:$P" -X POST ${url}/people -H 'Content-Type: application/json' -d '{"name": "Ada", "born": 1815}'
  curl -u "admin:$P" -g '${url}/people?filter={"born":{"$lt":1900}}'

Data is kept in ${process.env.QUORATE_DATA ?? './quorate-data'} unless MONGODB_URI names another database. Ctrl-C stops.
`;
}

// the first account is made beside the first requests: its password comes a moment after the URL
const PASSWORD_PATIENCE_MS = 2000;

function start() {
  const server = spawn(process.execPath, ['--enable-source-maps', main, 'start', ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  let password;
  server.on('message', (message) => {
    if (message.kind === 'first-account') password = message.password;
    if (message.kind === 'ready') {
      setTimeout(() => console.log(tryThis(message.url, password)), PASSWORD_PATIENCE_MS);
    }
  });
  return server;
}

if (!existsSync(join('node_modules', 'typescript'))) {
  console.log('Installing …');
  const status = run(process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]);
  if (status !== 0) process.exit(status);
}
if (!isBuilt()) {
  const status = build();
  if (status !== 0) process.exit(status);
}

let server = start();
let isRestarting = false;
const watchExit = () => {
  server.on('exit', (code, signal) => {
    if (isRestarting) return;
    if (isWatching && signal === null && code !== 0) console.log('Waiting for a change …');
    else process.exit(code ?? 0);
  });
};
watchExit();
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.kill(signal));

if (isWatching) {
  let timer;
  const restart = () => {
    if (build() !== 0) return;
    isRestarting = true;
    const next = () => {
      isRestarting = false;
      server = start();
      watchExit();
    };
    if (server.exitCode !== null || server.signalCode !== null) next();
    else {
      server.once('exit', next);
      server.kill('SIGTERM');
    }
  };
  for (const name of packages) {
    watch(join('packages', name, 'src'), { recursive: true }, (_event, file) => {
      if (file?.endsWith('.ts') !== true || file.endsWith('.test.ts')) return;
      clearTimeout(timer);
      timer = setTimeout(restart, 200);
    });
  }
}
