/**
 * Uploads that arrive in several requests, at any node. The content is staged as GridFS chunks under an id of its own;
 * how far it came is kept beside it. A request that breaks off loses nothing of what arrived.
 */
import { randomUUID } from 'node:crypto';
import type { BsonDocument, BsonValue, ObjectId } from '../model/bson.ts';
import { Binary, Long } from '../model/bson.ts';
import { decodeDocument } from '../model/raw-bson.ts';
import { CHUNK_BYTES, chunksOf, ensureIndexes } from './gridfs-bucket.ts';
import { chunkIdOf, createUploadId } from './gridfs-chunk-ids.ts';
import { resolveUpload } from './gridfs-leftovers.ts';
import { removeChunksOfUpload } from './gridfs-settle.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'uploads' };
/** An upload that nobody goes on with is removed after this time. */
export const UPLOAD_LIFETIME_MS = 24 * 3600 * 1000;
/** A node that dies while it stores a part frees the upload after this time. */
const LOCK_MS = 60_000;
const SAVE_EVERY_CHUNKS = 16;
const SWEEP_BATCH = 20;

/** An upload under way, or done. */
export interface ResumableUpload {
  readonly id: string;
  readonly bucket: Namespace;
  readonly stagedId: ObjectId;
  readonly length: number;
  readonly offset: number;
  readonly metadata: BsonDocument;
  readonly expiresAt: Date;
}

function storeOf(mongo: MongoAccess) {
  return collectionOf(mongo.client, NAMESPACE);
}

/** Begins an upload of `length` bytes. */
export async function createUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  request: { readonly length: number; readonly metadata: BsonDocument },
): Promise<ResumableUpload> {
  await removeExpired(mongo);
  await ensureIndexes(mongo, bucket);
  const upload: ResumableUpload = {
    id: randomUUID(),
    bucket,
    stagedId: createUploadId(),
    ...request,
    offset: 0,
    expiresAt: new Date(Date.now() + UPLOAD_LIFETIME_MS),
  };
  const document: BsonDocument = new Map<string, BsonValue>([
    ['_id', upload.id],
    ['database', bucket.database],
    ['collection', bucket.collection],
    ['stagedId', upload.stagedId],
    ['length', Long.fromNumber(upload.length)],
    ['offset', Long.fromNumber(0)],
    ['metadata', upload.metadata],
    ['expiresAt', upload.expiresAt],
    ['lockedUntil', new Date(0)],
  ]);
  const options = { forceServerObjectId: true, writeConcern: { w: 'majority' as const } };
  await mapped(() => storeOf(mongo).insertOne(document as never, options));
  return upload;
}

/** The upload of that id in that bucket; undefined when there is none, or no more. */
export async function findUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  id: string,
): Promise<ResumableUpload | undefined> {
  const filter = { _id: id, database: bucket.database, collection: bucket.collection };
  const options = { raw: true, readPreference: 'primary' as const };
  const found = await mapped(() => storeOf(mongo).findOne(filter as never, options));
  return found === null ? undefined : toUpload(decodeDocument(found as unknown as Uint8Array));
}

function toUpload(document: BsonDocument): ResumableUpload {
  return {
    id: document.get('_id') as string,
    bucket: {
      database: document.get('database') as string,
      collection: document.get('collection') as string,
    },
    stagedId: document.get('stagedId') as ObjectId,
    length: Number(document.get('length')),
    offset: Number(document.get('offset')),
    metadata: document.get('metadata') as BsonDocument,
    expiresAt: document.get('expiresAt') as Date,
  };
}

/** Takes the upload for one request at a time; false when its offset is another one or somebody else has it. */
export async function lockUpload(mongo: MongoAccess, upload: ResumableUpload): Promise<boolean> {
  const now = Date.now();
  const filter = {
    _id: upload.id,
    offset: Long.fromNumber(upload.offset),
    lockedUntil: { $lt: new Date(now) },
  };
  const change = { $set: { lockedUntil: new Date(now + LOCK_MS) } };
  const result = await mapped(() => storeOf(mongo).updateOne(filter as never, change));
  return result.modifiedCount === 1;
}

