/** What one node writes is in force on another: apps (graphql.md §4) and declarations of streams (streams.md §7). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Engine, startEngine } from '../../packages/engine/src/index.ts';
import { openSse, openWebSocket } from '../support/stream-clients.ts';
import { openTarget, type Target } from '../support/target.ts';

const folder = mkdtempSync(join(tmpdir(), 'quorate-two-nodes-'));
const before = process.env['MONGODB_URI'];
let engine: Engine;
let first: Target;
let second: Target;

beforeAll(async () => {
  engine = await startEngine({ dataPath: join(folder, 'data'), port: 0 });
  process.env['MONGODB_URI'] = engine.uri;
  [first, second] = [await openTarget(), await openTarget()];
});
afterAll(async () => {
  if (before === undefined) delete process.env['MONGODB_URI'];
  else process.env['MONGODB_URI'] = before;
  await Promise.all([first.close(), second.close()]);
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(node: Target, method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(node.baseUrl + path, {
    method,
    ...(body !== undefined && {
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  });
}

async function write(node: Target, method: string, path: string, body?: unknown): Promise<void> {
  const reply = await ask(node, method, path, body);
  expect(reply.status, await reply.text()).toBeLessThan(400);
}

it('an app is served, changed and gone on every node', async () => {
  await write(first, 'PUT', '/restheart');
  await write(first, 'PUT', '/restheart/gql-apps');
  await write(first, 'POST', '/restheart/gql-apps', {
    _id: 'app',
    schema: 'type Item { _id: Int } type Query { old: [Item] new: [Item] }',
    mappings: { Query: { old: { db: 'd', collection: 'c' } } },
  });
  const query = async (node: Target) => {
    const reply = await ask(node, 'POST', '/graphql/app', { query: '{ old { _id } new { _id } }' });
    return reply.status === 200 ? await reply.json() : reply.status;
  };
  // what another node wrote is found at once
  expect(await query(second)).toEqual({ data: { old: [], new: null } });
  await write(first, 'PATCH', '/restheart/gql-apps/app', {
    'mappings.Query': { new: { db: 'd', collection: 'c' } },
  });
  expect(await query(first)).toEqual({ data: { old: null, new: [] } });
  await expect.poll(() => query(second)).toEqual({ data: { old: null, new: [] } });
  await write(first, 'DELETE', '/restheart/gql-apps/app');
  expect(await query(first)).toBe(404);
  await expect.poll(() => query(second)).toBe(404);
});

it('clients see the writes of every node, and end with their declaration', async () => {
  await write(first, 'PUT', '/shared');
  await write(first, 'PUT', '/shared/c', { streams: [{ uri: 's', stages: [] }] });
  const clients = await Promise.all([
    openWebSocket(first.baseUrl, '/shared/c/_streams/s'),
    openSse(second.baseUrl, '/shared/c/_streams/s'),
  ]);
  await write(first, 'POST', '/shared/c', { _id: 'a' });
  await write(second, 'POST', '/shared/c', { _id: 'b' });
  for (const client of clients) {
    expect(await client.next()).toContain('"documentKey": {"_id": "a"}');
    expect(await client.next()).toContain('"documentKey": {"_id": "b"}');
  }
  await write(first, 'PATCH', '/shared/c', { $unset: { streams: 1 } });
  for (const client of clients) await client.ended;
});
