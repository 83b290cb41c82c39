/**
 * Content on its way into a bucket. It is stored under an id of its own before the file's id and metadata are known, which
 * may follow the content in the request. Which uploads are under way is recorded, so that what a process that died has
 * stored is removed later.
 */
import type { BsonValue, ObjectId } from '../model/bson.ts';
import { Binary } from '../model/bson.ts';
import { CHUNK_BYTES, chunksOf, ensureIndexes } from './gridfs-bucket.ts';
import { chunkIdOf, createUploadId } from './gridfs-chunk-ids.ts';
import { sweepLeftUploads } from './gridfs-leftovers.ts';
import { forgetUpload, keepUpload, recordUpload } from './gridfs-records.ts';
import { removeChunksOfUpload } from './gridfs-settle.ts';
import { mapDatabaseError } from './map-error.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

/** A chunk is being stored while the next is being read. */
const INSERTS_IN_FLIGHT = 2;

/** Content that is stored but belongs to no file yet. */
export interface StagedUpload {
  /** Becomes the file's id if no other is chosen. */
  readonly id: ObjectId;
  readonly length: number;
  readonly chunkSize: number;
}

/**
 * Stores content as it arrives, never holding more than a few chunks. When reading it fails, what was stored is removed
 * and the failure thrown.
 */
export async function stageUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  content: AsyncIterable<Uint8Array>,
  settings: { readonly chunkSize?: number } = {},
): Promise<StagedUpload> {
  const chunkSize = settings.chunkSize ?? CHUNK_BYTES;
  const staged = { id: createUploadId(), length: 0, chunkSize };
  await ensureIndexes(mongo, bucket);
  sweepLeftUploads(mongo);
  await recordUpload(mongo, bucket, staged.id);
  const writer = new ChunkWriter(mongo, bucket, staged);
  let keptAtMs = Date.now();
  try {
    for await (const part of content) {
      staged.length += part.length;
      await writer.add(part);
      if (Date.now() - keptAtMs < KEEP_EVERY_MS) continue;
      await keepUpload(mongo, staged.id);
      keptAtMs = Date.now();
    }
    await writer.finish();
  } catch (error) {
    await writer.settle();
    await discardUpload(mongo, bucket, staged);
    throw mapDatabaseError(error);
  }
  return staged;
}

/** Often enough that the record never runs out. */
const KEEP_EVERY_MS = 10 * 60_000;

/** Removes staged content. */
export async function discardUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  { id }: Pick<StagedUpload, 'id'>,
): Promise<void> {
  await removeChunksOfUpload(mongo, bucket, id);
  await forgetUpload(mongo, id);
}

/**
 * Cuts content into chunks and inserts them, some at a time while the next one fills. Each goes with a command of its own:
 * the driver copies what it sends with `insertMany` twice as often.
 */
class ChunkWriter {
  readonly #mongo: MongoAccess;
  readonly #chunks: Namespace;
  readonly #upload: ObjectId;
  readonly #chunkSize: number;
  #current: Buffer;
  #used = 0;
  #next = 0;
  /** Their inserts are done: the same few buffers serve the whole upload. */
  readonly #free: Buffer[] = [];
  readonly #inFlight = new Set<Promise<void>>();

  constructor(mongo: MongoAccess, bucket: Namespace, { id, chunkSize }: StagedUpload) {
    this.#mongo = mongo;
    this.#chunks = chunksOf(bucket);
    this.#upload = id;
    this.#chunkSize = chunkSize;
    this.#current = Buffer.allocUnsafe(chunkSize);
  }

  async add(part: Uint8Array): Promise<void> {
    let offset = 0;
    while (offset < part.length) {
      const taken = Math.min(part.length - offset, this.#chunkSize - this.#used);
      this.#current.set(part.subarray(offset, offset + taken), this.#used);
      this.#used += taken;
      offset += taken;
      if (this.#used === this.#chunkSize) await this.#send();
    }
  }

  async finish(): Promise<void> {
    if (this.#used > 0) await this.#send();
    await Promise.all(this.#inFlight);
  }

  /** Waits for the inserts in flight, whatever becomes of them. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async #send(): Promise<void> {
    while (this.#inFlight.size >= INSERTS_IN_FLIGHT) await Promise.race(this.#inFlight);
    const buffer = this.#current;
    const chunk = new Map<string, BsonValue>([
      ['_id', chunkIdOf(this.#upload, this.#next)],
      ['files_id', this.#upload],
      ['n', this.#next],
      ['data', new Binary(buffer.subarray(0, this.#used))],
    ]);
    const insert = collectionOf(this.#mongo.client, this.#chunks)
      .insertOne(chunk as never, { forceServerObjectId: true })
      .then(() => {
        this.#inFlight.delete(insert);
        this.#free.push(buffer);
      });
    // a failure stays in the set and is thrown by the next await; until then it must not count as unhandled
    insert.catch(() => undefined);
    this.#inFlight.add(insert);
    this.#next += 1;
    this.#current = this.#free.pop() ?? Buffer.allocUnsafe(this.#chunkSize);
    this.#used = 0;
  }
}
