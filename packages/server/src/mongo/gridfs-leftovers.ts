/**
 * What processes that died have left of uploads: content that is no file goes, a file whose chunks do not all have its id
 * gets them. Looked for now and then while a node takes uploads, and when it starts to.
 */
import { type BsonDocument, ObjectId } from '../model/bson.ts';
import { decodeDocument, encodeDocument } from '../model/raw-bson.ts';
import { chunksOf, UPLOAD_FIELD } from './gridfs-bucket.ts';
import { chunkIdOf } from './gridfs-chunk-ids.ts';
import { findLeftUploads, forgetUpload, type UploadRecord } from './gridfs-records.ts';
import { readUnsettled, removeChunksOfUpload, settleFile } from './gridfs-settle.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const SWEEP_EVERY_MS = 60_000;
const sweptAtMs = new WeakMap<MongoAccess, number>();

/** Removes what was left, at most once a minute; does not wait for it. */
export function sweepLeftUploads(mongo: MongoAccess): void {
  const now = Date.now();
  if (now - (sweptAtMs.get(mongo) ?? Number.NEGATIVE_INFINITY) < SWEEP_EVERY_MS) return;
  sweptAtMs.set(mongo, now);
  // whoever comes next tries again
  removeLeftUploads(mongo).catch(() => undefined);
}

/** Removes what uploads have left that nobody has kept since, or since `at`. */
export async function removeLeftUploads(mongo: MongoAccess, at?: Date): Promise<void> {
  for (const record of await findLeftUploads(mongo, at)) {
    if (await resolveUpload(mongo, record)) await forgetUpload(mongo, record.upload);
  }
}

/**
 * Settles an upload that has become a file, and removes the chunks of one that has not. False when that cannot be told yet,
 * because the file is just being replaced.
 */
export async function resolveUpload(
  mongo: MongoAccess,
  { bucket, upload }: UploadRecord,
): Promise<boolean> {
  const file = await findFileOf(mongo, { bucket, upload });
  const named = file?.get(UPLOAD_FIELD);
  if (file === undefined) {
    await removeChunksOfUpload(mongo, bucket, upload);
    return true;
  }
  if (named === undefined) return true;
  const unsettled = readUnsettled(bucket, encodeDocument(file));
  if (!(named instanceof ObjectId && named.equals(upload)) || unsettled === undefined) return false;
  await settleFile(mongo, unsettled);
  return true;
}

/** The files document that has the upload's content, or is about to lose it; all chunks follow the first. */
async function findFileOf(
  mongo: MongoAccess,
  { bucket, upload }: UploadRecord,
): Promise<BsonDocument | undefined> {
  const files = collectionOf(mongo.client, bucket);
  const options = { projection: { files_id: 1 } };
  return mapped(async () => {
    const first = { _id: chunkIdOf(upload, 0) };
    const head = await collectionOf(mongo.client, chunksOf(bucket)).findOne(first, options);
    const owner: unknown = head?.['files_id'];
    const isMoved = head !== null && !(owner instanceof ObjectId && owner.equals(upload));
    const filter = isMoved
      ? { _id: owner }
      : { $or: [{ _id: upload }, { [UPLOAD_FIELD]: upload }] };
    const found = await files.findOne(filter as never, { raw: true });
    return found === null ? undefined : decodeDocument(found as unknown as Uint8Array);
  });
}
