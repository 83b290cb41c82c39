/** Bulk writes: POST of an array, PATCH and DELETE on `/coll/*` (rest-documents.md §5.4). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, ObjectId } from '../../model/bson.ts';
import type { Reply } from '../../model/reply.ts';
import {
  type BulkItemError,
  type BulkResult,
  bulkDelete,
  bulkUpdate,
  bulkWriteDocuments,
} from '../../mongo/bulk-write.ts';
import type { BulkSummary } from '../../representation/hal.ts';
import { documentContent, noDataProvided } from './body.ts';
import { formatIdForLink } from './document-id.ts';
import { idMandatory, idTypeThatWantsIds, toStoredDocument } from './document-writes.ts';
import type { RestContext } from './handler.ts';
import { childPath } from './location.ts';
import { namespaceOf, writeOptionsOf } from './operation-context.ts';
import { etagHeader, jsonReply, representedReply } from './replies.ts';
import { representBulk, writeSummary } from './represent.ts';
import { isReservedId } from './resource-names.ts';
import type { MongoRequest } from './rest-request.ts';
import { toUpdateDocument } from './update-operators.ts';

/** POST /db/coll with an array of objects. */
export async function postDocuments(
  request: MongoRequest,
  context: RestContext,
  items: readonly BsonValue[],
): Promise<Reply> {
  const { parameters } = request;
  const etag = new ObjectId();
  const documents = items.filter(isDocument).map((item) => toItem(request, item, etag));
  const result = await bulkWriteDocuments(
    context.mongo,
    namespaceOf(request),
    {
      mode: parameters.writeMode ?? 'insert',
      documents,
      filter: parameters.filter,
      shardKey: parameters.shardKey,
    },
    writeOptionsOf(request, context),
  );
  if (result.errors.length > 0) {
    return jsonReply(
      writeSummary(request, toSummary(request, result), result.errors.map(toErrorItem)),
      [],
      207,
    );
  }
  return represent(request, result, [etagHeader(etag.toHexString())]);
}

function toItem(request: MongoRequest, item: BsonDocument, etag: ObjectId): BsonDocument {
  const id = item.get('_id');
  if (isReservedId(id)) {
    throw new QuorateError('ERR_REQUEST_RESERVED', { message: `id is reserved: ${String(id)}` });
  }
  // inverted in comparison with the single POST (rest-documents.md §5.2)
  const idType = id === undefined ? undefined : idTypeThatWantsIds(request);
  if (idType !== undefined) throw idMandatory(idType);
  return toStoredDocument(
    item,
    id === undefined ? new ObjectId() : id,
    etag,
    request.http.receivedAtMs,
  );
}

function represent(
  request: MongoRequest,
  result: BulkResult,
  headers: readonly (readonly [string, string])[] = [],
): Reply {
  return representedReply(request, representBulk(request, toSummary(request, result)), headers);
}

function toSummary(request: MongoRequest, result: BulkResult): BulkSummary {
  const links = result.newIds.map((id) => childPath(request.requestPath, formatIdForLink(id)));
  const { inserted, deleted, modified, matched } = result;
  return { inserted, deleted, modified, matched, links };
}

const DUPLICATE_KEY = 11000;
const BAD_VALUE = 2;

function toErrorItem({ index, code, message }: BulkItemError): BsonDocument {
  const item: BsonDocument = new Map<string, BsonValue>([['index', index]]);
  if (code === DUPLICATE_KEY && isAboutId(message)) return item.set('httpStatus', 409);
  if (code === BAD_VALUE) {
    return item.set('httpStatus', 400).set('message', `Invalid query parameter: ${message}`);
  }
  return item.set('mongodbErrorCode', code).set('httpStatus', 404).set('message', message);
}

/** A duplicate in another unique index counts as "other error"; the database names the index only in its text. */
function isAboutId(message: string): boolean {
  const index = /index: (\S+)/.exec(message)?.[1];
  return index === undefined || index === '_id_' || index.endsWith('.$_id_');
}

/** PATCH /db/coll/*?filter= */
export async function patchDocuments(request: MongoRequest, context: RestContext): Promise<Reply> {
  requirePermission(context.permit.allowBulkPatch);
  if (request.content === undefined) throw noDataProvided();
  const content = documentContent(request);
  if (content.size === 0) {
    // the reference answers so (rest-documents.md §5.4)
    throw new QuorateError('ERR_REQUEST_BODY', {
      status: 500,
      message: 'Error handling the request, see log for more information',
    });
  }
  const operators = toUpdateDocument(content);
  const result = await bulkUpdate(
    context.mongo,
    namespaceOf(request),
    {
      filter: request.parameters.filter ?? new Map(),
      change: { kind: 'update', operators },
      shardKey: request.parameters.shardKey,
    },
    writeOptionsOf(request, context),
  );
  return represent(request, result);
}

/** DELETE /db/coll/*?filter= */
export async function removeDocuments(request: MongoRequest, context: RestContext): Promise<Reply> {
  requirePermission(context.permit.allowBulkDelete);
  const result = await bulkDelete(
    context.mongo,
    namespaceOf(request),
    {
      filter: request.parameters.filter ?? new Map(),
      shardKey: request.parameters.shardKey,
    },
    writeOptionsOf(request, context),
  );
  return represent(request, result);
}

function requirePermission(allowed: boolean): void {
  if (!allowed) throw new QuorateError('ERR_AUTHZ_FORBIDDEN', { emptyBody: true });
}
