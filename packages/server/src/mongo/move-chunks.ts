/**
 * Gives the chunks of an upload to the file they make. Few move within a transaction; of many, whose content would be the
 * transaction's, a step at a time: until there is a document in `.files`, nobody reads them.
 */
import type { ClientSession, Collection, Document } from 'mongodb';
import type { BsonValue } from '../model/bson.ts';
import { ObjectId } from '../model/bson.ts';
import { mongoCodeOf } from './map-error.ts';

/** 16 MiB of GridFS's default chunks: the size of one document, which every database can hold in a transaction. */
export const CHUNKS_PER_STEP = 64;
/** Chunks without a file that are older were left by a process that died. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;
const DUPLICATE_KEY = 11000;

/** Whose chunks become whose. */
export interface ChunkMove {
  readonly chunks: Collection<Document>;
  readonly from: ObjectId;
  readonly to: BsonValue;
  /** How many there are. */
  readonly count: number;
}

/** Moves all chunks at once. */
export async function moveAllChunks(
  { chunks, from, to }: Omit<ChunkMove, 'count'>,
  session: ClientSession | undefined,
): Promise<void> {
  await chunks.updateMany(
    { files_id: from },
    { $set: { files_id: to as never } },
    session ? { session } : {},
  );
}

/**
 * Moves the chunks step by step, then calls `claim`, which makes the file. When either fails, what was moved is removed.
 * The unique index on (`files_id`, `n`) lets only one upload of an id pass.
 *
 * @throws the failure of `claim`; a duplicate key when the id has chunks already
 */
export async function moveChunksInSteps(
  move: ChunkMove,
  claim: () => Promise<unknown>,
): Promise<void> {
  const { chunks, from, to, count } = move;
  await removeOrphans(move);
  let moved = 0;
  let step: ObjectId[] = [];
  try {
    for (; moved < count; moved += CHUNKS_PER_STEP) {
      const range = { files_id: from, n: { $gte: moved, $lt: moved + CHUNKS_PER_STEP } };
      const found = await chunks.find(range, { projection: { _id: 1 } }).toArray();
      step = found.map(({ _id }) => _id as unknown as ObjectId);
      await chunks.updateMany({ _id: { $in: step } }, { $set: { files_id: to as never } });
    }
    await claim();
  } catch (failure) {
    // below `moved` every number is this upload's; in the step that failed some may be another's
    await chunks.deleteMany({ files_id: to as never, n: { $lt: Math.min(moved, count) } });
    await chunks.deleteMany({ _id: { $in: step }, files_id: to as never });
    throw failure;
  }
}

/** Called when there is no file of that id. */
async function removeOrphans({ chunks, to }: ChunkMove): Promise<void> {
  const first = await chunks.findOne({ files_id: to as never }, { projection: { _id: 1 } });
  const id: unknown = first?._id;
  if (!(id instanceof ObjectId)) return;
  if (id.getTimestamp().getTime() > Date.now() - ORPHAN_AGE_MS) return;
  await chunks.deleteMany({ files_id: to as never });
}

/** Whether another file or upload has the id. */
export function isTaken(failure: unknown): boolean {
  return mongoCodeOf(failure) === DUPLICATE_KEY;
}
