/** What the configuration changes about answers: operations.md §2, §3, §5, §6, §9, §11. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Row, type RowTable, testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-static-'));
mkdirSync(join(folder, 'deep/empty'), { recursive: true });
writeFileSync(join(folder, 'index.html'), '<p>hi</p>');
writeFileSync(join(folder, 'a.css'), 'body{}');
writeFileSync(join(folder, 'deep/start.json'), '{}');
afterAll(() => rmSync(folder, { recursive: true }));

/** Tests rows on a server with its own configuration. */
function onServer(name: string, configuration: string, rows: RowTable): void {
  describe(name, () => {
    let target: Target;
    beforeAll(async () => {
      target = await openTarget(configuration);
    });
    afterAll(() => target.close());
    testRows(() => target.baseUrl, rows);
  });
}

/** A row that needs no collection. */
function row(
  chapter: string,
  name: string,
  request: string,
  status: number,
  more: Partial<Row> = {},
): Row {
  return { chapter: `operations ${chapter}`, name, request, status, collection: false, ...more };
}

const GZIP = { 'Accept-Encoding': 'gzip' };
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-H${index}`, '1']));

onServer(
  'a configuration file',
  `mongo:
  uri: /api
  mongo-mounts:
    - { what: "{tenant}", where: "/{tenant}/x" }
    - { what: "/{host[0]}/coll", where: "/h/{*}" }
static-resources:
  - { what: ${folder}, where: /static }
  - { what: ${folder}/deep, where: /static/own, welcome-file: start.json }
  - { what: /no/such/folder, where: /none }
