/**
 * Ids of uploads and of their chunks. An upload's id is an ObjectId that ends in three zero bytes; chunk `n` of it has `n`
 * in their place. So the chunks of an upload are one range of `_id`, in order, whatever file they belong to by now, and the
 * chunks of two uploads are never mixed up.
 */
import { randomBytes } from 'node:crypto';
import { QuorateError } from '../errors/quorate-error.ts';
import { ObjectId } from '../model/bson.ts';

const PREFIX_BYTES = 9;
/** 4 TiB of chunks of the usual size. */
const MAX_CHUNKS = 1 << 24;

/** A new upload: the time in seconds, then 40 random bits. */
export function createUploadId(): ObjectId {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(Math.floor(Date.now() / 1000), 0);
  randomBytes(PREFIX_BYTES - 4).copy(bytes, 4);
  return new ObjectId(bytes);
}

/**
 * The id of chunk `n` of an upload.
 *
 * @throws ERR_REQUEST_TOO_LARGE beyond the last number that there is
 */
export function chunkIdOf(upload: ObjectId, n: number): ObjectId {
  if (n >= MAX_CHUNKS)
    throw new QuorateError('ERR_REQUEST_TOO_LARGE', { message: 'too many chunks' });
  const bytes = Buffer.from(upload.id);
  bytes.writeUIntBE(n, PREFIX_BYTES, 3);
  return new ObjectId(bytes);
}

/** What `_id` of the chunks of an upload has to be, from `first` to `last`. */
export function chunkIds(
  upload: ObjectId,
  { first = 0, last = MAX_CHUNKS - 1 }: { readonly first?: number; readonly last?: number } = {},
): { readonly $gte: ObjectId; readonly $lte: ObjectId } {
  return { $gte: chunkIdOf(upload, first), $lte: chunkIdOf(upload, last) };
}
