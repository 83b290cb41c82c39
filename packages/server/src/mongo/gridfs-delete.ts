/** Deletion of files with their chunks. */
import type { BsonDocument } from '../model/bson.ts';
import { readRawField } from '../model/raw-bson.ts';
import { type DeleteRequest, type DeleteResult, deleteDocument } from './delete-one.ts';
import { FILE_ETAG_PATH } from './gridfs-bucket.ts';
import { removeChunksOfFiles } from './gridfs-settle.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';
import { runOperation } from './sessions.ts';

const FILES_PER_STEP = 1000;

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
  if (result.outcome === 'deleted') await removeChunksOfFiles(mongo, bucket, [request.id]);
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
        .find(filter as never, { projection: { _id: 1 }, limit: FILES_PER_STEP, raw: true })
        .toArray(),
    );
    const ids = found.map((item) => readRawField(item as unknown as Uint8Array, '_id') ?? null);
    if (ids.length === 0) return deleted;
    const result = await mapped(() =>
      collectionOf(mongo.client, bucket).deleteMany({ _id: { $in: ids as never[] } }),
    );
    await removeChunksOfFiles(mongo, bucket, ids);
    deleted += result.deletedCount;
    if (result.deletedCount === 0) return deleted;
  }
}
