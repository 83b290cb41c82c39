// `npm run fuzz [-- --seconds 60]`: a node on the embedded engine, described by its own /openapi.json, under schemathesis.
// SCHEMATHESIS names the program; without it nothing is run, and that is said.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNode } from '../bench/lib/processes.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const program = process.env.SCHEMATHESIS;
if (!program || !existsSync(program)) {
  console.log('fuzz: not run here, SCHEMATHESIS does not name the program schemathesis');
  process.exit(0);
}
const at = process.argv.indexOf('--seconds');
const seconds = at < 0 ? 60 : Number(process.argv[at + 1]);

const node = await startNode(undefined);
const folder = mkdtempSync(join(tmpdir(), 'quorate-fuzz-'));
let code = 1;
try {
  await prepare(node.url);
  code = await run([
    'run',
    `${node.url}/openapi.json`,
    ...['--include-path-regex', '^/(fuzz|_sessions)'],
    ...['--checks', 'no_server_error', '--max-time', String(seconds), '--continue-on-failure'],
    ...['--report-dir', folder, '--no-color', '--warnings', 'off'],
  ]);
  // what the requests did to it must not have harmed it
  const { status } = await fetch(`${node.url}/fuzz/_size`);
  if (status !== 200) {
    console.log(`fuzz: the node answers ${status} afterwards`);
    code = 1;
  }
} finally {
  await node.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);

function run(args) {
  const env = {
    ...process.env,
    SCHEMATHESIS_HOOKS: 'checks',
    PYTHONPATH: join(root, 'tests/fuzz'),
  };
  const child = spawn(program, args, { cwd: folder, env, stdio: 'inherit' });
  return new Promise((resolve, reject) => {
    child.on('close', (status) => resolve(status ?? 1)).on('error', reject);
  });
}

/** One of every kind of resource, so that the description names them. */
async function prepare(url) {
  const send = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  };
  await send('PUT', '/fuzz');
  await send('PUT', '/fuzz/_schemas');
  await send('PUT', '/fuzz/_schemas/person?wm=upsert', {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string', minLength: 1 },
      age: { type: 'integer', minimum: 0, exclusiveMinimum: true },
      tags: { type: 'array', items: { type: 'string' }, uniqueItems: true },
      address: { $ref: '#/definitions/address' },
    },
    definitions: { address: { properties: { zip: { type: 'string', pattern: '^[0-9]{5}$' } } } },
  });
  await send('PUT', '/fuzz/people', { jsonSchema: { schemaId: 'person' } });
  await send('PUT', '/fuzz/free', {
    aggrs: [
      { uri: 'page', stages: [{ $skip: { $var: '@skip' } }, { $limit: { $var: '@limit' } }] },
      { uri: 'bound', stages: [{ $match: { n: { $var: 'n' } } }] },
      { uri: 'optional', stages: [{ $ifvar: ['n', { $match: { n: { $var: 'n' } } }] }] },
    ],
    rels: [
      {
        rel: 'one',
        type: 'ONE_TO_ONE',
        role: 'OWNING',
        'target-coll': 'people',
        'ref-field': 'one',
      },
      {
        rel: 'many',
        type: 'ONE_TO_MANY',
        role: 'OWNING',
        'target-coll': 'people',
        'ref-field': '$.l.[*]',
      },
    ],
  });
  await send('POST', '/fuzz/free', [
    { _id: 'a', n: 1, one: 'x', l: ['x', 'y'] },
    { _id: 'b', n: 2, one: 3, l: 'x' },
  ]);
  await send('PUT', '/fuzz/b.files');
}
