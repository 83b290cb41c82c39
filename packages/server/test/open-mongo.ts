/** A real database for tests of `mongo/`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine } from '@quorate/engine';
import { createMongoAccess } from '../src/mongo/client.ts';
import type { MongoAccess } from '../src/mongo/mongo-access.ts';

/** Connects to the database that `MONGODB_URI` names, or to an engine on a folder of its own; `close` ends and removes both. */
export async function openMongo(): Promise<{
  readonly mongo: MongoAccess;
  close(): Promise<void>;
}> {
  const given = process.env['MONGODB_URI'];
  const folder = await mkdtemp(join(tmpdir(), 'quorate-mongo-'));
  const engine = given === undefined ? await startEngine({ dataPath: folder, port: 0 }) : undefined;
  const mongo = createMongoAccess({ connectionString: given ?? engine?.uri ?? '' });
  return {
    mongo,
    async close() {
      await mongo.close();
      await engine?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
