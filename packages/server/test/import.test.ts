/** An import whose database fails in the middle; only the embedded engine fails on request. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine } from '@quorate/engine';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApp } from '../src/app/create-app.ts';
import { loadConfig } from '../src/config/load.ts';

let client: MongoClient;
let url: string;
let close: () => Promise<void>;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quorate-import-'));
  const engine = await startEngine({ dataPath: join(folder, 'data'), port: 0, testCommands: true });
  client = await new MongoClient(engine.uri).connect();
  const configFile = join(folder, 'quorate.yml');
  const settings = [
    'mongo: {mongo-mounts: [{what: "*", where: /}]}',
    'fullAuthorizer: {enabled: true, authentication-required: false}',
    'http-listener: {port: 0}',
    'logging: {log-to-console: false}',
  ];
  await writeFile(configFile, settings.join('\n'));
  const app = await createApp(loadConfig({ configFile, environment: { MONGODB_URI: engine.uri } }));
  url = app.url;
  close = async () => {
    await app.close();
    await client.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  };
});
afterAll(() => close());

it('tells from where a long import was not written', async () => {
  for (const path of ['/import_test', '/import_test/c']) await fetch(url + path, { method: 'PUT' });
  await client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode: { skip: 20 },
    data: { failCommands: ['insert'], errorCode: 189, errorLabels: ['RetryableWriteError'] },
  });
  const reply = await fetch(`${url}/import_test/c`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: Array.from({ length: 20_000 }, (_, i) => `{"_id":${i}}\n`).join(''),
  });
  expect(reply.status).toBe(200);
  const results = (await reply.text()).trimEnd().split('\n');
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
  const written = results.length - 1;
  expect(JSON.parse(results.at(-1) ?? '')).toMatchObject({ line: written + 1, status: 503 });
  expect(written).toBeGreaterThan(2000);
  expect(await client.db('import_test').collection('c').countDocuments()).toBe(written);
});
