/** Writes of many documents at once (rest-documents.md §5.4). */
import type { AnyBulkWriteOperation, BulkWriteResult } from 'mongodb';
import { MongoBulkWriteError } from 'mongodb';
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { isUnavailable, mapDatabaseError, writeErrorsOf } from './map-error.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';
import { toDriverWriteOptions } from './read-options.ts';
import { runOperation } from './sessions.ts';
import { type Change, toDriverUpdate, type WriteMode } from './write.ts';

/** What became of a bulk write. */
export interface BulkResult {
  /** Inserts and upserts together. */
  readonly inserted: number;
  readonly deleted: number;
  readonly modified: number;
  readonly matched: number;
  /** Ids of the documents made, upserts first. */
  readonly newIds: readonly BsonValue[];
  readonly errors: readonly BulkItemError[];
}

/** The error of one item. */
export interface BulkItemError {
  readonly index: number;
  readonly code: number;
  readonly message: string;
}

/** Writes documents, each with an `_id`, unordered: an error of one does not stop the others. */
export async function bulkWriteDocuments(
  mongo: MongoAccess,
  namespace: Namespace,
  request: {
    readonly mode: WriteMode;
    readonly documents: readonly BsonDocument[];
    readonly filter?: BsonDocument | undefined;
    readonly shardKey?: BsonDocument | undefined;
  },
  options: OperationOptions,
): Promise<BulkResult> {
  const { mode, documents } = request;
  const operations = documents.map((document): AnyBulkWriteOperation => {
    if (mode === 'insert') return { insertOne: { document: document as never } };
    const filter = andFilters(
      new Map([['_id', document.get('_id') ?? null]]),
      request.shardKey,
      request.filter,
      options.permit.writeFilter,
    );
    return {
      replaceOne: {
        filter: filter as never,
        replacement: document as never,
        upsert: mode === 'upsert',
      },
    };
  });
  let errors: readonly BulkItemError[] = [];
  const result = await runOperation(mongo, options, async (client, session) => {
    try {
      return await collectionOf(client, namespace).bulkWrite(operations, {
        ...toDriverWriteOptions(options),
        ordered: false,
        forceServerObjectId: true,
        ...(session ? { session } : {}),
      });
    } catch (error) {
      if (!(error instanceof MongoBulkWriteError) || isUnavailable(error)) throw error;
      const items = writeErrorsOf(error);
      if (items.length === 0) throw error;
      // in a transaction a conflict ends it, so the whole request fails
      const fatal = items.find((item) => item.code === 112 || item.code === 251);
      if (fatal !== undefined) throw mapDatabaseError(error);
      errors = items.map((item) => ({
        index: item.index,
        code: item.code,
        message: item.errmsg,
      }));
      return error.result;
    }
  });
  return toBulkResult(result, mode, documents, errors);
}

function toBulkResult(
  result: BulkWriteResult,
  mode: WriteMode,
  documents: readonly BsonDocument[],
  errors: readonly BulkItemError[],
): BulkResult {
  const failed = new Set(errors.map((error) => error.index));
  const upserted = Object.keys(result.upsertedIds).map((index) => Number(index));
  const newIds = upserted.map((index) => documents[index]?.get('_id') ?? null);
  if (mode === 'insert') {
    for (const [index, document] of documents.entries()) {
      if (!failed.has(index)) newIds.push(document.get('_id') ?? null);
    }
  }
  return {
    inserted: result.insertedCount + result.upsertedCount,
    deleted: result.deletedCount,
    modified: result.modifiedCount,
    matched: result.matchedCount,
    newIds,
    errors,
  };
}

/** Updates all documents that pass the filters. `_etag` stays as it is. */
export async function bulkUpdate(
  mongo: MongoAccess,
  namespace: Namespace,
  request: {
    readonly filter: BsonDocument;
    readonly change: Exclude<Change, { kind: 'replace' }>;
    readonly shardKey?: BsonDocument | undefined;
  },
  options: OperationOptions,
): Promise<BulkResult> {
  requirePermission(options.permit.allowBulkPatch);
  const filter = andFilters(request.filter, request.shardKey, options.permit.writeFilter);
  const result = await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace).updateMany(
      filter as never,
      toDriverUpdate(request.change) as never,
      { ...toDriverWriteOptions(options), ...(session ? { session } : {}) },
    ),
  );
  return {
    inserted: 0,
    deleted: 0,
    modified: result.modifiedCount,
    matched: result.matchedCount,
    newIds: [],
    errors: [],
  };
}

/** Deletes all documents that pass the filters. */
export async function bulkDelete(
  mongo: MongoAccess,
  namespace: Namespace,
  request: { readonly filter: BsonDocument; readonly shardKey?: BsonDocument | undefined },
  options: OperationOptions,
): Promise<BulkResult> {
  requirePermission(options.permit.allowBulkDelete);
  const filter = andFilters(request.filter, request.shardKey, options.permit.writeFilter);
  const result = await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace).deleteMany(filter as never, {
      ...toDriverWriteOptions(options),
      ...(session ? { session } : {}),
    }),
  );
  return {
    inserted: 0,
    deleted: result.deletedCount,
    modified: 0,
    matched: 0,
    newIds: [],
    errors: [],
  };
}

/** The service answers 403 with its own text first; this is the second lock. */
function requirePermission(allowed: boolean): void {
  if (!allowed) throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
}
