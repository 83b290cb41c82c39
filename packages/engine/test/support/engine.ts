import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { afterAll, beforeAll } from 'vitest';
import { type Engine, type EngineOptions, startEngine } from '../../src/index.ts';

export interface TestEngine {
  readonly engine: Engine;
  readonly client: MongoClient;
  readonly dataPath: string;
  connect(options?: MongoClientOptions): Promise<MongoClient>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** An engine over a folder of its own, with a connected client. */
export async function createTestEngine(options: Partial<EngineOptions> = {}): Promise<TestEngine> {
  const dataPath = await mkdtemp(join(tmpdir(), 'quorate-engine-'));
  const start = (): Promise<Engine> =>
    startEngine({ dataPath, port: 0, testCommands: true, ...options });
  let engine = await start();
  const clients: MongoClient[] = [];
  const connect = async (more: MongoClientOptions = {}): Promise<MongoClient> => {
    const client = new MongoClient(engine.uri, { serverSelectionTimeoutMS: 20_000, ...more });
    clients.push(client);
    return client.connect();
  };
  let client = await connect();
  const closeClients = async (): Promise<void> => {
    await Promise.all(clients.splice(0).map((open) => open.close()));
  };
  return {
    get engine() {
      return engine;
    },
    get client() {
      return client;
    },
    dataPath,
    connect,
    async restart() {
      await closeClients();
      await engine.close();
      engine = await start();
      client = await connect();
    },
    async close() {
      await closeClients();
      await engine.close();
      await rm(dataPath, { recursive: true, force: true });
    },
  };
}

/** One engine for all tests of a file. */
export function useEngine(options: Partial<EngineOptions> = {}): () => TestEngine {
  let engine: TestEngine | undefined;
  beforeAll(async () => {
    engine = await createTestEngine(options);
  });
  afterAll(async () => {
    await engine?.close();
  });
  return () => {
    if (engine === undefined) throw new Error('the engine has not been started');
    return engine;
  };
}
