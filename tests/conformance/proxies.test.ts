/** Paths that other servers answer: operations.md §8. */
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Echo, startEcho } from '../support/echo-server.ts';
import { basic, bearer, TEST_KEY } from '../support/jwt.ts';
import { headerValues, send, sendBytes, type WireRequest } from '../support/raw-http.ts';
import { openTarget, type Target } from '../support/target.ts';

const SECURITY = `fileRealmAuthenticator:
  enabled: true
  users:
    - {userid: ann, password: pa, roles: [b, a]}
    - {userid: bob, password: pb, roles: [none]}
basicAuthMechanism:
  authenticator: fileRealmAuthenticator
mongoRealmAuthenticator:
  enabled: false
mongoAclAuthorizer:
  enabled: false
fileAclAuthorizer:
  enabled: true
  permissions:
    - {role: a, predicate: "true"}
    - {role: $unauthenticated, predicate: "path-prefix('/open') or path-prefix('/metrics')"}
jwtConfigProvider:
  key: ${TEST_KEY}
metrics:
  secured: false
mongo:
  mongo-mounts:
    - {what: "*", where: /}
`;

let one: Awaited<ReturnType<typeof startEcho>>;
let two: typeof one;
let target: Target;
let deadUrl: string;

beforeAll(async () => {
  [one, two] = await Promise.all([startEcho('one'), startEcho('two')]);
  const dead = await startEcho('dead');
  deadUrl = dead.url;
  await dead.close();
  target = await openTarget(
    `proxies:
  - {location: /any, proxy-pass: "${one.url}/base"}
  - {location: /any/deeper, proxy-pass: "${two.url}/", name: second}
  - {location: /open, proxy-pass: "${one.url}", rewrite-host-header: false}
  - {location: /both, proxy-pass: ["${one.url}", "${two.url}/two/"]}
  - {location: /half, proxy-pass: ["${deadUrl}", "${two.url}"]}
  - {location: /dead, proxy-pass: "${deadUrl}"}
  - {location: /nowhere}
  - {proxy-pass: "${one.url}"}`,
    SECURITY,
  );
});
afterAll(async () => {
  await target?.close();
  await Promise.all([one.close(), two.close()]);
});

const ANN = basic('ann', 'pa');

function get(path: string, headers: WireRequest['headers'] = {}, more: Partial<WireRequest> = {}) {
  return send(target.baseUrl, {
    method: 'GET',
    path,
    headers: { Authorization: ANN, ...headers },
    ...more,
  });
}

async function echoOf(...args: Parameters<typeof get>): Promise<Echo> {
  const reply = await get(...args);
  expect(reply.status, reply.body.toString()).toBe(200);
  return JSON.parse(reply.body.toString()) as Echo;
}

/** Values of a header by its exact spelling. */
function sent({ headers }: Echo, name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === name);
}

const names = ({ headers }: Echo) => headers.filter((_, i) => i % 2 === 0);

describe('a proxied path', () => {
  it.each([
    ['/any', 'one', '/base'],
    ['/any/', 'one', '/base/'],
    ['/any/x/y?a=b&c=%20d', 'one', '/base/x/y?a=b&c=%20d'],
    ['/any/a%2Fb', 'one', '/base/a%2Fb'],
    ['/%61ny/x', 'one', '/base/x'],
    ['/any/deeper', 'two', '/'],
    ['/any/deeper/z', 'two', '/z'],
    ['/open/x', 'one', '/x'],
  ])('%s goes to server %s as %s', async (path, name, url) => {
    expect(await echoOf(path)).toMatchObject({ name, url, method: 'GET', body: '' });
  });

  it.each(['/anything', '/nowhere/x'])('is not %s', async (path) => {
    expect((await get(path)).status).toBe(404);
  });

  it('is closed to nobody and to who may not, without CORS headers', async () => {
    const nobody = await send(target.baseUrl, { method: 'GET', path: '/any' });
    expect(nobody.status).toBe(401);
    expect(headerValues(nobody, 'WWW-Authenticate')).toEqual(['Basic realm="RESTHeart Realm"']);
    const bob = await get('/any', { Authorization: basic('bob', 'pb') });
    expect(bob.status).toBe(403);
    for (const reply of [nobody, bob]) {
      expect(reply.body.toString()).toBe('');
      expect(headerValues(reply, 'Access-Control-Allow-Origin')).toEqual([]);
    }
  });

  it('is no metric', async () => {
    await get('/any/uncounted');
    await get('/ping');
    const metrics = await send(target.baseUrl, { method: 'GET', path: '/metrics/*' });
    const counts = /http_requests_count\{[^}]*"200",\} ([\d.]+)/.exec(metrics.body.toString());
    expect(counts?.[1]).toBe('1.0');
  });
});

