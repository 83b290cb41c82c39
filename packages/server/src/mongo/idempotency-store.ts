/** Outcomes of requests with an `Idempotency-Key`, shared by all nodes and forgotten after a time. */
import { randomUUID } from 'node:crypto';
import { Binary } from '../model/bson.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { mongoCodeOf } from './map-error.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { OperationSession } from './operation-options.ts';
import { killSession, runOperation } from './sessions.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'idempotency' };
const KEPT_SECONDS = 24 * 3600;
/** A node renews its claim while it works; one that died frees the key after this time. */
export const CLAIM_MS = 3000;
const DUPLICATE_KEY = 11000;
const MAJORITY = { writeConcern: { w: 'majority' as const } };

/** A reply in the form it is kept. */
export interface StoredReply {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** A key that is this request's for now. */
export interface HeldKey {
  readonly key: string;
  /** Of this claim alone: what a node does that was thought dead has no effect. */
  readonly owner: string;
}

/** What is known of a key. */
export type IdempotencyClaim =
  | { readonly state: 'claimed'; readonly held: HeldKey }
  | { readonly state: 'running' }
  | { readonly state: 'otherRequest' }
  | { readonly state: 'done'; readonly reply: StoredReply };

interface StoredClaim {
  readonly _id: string;
  readonly fingerprint: string;
  readonly createdAt: Date;
  readonly claimedUntil: Date;
  readonly owner?: string;
  /** The database session in which the request runs. */
  readonly session?: string;
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

/**
 * Takes a key for a request, or tells why not.
 *
 * @param fingerprint - stands for everything that makes the request this one
 * @param sessionId - in which it will run
 */
export async function claimIdempotencyKey(
  mongo: MongoAccess,
  key: string,
  fingerprint: string,
  sessionId: string | undefined,
): Promise<IdempotencyClaim> {
  const store = await storeOf(mongo);
  const now = Date.now();
  const held = { key, owner: randomUUID() };
  const claim = { claimedUntil: new Date(now + CLAIM_MS), owner: held.owner, session: sessionId };
  const created = { fingerprint, createdAt: new Date(now) };
  try {
    await mapped(() => store.insertOne({ _id: key, ...created, ...claim } as never, MAJORITY));
    return { state: 'claimed', held };
  } catch (error) {
    if (mongoCodeOf(error) !== DUPLICATE_KEY) throw error;
  }
  const stored = await readClaim(mongo, key);
  // expired between the two, or not yet held by a majority: as good as running, the client tries again
  if (stored === undefined) return { state: 'running' };
  if (stored.fingerprint !== fingerprint) return { state: 'otherRequest' };
  if (stored.reply !== undefined) {
    const { status, headers, body } = stored.reply;
    return { state: 'done', reply: { status, headers, body: Buffer.from(body.value()) } };
  }
  if (stored.claimedUntil.getTime() >= now) return { state: 'running' };
  // what a dead node began would hold its documents until the database gives it up
  if (stored.session !== undefined) await killSession(mongo, stored.session).catch(() => undefined);
  const abandoned = { _id: key, claimedUntil: stored.claimedUntil, reply: { $exists: false } };
  const result = await mapped(() => store.updateOne(abandoned as never, { $set: claim }, MAJORITY));
  return result.modifiedCount === 1 ? { state: 'claimed', held } : { state: 'running' };
}

async function readClaim(mongo: MongoAccess, key: string): Promise<StoredClaim | undefined> {
  const store = await storeOf(mongo);
  const found = await mapped(() =>
    store.findOne({ _id: key } as never, {
      readPreference: 'primary',
      // a reply that is told must not be rolled back
      readConcern: { level: 'majority' },
      promoteBuffers: false,
    }),
  );
  return (found as unknown as StoredClaim | null) ?? undefined;
}

/** Keeps a key that is still worked on. */
export async function renewIdempotencyKey(mongo: MongoAccess, held: HeldKey): Promise<void> {
  const store = await storeOf(mongo);
  const change = { claimedUntil: new Date(Date.now() + CLAIM_MS) };
  await mapped(() => store.updateOne(filterOf(held), { $set: change }, { maxTimeMS: CLAIM_MS }));
}

/**
 * Keeps the reply of a claimed request; in the session of the request the two are one.
 *
 * @returns false when the key is another's by now, or has its reply
 */
export async function completeIdempotencyKey(
  mongo: MongoAccess,
  held: HeldKey,
  reply: StoredReply,
  session?: OperationSession,
): Promise<boolean> {
  const { status, headers, body } = reply;
  const stored = { status, headers: headers.map((header) => [...header]), body: new Binary(body) };
  const result = await runOperation(mongo, { session }, (client, driverSession) =>
    collectionOf(client, NAMESPACE).updateOne(
      filterOf(held),
      { $set: { reply: stored } },
      driverSession === undefined ? MAJORITY : { session: driverSession },
    ),
  );
  return result.matchedCount === 1;
}

/** Gives a key back, so that the request can be tried again. */
export async function releaseIdempotencyKey(mongo: MongoAccess, held: HeldKey): Promise<void> {
  const store = await storeOf(mongo);
  await mapped(() => store.deleteOne(filterOf(held), { maxTimeMS: CLAIM_MS }));
}

function filterOf({ key, owner }: HeldKey): never {
  return { _id: key, owner, reply: { $exists: false } } as never;
}
