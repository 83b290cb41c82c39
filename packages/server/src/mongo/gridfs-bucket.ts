/** The two collections of a GridFS bucket (MongoDB "GridFS specification"). */
import type { BsonValue, ObjectId } from '../model/bson.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

/** Where a file's ETag lives. */
export const FILE_ETAG_PATH = 'metadata._etag';
/** The GridFS specification's default. */
export const CHUNK_BYTES = 261_120;
/**
 * In a files document: the upload whose chunks the file has. They are found by their own ids until all of them have the
 * file's, as the specification wants it; then the field goes.
 */
export const UPLOAD_FIELD = 'upload';

/** One file of a bucket, and the upload that made its content. */
export interface UploadedFile {
  readonly bucket: Namespace;
  readonly id: BsonValue;
  readonly upload: ObjectId;
}

/** The namespace of a bucket's chunks. */
export function chunksOf(bucket: Namespace): Namespace {
  return {
    database: bucket.database,
    collection: `${bucket.collection.slice(0, -'.files'.length)}.chunks`,
  };
}

const indexed = new WeakMap<MongoAccess, Set<string>>();

/** The indexes GridFS asks for; made once per bucket and process. */
export async function ensureIndexes(mongo: MongoAccess, bucket: Namespace): Promise<void> {
  let known = indexed.get(mongo);
  if (known === undefined) {
    known = new Set();
    indexed.set(mongo, known);
  }
  const key = `${bucket.database}\0${bucket.collection}`;
  if (known.has(key)) return;
  await mapped(async () => {
    await collectionOf(mongo.client, chunksOf(bucket)).createIndex(
      { files_id: 1, n: 1 },
      { unique: true },
    );
    await collectionOf(mongo.client, bucket).createIndex({ filename: 1, uploadDate: 1 });
  });
  known.add(key);
}

/** Forgets that a bucket has its indexes, after it was dropped. */
export function forgetBucket(mongo: MongoAccess, bucket: Namespace): void {
  indexed.get(mongo)?.delete(`${bucket.database}\0${bucket.collection}`);
}
