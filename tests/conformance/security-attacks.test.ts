/** Requests that want in where they may not: none gets in, none breaks the server. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, bearer, claimsOf, signJwt, TEST_KEY } from '../support/jwt.ts';
import { send, sendBytes, type WireReply } from '../support/raw-http.ts';
import { ADMIN, command, MONGO_SECURITY } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const SECRET = 'the-secret-nobody-may-see';
let target: Target;
beforeAll(async () => {
  target = await openTarget(
    ALL_DATABASES,
    `${MONGO_SECURITY}oauthAuthorizationService:\n  enabled: true\n  login-url: https://app.example/login\n`,
  );
  const { baseUrl } = target;
  for (const text of [
    'PUT /vault',
    'PUT /vault/docs',
    `POST /vault/docs {"_id":"s","owner":"admin","secret":"${SECRET}"}`,
    'POST /vault/docs {"_id":"m","owner":"mallory"}',
    'PUT /open',
    'PUT /open/docs',
    'POST /restheart/users {"_id":"mallory","password":"pw","roles":["guest"]}',
    `POST /restheart/acl ${JSON.stringify({
      _id: 'guest',
      roles: ['guest'],
      predicate: "path-prefix('/vault/docs') or path-prefix('/open')",
      mongo: {
        readFilter: { owner: '%USER' },
        writeFilter: { owner: '%USER' },
        mergeRequest: { owner: '%USER' },
        allowBulkPatch: true,
        allowBulkDelete: true,
        allowWriteMode: true,
      },
    })}`,
  ]) {
    await command(baseUrl, text);
  }
});
afterAll(() => target.close());

const now = Math.floor(Date.now() / 1000);
const good = claimsOf('admin', ['admin']);
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const other = (claims: object) => signJwt({ ...good, ...claims });
const head = (header: object) => signJwt(good, { header: header as Record<string, unknown> });
const b64 = (text: string) => Buffer.from(text).toString('base64url');
const [H = '', C = '', S = ''] = signJwt(good).split('.');

/** `Authorization` values that must not open anything. */
const CREDENTIALS: readonly string[] = [
  ...['none', 'None', 'NONE', 'nOnE', ''].flatMap((alg) => [
    signJwt(good, { alg: 'none', header: { alg, typ: 'JWT' } }),
    `${b64(JSON.stringify({ alg }))}.${C}.${S}`,
    `${b64(JSON.stringify({ alg }))}.${C}`,
  ]),
  ...['HS384', 'HS512', 'RS256', 'ES256', 'PS256', 'EdDSA', 'HS1', 'dir', 'A128KW'].map((alg) =>
    head({ alg }),
  ),
  signJwt(good, { key: pem }),
  signJwt(good, { alg: 'RS256', key: privateKey }),
  signJwt(good, {
    alg: 'RS256',
    key: privateKey,
    header: { alg: 'RS256', jwk: publicKey.export({ format: 'jwk' }) },
  }),
  ...[
    '',
    ' ',
    'secret',
    TEST_KEY.slice(1),
    `${TEST_KEY} `,
    TEST_KEY.toUpperCase(),
    'null',
    'undefined',
  ].map((key) => signJwt(good, { key })),
  ...[
    { kid: '../../dev/null' },
    { kid: "' OR 1=1" },
    { kid: { $ne: null } },
    { jku: 'http://127.0.0.1/' },
    { x5u: 'http://127.0.0.1/' },
    { crit: ['exp'] },
    { crit: ['b64'], b64: false },
    { zip: 'DEF' },
    { cty: 'JWT' },
    { kid: '__proto__' },
    { kid: 5 },
  ].map((more) => signJwt(good, { key: 'x'.repeat(40), header: { alg: 'HS256', ...more } })),
  ...[
    { crit: ['exp'] },
    { crit: [] },
    { crit: 'exp' },
    { alg: ['HS256'] },
    { alg: null },
    { alg: { $ne: 1 } },
  ].map((more) => head({ alg: 'HS256', ...more })),
  ...[
    { exp: now - 1 },
    { exp: 0 },
    { exp: -1 },
    { exp: '9999999999' },
    { exp: null },
    { exp: [now + 99] },
    { exp: {} },
    { exp: true },
    { nbf: now + 99 },
    { nbf: 'x' },
    { iat: now + 99 },
    { iat: {} },
  ].map(other),
  ...[
    { iss: 'evil' },
    { iss: null },
    { iss: ['restheart.org'] },
    { iss: 'RESTHEART.ORG' },
    { iss: 'restheart.org/' },
    { iss: { $ne: 1 } },
  ].map(other),
  ...[
    { sub: null },
    { sub: ['admin'] },
    { sub: { $ne: null } },
    { sub: 1 },
    { roles: 'admin' },
    { roles: { 0: 'admin', length: 1 } },
    { roles: [['admin']] },
    { roles: [{ a: 'admin' }] },
    { roles: true },
  ].map(other),
  other({ use: 'quorate:authorization-code' }),
  `${H}.${C}.`,
  `${H}.${C}`,
  `${H}..${S}`,
  `.${C}.${S}`,
  `..`,
  `...`,
  `${H}.${C}.${S}x`,
  `${H}.${C}.${S.slice(1)}`,
  `${H}.${C}.${S}.${S}`,
  ` ${H}.${C}.${S} x`,
  `${H}.${C}.${'A'.repeat(43)}`,
  `${H}.${b64('null')}.${S}`,
  `${H}.${b64('[]')}.${S}`,
  `${b64('null')}.${C}.${S}`,
  `${b64('{')}.${C}.${S}`,
  'a'.repeat(4000),
  '.'.repeat(4000),
  signJwt('null'),
  signJwt('[]'),
  signJwt('"admin"'),
  signJwt('5'),
  signJwt('{"sub":"admin"'),
  signJwt('{"__proto__":{"sub":"admin","roles":["admin"],"iss":"restheart.org"}}'),
  signJwt('{"constructor":{"prototype":{"sub":"admin"}}}'),
]
  .map((token) => `Bearer ${token}`)
  .concat([
    basic('admin', ''),
    basic('admin', 'null'),
    basic('admin', 'undefined'),
    basic('admin', '{"$ne":null}'),
    basic('{"$ne":null}', 'secret'),
    basic('{"$gt":""}', '{"$gt":""}'),
    basic('admin\u0000', 'secret'),
    basic('admin ', 'secret'),
    basic(' admin', 'secret'),
    basic('ADMIN', 'secret'),
    basic('Admin', 'secret'),
    basic('admin', 'secret\u0000'),
    basic('admin', 'SECRET'),
    basic('admin', 'secret '),
    basic('__proto__', 'x'),
    basic('constructor', 'x'),
    basic('toString', ''),
    basic('.*', '.*'),
    basic('admin', 'x'.repeat(5000)),
    basic("admin'--", 'x'),
    basic('*', '*'),
    basic('admin)(|(password=*)', 'x'),
    basic('admin:secret', ''),
    basic('', ''),
    basic('admin', '$2a$04$WbMCvCxun6L9WdZyhnaD5OzYnU15uNObjX/Igoy43ujQZZhhOdIlm'),
    'Basic',
    'Basic ',
    'Basic =',
    'Basic YWRtaW4=',
    'Basic admin:secret',
    `Basic ${ADMIN}`,
    'Bearer',
    'Bearer null',
    'Bearer undefined',
    'Token x',
    'Digest username="admin"',
    'Digest',
    `BasicX ${ADMIN.slice(6)}`,
    'NTLM TlRMTVNTUAAB',
  ]);