describe('the request that is sent on', () => {
  it('names the account, and keeps its credentials back', async () => {
    const echo = await echoOf('/any', {
      Cookie: 'rh_auth=x',
      'X-Forwarded-Account-Id': 'root',
      'x-forwarded-account-roles': 'admin',
      'X-Forwarded-Jwt-Payload': '{}',
    });
    expect(sent(echo, 'X-Forwarded-Account-Id')).toEqual(['ann']);
    expect(sent(echo, 'X-Forwarded-Account-Roles')).toEqual(['b', 'a']);
    expect(sent(echo, 'Cookie')).toEqual(['rh_auth=x']);
    const lower = names(echo).map((name) => name.toLowerCase());
    expect(lower).not.toContain('authorization');
    expect(lower).not.toContain('x-forwarded-jwt-payload');
    expect(lower.filter((name) => name.startsWith('x-forwarded-account'))).toHaveLength(3);
  });

  it('names nobody where nobody asks, whatever he claims', async () => {
    const echo = await echoOf('/open', {
      Authorization: basic('ann', 'wrong'),
      'X-Forwarded-Account-Id': 'root',
      'X-Forwarded-Account-Roles': 'admin',
    });
    expect(names(echo).join()).not.toMatch(/account|authorization/i);
  });

  it('shows the claims of a token', async () => {
    const echo = await echoOf('/any', { Authorization: bearer('eve', ['a'], { tenant: 't\n1' }) });
    expect(sent(echo, 'X-Forwarded-Account-Id')).toEqual(['eve']);
    const [payload = ''] = sent(echo, 'X-Forwarded-Jwt-Payload');
    expect(JSON.parse(payload)).toMatchObject({ sub: 'eve', roles: ['a'], tenant: 't\n1' });
  });

  it('tells where it came from', async () => {
    const echo = await echoOf('/any', {
      Host: 'api.example:88',
      'X-Forwarded-For': '6.6.6.6',
      'X-Forwarded-Prefix': '/p',
    });
    expect(sent(echo, 'X-Forwarded-For')).toEqual(['127.0.0.1']);
    expect(sent(echo, 'X-Forwarded-Proto')).toEqual(['http']);
    expect(sent(echo, 'X-Forwarded-Host')).toEqual(['api.example:88']);
    expect(sent(echo, 'X-Forwarded-Port')).toEqual(['88']);
    expect(sent(echo, 'X-Forwarded-Server')).toEqual(['api.example']);
    expect(sent(echo, 'X-Forwarded-Prefix')).toEqual(['/p']);
    expect(sent(echo, 'Host')).toEqual([new URL(one.url).host]);
    expect(sent(await echoOf('/open', { Host: 'api.example' }), 'Host')).toEqual(['api.example']);
  });

  it('has the spelling and the lines of the client, without those of its connection', async () => {
    const echo = await echoOf('/any', {
      'x-SPELLED': ['one', 'two'],
      'X-Hop': 'h',
      Connection: 'keep-alive, X-Hop',
      TE: 'trailers',
    });
    expect(sent(echo, 'x-SPELLED')).toEqual(['one', 'two']);
    expect(names(echo)).not.toContain('X-Hop');
    expect(names(echo)).not.toContain('TE');
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('has the body of a %s', async (method) => {
    const body = Buffer.from([0, 1, 2, 255, 13, 10]);
    const headers = { 'Content-Length': String(body.length), 'Content-Type': 'x/y' };
    const echo = await echoOf('/any', headers, { method, body });
    expect(echo).toMatchObject({ method, body: body.toString('latin1') });
    expect(sent(echo, 'Content-Length')).toEqual(['6']);
  });

  it('has a body in chunks, of which some come later', async () => {
    const head = `POST /any HTTP/1.1\r\nHost: x\r\nAuthorization: ${ANN}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const text = await sendBytes(target.baseUrl, [head, '3\r\nabc\r\n', '2\r\nde\r\n0\r\n\r\n'], {
      pauseMs: 50,
    });
    expect(text).toContain('"body":"abcde"');
  });

  it('has no body where the client sent none', async () => {
    const echo = await echoOf('/any', {}, { method: 'POST' });
    expect(sent(echo, 'Content-Length').concat(sent(echo, 'Transfer-Encoding'))).toEqual(['0']);
  });
});

describe('the answer', () => {
  it('is that of the server, header by header', async () => {
    const reply = await get('/any/lines');
    expect(reply.status).toBe(201);
    expect(reply.body.toString()).toBe('made');
    expect(headerValues(reply, 'X-oDD', true)).toEqual(['a', 'b']);
    expect(headerValues(reply, 'Set-Cookie', true)).toEqual(['c=1', 'd=2']);
    for (const name of ['Access-Control-Allow-Origin', 'X-Powered-By', 'X-Content-Type-Options'])
      expect(headerValues(reply, name)).toEqual([]);
    expect(headerValues(reply, 'Date')).toHaveLength(1);
  });

  it.each([
    ['GET', '/any/plain', 200, 'plain', '5'],
    ['HEAD', '/any/plain', 200, '', '5'],
    ['GET', '/any/packed', 200, 'xyz', '3'],
    ['GET', '/any/teapot', 418, 'tea', undefined],
    ['GET', '/any/none', 204, '', undefined],
  ])('of %s %s passes', async (method, path, status, text, length) => {
    const reply = await get(path, {}, { method });
    expect(reply.status).toBe(status);
    expect(reply.body.toString()).toBe(text);
    expect(headerValues(reply, 'Content-Length')[0]).toBe(length);
  });

  it('is compressed for clients that want that, unless it is already', async () => {
    const packed = await get('/any/plain', { 'Accept-Encoding': 'gzip' });
    expect(headerValues(packed, 'Content-Encoding')).toEqual(['gzip']);
    expect(gunzipSync(packed.body).toString()).toBe('plain');
    const already = await get('/any/packed', { 'Accept-Encoding': 'gzip' });
    expect(headerValues(already, 'Content-Encoding')).toEqual(['br']);
    expect(already.body.toString()).toBe('xyz');
  });

  it('begins before it is complete', async () => {
    const head = `GET /any/events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nAuthorization: ${ANN}\r\n\r\n`;
    expect(await sendBytes(target.baseUrl, [head], { quietMs: 500 })).toContain('data:1\n\n');
  });
});

describe('several servers', () => {
  it('answer in turn', async () => {
    const answers = [];
    for (let i = 0; i < 4; i += 1) answers.push(await echoOf('/both/x'));
    const seen = answers.map(({ name, url }) => `${name} ${url}`);
    expect(new Set(seen)).toEqual(new Set(['one /x', 'two /two/x']));
    expect(seen[0]).toBe(seen[2]);
  });

  it('stand in for one that is down, bodies included', async () => {
    for (let i = 0; i < 4; i += 1) {
      const headers = { 'Content-Length': '4' };
      const echo = await echoOf('/half', headers, { method: 'POST', body: 'body' });
      expect(echo).toMatchObject({ name: 'two', body: 'body' });
    }
  });

  it('that are all down are 503, until one is back', async () => {
    const down = await get('/dead');
    expect(down.status).toBe(503);
    expect(headerValues(down, 'Access-Control-Allow-Origin')).toEqual([]);
    const back = await startEcho('back', Number(new URL(deadUrl).port));
    expect(await echoOf('/dead')).toMatchObject({ name: 'back' });
    await back.close();
    expect((await get('/dead')).status).toBe(503);
  });

  it('are not asked twice when one cuts its answer', async () => {
    expect((await get('/both/cut')).status).toBe(503);
  });
});
