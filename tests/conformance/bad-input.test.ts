/** No malformed request gets a 5xx that the specification does not ask for, and none harms the next request. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gapOf } from '../support/known-gaps.ts';
import { send, sendBytes } from '../support/raw-http.ts';
import { openTarget, type Target } from '../support/target.ts';
import { BAD_INPUTS, bare, withBody } from './bad-input.rows.ts';
import { BAD_RESOURCE_INPUTS } from './bad-input-resources.rows.ts';

const database = `bad-${Date.now().toString(36)}-${process.pid}`;
let target: Target;

beforeAll(async () => {
  target = await openTarget();
  await send(target.baseUrl, { method: 'PUT', path: `/${database}` });
  await send(target.baseUrl, { method: 'PUT', path: `/${database}/c` });
  await send(target.baseUrl, {
    method: 'POST',
    path: `/${database}/c`,
    headers: { 'Content-Type': 'application/json' },
    body: '{"_id":"a","n":1}',
  });
  const aggregation = (uri: string, ...stages: object[]) => ({ uri, stages });
  const properties: readonly (readonly [path: string, body: object])[] = [
    ['_schemas', {}],
    ['_schemas/s?wm=upsert', { properties: { n: { type: 'integer' } } }],
    ['checked', { jsonSchema: { schemaId: 's' } }],
    ['b.files', {}],
    [
      'ag',
      {
        aggrs: [
          aggregation('v', { $match: { n: { $var: 'x' } } }),
          aggregation('stage', { $nosuch: 1 }),
          aggregation('operator', { $match: { n: { $nosuch: 1 } } }),
          aggregation('two', { $match: {}, $limit: 1 }),
          aggregation('var', { $match: { n: { $var: 1 } } }),
          aggregation('ifvar', { $ifvar: ['x'] }),
          aggregation('out', { $out: 'x' }),
          aggregation('where', { $match: { $where: '1' } }),
          aggregation('negative', { $skip: { $var: 'x' } }),
        ],
      },
    ],
  ];
  for (const [path, body] of properties) {
    const { status } = await send(target.baseUrl, {
      method: 'PUT',
      path: `/${database}/${path}`,
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(status, path).toBe(201);
  }
});
afterAll(() => target.close());

afterEach(async () => {
  const { status, body } = await send(target.baseUrl, {
    method: 'GET',
    path: `/${database}/c/a?keys=%7B%22_etag%22:0%7D`,
  });
  expect(status).toBe(200);
  expect(body.toString()).toBe('{"_id": "a", "n": 1}');
});

function fill(part: string | Buffer): string | Buffer {
  const text = Buffer.isBuffer(part) ? part.toString('latin1') : part;
  if (!text.includes('{db}') && !text.includes('{c}')) return part;
  return Buffer.from(text.replaceAll('{db}', database).replaceAll('{c}', 'c'), 'latin1');
}

/** Status of the first answer; undefined when the connection ended without one. */
function statusOf(answer: string): number | undefined {
  const match = /^HTTP\/1\.1 (\d{3}) /.exec(answer);
  return match === null ? undefined : Number(match[1]);
}

/** A body says what is wrong, and nothing of the inside of the process. */
function checkErrorBody(answer: string): void {
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4);
  if (!/\r\nContent-Type: application\/json/.test(answer) || body === '') return;
  const error = JSON.parse(body) as Record<string, unknown>;
  // batches tell it of each operation, the CSV service and its like in a member of their own (rest-resources.md §10)
  if (Array.isArray(error['results'])) expect(error['committed']).toBe(false);
  else if (error['msg'] !== undefined) expect(error['msg']).toMatch(/\S/);
  else {
    expect(error['http status code']).toBe(statusOf(answer));
    expect(error['message']).toMatch(/\S/);
  }
  expect(body).not.toMatch(/\n {4}at |node_modules|\.ts:\d/);
}

describe('malformed requests are refused', () => {
  it('there are enough of them', () => {
    expect(BAD_INPUTS.length).toBeGreaterThan(150);
    expect(BAD_RESOURCE_INPUTS.length).toBeGreaterThan(150);
  });

  for (const { name, parts, expect: expected } of [...BAD_INPUTS, ...BAD_RESOURCE_INPUTS]) {
    const test = gapOf({ chapter: 'bad input', name }) === undefined ? it : it.fails;
    test(name, async () => {
      const answer = await sendBytes(target.baseUrl, parts.map(fill), { quietMs: 3000 });
      expect(expected, answer.slice(0, 400)).toContain(statusOf(answer) ?? 'closed');
      checkErrorBody(answer);
    });
  }
});

describe('large and slow bodies', () => {
  it('refuses a document above the limit of the database, 20 MB of text, with a 4xx', async () => {
    const { status } = await send(target.baseUrl, {
      method: 'POST',
      path: `/${database}/c`,
      headers: { 'Content-Type': 'application/json' },
      body: `{"a":"${'x'.repeat(20_000_000)}"}`,
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
  });

  it('takes a body that comes byte by byte', async () => {
    const message = withBody('POST', `/${database}/c`, '{"a":');
    const parts = Array.from(message.toString('latin1').slice(-5), (byte) => byte);
    const answer = await sendBytes(target.baseUrl, [message.subarray(0, -5), ...parts], {
      pauseMs: 20,
      quietMs: 3000,
    });
    expect(statusOf(answer)).toBe(400);
  });

  it('takes huge names and many properties', async () => {
    const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`p${i}`, i]));
    const body = JSON.stringify({ _id: 'many', [`n${'x'.repeat(100_000)}`]: 1, ...many });
    const reply = await send(target.baseUrl, {
      method: 'PUT',
      path: `/${database}/c/many?wm=upsert`,
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    expect([200, 201]).toContain(reply.status);
  });
});

describe('names with a meaning in JavaScript', () => {
  it('are stored, read and found like all others', async () => {
    const body =
      '{"_id":"proto","__proto__":{"admin":true},"constructor":{"prototype":1},"hasOwnProperty":2}';
    await send(target.baseUrl, {
      method: 'PUT',
      path: `/${database}/c/proto?wm=upsert`,
      headers: { 'Content-Type': 'application/json' },
      body,
    });
    const filter = encodeURIComponent('{"__proto__.admin":true}');
    const reply = await send(target.baseUrl, {
      method: 'GET',
      path: `/${database}/c?filter=${filter}&keys=%7B%22_etag%22:0%7D`,
    });
    expect(reply.body.toString()).toBe(
      '[{"_id": "proto", "__proto__": {"admin": true}, "constructor": {"prototype": 1}, "hasOwnProperty": 2}]',
    );
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('are no parameters', async () => {
    const answer = await sendBytes(
      target.baseUrl,
      [bare('GET', `/${database}/c?__proto__=1&constructor=2&toString=3`)],
      { quietMs: 3000 },
    );
    expect(statusOf(answer)).toBe(200);
  });
});
