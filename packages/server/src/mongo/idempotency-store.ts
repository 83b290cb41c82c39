/** Outcomes of requests with an `Idempotency-Key`, shared by all nodes and forgotten after a time. */
import { Binary } from '../model/bson.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { mongoCodeOf } from './map-error.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'idempotency' };
const KEPT_SECONDS = 24 * 3600;
/** A node that died while it worked on a request frees the key after this time. */
const CLAIM_MS = 120_000;
const DUPLICATE_KEY = 11000;

/** A reply in the form it is kept. */
export interface StoredReply {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** What is known of a key. */
export type IdempotencyClaim =
  | { readonly state: 'claimed' }
  | { readonly state: 'running' }
  | { readonly state: 'otherRequest' }
  | { readonly state: 'done'; readonly reply: StoredReply };

interface StoredClaim {
  readonly _id: string;
  readonly fingerprint: string;
  readonly createdAt: Date;
  readonly claimedUntil: Date;
  readonly reply?: {
    readonly status: number;
    readonly headers: [string, string][];
    readonly body: Binary;
  };
}

const indexed = new WeakSet<MongoAccess>();

async function storeOf(mongo: MongoAccess) {
  const store = collectionOf(mongo.client, NAMESPACE);
  if (!indexed.has(mongo)) {
    await mapped(() => store.createIndex({ createdAt: 1 }, { expireAfterSeconds: KEPT_SECONDS }));
    indexed.add(mongo);
  }
  return store;
}

/** Takes a key for a request, or tells why not; `fingerprint` stands for everything that makes the request this one. */
export async function claimIdempotencyKey(
  mongo: MongoAccess,
  key: string,
  fingerprint: string,
): Promise<IdempotencyClaim> {
  const store = await storeOf(mongo);
  const now = Date.now();
  const claim = { fingerprint, createdAt: new Date(now), claimedUntil: new Date(now + CLAIM_MS) };
  const majority = { writeConcern: { w: 'majority' as const } };
  try {
    await mapped(() => store.insertOne({ _id: key, ...claim } as never, majority));
    return { state: 'claimed' };
  } catch (error) {
    if (mongoCodeOf(error) !== DUPLICATE_KEY) throw error;
  }
  const found = await mapped(() =>
    store.findOne({ _id: key } as never, { readPreference: 'primary', promoteBuffers: false }),
  );
  const stored = found as unknown as StoredClaim | null;
  // expired between the two: as good as running, the client tries again
  if (stored === null) return { state: 'running' };
  if (stored.fingerprint !== fingerprint) return { state: 'otherRequest' };
  if (stored.reply !== undefined) {
    const { status, headers, body } = stored.reply;
    return { state: 'done', reply: { status, headers, body: Buffer.from(body.value()) } };
  }
  const abandoned = { _id: key, claimedUntil: { $lt: new Date(now) } };
  const result = await mapped(() => store.updateOne(abandoned as never, { $set: claim }, majority));
  return { state: result.modifiedCount === 1 ? 'claimed' : 'running' };
}

/** Keeps the reply of a claimed request. */
export async function completeIdempotencyKey(
  mongo: MongoAccess,
  key: string,
  reply: StoredReply,
): Promise<void> {
  const { status, headers, body } = reply;
  const stored = { status, headers: headers.map((header) => [...header]), body: new Binary(body) };
  const store = await storeOf(mongo);
  await mapped(() => store.updateOne({ _id: key } as never, { $set: { reply: stored } }));
}

/** Gives a key back, so that the request can be tried again. */
export async function releaseIdempotencyKey(mongo: MongoAccess, key: string): Promise<void> {
  const store = await storeOf(mongo);
  await mapped(() => store.deleteOne({ _id: key, reply: { $exists: false } } as never));
}
