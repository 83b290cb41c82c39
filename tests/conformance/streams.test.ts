/** Change streams over both transports: streams.md. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { send, type WireReply } from '../support/raw-http.ts';
import { testRows } from '../support/rows.ts';
import { openSse, openWebSocket, type StreamClient } from '../support/stream-clients.ts';
import { openTarget, type Target } from '../support/target.ts';
import { STREAM_ROWS } from './streams.rows.ts';

let target: Target;
const db = `streams-${process.pid}-${Date.now().toString(36)}`;
let serial = 0;
const open: StreamClient[] = [];

beforeAll(async () => {
  target = await openTarget();
  await rest('PUT', `/${db}`);
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(() => target.close());

async function rest(method: string, path: string, body?: unknown): Promise<WireReply> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const reply = await send(target.baseUrl, {
    method,
    path: encodeURI(path),
    headers: text === undefined ? {} : { 'Content-Type': 'application/json' },
    ...(text === undefined ? {} : { body: text }),
  });
  expect(reply.status, `${method} ${path}: ${reply.body.toString()}`).toBeLessThan(400);
  return reply;
}

/** A collection with one stream `s`. */
async function declare(stages: unknown[] = [], more: object = {}): Promise<string> {
  serial += 1;
  const path = `/${db}/c${serial}`;
  await rest('PUT', path, { streams: [{ uri: 's', stages, ...more }] });
  return path;
}

async function webSocket(path: string, headers = {}, protocols: string[] = []) {
  const client = await openWebSocket(target.baseUrl, path, headers, protocols);
  open.push(client);
  return client;
}

async function sse(path: string, headers = {}) {
  const client = await openSse(target.baseUrl, path, headers);
  open.push(client);
  return client;
}

/** The lines of an SSE event. */
function parts(message: string): { id: string; event: string; data: Record<string, unknown> } {
  const match = /^id:(.*)\nevent:(.*)\ndata:(.*)$/.exec(message);
  if (match === null) throw new Error(`not an event: ${message}`);
  const [, id = '', event = '', data = ''] = match;
  return { id, event, data: JSON.parse(data) as Record<string, unknown> };
}

const ANY_ETAG = { $oid: expect.stringMatching(/^[0-9a-f]{24}$/) };

describe('opening a stream', () => testRows(() => target.baseUrl, STREAM_ROWS));

describe('the handshake', () => {
  it('answers 101 with CORS and the usual headers, without protocol or extension', async () => {
    const path = await declare();
    const client = await webSocket(`${path}/_streams/s`);
    expect(client.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-credentials': 'true',
      'sec-websocket-accept': expect.any(String),
      'sec-websocket-location': `ws://${new URL(target.baseUrl).host}${path}/_streams/s`,
      'x-powered-by': expect.any(String),
    });
    expect(client.headers).not.toHaveProperty('sec-websocket-protocol');
    expect(client.headers).not.toHaveProperty('sec-websocket-extensions');
  });

  it('chooses no subprotocol of those that a client offers', async () => {
    const path = await declare();
    await expect(webSocket(`${path}/_streams/s`, {}, ['mqtt'])).rejects.toThrow(
      'Server sent no subprotocol',
    );
  });

  it('echoes the origin of a browser', async () => {
    const path = await declare();
    const client = await webSocket(`${path}/_streams/s`, { Origin: 'http://localhost:3000' });
    expect(client.headers['access-control-allow-origin']).toBe('http://localhost:3000');
  });

  it('opens an SSE stream at once, with no length', async () => {
    const path = await declare();
    const client = await sse(`${path}/_streams/s`);
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=UTF-8',
      'access-control-allow-origin': '*',
    });
    expect(client.headers).not.toHaveProperty('content-length');
    expect(client.headers).not.toHaveProperty('content-encoding');
  });

  it('prefers the WebSocket of a request that asks for both', async () => {
    const path = await declare();
    const client = await webSocket(`${path}/_streams/s`, { Accept: 'text/event-stream' });
    expect(client.status).toBe(101);
  });
});