describe('credentials that are none', () => {
  it.each(CREDENTIALS.map((value) => [value.slice(0, 90), value]))('%s', async (_name, value) => {
    const reply = await request(
      'GET',
      '/vault/docs',
      value.replace(/[^\u0020-\u00ff]/g, '').replaceAll('\u0000', ''),
    );
    expect(reply.status).toBe(401);
    expect(reply.body.toString()).toBe('');
  });
});

/** What a fault of our own answers; an operator that MongoDB refuses has another text. */
const BROKEN = 'Error handling the request';

function request(
  method: string,
  path: string,
  authorization: string,
  more: { headers?: Record<string, string>; body?: string } = {},
): Promise<WireReply> {
  const { headers = {}, body } = more;
  return send(target.baseUrl, {
    method,
    path,
    headers: {
      Authorization: authorization,
      ...(body === undefined
        ? {}
        : {
            'Content-Type': 'application/json',
            'Content-Length': String(Buffer.byteLength(body)),
          }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

const MALLORY = bearer('mallory', ['guest']);
const FILTERS = [
  '{}',
  '{"owner":"admin"}',
  '{"$or":[{},{"owner":"admin"}]}',
  '{"$nor":[{"owner":"mallory"}]}',
  '{"owner":{"$ne":"mallory"}}',
  '{"$and":[{"$or":[{"owner":"admin"}]}]}',
  '{"$where":"true"}',
  '{"$where":"this.owner"}',
  '{"a":{"$where":"1"}}',
  '{"$expr":{"$function":{"body":"function(){return true}","args":[],"lang":"js"}}}',
  '{"$expr":{"$eq":["$owner","admin"]}}',
  '{"$expr":true}',
  '{"$jsonSchema":{}}',
  '{"_id":"s"}',
  '{"_id":{"$in":["s"]}}',
  '{"secret":{"$regex":"^the"}}',
  '{"$comment":"x"}',
  '{"__proto__":{"owner":"admin"}}',
  '{"constructor":{"prototype":{}}}',
  '{"owner":{"$not":{"$eq":"mallory"}}}',
  '{"$text":{"$search":"x"}}',
  '{"owner":{"$exists":true}}',
  '{"owner":null}',
  '{"$alwaysTrue":1}',
  '{"secret":{"$regex":"^(a+)+$"}}',
  '{"secret":{"$regex":"(.*)*x"}}',
];
const PARAMETERS = [
  ...FILTERS.flatMap((filter) => [`filter=${filter}`, `filter={}&filter=${filter}`]),
  'keys={"secret":1}',
  'keys={"x":"$secret"}',
  'keys={"secret":{"$meta":"textScore"}}',
  'sort={"secret":1}',
  'sort=-secret',
  'hint={"_id":1}',
  'hint=_id_',
  'pagesize=1000&page=1',
  'page=0',
  'page=-1',
  'pagesize=100000000',
  'count=true&filter={"owner":"admin"}',
  'rep=HAL',
  'rep=SHAL&filter={"owner":"admin"}',
  'jsonMode=SHELL',
  'np',
  'cache',
  'shardkey={"owner":"admin"}',
  'wm=upsert',
  'avars={"@user":"admin"}',
  '__proto__[owner]=admin',
  'constructor=1',
  'sid=x',
  'sid=00000000-0000-0000-0000-000000000000&txn=1',
  'rp=secondary',
  'filter=',
  'filter={',
  `filter=${'['.repeat(2000)}`,
  'filter=%00',
  'filter[owner]=admin',
  'filter=owner=admin',
  '%00',
  'user=admin',
  'noauthchallenge',
  'access_token=x',
];

describe('questions for documents of others', () => {
  it.each(
    PARAMETERS.flatMap((query) => [
      ['/vault/docs', query],
      ['/vault/docs/s', query],
    ]),
  )('GET %s?%s', async (path, query) => {
    const target = `${path}?${query.replace(/["<>\\^`{|}\s[\]$]/g, (c) => encodeURIComponent(c))}`;
    const reply = await request('GET', target, MALLORY);
    expect(reply.body.toString()).not.toContain(SECRET);
    expect(reply.body.toString()).not.toContain(BROKEN);
    if (path.endsWith('/s')) expect(reply.status).toBeGreaterThanOrEqual(400);
  });
});

const BODIES = [
  '{"owner":"mallory"}',
  '{"$set":{"owner":"mallory"}}',
  '{"$unset":{"owner":1}}',
  '{"$rename":{"secret":"owner"}}',
  '[{"$set":{"owner":"mallory"}}]',
  '[{"$replaceRoot":{"newRoot":{"owner":"mallory"}}}]',
  '[{"$project":{"owner":"mallory"}}]',
  '{"__proto__":{"owner":"mallory"}}',
  '{"_id":"s","owner":"mallory"}',
  '[{"$set":{"x":{"$function":{"body":"f","args":[],"lang":"js"}}}}]',
  '{"$where":"1"}',
  '{"a.b":{"$ne":1}}',
  '[]',
  'null',
  '"x"',
  `${'['.repeat(5000)}`,
  '{"a":',
  '{"$merge":1}',
  '{"constructor":{"prototype":{"polluted":true}}}',
];

describe('changes of documents of others', () => {
  const ways = [
    'PUT /vault/docs/s',
    'PATCH /vault/docs/s',
    'PUT /vault/docs/s?wm=upsert',
    'PATCH /vault/docs/s?wm=upsert',
    'PATCH /vault/docs/*?filter=%7B%22_id%22%3A%22s%22%7D',
    'POST /vault/docs?wm=update',
  ];
  it.each(ways.flatMap((way) => BODIES.map((body) => [way, body])))('%s %s', async (way, body) => {
    const [method = '', path = ''] = way.split(' ');
    const reply = await request(method, path, MALLORY, { body });
    expect(reply.body.toString()).not.toContain(BROKEN);
    const kept = await request('GET', '/vault/docs/s', ADMIN);
    expect(JSON.parse(kept.body.toString())).toMatchObject({ owner: 'admin', secret: SECRET });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it.each([
    'DELETE /vault/docs/s',
    'DELETE /vault/docs',
    'DELETE /vault',
    'PUT /vault/docs',
    'PATCH /vault',
    'GET /vault/docs/_indexes',
    'GET /vault/_schemas',
    'GET /vault/docs/_meta',
    'GET /',
    'GET /vault',
    'GET /restheart/users',
    'GET /restheart/users/admin',
    'GET /restheart/acl',
    'POST /restheart/acl',
    'GET /_quorate/keys',
    'GET /_quorate/tokens',
    'GET /admin/system.users',
    'GET /local/oplog.rs',
    'GET /config/transactions',
    'GET /metrics',
    'GET /roles/admin',
    'GET /roles',
    'GET /authz/explain?path=/',
    'POST /authz/dry-run',
    'DELETE /token?user=admin',
  ])('%s', async (text) => {
    const [method = '', path = ''] = text.split(' ');
    const reply = await request(method, path, MALLORY, { body: '{}' });
    expect([403, 404, 405]).toContain(reply.status);
    expect((await request('GET', '/vault/docs/s', ADMIN)).status).toBe(200);
  });
});

const PATHS = [
  '/open/../restheart/users',
  '/open/..%2frestheart/users',
  '/open/%2e%2e/restheart/users',
  '/open/%2e%2e%2frestheart%2fusers',
  '//restheart/users',
  '/./restheart/users',
  '/restheart//users',
  '/restheart/users/',
  '/restheart/users//admin',
  '/restheart/%75sers',
  '/%72estheart/users',
  '/RESTHEART/users',
  '/restheart/users%2f',
  '/restheart/users%00',
  '/restheart/users;/open',
  '/open;/../restheart/users',
  '/open%3b/../restheart/users',
  '/open\\..\\restheart\\users',
  '/open/%5c..%5crestheart',
  '/restheart/users%3f',
  '/restheart/users%23',
  '/%2e/restheart/users',
  '/restheart%2fusers',
  '/restheart/users/admin%2f',
  '/%252e%252e/restheart/users',
  '/restheart/users/%61dmin',
  '/restheart/users/admin?x=/open',
  '/restheart/users#/open',
  '/restheart/users/_meta',
  '/restheart/users/_size',
  '/restheart/users/_indexes',
  '/restheart/users/_aggrs/x',
  '/restheart/users/*',
  '/_quorate',
  '/%5fquorate/keys',
  '/_quorate/keys/first',
  '/admin',
  '/local',
  '/config',
  '/\ufeff',
  '/%ff',
  '/%',
  '/%zz',
];

describe('paths that look like others', () => {
  it.each(PATHS)('GET %s', async (path) => {
    for (const authorization of [MALLORY, basic('mallory', 'x')]) {
      const wire = await sendBytes(
        target.baseUrl,
        [
          `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\nConnection: close\r\n\r\n`,
        ],
        { quietMs: 800 },
      );
      expect(wire).not.toMatch(/^HTTP\/1\.1 (2|500)/);
      expect(wire).not.toContain('"admin"');
    }
  });
});

describe('headers that say something else', () => {
  const GET = 'GET /vault/docs/s HTTP/1.1\r\nHost: x\r\n';
  it.each([
    [
      'two Authorization lines',
      `${GET}Authorization: ${MALLORY}\r\nAuthorization: ${basic('admin', 'x')}\r\nConnection: close\r\n\r\n`,
    ],
    [
      'an override of the method',
      `${GET}X-HTTP-Method-Override: DELETE\r\nAuthorization: ${MALLORY}\r\nConnection: close\r\n\r\n`,
    ],
    [
      'an override of the path',
      `GET /open/docs HTTP/1.1\r\nHost: x\r\nX-Original-URL: /vault/docs/s\r\nX-Rewrite-URL: /vault/docs/s\r\nAuthorization: ${MALLORY}\r\nConnection: close\r\n\r\n`,
    ],
    [
      'a claimed address',
      `${GET}X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-User: admin\r\nX-Remote-User: admin\r\nConnection: close\r\n\r\n`,
    ],
    [
      'length and chunks at once',
      `POST /open/docs HTTP/1.1\r\nHost: x\r\nAuthorization: ${MALLORY}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /restheart/users HTTP/1.1\r\nHost: x\r\nAuthorization: ${MALLORY}\r\n\r\n`,
    ],
    [
      'two lengths',
      `POST /open/docs HTTP/1.1\r\nHost: x\r\nAuthorization: ${MALLORY}\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /vault/docs/s HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    [
      'a hidden chunked',
      `POST /open/docs HTTP/1.1\r\nHost: x\r\nAuthorization: ${MALLORY}\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a broken line', `${GET}Authorization : ${MALLORY}\r\n\r\n`],
    [
      'a folded header',
      `${GET}X: a\r\n b\r\nAuthorization:\r\n ${MALLORY}\r\nConnection: close\r\n\r\n`,
    ],
    ['a bare line feed', `${GET}X: a\nAuthorization: ${MALLORY}\r\nConnection: close\r\n\r\n`],
    [
      'a cookie with a header inside',
      `${GET}Cookie: rh_auth=Bearer_x%0d%0aAuthorization: ${MALLORY}\r\nConnection: close\r\n\r\n`,
    ],
    [
      'an absolute target',
      `GET http://x/vault/docs/s HTTP/1.1\r\nHost: y\r\nAuthorization: ${MALLORY}\r\nConnection: close\r\n\r\n`,
    ],
  ])('%s', async (_name, bytes) => {
    const wire = await sendBytes(target.baseUrl, [bytes], { quietMs: 800 });
    expect(wire).not.toContain(SECRET);
    expect(wire).not.toMatch(/^HTTP\/1\.1 500/);
    expect((await request('GET', '/ping', ADMIN)).status).toBe(200);
  });
});
