/** The server under test: one that runs already (`CONFORMANCE_URL`), or one started for the test file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { startEngine } from '../../packages/engine/src/index.ts';
import { createApp } from '../../packages/server/src/app/create-app.ts';
import { loadConfig } from '../../packages/server/src/config/load.ts';

/** A base URL and what ends it. */
export interface Target {
  readonly baseUrl: string;
  close(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Starts a server on the embedded engine, or on the database that `MONGODB_URI` names.
 *
 * @param configuration - YAML; without it all databases are mounted on `/`
 * @param security - YAML; without it everybody may do everything
 * @param files - by name, put beside the configuration file
 */
export async function openTarget(
  configuration = ALL_DATABASES,
  security = OPEN_TO_ALL,
  files: Readonly<Record<string, string | Buffer>> = {},
): Promise<Target> {
  const running = process.env['CONFORMANCE_URL'];
  if (running !== undefined && configuration === ALL_DATABASES) {
    return { baseUrl: running.replace(/\/+$/, ''), close: async () => {} };
  }
  const folder = mkdtempSync(join(tmpdir(), 'quorate-conformance-'));
  const configFile = join(folder, 'quorate.yml');
  const logging = /^logging:/m.test(configuration) ? '' : 'logging:\n  log-to-console: false\n';
  writeFileSync(configFile, `${security}${configuration}\n${logging}`);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const given = process.env['MONGODB_URI'];
  if (given !== undefined) await waitUntilIdle(given);
  // in this process, because the test runner cannot load TypeScript in the engine's own thread
  const engine =
    given === undefined
      ? await startEngine({ dataPath: join(folder, 'data'), port: 0 })
      : undefined;
  const app = await createApp(
    loadConfig({
      configFile,
      environment: {
        MONGODB_URI: given ?? engine?.uri,
        HOST: '127.0.0.1',
        PORT: String(await freePort()),
      },
    }),
  );
  return {
    baseUrl: app.url,
    async close() {
      await app.close();
      await engine?.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A pattern of the attacks may keep a database busy for seconds after the file that sent it has ended. */
async function waitUntilIdle(uri: string): Promise<void> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 60_000 });
  try {
    await client.db('admin').command({ ping: 1 });
  } finally {
    await client.close();
  }
}

/** Nobody has to say who he is: what is tested is what comes after that. */
export const OPEN_TO_ALL = `fullAuthorizer:
  enabled: true
  authentication-required: false
mongoAclAuthorizer:
  enabled: false
mongoRealmAuthenticator:
  enabled: false
`;

/** The mount of deployments that come from older versions, and of nearly all rows. */
export const ALL_DATABASES = `mongo:
  mongo-mounts:
    - what: "*"
      where: /`;

/** Starts from nothing also on a database that outlives its server: `MONGODB_URI` names it. */
export async function dropDatabases(...names: readonly string[]): Promise<void> {
  const uri = process.env['MONGODB_URI'];
  if (uri === undefined) return;
  const client = new MongoClient(uri);
  try {
    for (const name of names) await client.db(name).dropDatabase();
  } finally {
    await client.close();
  }
}