describe('messages', () => {
  it('follow a document through insert, update, replace and delete', async () => {
    const path = await declare();
    const client = await webSocket(`${path}/_streams/s`);
    await rest('POST', path, { _id: 'a', n: 1, old: true, d: { $date: 1000 } });
    await rest('PATCH', `${path}/a`, { n: 2, $unset: { old: 1 } });
    await rest('PUT', `${path}/a`, { n: 3 });
    await rest('DELETE', `${path}/a`);
    const inserted = await client.next();
    expect(JSON.parse(inserted)).toEqual({
      fullDocument: { _id: 'a', n: 1, old: true, d: { $date: 1000 }, _etag: ANY_ETAG },
      documentKey: { _id: 'a' },
      operationType: 'insert',
    });
    expect(Object.keys(JSON.parse(inserted))).toEqual([
      'fullDocument',
      'documentKey',
      'operationType',
    ]);
    const updated = JSON.parse(await client.next()) as Record<string, unknown>;
    expect(Object.keys(updated)).toEqual(
      ['documentKey', 'updateDescription', 'operationType'].toSpliced(
        0,
        0,
        ...('fullDocument' in updated ? ['fullDocument'] : []),
      ),
    );
    expect(updated).toMatchObject({
      updateDescription: {
        updatedFields: { n: 2, _etag: ANY_ETAG },
        removedFields: ['old'],
      },
      operationType: 'update',
    });
    expect(JSON.parse(await client.next())).toMatchObject({
      fullDocument: { _id: 'a', n: 3 },
      operationType: 'replace',
    });
    expect(JSON.parse(await client.next())).toEqual({
      documentKey: { _id: 'a' },
      operationType: 'delete',
    });
  });

  it('look the document of an update up', async () => {
    const path = await declare([{ $match: { 'fullDocument.kind': 'x', operationType: 'update' } }]);
    await rest('POST', path, { _id: 'a', kind: 'x', n: 1 });
    const client = await webSocket(`${path}/_streams/s`);
    await rest('PATCH', `${path}/a`, { n: 2 });
    expect(JSON.parse(await client.next())).toEqual({
      fullDocument: { _id: 'a', kind: 'x', n: 2, _etag: ANY_ETAG },
      documentKey: { _id: 'a' },
      updateDescription: { updatedFields: { n: 2, _etag: ANY_ETAG }, removedFields: [] },
      operationType: 'update',
    });
  });

  it('come over SSE with id, event and data', async () => {
    const path = await declare();
    const client = await sse(`${path}/_streams/s`);
    await rest('PUT', `${path}/a?wm=upsert`, { n: 1 });
    const { id, event, data } = parts(await client.next());
    expect(id).toMatch(/^\{"_data": "[^"]+"\}$/);
    expect(event).toBe('change');
    expect(data).toMatchObject({ documentKey: { _id: 'a' }, operationType: 'insert' });
  });

  it.each([
    ['SHELL', /"o":ObjectId\('[0-9a-f]{24}'\)|"o": ?ObjectId\("[0-9a-f]{24}"\)/],
    ['EXTENDED', /"n": ?\{ ?"\$numberInt": ?"1" ?\}/],
    ['RELAXED', /"d": ?\{ ?"\$date": ?"1970-01-01T00:00:01Z" ?\}/],
  ])('are written in jsonMode %s', async (mode, expected) => {
    const path = await declare();
    const client = await webSocket(`${path}/_streams/s?jsonMode=${mode}`);
    await rest('POST', path, {
      n: 1,
      o: { $oid: '0123456789abcdef01234567' },
      d: { $date: 1000 },
    });
    expect(await client.next()).toMatch(expected);
  });

  it('hold what stages put into fullDocument, and nothing that they put beside it', async () => {
    const path = await declare([
      { $addFields: { 'fullDocument.twice': { $multiply: ['$fullDocument.n', 2] }, beside: 1 } },
    ]);
    const client = await webSocket(`${path}/_streams/s`);
    await rest('POST', path, { _id: 'a', n: 4 });
    expect(JSON.parse(await client.next())).toEqual({
      fullDocument: { _id: 'a', n: 4, twice: 8, _etag: ANY_ETAG },
      documentKey: { _id: 'a' },
      operationType: 'insert',
    });
  });

  it('have fullDocument null when stages made it something else than an object', async () => {
    const path = await declare([{ $addFields: { fullDocument: '$fullDocument.n' } }]);
    const client = await webSocket(`${path}/_streams/s`);
    await rest('POST', path, { _id: 'a', n: 4 });
    expect(JSON.parse(await client.next())).toEqual({
      fullDocument: null,
      documentKey: { _id: 'a' },
      operationType: 'insert',
    });
  });

  it('ignore what the client sends, and answer its ping', async () => {
    const path = await declare();
    const { socket, next } = await webSocket(`${path}/_streams/s`);
    socket.send('hello');
    const pong = new Promise<string>((resolve) => socket.on('pong', (data) => resolve(`${data}`)));
    socket.ping('are you there');
    expect(await pong).toBe('are you there');
    await rest('POST', path, { _id: 'a' });
    expect(JSON.parse(await next())).toMatchObject({ documentKey: { _id: 'a' } });
  });

  it('keep the order of the writes for every client', async () => {
    const path = await declare();
    const clients = await Promise.all([
      webSocket(`${path}/_streams/s`),
      webSocket(`${path}/_streams/s`),
      sse(`${path}/_streams/s`),
    ]);
    for (let n = 0; n < 20; n += 1) await rest('POST', path, { _id: n });
    for (const client of clients) {
      const seen: unknown[] = [];
      for (let n = 0; n < 20; n += 1) {
        const message = await client.next();
        const text = message.startsWith('id:') ? message.split('\ndata:')[1] : message;
        seen.push((JSON.parse(text ?? '') as { documentKey: { _id: number } }).documentKey._id);
      }
      expect(seen).toEqual([...Array(20).keys()]);
    }
  });
});

describe('stages', () => {
  it.each([
    ['plainly', { $match: { 'fullDocument.n': { $var: 'n' } } }],
    ['in the escaped form', { _$match: { 'fullDocument::n': { _$var: 'n' } } }],
  ])('are written %s', async (_form, stage) => {
    const path = await declare([stage]);
    const client = await webSocket(`${path}/_streams/s?avars={"n":2}`);
    await rest('POST', path, { _id: 'a', n: 1 });
    await rest('POST', path, { _id: 'b', n: 2 });
    expect(JSON.parse(await client.next())).toMatchObject({ documentKey: { _id: 'b' } });
  });

  it('have defaults, paths and optional stages', async () => {
    const path = await declare([
      { $match: { 'fullDocument.n': { $gte: { $var: ['least', 2] } } } },
      { $ifvar: ['options.name', { $match: { 'fullDocument.name': { $var: 'options.name' } } }] },
    ]);
    const all = await webSocket(`${path}/_streams/s`);
    const named = await webSocket(`${path}/_streams/s?avars={"least":1,"options":{"name":"x"}}`);
    await rest('POST', path, { _id: 'a', n: 1, name: 'x' });
    await rest('POST', path, { _id: 'b', n: 2, name: 'y' });
    expect(JSON.parse(await all.next())).toMatchObject({ documentKey: { _id: 'b' } });
    expect(JSON.parse(await named.next())).toMatchObject({ documentKey: { _id: 'a' } });
  });

  it('know page and limit of the request', async () => {
    const path = await declare([
      { $addFields: { 'fullDocument.at': [{ $var: '@page' }, { $var: '@limit' }] } },
    ]);
    const client = await webSocket(`${path}/_streams/s?page=3&pagesize=7`);
    await rest('POST', path, { _id: 'a' });
    expect(JSON.parse(await client.next())).toMatchObject({ fullDocument: { at: [3, 7] } });
  });

  it('that fail on one event lose that event alone, and no session', async () => {
    const path = await declare([
      { $addFields: { 'fullDocument.half': { $divide: ['$fullDocument.n', 2] } } },
    ]);
    const client = await webSocket(`${path}/_streams/s`);
    await rest('POST', path, { _id: 'before', n: 2 });
    await rest('POST', path, { _id: 'poison', n: 'two' });
    await rest('POST', path, { _id: 'after', n: 4 });
    expect(JSON.parse(await client.next())).toMatchObject({ fullDocument: { _id: 'before' } });
    expect(JSON.parse(await client.next())).toMatchObject({
      fullDocument: { _id: 'after', half: 2 },
    });
  });
});

describe('resuming', () => {
  it('goes on after the event that Last-Event-ID names', async () => {
    const path = await declare();
    const first = await sse(`${path}/_streams/s`);
    await rest('POST', path, { _id: 'a' });
    const { id } = parts(await first.next());
    await rest('POST', path, { _id: 'b' });
    // the first client still listens: a resuming one has a cursor of its own
    const second = await sse(`${path}/_streams/s`, { 'Last-Event-ID': id });
    expect(parts(await second.next()).data).toMatchObject({ documentKey: { _id: 'b' } });
    await rest('POST', path, { _id: 'c' });
    expect(parts(await second.next()).data).toMatchObject({ documentKey: { _id: 'c' } });
  });

  it.each(['', ' ', 'nonsense', '7', '[]'])('starts now when Last-Event-ID is "%s"', async (id) => {
    const path = await declare();
    await rest('POST', path, { _id: 'a' });
    const client = await sse(`${path}/_streams/s`, { 'Last-Event-ID': id });
    expect(client.status).toBe(200);
    await rest('POST', path, { _id: 'b' });
    expect(parts(await client.next()).data).toMatchObject({ documentKey: { _id: 'b' } });
  });

  it('is not for streams with notify_when', async () => {
    const path = await declare([], { notify_when: { 'fullDocument::t': { $var: 't' } } });
    const first = await sse(`${path}/_streams/s`);
    await rest('POST', path, { _id: 'a' });
    const { id } = parts(await first.next());
    await rest('POST', path, { _id: 'b' });
    const second = await sse(`${path}/_streams/s`, { 'Last-Event-ID': id });
    await rest('POST', path, { _id: 'c' });
    expect(parts(await second.next()).data).toMatchObject({ documentKey: { _id: 'c' } });
  });
});

describe('notify_when', () => {
  it('delivers what fits the parameter of the client, strings and arrays of strings', async () => {
    const path = await declare([], { notify_when: { 'fullDocument::to.who': { $var: 'w' } } });
    const ann = await webSocket(`${path}/_streams/s?w=ann`);
    const everybody = await webSocket(`${path}/_streams/s`);
    const values = ['bob', 7, null, ['bob', 'ann'], [7], { ann: 1 }, 'ann'];
    for (const [index, who] of values.entries())
      await rest('POST', path, { _id: index, to: { who } });
    await rest('POST', path, { _id: 'none' });
    await rest('DELETE', `${path}/none`);
    await rest('POST', path, { _id: 'last', to: { who: 'ann' } });
    const seen: unknown[] = [];
    while (seen.at(-1) !== 'last') seen.push(keyOf(await ann.next()));
    expect(seen).toEqual([3, 6, 'last']);
    const all: unknown[] = [];
    while (all.at(-1) !== 'last') all.push(keyOf(await everybody.next()));
    expect(all).toEqual([0, 1, 2, 3, 4, 5, 6, 'none', 'none', 'last']);
  });

  it('finds deep values however their path is written', async () => {
    const path = await declare([], { notify_when: { 'fullDocument::to::who': { _$var: 'w' } } });
    const ann = await webSocket(`${path}/_streams/s?w=ann`);
    await rest('POST', path, { _id: 'a', to: 'ann' });
    await rest('POST', path, { _id: 'b', to: { who: 'ann' } });
    expect(keyOf(await ann.next())).toBe('b');
  });
});

function keyOf(message: string): unknown {
  return (JSON.parse(message) as { documentKey: { _id: unknown } }).documentKey._id;
}

/** What a browser is told when the server closes without a code (RFC 6455 §7.4.1). */
const NO_STATUS = 1005;

describe('the end of a stream', () => {
  const declaration = {
    streams: [{ uri: 's', stages: [{ $match: { operationType: 'insert' } }] }],
  };
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['PUT changes its declaration', (path) => rest('PUT', path, declaration)],
    ['PUT drops its declaration', (path) => rest('PUT', path, { descr: 'x' })],
    ['PATCH changes its declaration', (path) => rest('PATCH', path, declaration)],
    ['PATCH removes its declaration', (path) => rest('PATCH', path, { $unset: { streams: 1 } })],
    [
      'PATCH adds a declaration',
      (path) => rest('PATCH', path, { $push: { streams: { uri: 't', stages: [] } } }),
    ],
    [
      'the collection is deleted',
      async (path) => {
        const meta = JSON.parse((await rest('GET', `${path}/_meta`)).body.toString()) as {
          _etag: { $oid: string };
        };
        const reply = await send(target.baseUrl, {
          method: 'DELETE',
          path,
          headers: { 'If-Match': meta._etag.$oid },
        });
        expect(reply.status).toBe(204);
      },
    ],
  ])('comes when %s', async (_name, change) => {
    const path = await declare();
    const [socket, events] = await Promise.all([
      webSocket(`${path}/_streams/s`),
      sse(`${path}/_streams/s`),
    ]);
    await change(path);
    expect(await socket.ended).toBe(NO_STATUS);
    expect(await events.ended).toBe(0);
  });

  it('is the end of the connection, though the client answers nothing', async () => {
    const path = await declare();
    const handshake =
      `GET ${path}/_streams/s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    const { hostname, port } = new URL(target.baseUrl);
    const socket = connect(Number(port), hostname).setEncoding('latin1');
    const received: string[] = [];
    socket.on('data', (text: string) => received.push(text));
    socket.write(handshake);
    await once(socket, 'data');
    const ended = once(socket, 'end');
    await rest('PUT', path, declaration);
    // one close frame without a code: FIN and opcode 8, length 0 (RFC 6455 §5.5.1)
    await ended;
    expect(received.join('').split('\r\n\r\n')[1]).toBe('\x88\x00');
  });

  it('does not come with other properties, the same declaration, or a refused DELETE', async () => {
    const path = await declare();
    const client = await webSocket(`${path}/_streams/s`);
    await rest('PATCH', path, { descr: 'x' });
    await rest('PUT', path, { streams: [{ uri: 's', stages: [] }], descr: 'y' });
    await rest('PATCH', path, { streams: [{ uri: 's', stages: [] }] });
    const refused = await send(target.baseUrl, {
      method: 'DELETE',
      path,
      headers: { 'If-Match': '0123456789abcdef01234567' },
    });
    expect(refused.status).toBe(412);
    await rest('POST', path, { _id: 'a' });
    expect(keyOf(await client.next())).toBe('a');
  });
});

describe('a client that does not read', () => {
  it('is cut off, and delays nobody', async () => {
    const path = await declare();
    const quick = await webSocket(`${path}/_streams/s`);
    const idle = await sse(`${path}/_streams/s`);
    const slow = await webSocket(`${path}/_streams/s`);
    slow.socket.pause();
    const text = 'x'.repeat(500_000);
    const count = 60;
    for (let n = 0; n < count; n += 1) {
      await rest('POST', path, { _id: n, text });
      expect(keyOf(await quick.next())).toBe(n);
      await idle.next();
    }
    let received = 0;
    slow.socket.on('message', () => {
      received += 1;
    });
    slow.socket.resume();
    expect(await slow.ended).toBe(CUT);
    expect(received).toBeLessThan(count);
  });
});

/** The connection ended without a close frame (RFC 6455 §7.1.5). */
const CUT = 1006;
