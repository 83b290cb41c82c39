/** Imports too long for one reply: results come while lines are sent, and wait for those who send everything first. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTarget, type Target } from '../support/target.ts';

let target: Target;
const database = `import-${Date.now().toString(36)}-${process.pid}`;
beforeAll(async () => {
  target = await openTarget();
  for (const path of ['', '/live', '/late', '/left', '/seen']) {
    await fetch(`${target.baseUrl}/${database}${path}`, { method: 'PUT' });
  }
});
afterAll(() => target.close());

const LINES = 20_000;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `{"_id":${from + i},"text":"${'x'.repeat(20)}"}\n`);

function open(collection: string, headers: Record<string, string> = {}): ClientRequest {
  return request(`${target.baseUrl}/${database}/${collection}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson', ...headers },
  });
}

function replyOf(message: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    message.on('response', resolve).on('error', reject);
  });
}

async function send(message: ClientRequest, text: string): Promise<void> {
  if (!message.write(text)) await new Promise((resolve) => message.once('drain', resolve));
}

async function readResults(
  reply: AsyncIterable<Buffer>,
): Promise<{ line: number; status: number }[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk);
  const results = Buffer.concat(chunks).toString().trimEnd().split('\n');
  return results.map((text) => JSON.parse(text) as { line: number; status: number });
}

function expectAll(results: { line: number; status: number }[]): void {
  expect(results.map(({ line }) => line)).toEqual(Array.from({ length: LINES }, (_, i) => i + 1));
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set([201]));
}

async function sizeOf(collection: string): Promise<number> {
  const reply = await fetch(`${target.baseUrl}/${database}/${collection}/_size`);
  return ((await reply.json()) as { _size: number })._size;
}

describe('a long import', () => {
  it('tells results while lines still come', async () => {
    const message = open('live');
    const arrived = replyOf(message);
    await send(message, lines(0, 10_000).join(''));
    const reply = await arrived;
    expect(reply.statusCode).toBe(200);
    const first = (await reply[Symbol.asyncIterator]().next()).value as Buffer;
    expect(first.toString()).toMatch(/^\{"line": 1, "status": 201, "_id": 0\}\n/);
    message.destroy();
  });

  it('keeps the results for a client that sends all lines first', async () => {
    const message = open('late');
    const arrived = replyOf(message);
    for (const line of lines(0, LINES)) await send(message, line);
    message.end();
    const reply = await arrived;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expectAll(await readResults(reply));
    expect(await sizeOf('late')).toBe(LINES);
  });

  it('tells the time of its last write to a client that asks for it', async () => {
    const message = open('seen', { 'Quorate-Consistency': 'track' });
    const arrived = replyOf(message);
    message.end(lines(0, LINES).join(''));
    const reply = await arrived;
    expectAll(await readResults(reply));
    const seen = String(reply.headers['quorate-consistency'] ?? '');
    const last = await fetch(`${target.baseUrl}/${database}/seen/${LINES - 1}?id_type=NUMBER`, {
      headers: seen === '' ? {} : { 'Quorate-Consistency': seen },
    });
    expect(last.status).toBe(200);
  });

  it('ends with a client that leaves, and keeps what was written', async () => {
    const message = open('left');
    message.on('error', () => undefined);
    await send(message, lines(0, 10_000).join(''));
    await replyOf(message);
    message.destroy();
    const size = await sizeOf('left');
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThanOrEqual(10_000);
  });
});
