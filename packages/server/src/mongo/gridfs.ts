/**
 * Files in GridFS buckets (rest-resources.md §7; MongoDB "GridFS specification"). Own chunk code
 * instead of the driver's bucket: content is staged under a fresh id before the file's own id and
 * metadata are known (they may follow the content in the request), a failed upload removes exactly
 * its own chunks, and a replaced file is swapped in one transaction where there are any.
 */
import type { ClientSession, MongoClient } from 'mongodb';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { Binary, Long, ObjectId } from '../model/bson.ts';
import { findRawField, readRawField, readRawPath, toBuffer } from '../model/raw-bson.ts';
import { findOne } from './find-one.ts';
import { mapDatabaseError } from './map-error.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import { CHUNKS_PER_STEP, isTaken, moveAllChunks, moveChunksInSteps } from './move-chunks.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';
import { runOperation } from './sessions.ts';
import {
  type DeleteRequest,
  type DeleteResult,
  deleteDocument,
  type EtagCondition,
} from './write.ts';

/** Where a file's ETag lives. */
export const FILE_ETAG_PATH = 'metadata._etag';
/** The GridFS specification's default. */
export const CHUNK_BYTES = 261_120;
/** Chunks per insert: 1 MiB in flight while the next is being read. */
const CHUNKS_PER_INSERT = 4;
const DELETE_BATCH = 1000;

/** Content that is stored but belongs to no file yet. */
export interface StagedUpload {
  /** The id its chunks have now; becomes the file's id if no other is chosen. */
  readonly stagedId: ObjectId;
  readonly length: number;
  readonly chunkSize: number;
}

/** What makes staged content a file. */
export interface FileDescription {
  /** Undefined: the staged id. */
  readonly id?: BsonValue | undefined;
  readonly filename: string;
  /** Carries its new `_etag`. */
  readonly metadata: BsonDocument;
  /** `insert` refuses an id that exists, `upsert` replaces that file. */
  readonly mode: 'insert' | 'upsert';
  readonly etag?: EtagCondition | undefined;
}

/** What became of an upload. */
export interface UploadResult {
  readonly outcome: 'created' | 'updated' | 'duplicate' | 'etagMissing' | 'etagMismatch';
  readonly id: BsonValue;
  readonly storedEtag?: BsonValue | undefined;
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

/**
 * Stores content as it arrives, never holding more than about two megabytes. When reading it fails,
 * what was stored is removed and the failure thrown.
 */
export async function stageUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  content: AsyncIterable<Uint8Array>,
  settings: { readonly chunkSize?: number } = {},
): Promise<StagedUpload> {
  const chunkSize = settings.chunkSize ?? CHUNK_BYTES;
  const stagedId = new ObjectId();
  const staged = { stagedId, length: 0, chunkSize };
  await ensureIndexes(mongo, bucket);
  const writer = new ChunkWriter(mongo, bucket, stagedId, chunkSize);
  try {
    for await (const part of content) {
      staged.length += part.length;
      await writer.add(part);
    }
    await writer.finish();
  } catch (error) {
    await writer.settle();
    await discardUpload(mongo, bucket, staged);
    throw mapDatabaseError(error);
  }
  return staged;
}

/** Cuts content into chunks and inserts them, one insert in flight while the next fills. */
class ChunkWriter {
  readonly #mongo: MongoAccess;
  readonly #chunks: Namespace;
  readonly #filesId: ObjectId;
  readonly #chunkSize: number;
  #current: Buffer;
  #used = 0;
  #next = 0;
  #ready: BsonDocument[] = [];
  #inFlight: Promise<unknown> = Promise.resolve();

  constructor(mongo: MongoAccess, bucket: Namespace, filesId: ObjectId, chunkSize: number) {
    this.#mongo = mongo;
    this.#chunks = chunksOf(bucket);
    this.#filesId = filesId;
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
      if (this.#used === this.#chunkSize) {
        this.#close();
        if (this.#ready.length >= CHUNKS_PER_INSERT) await this.#send();
      }
    }
  }

