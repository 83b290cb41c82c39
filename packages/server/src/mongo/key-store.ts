/** The keys that sign tokens, shared by all nodes through MongoDB (cluster.md E3, decision 10). */
import { randomBytes, randomUUID } from 'node:crypto';
import type { Binary } from '../model/bson.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

/** Where Quorate keeps what its nodes share. */
export const QUORATE_DATABASE = '_quorate';
const NAMESPACE = { database: QUORATE_DATABASE, collection: 'keys' };

/** One stored signing key. */
export interface StoredKey {
  readonly kid: string;
  readonly secret: Uint8Array;
  /** Milliseconds since the epoch; the youngest one signs. */
  readonly createdAtMs: number;
}

interface KeyDocument {
  readonly _id: string;
  readonly secret: Binary;
  readonly createdAt: Date;
}

/** All keys, the signing one first; makes the first one when there is none, once for all nodes. */
export async function loadKeys(mongo: MongoAccess): Promise<readonly StoredKey[]> {
  const keys = await readKeys(mongo);
  if (keys.length > 0) return keys;
  await mapped(async () => {
    try {
      // a fixed _id, so that of racing nodes only one makes the first key
      await collectionOf(mongo.client, NAMESPACE).insertOne(
        { ...newKey(), _id: 'first' } as unknown as Record<string, unknown>,
        { writeConcern: { w: 'majority' } },
      );
    } catch (error) {
      if ((error as { code?: unknown }).code !== 11000) throw error;
    }
  });
  return readKeys(mongo);
}

/** Adds a key that signs from now on; the others go on verifying. */
export async function addKey(mongo: MongoAccess): Promise<void> {
  const document = newKey() as unknown as Record<string, unknown>;
  await mapped(() =>
    collectionOf(mongo.client, NAMESPACE).insertOne(document, { writeConcern: { w: 'majority' } }),
  );
}

/** Forgets keys that no living token was signed with. */
export async function removeKeysBefore(mongo: MongoAccess, beforeMs: number): Promise<void> {
  const [signing] = await readKeys(mongo);
  await mapped(() =>
    collectionOf(mongo.client, NAMESPACE).deleteMany({
      createdAt: { $lt: new Date(beforeMs) },
      _id: { $ne: signing?.kid } as never,
    }),
  );
}

async function readKeys(mongo: MongoAccess): Promise<StoredKey[]> {
  const cursor = collectionOf(mongo.client, NAMESPACE)
    .find({}, { promoteBuffers: false, readPreference: 'primary' })
    .sort({ createdAt: -1, _id: 1 });
  const documents = (await mapped(() => cursor.toArray())) as unknown as KeyDocument[];
  return documents.map(({ _id, secret, createdAt }) => ({
    kid: _id,
    secret: secret.buffer.subarray(0, secret.position),
    createdAtMs: createdAt.getTime(),
  }));
}

function newKey() {
  return { _id: randomUUID(), secret: randomBytes(64), createdAt: new Date() };
}
