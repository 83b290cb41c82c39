/**
 * From the moment its files document names an upload, a file has that upload's content. What remains is to give the chunks
 * the file's id, so that every GridFS client finds them, and to remove those of the content before. It goes in small steps
 * outside of any transaction, which a large file outgrows; each may be done twice, by several processes at once, and be cut
 * off: whoever comes next goes on.
 */
import type { Collection, Document } from 'mongodb';
import { type BsonValue, ObjectId } from '../model/bson.ts';
import { readRawField } from '../model/raw-bson.ts';
import { chunksOf, UPLOAD_FIELD, type UploadedFile } from './gridfs-bucket.ts';
import { chunkIds } from './gridfs-chunk-ids.ts';
import { mongoCodeOf } from './map-error.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

/** 16 MiB of GridFS's default chunks: the size of one document, which every database changes at once. */
const CHUNKS_PER_MOVE = 64;
const CHUNKS_PER_DELETE = 256;
const DUPLICATE_KEY = 11000;
const MAX_ATTEMPTS = 5;
/** What MongoDB says to a change of several documents' shard keys (its `error_codes.yml`). */
const SHARD_KEY_CODES: ReadonlySet<number | undefined> = new Set([66, 72, 31025]);

/** A file whose document names its upload. */
export interface UnsettledFile extends UploadedFile {
  /** Of the upload. */
  readonly chunkCount: number;
  /** Tells this content from all others that the id has had or will have. */
  readonly uploadDate: Date;
  /** Whether chunks of an older content may be there. */
  readonly replaces: boolean;
}

/** What the files document says of chunks that do not have the file's id yet; undefined when all of them have it. */
export function readUnsettled(bucket: Namespace, document: Uint8Array): UnsettledFile | undefined {
  const upload = readRawField(document, UPLOAD_FIELD);
  const uploadDate = readRawField(document, 'uploadDate');
  if (!(upload instanceof ObjectId && uploadDate instanceof Date)) return undefined;
  const length = Number(readRawField(document, 'length'));
  const chunkSize = Number(readRawField(document, 'chunkSize'));
  const id = readRawField(document, '_id') ?? null;
  const chunkCount = Math.ceil(length / chunkSize);
  return { bucket, id, upload, chunkCount, uploadDate, replaces: true };
}

/** Gives a file its chunks, and removes older ones. */
export function settleFile(mongo: MongoAccess, file: UnsettledFile): Promise<void> {
  return mapped(async () => {
    if (file.replaces) await clearOlder(mongo, file);
    for (let first = 0; first < file.chunkCount; first += CHUNKS_PER_MOVE) {
      await moveChunks(mongo, file, first);
    }
    await finishFile(mongo, file);
  });
}

/**
 * Removes what the id has of other uploads. That the document still names this upload is asked after they were found: then
 * none of them is of a later one, even if this process has slept in between.
 */
async function clearOlder(mongo: MongoAccess, file: UnsettledFile): Promise<void> {
  const { bucket, id, upload } = file;
  const own = chunkIds(upload);
  const others = [{ $lt: own.$gte }, { $gt: own.$lte }, { $not: { $type: 'objectId' } }];
  const older = { files_id: id, $or: others.map((condition) => ({ _id: condition })) };
  const files = collectionOf(mongo.client, bucket);
  const named = { _id: id, [UPLOAD_FIELD]: upload };
  await deleteInSteps(mongo, bucket, older, async () => {
    const found = await files.findOne(named as never, { projection: { _id: 1 } });
    return found !== null;
  });
}

/** Deletes chunks that match; of each step only after `mayDelete` was asked. */
async function deleteInSteps(
  mongo: MongoAccess,
  bucket: Namespace,
  filter: object,
  mayDelete: () => Promise<boolean>,
): Promise<void> {
  const chunks = collectionOf(mongo.client, chunksOf(bucket));
  const options = { projection: { _id: 1 }, limit: CHUNKS_PER_DELETE };
  for (;;) {
    const found = await chunks.find(filter as never, options).toArray();
    if (found.length === 0 || !(await mayDelete())) return;
    await chunks.deleteMany({ _id: { $in: found.map(({ _id }) => _id) } });
    if (found.length < CHUNKS_PER_DELETE) return;
  }
}

/** Removes the chunks of ids whose files were deleted; those of an id that has a file again stay. */
export function removeChunksOfFiles(
  mongo: MongoAccess,
  bucket: Namespace,
  ids: readonly BsonValue[],
): Promise<void> {
  return mapped(async () => {
    let isBack = false;
    await deleteInSteps(mongo, bucket, { files_id: { $in: ids } }, async () => {
      const back = { _id: { $in: ids as never[] } };
      const found = await collectionOf(mongo.client, bucket).findOne(back, {
        projection: { _id: 1 },
      });
      isBack = found !== null;
      return !isBack;
    });
    if (isBack && ids.length > 1) {
      for (const id of ids) await removeChunksOfFiles(mongo, bucket, [id]);
    }
  });
}

/** Removes the chunks of an upload that is no file, whichever id they have. */
export function removeChunksOfUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  upload: ObjectId,
): Promise<void> {
  return mapped(() => deleteInSteps(mongo, bucket, { _id: chunkIds(upload) }, async () => true));
}

async function moveChunks(mongo: MongoAccess, file: UnsettledFile, first: number): Promise<void> {
  const { bucket, id, upload, chunkCount } = file;
  const chunks = collectionOf(mongo.client, chunksOf(bucket));
  const last = Math.min(first + CHUNKS_PER_MOVE, chunkCount) - 1;
  const unmoved = { _id: chunkIds(upload, { first, last }), files_id: upload };
  const change = { $set: { files_id: id as never } };
  for (let attempt = 1; ; attempt += 1) {
    try {
      await chunks.updateMany(unmoved as never, change);
      return;
    } catch (failure) {
      const code = mongoCodeOf(failure);
      if (SHARD_KEY_CODES.has(code)) return moveOneByOne(chunks, file, { first, last });
      if (code !== DUPLICATE_KEY || attempt === MAX_ATTEMPTS) throw failure;
      // what a broken-off upload of another program has left
      await clearOlder(mongo, file);
    }
  }
}

/** Chunks that are sharded by `files_id`: each names its whole shard key, and goes alone. */
async function moveOneByOne(
  chunks: Collection<Document>,
  { id, upload }: UnsettledFile,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<void> {
  for (let n = first; n <= last; n += 1) {
    const unmoved = { _id: chunkIds(upload, { first: n, last: n }).$gte, files_id: upload, n };
    await chunks.updateOne(unmoved as never, { $set: { files_id: id as never } });
  }
}

/** The document no longer names the upload. A file that was deleted or replaced meanwhile has no use for the chunks. */
async function finishFile(
  mongo: MongoAccess,
  { bucket, id, upload, uploadDate }: UnsettledFile,
): Promise<void> {
  const files = collectionOf(mongo.client, bucket);
  const named = { _id: id as never, [UPLOAD_FIELD]: upload };
  const { matchedCount } = await files.updateOne(named as never, { $unset: { [UPLOAD_FIELD]: 1 } });
  if (matchedCount > 0) return;
  const current = { _id: id as never, uploadDate, [UPLOAD_FIELD]: null };
  if ((await files.findOne(current as never, { projection: { _id: 1 } })) !== null) return;
  await removeChunksOfUpload(mongo, bucket, upload);
}
