/** Existence and properties of what a path names (rest-documents.md §3 item 3). */

import type { ErrorCode } from '../../errors/codes.ts';
import { QuorateError } from '../../errors/quorate-error.ts';
import { loadCollection } from '../../mongo/collections.ts';
import { loadDatabase } from '../../mongo/databases.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import { namespaceOf } from './operation-context.ts';
import { isBucketName, isSchemaStoreName } from './resource-type.ts';
import type { MongoRequest } from './rest-request.ts';

function notFound(code: ErrorCode, message: string): QuorateError {
  return new QuorateError(code, { status: 404, message });
}

/** The 404 of a missing database. */
export function databaseNotFound(database: string): QuorateError {
  return notFound('ERR_NOT_FOUND_DB', `Db '${database}' does not exist`);
}

/** The 404 of a missing collection, bucket or schema store. */
export function collectionNotFound(collection: string): QuorateError {
  const code = 'ERR_NOT_FOUND_COLLECTION';
  if (isBucketName(collection)) return notFound(code, `File Bucket '${collection}' does not exist`);
  if (isSchemaStoreName(collection)) return notFound(code, 'Schema Store does not exist');
  return notFound(code, `Collection '${collection}' does not exist`);
}

/** PUT of the collection itself is the one request whose collection need not exist. */
function makesCollection({ type, method }: MongoRequest): boolean {
  return (
    method === 'PUT' &&
    (type === 'COLLECTION' || type === 'FILES_BUCKET' || type === 'SCHEMA_STORE')
  );
}

/**
 * Fills in what is known of the request's database and collection. Both are looked up, and the complaint about the
 * collection replaces the one about the database.
 */
export async function loadMetadata(
  request: MongoRequest,
  mongo: MongoAccess,
): Promise<MongoRequest> {
  const { databaseName, collectionName } = request;
  if (databaseName === '') return request;
  const fresh = { fresh: request.parameters.noCache };
  try {
    const [database, collection] = await Promise.all([
      loadDatabase(mongo, databaseName, fresh),
      collectionName === '' ? undefined : loadCollection(mongo, namespaceOf(request), fresh),
    ]);
    request.databaseExists = database.exists;
    request.databaseProperties = database.properties;
    if (!database.exists && !(request.type === 'DB' && request.method === 'PUT')) {
      request.rememberedError = databaseNotFound(databaseName);
    }
    if (collection !== undefined) {
      request.collectionExists = collection.exists;
      request.collectionProperties = collection.properties;
      if (!collection.exists && !makesCollection(request)) {
        request.rememberedError = collectionNotFound(collectionName);
      }
    }
  } catch (failure) {
    // the client may have no right to anything: what the database says waits for authorization
    if (!(failure instanceof QuorateError)) throw failure;
    request.rememberedError = failure;
  }
  return request;
}
