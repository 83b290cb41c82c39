import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../config/load.ts';
import { QuorateError } from '../errors/quorate-error.ts';
import type { Service } from '../model/service.ts';
import { SILENT_LOG } from '../observe/log.ts';
import { type App, createApp } from './create-app.ts';

let folder = '';
let app: App;
let port = 0;

const OVERRIDES = [
  '/http-listener/port->0',
  // what comes before and after authorization is tested here, not the authorization
  '/fullAuthorizer->{"enabled":true,"authentication-required":false}',
  '/connection-options/MAX_HEADERS->20',
  '/connection-options/MAX_HEADER_SIZE->8192',
  '/connection-options/MAX_COOKIES->3',
  '/connection-options/MAX_ENTITY_SIZE->1000',
  '/connection-options/BODY_IDLE_TIMEOUT->300',
  '/logging/tracing-headers->["X-Request-Id"]',
];

/** Answers with what it was sent, in the ways that a reply may have. */
const ECHO: Service = {
  name: 'echo',
  uri: '/echo',
  match: 'prefix',
  secured: false,
  async handle(request) {
    const headers = [
      ['Set-Cookie', 'a=1'],
      ['X-MiXed', 'ü'],
      ['Set-Cookie', 'b=2'],
    ] as const;
    if (request.rawPath === '/echo/slow') await new Promise((resolve) => setTimeout(resolve, 300));
    if (request.rawPath === '/echo/stream') {
      async function* pieces() {
        for (let i = 0; i < 3; i += 1) yield Buffer.from(`piece ${i};`);
      }
      return { status: 200, headers, body: pieces() };
    }
    if (request.rawPath === '/echo/length')
      return { status: 200, headers: [['content-length', '99']], body: 'four' };
    return { status: 200, headers, body: await request.body() };
  },
};

const FAILING: Service = {
  name: 'failing',
  uri: '/failing',
  match: 'prefix',
  secured: false,
  handle(request) {
    const status = Number(request.query.get('status'));
    if (status > 0) throw new QuorateError('ERR_REQUEST_BAD', { status, message: 'Bad "x"' });
    throw new Error('a secret of the process');
  },
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-static-'));
  mkdirSync(join(folder, 'site', 'empty'), { recursive: true });
  writeFileSync(join(folder, 'site', 'index.html'), '<p>hello</p>');
  writeFileSync(join(folder, 'site', 'none.txt'), '');
  writeFileSync(join(folder, 'secret.txt'), 'secret');
  symlinkSync(join(folder, 'secret.txt'), join(folder, 'site', 'link.txt'));
  const site = `/static-resources->[{"what":${JSON.stringify(join(folder, 'site'))},"where":"/ui"}]`;
  const RHO = [...OVERRIDES, site].join(';');
  app = await createApp(loadConfig({ environment: { RHO }, isStandalone: true }), {
    log: SILENT_LOG,
    services: [ECHO, FAILING],
  });
  port = app.listeners[0]?.port ?? 0;
});

afterAll(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

/** Sends bytes, gives what came back until the connection closed or went quiet. */
function exchange(text: string, quietMs = 150): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
      socket.setTimeout(quietMs);
    });
    const finish = (): void => {
      socket.destroy();
      resolve(received);
    };
    socket.on('timeout', finish);
    socket.on('close', finish);
    socket.on('error', finish);
    socket.setTimeout(3000);
    socket.write(text);
  });
}

async function request(
  line: string,
  headers: readonly string[] = [],
): Promise<{ status: number; head: readonly string[]; body: string }> {
  const answer = await exchange(
    [`${line} HTTP/1.1`, 'Host: h:1', ...headers, 'Connection: close', '', ''].join('\r\n'),
  );
  const end = answer.indexOf('\r\n\r\n');
  const head = answer.slice(0, end).split('\r\n');
  return {
    status: Number(head[0]?.split(' ')[1]),
    head: head.slice(1),
    body: answer.slice(end + 4),
  };
}

