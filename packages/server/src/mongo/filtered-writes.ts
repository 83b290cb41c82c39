/** Updates and deletes of what a filter finds, one or all, for the Data API. */
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';
import { toDriverWriteOptions } from './read-options.ts';
import { runOperation } from './sessions.ts';
import { type Change, toDriverUpdate } from './write.ts';

/** How many documents a write found and changed. */
export interface UpdateCounts {
  readonly matched: number;
  readonly modified: number;
  readonly upsertedId: BsonValue | undefined;
}

/** Changes what the filter finds, within the permit's write filter. */
export async function updateMatching(
  mongo: MongoAccess,
  namespace: Namespace,
  request: {
    readonly scope: 'one' | 'many';
    readonly filter: BsonDocument;
    readonly change: Change;
    readonly upsert: boolean;
  },
  options: OperationOptions,
): Promise<UpdateCounts> {
  const { change, scope, upsert } = request;
  if (scope === 'many') requirePermission(options.permit.allowBulkPatch);
  const filter = andFilters(request.filter, options.permit.writeFilter) as never;
  const result = await runOperation(mongo, options, (client, session) => {
    const collection = collectionOf(client, namespace);
    const driver = { ...toDriverWriteOptions(options), upsert, ...(session ? { session } : {}) };
    if (change.kind === 'replace') {
      return collection.replaceOne(filter, change.document as never, driver);
    }
    const update = toDriverUpdate(change) as never;
    return scope === 'one'
      ? collection.updateOne(filter, update, driver)
      : collection.updateMany(filter, update, driver);
  });
  return {
    matched: result.matchedCount,
    modified: result.modifiedCount,
    upsertedId:
      result.upsertedId === null ? undefined : (result.upsertedId as unknown as BsonValue),
  };
}

/** Deletes what the filter finds, within the permit's write filter; how many there were. */
export async function deleteMatching(
  mongo: MongoAccess,
  namespace: Namespace,
  request: { readonly scope: 'one' | 'many'; readonly filter: BsonDocument },
  options: OperationOptions,
): Promise<number> {
  if (request.scope === 'many') requirePermission(options.permit.allowBulkDelete);
  const filter = andFilters(request.filter, options.permit.writeFilter) as never;
  const result = await runOperation(mongo, options, (client, session) => {
    const collection = collectionOf(client, namespace);
    const driver = { ...toDriverWriteOptions(options), ...(session ? { session } : {}) };
    return request.scope === 'one'
      ? collection.deleteOne(filter, driver)
      : collection.deleteMany(filter, driver);
  });
  return result.deletedCount;
}

function requirePermission(isAllowed: boolean): void {
  if (!isAllowed) throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
}