/**
 * Stores what comes, up to the length of the upload; the new offset, also when the content breaks off. The caller has
 * locked the upload, and this frees it.
 */
export async function appendToUpload(
  mongo: MongoAccess,
  upload: ResumableUpload,
  content: AsyncIterable<Uint8Array>,
): Promise<{ readonly offset: number; readonly failure: unknown }> {
  const chunks = collectionOf(mongo.client, chunksOf(upload.bucket));
  let { offset } = upload;
  let stored = offset;
  let number = Math.floor(offset / CHUNK_BYTES);
  let used = offset % CHUNK_BYTES;
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let failure: unknown;

  const storeChunk = async () => {
    const data = new Binary(Buffer.from(buffer.subarray(0, used)));
    const chunk = { files_id: upload.stagedId, n: number, data };
    const key = { _id: chunkIdOf(upload.stagedId, number) };
    await mapped(() => chunks.replaceOne(key, chunk, { upsert: true }));
    stored = offset;
  };
  const save = (lockedUntil: Date) =>
    mapped(() =>
      storeOf(mongo).updateOne({ _id: upload.id } as never, {
        $set: {
          offset: Long.fromNumber(stored),
          lockedUntil,
          expiresAt: new Date(Date.now() + UPLOAD_LIFETIME_MS),
        },
      }),
    );
  try {
    if (used > 0) {
      const key = { files_id: upload.stagedId, n: number } as never;
      const last = await mapped(() => chunks.findOne(key, { promoteBuffers: true }));
      buffer.set((last as unknown as { data: Uint8Array }).data.subarray(0, used), 0);
    }
    for await (const part of content) {
      if (offset + part.length > upload.length) throw new RangeError('more than Upload-Length');
      for (let at = 0; at < part.length; ) {
        const taken = Math.min(part.length - at, CHUNK_BYTES - used);
        buffer.set(part.subarray(at, at + taken), used);
        at += taken;
        used += taken;
        offset += taken;
        if (used < CHUNK_BYTES) continue;
        await storeChunk();
        number += 1;
        used = 0;
        if (number % SAVE_EVERY_CHUNKS === 0) await save(new Date(Date.now() + LOCK_MS));
      }
    }
  } catch (error) {
    failure = error;
  }
  if (used > 0 && stored < offset) await storeChunk();
  await save(new Date(0));
  return { offset: stored, failure };
}

/** The first bytes of what is stored. */
export async function readUploadHead(mongo: MongoAccess, upload: ResumableUpload): Promise<Buffer> {
  const chunks = collectionOf(mongo.client, chunksOf(upload.bucket));
  const key = { files_id: upload.stagedId, n: 0 } as never;
  const first = await mapped(() => chunks.findOne(key, { promoteBuffers: true }));
  return first === null
    ? Buffer.alloc(0)
    : Buffer.from((first as unknown as { data: Uint8Array }).data);
}

/** Forgets an upload; its content too, unless it has become a file. */
export async function removeUpload(
  mongo: MongoAccess,
  upload: ResumableUpload,
  options: { readonly keepContent: boolean },
): Promise<void> {
  if (!options.keepContent) {
    await removeChunksOfUpload(mongo, upload.bucket, upload.stagedId);
  }
  await mapped(() => storeOf(mongo).deleteOne({ _id: upload.id } as never));
}

async function removeExpired(mongo: MongoAccess): Promise<void> {
  const filter = { expiresAt: { $lt: new Date() }, lockedUntil: { $lt: new Date() } };
  const options = { raw: true, limit: SWEEP_BATCH };
  const found = await mapped(() => storeOf(mongo).find(filter, options).toArray());
  for (const item of found) {
    const upload = toUpload(decodeDocument(item as unknown as Uint8Array));
    // a process may have died after it had made the file
    if (await resolveUpload(mongo, { bucket: upload.bucket, upload: upload.stagedId })) {
      await removeUpload(mongo, upload, { keepContent: true });
    }
  }
}
