/** Deletion of one document, under its ETag where one is asked for (rest-documents.md §6). */
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { type EtagCondition, isSameEtag, readEtag, toEtag } from './etag-condition.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import {
  andFilters,
  type ConsistencyOptions,
  type Namespace,
  type OperationOptions,
} from './operation-options.ts';
import { isAcknowledged, toDriverWriteOptions } from './read-options.ts';
import { runOperation } from './sessions.ts';

/** A conditional delete that keeps losing races gives up. */
const MAX_ATTEMPTS = 10;

/** What a delete is asked. */
export interface DeleteRequest {
  readonly id: BsonValue;
  readonly filter?: BsonDocument | undefined;
  readonly shardKey?: BsonDocument | undefined;
  readonly etag?: EtagCondition | undefined;
}

/** What became of a delete. */
export interface DeleteResult {
  readonly outcome: 'deleted' | 'notFound' | 'etagMissing' | 'etagMismatch';
  readonly storedEtag?: BsonValue | undefined;
}

/** Deletes one document under the permit's write filter. */
export async function deleteDocument(
  mongo: MongoAccess,
  namespace: Namespace,
  request: DeleteRequest,
  options: OperationOptions,
): Promise<DeleteResult> {
  const filter = andFilters(request.filter, options.permit.writeFilter);
  return deleteConditionally(mongo, namespace, { ...request, filter }, options);
}

/** The same without a permit. A target without ETag is refused only if `If-Match` was sent. */
export async function deleteConditionally(
  mongo: MongoAccess,
  namespace: Namespace,
  request: DeleteRequest,
  options: ConsistencyOptions,
): Promise<DeleteResult> {
  const { etag } = request;
  if (etag?.required !== true) {
    const deleted = await deleteMatching(mongo, namespace, request, undefined, options);
    return { outcome: deleted ? 'deleted' : 'notFound' };
  }
  const path = etag.path ?? '_etag';
  const expected = toEtag(etag.presented);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (expected !== undefined) {
      const condition: BsonDocument = new Map([[path, expected]]);
      if (await deleteMatching(mongo, namespace, request, condition, options)) {
        return { outcome: 'deleted' };
      }
    }
    const stored = await readEtag(mongo, namespace, request, path, options);
    if (stored === undefined) return { outcome: 'notFound' };
    if (etag.presented === undefined) return { outcome: 'etagMissing', storedEtag: stored.etag };
    if (!isSameEtag(stored.etag, expected)) {
      return { outcome: 'etagMismatch', storedEtag: stored.etag };
    }
  }
  throw new QuorateError('ERR_CONFLICT', { message: 'The document changes too often' });
}

async function deleteMatching(
  mongo: MongoAccess,
  namespace: Namespace,
  request: DeleteRequest,
  condition: BsonDocument | undefined,
  options: ConsistencyOptions,
): Promise<boolean> {
  const filter = andFilters(
    new Map([['_id', request.id]]),
    request.shardKey,
    request.filter,
    condition,
  );
  const result = await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace).deleteOne(filter as never, {
      ...toDriverWriteOptions(options),
      ...(session ? { session } : {}),
    }),
  );
  return !isAcknowledged(options) || result.deletedCount > 0;
}