describe('every service', () => {
  it('answers with CORS headers spelled as RESTHeart spells them', async () => {
    const { status, head } = await request('GET /ping', ['Origin: http://a.b']);
    expect(status).toBe(200);
    expect(head).toContain('Access-Control-Allow-Origin: http://a.b');
    expect(head).toContain('Access-Control-Allow-Credentials: true');
    expect(head).toContain('Access-Control-Expose-Headers: ');
    expect(head).toContain('X-Powered-By: Quorate');
    expect(head.filter((line) => line.startsWith('Date: '))).toHaveLength(1);
    expect(head.some((line) => line.startsWith('Access-Control-Allow-Methods'))).toBe(false);
  });

  it('answers OPTIONS with the lists of the service and no body', async () => {
    const { status, head, body } = await request('OPTIONS /metrics');
    expect([status, body]).toEqual([200, '']);
    expect(head).toContain('Access-Control-Allow-Methods: GET, PUT, POST, PATCH, DELETE');
    expect(head).toContain(
      'Access-Control-Allow-Headers: Authorization, Content-Type, X-Requested-With, No-Auth-Challenge',
    );
  });

  it('encodes bodies as the client accepts them, and never an empty one', async () => {
    const gzip = await request('GET /ping', ['Accept-Encoding: gzip']);
    expect(gzip.head).toContain('Content-Encoding: gzip');
    expect(gunzipSync(Buffer.from(gzip.body, 'latin1')).toString()).toContain('"host": "h:1"');
    const deflated = await request('GET /ping', ['Accept-Encoding: gzip;q=0.1, deflate']);
    expect(deflated.head).toContain('Content-Encoding: deflate');
    expect(inflateSync(Buffer.from(deflated.body, 'latin1')).toString()).toContain('client_ip');
    const plain = await request('GET /ping', ['Accept-Encoding: *']);
    expect(plain.head).toContain('Content-Encoding: identity');
    for (const line of ['HEAD /ping', 'PUT /ping']) {
      const { head, body } = await request(line, ['Accept-Encoding: gzip']);
      expect(head.some((header) => header.startsWith('Content-Encoding'))).toBe(false);
      expect(body).toBe('');
    }
  });

  it('echoes configured tracing headers, spelled as configured', async () => {
    const { head } = await request('GET /ping', ['x-request-id: 42']);
    expect(head).toContain('X-Request-Id: 42');
    const without = await request('GET /ping');
    expect(without.head.some((line) => line.startsWith('X-Request-Id'))).toBe(false);
  });
});