  async finish(): Promise<void> {
    if (this.#used > 0) this.#close();
    if (this.#ready.length > 0) await this.#send();
    await this.#inFlight;
  }

  /** Waits for the insert in flight, whatever becomes of it. */
  async settle(): Promise<void> {
    await this.#inFlight.catch(() => undefined);
  }

  #close(): void {
    this.#ready.push(
      new Map<string, BsonValue>([
        ['_id', new ObjectId()],
        ['files_id', this.#filesId],
        ['n', this.#next],
        ['data', new Binary(this.#current.subarray(0, this.#used))],
      ]),
    );
    this.#next += 1;
    this.#current = Buffer.allocUnsafe(this.#chunkSize);
    this.#used = 0;
  }

  async #send(): Promise<void> {
    const documents = this.#ready;
    this.#ready = [];
    await this.#inFlight;
    this.#inFlight = collectionOf(this.#mongo.client, this.#chunks).insertMany(
      documents as never[],
      { forceServerObjectId: true },
    );
    // an error is thrown by the next await; until then it must not count as unhandled
    this.#inFlight.catch(() => undefined);
  }
}

/** Removes staged content. */
export async function discardUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  staged: StagedUpload,
): Promise<void> {
  await mapped(() =>
    collectionOf(mongo.client, chunksOf(bucket)).deleteMany({ files_id: staged.stagedId }),
  );
}

/** Makes staged content a file, or discards it when it is refused. */
export async function finishUpload(
  mongo: MongoAccess,
  bucket: Namespace,
  staged: StagedUpload,
  file: FileDescription,
  options: OperationOptions,
): Promise<UploadResult> {
  let result: UploadResult | undefined;
  try {
    result = await publish(mongo, bucket, staged, file, options);
    return result;
  } finally {
    const kept = result?.outcome === 'created' || result?.outcome === 'updated';
    if (!kept) await discardUpload(mongo, bucket, staged);
  }
}

async function publish(
  mongo: MongoAccess,
  bucket: Namespace,
  staged: StagedUpload,
  file: FileDescription,
  options: OperationOptions,
): Promise<UploadResult> {
  const id = file.id === undefined ? staged.stagedId : file.id;
  const document: BsonDocument = new Map<string, BsonValue>([
    ['_id', id],
    ['filename', file.filename],
    ['length', Long.fromNumber(staged.length)],
    ['chunkSize', staged.chunkSize],
    ['uploadDate', new Date()],
    ['metadata', file.metadata],
  ]);
  const change = { mongo, bucket, staged, id, document };
  try {
    if (file.id === undefined) {
      await mapped(() => insertFile(mongo.client, undefined, change));
      return { outcome: 'created', id };
    }
    const stored = await readEtagOf(mongo, bucket, id);
    if (stored === undefined) {
      const count = Math.ceil(staged.length / staged.chunkSize);
      if (count > CHUNKS_PER_STEP) {
        // another node may have dropped the bucket since this one looked, and the unique index decides who has the id
        forgetBucket(mongo, bucket);
        await ensureIndexes(mongo, bucket);
        await mapped(() => insertLargeFile(mongo.client, change, count));
        return { outcome: 'created', id };
      }
      await swap(change, (session) => insertFile(mongo.client, session, change));
      return { outcome: 'created', id };
    }
    if (file.mode === 'insert') return { outcome: 'duplicate', id };
    const refused = checkEtag(stored.etag, file.etag);
    if (refused !== undefined) return { outcome: refused, id, storedEtag: stored.etag };
    const guard: BsonDocument =
      file.etag?.required === true && stored.etag !== undefined
        ? new Map([[FILE_ETAG_PATH, stored.etag]])
        : new Map();
    const filter = andFilters(new Map([['_id', id]]), guard, options.permit.writeFilter);
    const replaced = await swap(change, (session) =>
      replaceFile(mongo.client, session, change, filter),
    );
    if (replaced) return { outcome: 'updated', id };
    const guarded = guard.size > 0;
    return { outcome: guarded ? 'etagMismatch' : 'duplicate', id, storedEtag: stored.etag };
  } catch (error) {
    if (isTaken(error)) return { outcome: 'duplicate', id };
    throw error;
  }
}

interface FileChange {
  readonly mongo: MongoAccess;
  readonly bucket: Namespace;
  readonly staged: StagedUpload;
  readonly id: BsonValue;
  readonly document: BsonDocument;
}

/** Runs the change in a transaction where there are any, so that readers see one file or the other. */
async function swap<T>(
  change: FileChange,
  run: (session: ClientSession | undefined) => Promise<T>,
): Promise<T> {
  const { mongo } = change;
  if (!(await mongo.isReplicaSet())) return mapped(() => run(undefined));
  return mapped(() =>
    mongo.client.withSession((session) => session.withTransaction(() => run(session))),
  );
}

/** The files document claims the id; then the chunks move to it. */
async function insertFile(
  client: MongoClient,
  session: ClientSession | undefined,
  change: FileChange,
): Promise<void> {
  await collectionOf(client, change.bucket).insertOne(change.document as never, {
    forceServerObjectId: true,
    ...(session ? { session } : {}),
  });
  if (change.id !== change.staged.stagedId) await moveChunks(client, session, change);
}

async function replaceFile(
  client: MongoClient,
  session: ClientSession | undefined,
  change: FileChange,
  filter: BsonDocument,
): Promise<boolean> {
  const driver = session ? { session } : {};
  const result = await collectionOf(client, change.bucket).replaceOne(
    filter as never,
    change.document as never,
    driver,
  );
  if (result.matchedCount === 0) return false;
  await collectionOf(client, chunksOf(change.bucket)).deleteMany(
    { files_id: change.id as never },
    driver,
  );
  await moveChunks(client, session, change);
  return true;
}

/** The chunks come first, a step at a time; the files document then claims them. */
async function insertLargeFile(
  client: MongoClient,
  change: FileChange,
  count: number,
): Promise<void> {
  await moveChunksInSteps({ ...moveOf(client, change), count }, () =>
    collectionOf(client, change.bucket).insertOne(change.document as never, {
      forceServerObjectId: true,
    }),
  );
}

function moveOf(client: MongoClient, { bucket, staged, id }: FileChange) {
  return { chunks: collectionOf(client, chunksOf(bucket)), from: staged.stagedId, to: id };
}

function moveChunks(
  client: MongoClient,
  session: ClientSession | undefined,
  change: FileChange,
): Promise<void> {
  return moveAllChunks(moveOf(client, change), session);
}

async function readEtagOf(
  mongo: MongoAccess,
  bucket: Namespace,
  id: BsonValue,
): Promise<{ readonly etag: BsonValue | undefined } | undefined> {
  const found = await mapped(() =>
    collectionOf(mongo.client, bucket).findOne(
      { _id: id as never },
      {
        projection: { [FILE_ETAG_PATH]: 1 },
        raw: true,
      },
    ),
  );
  if (found === null) return undefined;
  return { etag: readRawPath(found as unknown as Uint8Array, FILE_ETAG_PATH) };
}

function checkEtag(
  stored: BsonValue | undefined,
  etag: EtagCondition | undefined,
): 'etagMissing' | 'etagMismatch' | undefined {
  if (etag?.required !== true) return undefined;
  if (etag.presented === undefined) return 'etagMissing';
  const same = stored instanceof ObjectId && stored.toHexString() === etag.presented.toLowerCase();
  return same ? undefined : 'etagMismatch';
}

/** A file that can be read. */
export interface OpenFile {
  /** The `.files` document, raw. */
  readonly document: Buffer;
  readonly length: number;
  /**
   * The content from `start` up to, not including, `end`; one batch of chunks at a time, as fast as
   * the consumer takes it. Fails when chunks are missing.
   */
  read(range?: { readonly start: number; readonly end: number }): AsyncGenerator<Buffer>;
}

/** Finds a file under the permit's read filter; `undefined` when there is none. */
export async function openFile(
  mongo: MongoAccess,
  bucket: Namespace,
  id: BsonValue,
  options: OperationOptions,
): Promise<OpenFile | undefined> {
  const document = await findOne(mongo, bucket, { id }, options);
  if (document === undefined) return undefined;
  const length = Number(readRawField(document, 'length') ?? 0);
  const chunkSize = Number(readRawField(document, 'chunkSize') ?? CHUNK_BYTES);
  return {
    document,
    length,
    read: (range = { start: 0, end: length }) =>
      readChunks(mongo, chunksOf(bucket), { id, chunkSize, length, ...range }, options),
  };
}

async function* readChunks(
  mongo: MongoAccess,
  chunks: Namespace,
  what: {
    readonly id: BsonValue;
    readonly chunkSize: number;
    readonly length: number;
    readonly start: number;
    readonly end: number;
  },
  options: OperationOptions,
): AsyncGenerator<Buffer> {
  const end = Math.min(what.end, what.length);
  if (what.start >= end) return;
  const first = Math.floor(what.start / what.chunkSize);
  const last = Math.floor((end - 1) / what.chunkSize);
  const filter = { files_id: what.id as never, n: { $gte: first, $lte: last } };
  const driver = {
    raw: true,
    sort: { n: 1 as const },
    batchSize: 4,
    ...(options.readPreference === undefined ? {} : { readPreference: options.readPreference }),
  };
  const cursor = collectionOf(mongo.client, chunks).find(filter, driver);
  try {
    for (let n = first; n <= last; n++) {
      const chunk = await mapped(() => cursor.next());
      const data = chunk === null ? undefined : dataOf(chunk as unknown as Uint8Array, n);
      const offset = n * what.chunkSize;
      const expected = Math.min(what.chunkSize, what.length - offset);
      if (data === undefined || data.length !== expected) {
        throw new Error(`File is damaged: chunk ${n} is missing or has the wrong length`);
      }
      yield data.subarray(Math.max(0, what.start - offset), Math.min(expected, end - offset));
    }
  } finally {
    await cursor.close();
  }
}

/** The bytes of chunk `n`, `undefined` when the document is another chunk. */
function dataOf(chunk: Uint8Array, n: number): Buffer | undefined {
  if (Number(readRawField(chunk, 'n')) !== n) return undefined;
  const field = findRawField(chunk, 'data');
  if (field === undefined || field.type !== 0x05) return undefined;
  // length (4), subtype (1); the old subtype 2 repeats the length
  const header = chunk[field.valueStart + 4] === Binary.SUBTYPE_BYTE_ARRAY ? 9 : 5;
  return toBuffer(chunk).subarray(field.valueStart + header, field.end);
}

/** Deletes a file and its chunks; the ETag condition is that of `metadata._etag`. */
export async function deleteFile(
  mongo: MongoAccess,
  bucket: Namespace,
  request: DeleteRequest,
  options: OperationOptions,
): Promise<DeleteResult> {
  const { etag } = request;
  const result = await deleteDocument(
    mongo,
    bucket,
    { ...request, etag: etag === undefined ? undefined : { ...etag, path: FILE_ETAG_PATH } },
    options,
  );
  if (result.outcome === 'deleted') {
    await mapped(() =>
      collectionOf(mongo.client, chunksOf(bucket)).deleteMany({ files_id: request.id as never }),
    );
  }
  return result;
}

/** Deletes the files that pass the filter, all without one; how many there were. */
export async function deleteFiles(
  mongo: MongoAccess,
  bucket: Namespace,
  request: { readonly filter?: BsonDocument | undefined },
  options: OperationOptions,
): Promise<number> {
  const filter = andFilters(request.filter, options.permit.writeFilter);
  let deleted = 0;
  for (;;) {
    const found = await runOperation(mongo, options, (client) =>
      collectionOf(client, bucket)
        .find(filter as never, { projection: { _id: 1 }, limit: DELETE_BATCH, raw: true })
        .toArray(),
    );
    const ids = found.map((item) => readRawField(item as unknown as Uint8Array, '_id') ?? null);
    if (ids.length === 0) return deleted;
    const result = await mapped(() =>
      collectionOf(mongo.client, bucket).deleteMany({ _id: { $in: ids as never[] } }),
    );
    await mapped(() =>
      collectionOf(mongo.client, chunksOf(bucket)).deleteMany({
        files_id: { $in: ids as never[] },
      }),
    );
    deleted += result.deletedCount;
    if (result.deletedCount === 0) return deleted;
  }
}
