/** Which uploads are under way, on any node: `staged_uploads` of Quorate's own database. */
import type { ObjectId } from '../model/bson.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'staged_uploads' };
/** An upload that its node has not kept for so long was left by a process that died. */
const LIFETIME_MS = 60 * 60_000;
const SWEEP_BATCH = 20;

/** An upload that is under way, or was when its process died. */
export interface UploadRecord {
  readonly bucket: Namespace;
  readonly upload: ObjectId;
}

interface StoredRecord {
  readonly _id: ObjectId;
  readonly database: string;
  readonly collection: string;
  readonly expiresAt: Date;
}

function recordsOf(mongo: MongoAccess) {
  return collectionOf(mongo.client, NAMESPACE);
}

/** Before the first chunk is stored. */
export async function recordUpload(
  mongo: MongoAccess,
  { database, collection }: Namespace,
  upload: ObjectId,
): Promise<void> {
  const record: StoredRecord = { _id: upload, database, collection, expiresAt: expiry() };
  const options = { forceServerObjectId: true };
  await mapped(() => recordsOf(mongo).insertOne(record as never, options));
}

function expiry(): Date {
  return new Date(Date.now() + LIFETIME_MS);
}

/** Tells that the upload goes on. */
export async function keepUpload(mongo: MongoAccess, upload: ObjectId): Promise<void> {
  const change = { $set: { expiresAt: expiry() } };
  await mapped(() => recordsOf(mongo).updateOne({ _id: upload as never }, change));
}

/** The upload is a file now, or removed. */
export async function forgetUpload(mongo: MongoAccess, upload: ObjectId): Promise<void> {
  await mapped(() => recordsOf(mongo).deleteOne({ _id: upload as never }));
}

/** Some of the uploads that nobody goes on with. */
export async function findLeftUploads(
  mongo: MongoAccess,
  at = new Date(),
): Promise<readonly UploadRecord[]> {
  const filter = { expiresAt: { $lt: at } };
  const found = await mapped(() => recordsOf(mongo).find(filter, { limit: SWEEP_BATCH }).toArray());
  return (found as unknown as StoredRecord[]).map(({ _id, database, collection }) => ({
    bucket: { database, collection },
    upload: _id,
  }));
}
