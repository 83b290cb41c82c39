/** Databases: GET, PUT, PATCH, DELETE, `_size`, `_meta` (rest-resources.md §1). */

import { type BsonDocument, ObjectId } from '../../model/bson.ts';
import type { Reply } from '../../model/reply.ts';
import { listCollectionNames, loadCollection } from '../../mongo/collections.ts';
import { dropDatabase, writeDatabaseProperties } from '../../mongo/databases.ts';
import type { DeleteResult } from '../../mongo/delete-one.ts';
import type { Change, WriteResult } from '../../mongo/write.ts';
import { documentContent } from './body.ts';
import { withEtag } from './document-writes.ts';
import { etagConditionOf, etagMismatch, etagMissing } from './etag-policy.ts';
import type { HandlerTable, RestContext } from './handler.ts';
import { metaReply } from './meta-reply.ts';
import { propertyOptionsOf, refuseInTransaction } from './operation-context.ts';
import { pageOf } from './page.ts';
import { toStoredProperties } from './properties.ts';
import { emptyReply, etagHeader, etagOfProperties, representedReply } from './replies.ts';
import { representNames } from './represent.ts';
import type { MongoRequest } from './rest-request.ts';
import { sizeReply } from './size-reply.ts';
import { toUpdateDocument, withoutId } from './update-operators.ts';

const ETAG_OF_DATABASE = "The database's ETag must be provided using the 'If-Match' header.";

function etagHeaders(request: MongoRequest): readonly (readonly [string, string])[] {
  const etag = etagOfProperties(request.databaseProperties);
  return etag === undefined ? [] : [etagHeader(etag)];
}

async function getDatabase(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { mongo } = context;
  const database = request.databaseName;
  const names = await listCollectionNames(mongo, database);
  const body = await representNames(request, {
    names: pageOf(names, request.parameters),
    total: names.length,
    properties: request.databaseProperties,
    loadProperties: async (collection) =>
      (await loadCollection(mongo, { database, collection })).properties,
  });
  return representedReply(request, body, etagHeaders(request));
}

async function getDatabaseSize(request: MongoRequest, context: RestContext): Promise<Reply> {
  const names = await listCollectionNames(context.mongo, request.databaseName);
  return sizeReply(request, names.length, etagHeaders(request));
}

async function getDatabaseMeta(request: MongoRequest): Promise<Reply> {
  return metaReply(request, 'db', request.databaseProperties);
}

function checkOutcome(result: WriteResult | DeleteResult): void {
  if (result.outcome === 'etagMissing') throw etagMissing(ETAG_OF_DATABASE, result.storedEtag);
  if (result.outcome === 'etagMismatch') throw etagMismatch(result.storedEtag);
}

async function writeProperties(
  request: MongoRequest,
  context: RestContext,
  toChange: (body: BsonDocument, etag: ObjectId) => Change,
): Promise<Reply> {
  const etag = new ObjectId();
  const change = toChange(documentContent(request), etag);
  const guarded = etagOfProperties(request.databaseProperties) !== undefined;
  const result = await writeDatabaseProperties(
    context.mongo,
    request.databaseName,
    { change, etag: guarded ? etagConditionOf(request, context.config) : undefined },
    propertyOptionsOf(request),
  );
  checkOutcome(result);
  return emptyReply(request.databaseExists ? 200 : 201, [etagHeader(etag.toHexString())]);
}

function putDatabase(request: MongoRequest, context: RestContext): Promise<Reply> {
  return writeProperties(request, context, (body, etag) => ({
    kind: 'replace',
    document: toStoredProperties(body, '_properties', etag, request.http.receivedAtMs),
  }));
}

function patchDatabase(request: MongoRequest, context: RestContext): Promise<Reply> {
  return writeProperties(request, context, (body, etag) => ({
    kind: 'update',
    operators: withEtag(toUpdateDocument(withoutId(body)), etag),
  }));
}

async function removeDatabase(request: MongoRequest, context: RestContext): Promise<Reply> {
  refuseInTransaction(request);
  const condition = etagConditionOf(request, context.config);
  const result = await dropDatabase(
    context.mongo,
    request.databaseName,
    condition ?? { required: false, presented: undefined },
  );
  checkOutcome(result);
  return emptyReply(204);
}

/** Handlers of databases. */
export const DATABASE_HANDLERS: HandlerTable = {
  DB: { GET: getDatabase, PUT: putDatabase, PATCH: patchDatabase, DELETE: removeDatabase },
  DB_SIZE: { GET: getDatabaseSize },
  DB_META: { GET: getDatabaseMeta },
};