ping: { uri: /p/ing, msg: 'say "hi"', enable-extended-response: false }
roles: { uri: no-slash }
metrics: { missing-registry-status-code: 200 }
requestsMetricsCollector: { include: ["/{tenant}/*", "/*"] }
jvmMetricsCollector: { enabled: true }
xPoweredBy: { enabled: false }
dateHeader: { enabled: false }
core: { base-url: "https://api.example.com" }
connection-options:
  MAX_PARAMETERS: 5
  MAX_HEADERS: 12
  MAX_COOKIES: 2
  MAX_ENTITY_SIZE: 1000
  ALWAYS_SET_KEEP_ALIVE: false`,
  [
    row('§6', 'answers the short ping at its own path', 'GET /p/ing', 200, {
      text: '{"message": "say \\"hi\\""}',
      replyHeaders: { 'X-Powered-By': null, Date: null, Connection: null },
    }),
    row('§11', 'answers 502 where nothing is bound any more', 'GET /ping', 502, { text: '' }),
    row('§1', 'does not bind a service whose uri has no slash', 'GET /roles', 502, { text: '' }),
    row(
      '§2',
      'answers 502 with a body below the service when no mount matches',
      'GET /api/x',
      502,
      {
        text: '{"http status code":502,"http status description":"Bad Gateway","message":"No MongoDB resource bound for /api/x"}',
        replyHeaders: { 'Access-Control-Allow-Origin': null, 'Content-Type': 'application/json' },
      },
    ),
    row('§2', 'puts the base URL into Location', 'POST /api/{c}/x/c {"_id":"a"}', 201, {
      given: ['PUT /api/{c}/x', 'PUT /api/{c}/x/c'],
      replyHeaders: { Location: 'https://api.example.com/api/{c}/x/c/a' },
    }),
    row('§2', 'names a database by a part of the host', 'GET /api/h/any', 404, {
      headers: { Host: 'tenant.example.com' },
      message: "Collection 'coll' does not exist",
    }),
    row('§3', 'takes as many parameters as allowed', 'GET /p/ing?a&b&c&d&e', 200),
    row('§3', 'refuses more', 'GET /p/ing?a&b&c&d&e&f', 400, { text: '' }),
    row('§3', 'takes as many cookies as allowed', 'GET /p/ing', 200, {
      headers: { Cookie: 'a=1; b=2' },
    }),
    row('§3', 'refuses more cookies', 'GET /p/ing', 400, {
      headers: { Cookie: 'a=1; b=2; c=3' },
      text: '',
    }),
    row('§3', 'refuses more headers', 'GET /p/ing', 400, { headers: many(12), text: '' }),
    row('§3', 'refuses a larger body', `POST /api/{c}/x/c {"a":"${'x'.repeat(1000)}"}`, 413, {
      given: ['PUT /api/{c}/x', 'PUT /api/{c}/x/c'],
    }),
    row('§5', 'lists the registries in alphabetical order', 'GET /metrics', 200, {
      body: ['/*', '/jvm', '/{tenant}/*'],
    }),
    row('§5', 'labels samples with the variables of the template', 'GET /metrics/{tenant}/*', 200, {
      text: /http_requests_count\{request_method="GET",path_template="\/\{tenant\}\/\*",response_status_code="200",path_template_param_tenant="p",\} \d/,
    }),
    row('§5', 'answers as configured for an unknown registry', 'GET /metrics/no', 200, {
      text: '',
    }),
    row('§9', 'redirects to the folder', 'GET /static', 302, {
      replyHeaders: { Location: 'http://{host}/static/', 'Access-Control-Allow-Origin': null },
    }),
    row('§9', 'serves the welcome file', 'GET /static/', 200, {
      text: '<p>hi</p>',
      replyHeaders: { 'Content-Type': 'text/html', 'Accept-Ranges': 'bytes' },
    }),
    row('§9', 'serves its own welcome file', 'GET /static/own/', 200, { text: '{}' }),
    row('§9', 'lists no folder', 'GET /static/deep/empty/', 403, { text: '' }),
    row('§9', 'misses a file', 'GET /static/nope', 404, { text: '' }),
    row('§9', 'stays in the folder', 'GET /static/%2e%2e/etc/passwd', 404, { text: '' }),
    row('§9', 'answers POST as GET, uncompressed', 'POST /static/a.css {}', 200, {
      headers: GZIP,
      text: 'body{}',
      replyHeaders: { 'Content-Encoding': null },
    }),
    row('§9', 'sends a range', 'GET /static/a.css', 206, {
      headers: { Range: 'bytes=0-3' },
      text: 'body',
      replyHeaders: { 'Content-Range': 'bytes 0-3/6' },
    }),
    row('§9', 'does not bind a missing folder', 'GET /none/', 502, { text: '' }),
    row(
      '§9',
      'has no page of the metrics where the list does not name it',
      'GET /metrics-ui/',
      502,
    ),
  ],
);

onServer(
  'values that nothing understands',
  `mongo:
  mongo-mounts: [{ what: "*", where: / }]
  etag-check-policy: { doc: always, coll: REQUIRED, thing: OPTIONAL }
  eager-cursors: true
logging:
  log-to-console: false
  tracing-headers: [X-Trace-Id]`,
  [
    row('§4.2', 'echoes the first line of a tracing header', 'GET /ping', 200, {
      headers: { 'x-trace-id': ['one', 'two'] },
      replyHeaders: { 'X-Trace-Id': 'one' },
    }),
    {
      chapter: 'operations §1',
      name: 'leaves a wrong policy at its default',
      given: ['PUT /{db}/{c}/a?wm=upsert {}'],
      request: 'DELETE /{db}/{c}/a',
      status: 204,
    },
    {
      chapter: 'operations §1',
      name: 'takes the right one beside it',
      request: 'PATCH /{db}/{c} {"a":1}',
      status: 409,
    },
  ],
);

onServer('clients that must accept compression', 'core: { force-gzip-encoding: true }', [
  row('§11', 'refuses those that say nothing', 'GET /ping', 400, { text: '' }),
  row('§11', 'refuses those that exclude it', 'GET /ping', 400, {
    headers: { 'Accept-Encoding': 'identity, gzip;q=0' },
    text: '',
  }),
  row('§11', 'serves the others', 'GET /ping', 200, {
    headers: GZIP,
    replyHeaders: { 'Content-Encoding': 'gzip', Connection: 'keep-alive' },
  }),
]);
