/** Content of files, as fast as the consumer takes it. */
import { Binary, type BsonValue } from '../model/bson.ts';
import { findRawField, readRawField, toBuffer } from '../model/raw-bson.ts';
import { findOne } from './find-one.ts';
import { CHUNK_BYTES, chunksOf } from './gridfs-bucket.ts';
import { chunkIds } from './gridfs-chunk-ids.ts';
import { readUnsettled, settleFile, type UnsettledFile } from './gridfs-settle.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace, OperationOptions } from './operation-options.ts';

/** Two chunks are half a megabyte: more of them make downloads no faster, and the node larger. */
const CHUNKS_PER_BATCH = 2;
/** How often a long download looks whether its file is still the same. */
const CHUNKS_BETWEEN_CHECKS = 256;
/** Who made a file settles it at once; after this time nobody does. */
const SETTLE_AFTER_MS = 60_000;

/** Bytes from `start` up to, not including, `end`. */
export interface ContentRange {
  readonly start: number;
  readonly end: number;
}

/** The file was replaced or deleted while its content was being read. */
export class FileChangedError extends Error {}

/** A file that can be read. */
export interface OpenFile {
  /** The `.files` document, raw. */
  readonly document: Buffer;
  readonly length: number;
  /**
   * The content, a few chunks at a time. All of it is of the version that was opened: the last piece comes only after it
   * was made sure that the file is still the same.
   *
   * @throws FileChangedError when it is not; an Error when chunks are missing
   */
  read(range?: ContentRange): AsyncGenerator<Buffer>;
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
  const unsettled = readUnsettled(bucket, document);
  if (unsettled !== undefined && unsettled.uploadDate.getTime() < Date.now() - SETTLE_AFTER_MS) {
    // left by a process that died; whether it succeeds is no matter of this reader
    settleFile(mongo, unsettled).catch(() => undefined);
  }
  const file: Source = {
    chunks: chunksOf(bucket),
    id,
    unsettled,
    chunkSize: Number(readRawField(document, 'chunkSize') ?? CHUNK_BYTES),
    length,
    isCurrent: async () => {
      const now = await findOne(mongo, bucket, { id, projection: VERSION }, options);
      return now !== undefined && versionOf(now) === versionOf(document);
    },
  };
  return {
    document,
    length,
    read: (range = { start: 0, end: length }) => readChunks(mongo, file, range, options),
  };
}

const VERSION = new Map([
  ['uploadDate', 1],
  ['length', 1],
]);

function versionOf(document: Buffer): string {
  const date = readRawField(document, 'uploadDate');
  const text = date instanceof Date ? date.getTime() : date;
  return `${text} ${readRawField(document, 'length')}`;
}

interface Source {
  readonly chunks: Namespace;
  readonly id: BsonValue;
  readonly unsettled: UnsettledFile | undefined;
  readonly chunkSize: number;
  readonly length: number;
  isCurrent(): Promise<boolean>;
}

async function* readChunks(
  mongo: MongoAccess,
  file: Source,
  range: ContentRange,
  options: OperationOptions,
): AsyncGenerator<Buffer> {
  const { chunkSize, length } = file;
  const end = Math.min(range.end, length);
  if (range.start >= end) return;
  const first = Math.floor(range.start / chunkSize);
  const last = Math.floor((end - 1) / chunkSize);
  const cursor = openCursor(mongo, file, { first, last }, options);
  try {
    for (let n = first; n <= last; n++) {
      const chunk = await mapped(() => cursor.next());
      const data = chunk === null ? undefined : dataOf(chunk as unknown as Uint8Array, n);
      const offset = n * chunkSize;
      const expected = Math.min(chunkSize, length - offset);
      const isWhole = data?.length === expected;
      const isDue = n === last || (n - first) % CHUNKS_BETWEEN_CHECKS === CHUNKS_BETWEEN_CHECKS - 1;
      if ((isDue || !isWhole) && !(await file.isCurrent())) {
        throw new FileChangedError('The file was changed while it was being read');
      }
      if (!isWhole) {
        throw new Error(`File is damaged: chunk ${n} is missing or has the wrong length`);
      }
      yield data.subarray(Math.max(0, range.start - offset), Math.min(expected, end - offset));
    }
  } finally {
    await cursor.close();
  }
}

/** By the file's id, as any GridFS client reads; by the chunks' own ids while they may have either. */
function openCursor(
  mongo: MongoAccess,
  { chunks, id, unsettled }: Source,
  { first, last }: { readonly first: number; readonly last: number },
  { readPreference }: OperationOptions,
) {
  const count = last - first + 1;
  const driver = {
    raw: true,
    // one more than there are, else the database keeps the cursor open although nothing is left
    batchSize: count <= CHUNKS_PER_BATCH ? count + 1 : CHUNKS_PER_BATCH,
    ...(readPreference === undefined ? {} : { readPreference }),
  };
  const collection = collectionOf(mongo.client, chunks);
  if (unsettled !== undefined) {
    const filter = { _id: chunkIds(unsettled.upload, { first, last }) };
    return collection.find(filter, { ...driver, sort: { _id: 1 } });
  }
  const filter = { files_id: id as never, n: { $gte: first, $lte: last } };
  return collection.find(filter, { ...driver, sort: { n: 1 } });
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
