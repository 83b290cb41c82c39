/** The keys that sign tokens, shared by all nodes through MongoDB (cluster.md E3, decision 10). */
import type { Binary } from '../model/bson.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

/** Where Quorate keeps what its nodes share. */
export const QUORATE_DATABASE = '_quorate';
const NAMESPACE = { database: QUORATE_DATABASE, collection: 'keys' };

/** One stored signing key. */
export interface StoredKey {
  readonly kid: string;
  /** Of HMAC; the others have `privateKey`. */
  readonly secret: Uint8Array | undefined;
  /** PKCS #8 in PEM. */
  readonly privateKey: string | undefined;
  readonly algorithm: string | undefined;
  /** Milliseconds since the epoch; the youngest one signs. */
  readonly createdAtMs: number;
}

interface KeyDocument {
  readonly _id: string;
  readonly secret?: Binary;
  readonly privateKey?: string;
  readonly algorithm?: string;
  readonly createdAt: Date;
}

/** What makes a key. */
export interface KeyMaker {
  /** Keys of one family serve one configuration: `HS` secrets, or the pairs of one algorithm. */
  readonly family: string;
  create(): Promise<{ readonly secret: Uint8Array } | { readonly privateKey: string }>;
}

/** The keys of a family, the youngest first; makes the first one when there is none, once for all nodes. */
export async function loadKeys(mongo: MongoAccess, maker: KeyMaker): Promise<readonly StoredKey[]> {
  const keys = await readKeys(mongo, maker.family);
  if (keys.length > 0) return keys;
  // a fixed _id, so that of racing nodes only one makes the first key
  await addKey(mongo, maker, maker.family === 'HS' ? 'first' : `first-${maker.family}`);
  return readKeys(mongo, maker.family);
}

/** Adds a key that signs before long; the others go on verifying. Two nodes that give one id make one key. */
export async function addKey(mongo: MongoAccess, maker: KeyMaker, id: string): Promise<void> {
  const made = await maker.create();
  const document = {
    _id: id,
    ...made,
    ...(maker.family === 'HS' ? {} : { algorithm: maker.family }),
    createdAt: new Date(),
  };
  await mapped(async () => {
    try {
      await collectionOf(mongo.client, NAMESPACE).insertOne(
        document as unknown as Record<string, unknown>,
        { writeConcern: { w: 'majority' } },
      );
    } catch (error) {
      if ((error as { code?: unknown }).code !== 11000) throw error;
    }
  });
}

/** Forgets keys that no living token was signed with. */
export async function removeKeys(mongo: MongoAccess, kids: readonly string[]): Promise<void> {
  await mapped(() =>
    collectionOf(mongo.client, NAMESPACE).deleteMany({ _id: { $in: kids as never } }),
  );
}

async function readKeys(mongo: MongoAccess, family: string): Promise<StoredKey[]> {
  const filter = family === 'HS' ? { secret: { $exists: true } } : { algorithm: family };
  const cursor = collectionOf(mongo.client, NAMESPACE)
    .find(filter, { promoteBuffers: false, readPreference: 'primary' })
    .sort({ createdAt: -1, _id: 1 });
  const documents = (await mapped(() => cursor.toArray())) as unknown as KeyDocument[];
  return documents.map(({ _id, secret, privateKey, algorithm, createdAt }) => ({
    kid: _id,
    secret: secret?.buffer.subarray(0, secret.position),
    privateKey,
    algorithm,
    createdAtMs: createdAt.getTime(),
  }));
}
