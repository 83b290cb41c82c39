/** PUT, PATCH and DELETE of collections, and POST into them (rest-resources.md §2). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, ObjectId } from '../../model/bson.ts';
import type { Reply } from '../../model/reply.ts';
import {
  createCollection,
  dropCollection,
  propertiesIdOf,
  writeCollectionProperties,
} from '../../mongo/collections.ts';
import type { DeleteResult } from '../../mongo/delete-one.ts';
import type { Change, WriteResult } from '../../mongo/write.ts';
import { documentContent, noDataProvided } from './body.ts';
import { postDocuments } from './bulk-writes.ts';
import { postDocument, withEtag } from './document-writes.ts';
import { etagConditionOf, etagMismatch, etagMissing } from './etag-policy.ts';
import type { RestContext } from './handler.ts';
import {
  isInTransaction,
  namespaceOf,
  propertyOptionsOf,
  refuseInTransaction,
} from './operation-context.ts';
import { toStoredProperties } from './properties.ts';
import { emptyReply, etagHeader, etagOfProperties } from './replies.ts';
import type { MongoRequest } from './rest-request.ts';
import { toUpdateDocument, withoutId } from './update-operators.ts';

const ETAG_OF_PUT = "The collection's ETag must be provided using the 'If-Match' header.";
const ETAG_OF_OTHERS = "The ETag must be provided using the 'If-Match' header";

/** POST /db/coll: one document, or several when the body is an array that is not empty. */
export function postToCollection(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { content } = request;
  if (Array.isArray(content)) {
    if (content.length > 0) return postDocuments(request, context, content);
    return postDocument(request, context, new Map());
  }
  return postDocument(request, context, content ?? new Map());
}

function checkOutcome(result: WriteResult | DeleteResult, missingText: string): void {
  if (result.outcome === 'etagMissing') throw etagMissing(missingText, result.storedEtag);
  if (result.outcome === 'etagMismatch') throw etagMismatch(result.storedEtag);
}

/** Collections without properties, or whose properties have no ETag, have nothing to check. */
function conditionOf(request: MongoRequest, context: RestContext) {
  return etagOfProperties(request.collectionProperties) === undefined
    ? undefined
    : etagConditionOf(request, context.config);
}

async function writeProperties(
  request: MongoRequest,
  context: RestContext,
  change: Change,
  missingText: string,
): Promise<void> {
  const result = await writeCollectionProperties(
    context.mongo,
    namespaceOf(request),
    { change, etag: conditionOf(request, context) },
    propertyOptionsOf(request),
  );
  checkOutcome(result, missingText);
}

/** PUT /db/coll; `prepare` changes properties before they are stored, such as pipelines that must be escaped. */
export async function putCollection(
  request: MongoRequest,
  context: RestContext,
  prepare: (properties: BsonDocument) => BsonDocument = (properties) => properties,
): Promise<Reply> {
  const body = prepare(documentContent(request));
  const etag = new ObjectId();
  const document = toStoredProperties(
    body,
    propertiesIdOf(request.collectionName),
    etag,
    request.http.receivedAtMs,
  );
  // in a transaction, making what is there would end it
  const made =
    !(request.collectionExists && isInTransaction(request)) &&
    (await createCollection(context.mongo, namespaceOf(request), { session: request.session }));
  await writeProperties(request, context, { kind: 'replace', document }, ETAG_OF_PUT);
  const status = made && !request.collectionExists ? 201 : 200;
  return emptyReply(status, [etagHeader(etag.toHexString())]);
}

/** PATCH /db/coll */
export async function patchCollection(
  request: MongoRequest,
  context: RestContext,
  prepare: (properties: BsonDocument) => BsonDocument = (properties) => properties,
): Promise<Reply> {
  if (request.collectionName.startsWith('_') && request.type !== 'SCHEMA_STORE') {
    throw new QuorateError('ERR_REQUEST_COLLECTION_NAME', {
      message: 'wrong request, collection name cannot be empty or start with _',
    });
  }
  const content = documentContent(request);
  if (content.size === 0) throw noDataProvided();
  const etag = new ObjectId();
  const operators = withEtag(toUpdateDocument(withoutId(prepare(content))), etag);
  await writeProperties(request, context, { kind: 'update', operators }, ETAG_OF_OTHERS);
  return emptyReply(200, [etagHeader(etag.toHexString())]);
}

/** DELETE /db/coll */
export async function removeCollection(
  request: MongoRequest,
  context: RestContext,
): Promise<Reply> {
  refuseInTransaction(request);
  const result = await dropCollection(
    context.mongo,
    namespaceOf(request),
    conditionOf(request, context) ?? { required: false, presented: undefined },
  );
  checkOutcome(result, ETAG_OF_OTHERS);
  return emptyReply(204);
}