describe('bodies', () => {
  const post = (text: string) => exchange(`POST /echo HTTP/1.1\r\nHost: h\r\n${text}`, 600);

  it('arrive whole, with a length or in chunks', async () => {
    expect(await post('Content-Length: 5\r\n\r\nhello')).toMatch(/\r\n\r\nhello$/);
    const chunked = 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n';
    expect(await post(chunked)).toMatch(/Content-Length: 11\r\n\r\nhello world$/);
  });

  it('over the limit get 413, announced or not, and the connection goes on', async () => {
    const body = 'x'.repeat(2000);
    const next = 'GET /ping HTTP/1.1\r\nHost: h\r\n\r\n';
    const announced = await post(`Content-Length: 2000\r\n\r\n${body}${next}`);
    expect(announced).toMatch(/^HTTP\/1.1 413 [\s\S]*HTTP\/1.1 200 OK/);
    const chunk = `${(2000).toString(16)}\r\n${body}\r\n0\r\n\r\n`;
    expect(await post(`Transfer-Encoding: chunked\r\n\r\n${chunk}`)).toMatch(/^HTTP\/1.1 413 /);
  });

  it('that stop coming get 408, and the connection ends', async () => {
    const answer = await post('Content-Length: 50\r\n\r\nhalf');
    expect(answer).toMatch(/^HTTP\/1.1 408 Request Timeout[\s\S]*Connection: close/);
  });

  it('are asked for when the client waits for that', async () => {
    const answer = await post('Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi');
    expect(answer).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK[\s\S]*hi$/);
    const refused = await post('Expect: 100-continue\r\nContent-Length: 9999\r\n\r\n');
    expect(refused).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('replies', () => {
  it('keep the spelling of their headers, and one line for each value', async () => {
    const { head } = await request('GET /echo');
    const own = head.filter((line) => /^(set-cookie|x-mixed)/i.test(line));
    expect(own).toEqual(['Set-Cookie: a=1', 'X-MiXed: ü', 'Set-Cookie: b=2']);
  });

  it('have the length of what is sent, whatever the service says', async () => {
    const { head, body } = await request('GET /echo/length');
    expect(body).toBe('four');
    expect(head.filter((line) => /^content-length/i.test(line))).toEqual(['Content-Length: 4']);
  });

  it('may be streams, encoded too', async () => {
    expect((await request('GET /echo/stream')).body).toContain('piece 1;');
    const { head, body } = await request('GET /echo/stream', ['Accept-Encoding: gzip', 'TE: ']);
    expect(head).toContain('Content-Encoding: gzip');
    expect(body.length).toBeGreaterThan(20);
  });
});

describe('failures', () => {
  it('become a message with their status', async () => {
    const { status, head, body } = await request('GET /failing?status=418');
    expect([status, body]).toEqual([418, '{"msg":"Bad \\"x\\""}']);
    expect(head).toContain('Content-Type: application/json');
    expect(head).toContain('Access-Control-Allow-Origin: *');
  });

  it('that nobody expected are 500, and say nothing of the process', async () => {
    const { status, body } = await request('GET /failing');
    expect([status, body]).toEqual([
      500,
      '{"msg":"Error handling the request, see log for more information"}',
    ]);
  });
});

describe('ping', () => {
  it('has its keys in order, with the first forwarded client and the last forwarded host', async () => {
    const { body } = await request('GET /ping/x', [
      'X-Forwarded-For: 1.2.3.4, 5.6.7.8',
      'X-Forwarded-Host: a, b',
    ]);
    expect(body).toMatch(
      /^\{"message": "Greetings from RESTHeart!", "client_ip": "1\.2\.3\.4", "host": "b", "version": "[\d.]+", "build_time": "[\dT:-]+Z"\}$/,
    );
  });

  it('answers 501 to other methods', async () => {
    expect((await request('POST /ping', ['Content-Length: 2'])).status).toBe(501);
  });
});

describe('refusals before any service', () => {
  it('are bare', async () => {
    const { status, head, body } = await request('GET /nothing');
    expect([status, body]).toEqual([502, '']);
    expect(head).toEqual(['Connection: close', 'Content-Length: 0']);
  });

  it.each([
    ['an unknown verb', 'BREW /ping HTTP/1.1\r\nHost: h\r\n\r\n', 405],
    ['a verb of WebDAV', 'PROPFIND /ping HTTP/1.1\r\nHost: h\r\n\r\n', 405],
    ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: h\r\n\r\n', 405],
    ['no host', 'GET /ping HTTP/1.1\r\n\r\n', 400],
    [
      'two lengths',
      'GET /ping HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'length and chunks',
      'POST /ping HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['a NUL in a header', 'GET /ping HTTP/1.1\r\nHost: h\r\nA: \0\r\n\r\n', 400],
    ['garbage', '\u0016\u0003\u0001garbage\r\n\r\n', 400],
    [
      'a head over the limit',
      `GET /ping HTTP/1.1\r\nHost: h\r\nA: ${'x'.repeat(9000)}\r\n\r\n`,
      431,
    ],
    ['too many headers', `GET /ping HTTP/1.1\r\nHost: h\r\n${'A: b\r\n'.repeat(25)}\r\n`, 400],
    [
      'too many cookies',
      'GET /ping HTTP/1.1\r\nHost: h\r\nCookie: a=1; b=2; c=3; d=4\r\n\r\n',
      400,
    ],
    ['too many parameters', `GET /ping?${'a&'.repeat(1001)}a HTTP/1.1\r\nHost: h\r\n\r\n`, 400],
  ])('answer %s', async (_name, text, status) => {
    expect(await exchange(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  it('leave the server answering', async () => {
    expect((await request('GET http://h/ping?a=1')).status).toBe(200);
  });
});

describe('metrics', () => {
  it('list their registries and print them', async () => {
    await request('GET /ping');
    expect((await request('GET /metrics')).body).toBe('["/*"]');
    const { body } = await request('GET /metrics/*');
    expect(body).toContain('# TYPE http_requests_duration summary\n');
    expect(body).toMatch(
      /http_requests_count\{request_method="GET",path_template="\/\*",response_status_code="200",\} \d+\.0\n/,
    );
    expect(body).not.toContain('="502"');
    for (const path of ['/metrics/', '/metrics/x', '/metrics%2F*', '/metrics/%2F*'])
      expect((await request(`GET ${path}`)).status, path).toBeGreaterThanOrEqual(404);
    expect((await request('POST /metrics', ['Content-Length: 0'])).status).toBe(405);
  });
});

describe('static resources', () => {
  it('serve the welcome file of a folder, and lead to its slash', async () => {
    expect((await request('GET /ui/')).body).toBe('<p>hello</p>');
    const { status, head } = await request('GET /ui');
    expect([status, head.includes('Location: http://h:1/ui/')]).toEqual([302, true]);
  });

  it('have no CORS, no compression and no X-Powered-By', async () => {
    const { head, body } = await request('GET /ui/index.html', ['Accept-Encoding: gzip']);
    expect(head.filter((line) => /^(Access|Content-Enc|X-Pow)/.test(line))).toEqual([]);
    expect(head).toContain('Content-Type: text/html');
    expect(head).toContain('Content-Length: 12');
    expect(body).toBe('<p>hello</p>');
  });

  it('answer ranges and conditions', async () => {
    const part = await request('GET /ui/index.html', ['Range: bytes=3-7']);
    expect([part.status, part.body]).toEqual([206, 'hello']);
    expect(part.head).toContain('Content-Range: bytes 3-7/12');
    expect((await request('GET /ui/index.html', ['Range: bytes=99-'])).status).toBe(416);
    const since = `If-Modified-Since: ${new Date(Date.now() + 60_000).toUTCString()}`;
    const unchanged = await request('GET /ui/index.html', [since]);
    expect([unchanged.status, unchanged.body]).toEqual([304, '']);
  });

  it('send an empty file with one length', async () => {
    const { head } = await request('GET /ui/none.txt');
    expect(head.filter((line) => line.startsWith('Content-Length'))).toEqual(['Content-Length: 0']);
  });

  it.each([
    ['/ui/../secret.txt', 404],
    ['/ui/%2e%2e/secret.txt', 404],
    ['/ui/..%2fsecret.txt', 404],
    ['/ui/link.txt', 404],
    ['/ui/missing', 404],
    ['/ui/a%00b', 404],
    ['/ui/%', 404],
    ['/ui/empty/', 403],
  ])('answer %s with %d', async (path, status) => {
    expect(await request(`GET ${path}`)).toMatchObject({ status, body: '' });
  });
});

describe('createApp', () => {
  it('names a port that is taken', async () => {
    const config = loadConfig({ environment: { PORT: String(port) }, isStandalone: true });
    await expect(createApp(config, { log: SILENT_LOG })).rejects.toThrow('EADDRINUSE');
  });
});

describe('drain', () => {
  it('answers new requests with a bare 503 while the running ones end', async () => {
    const config = loadConfig({ environment: { PORT: '0' }, isStandalone: true });
    const other = await createApp(config, { log: SILENT_LOG, services: [ECHO] });
    const url = other.url;
    const running = fetch(`${url}/echo/slow`);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const drained = other.drain();
    const refused = await fetch(`${url}/ping`);
    expect([refused.status, await refused.text()]).toEqual([503, '']);
    expect((await running).status).toBe(200);
    await drained;
    await other.close();
    await expect(fetch(`${url}/ping`)).rejects.toThrow();
  });
});
