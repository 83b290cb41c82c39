/** Writes of one document: POST, PUT, PATCH, DELETE (rest-documents.md §5). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, ObjectId } from '../../model/bson.ts';
import type { Reply, ReplyHeader } from '../../model/reply.ts';
import { deleteDocument } from '../../mongo/delete-one.ts';
import {
  type Change,
  duplicateKeyError,
  type WriteResult,
  writeDocument,
} from '../../mongo/write.ts';
import { documentContent, noDataProvided } from './body.ts';
import { splitCurrentDate } from './current-date.ts';
import { isSameId } from './document-id.ts';
import { etagConditionOf, etagMismatch, etagMissing } from './etag-policy.ts';
import type { RestContext } from './handler.ts';
import { documentLocation } from './location.ts';
import { namespaceOf, writeOptionsOf } from './operation-context.ts';
import { emptyReply, etagHeader } from './replies.ts';
import { isReservedId, reservedResource } from './resource-names.ts';
import type { MongoRequest, WriteMode } from './rest-request.ts';
import { undoWrite } from './undo-write.ts';
import { toUpdateDocument, withoutId } from './update-operators.ts';

const ETAG_OF_DOCUMENT = "The document's ETag must be provided using the 'If-Match' header";
const ETAG_OF_PATCH = "The ETag must be provided using the 'If-Match' header";

/**
 * The document as it is stored: `_id` first, the client's properties in order, `_etag`, then the fields of
 * `$currentDate` (rest-documents.md §5.2).
 */
export function toStoredDocument(
  body: BsonDocument,
  id: BsonValue,
  etag: ObjectId,
  nowMs: number,
): BsonDocument {
  const { document, dates } = splitCurrentDate(body, nowMs);
  const stored: BsonDocument = new Map([['_id', id]]);
  for (const [name, value] of document) {
    if (name !== '_etag' && name !== '_id') stored.set(name, value);
  }
  stored.set('_etag', etag);
  if (dates !== undefined) {
    for (const [name, value] of dates) {
      stored.delete(name);
      stored.set(name, value);
    }
  }
  return stored;
}

/** A refusal by the writer: no body, but the ETag that the write would have got (rest-documents.md §5.2). */
function refusedByWriter(status: 400 | 404, etag: string): QuorateError {
  const code = status === 400 ? 'ERR_REQUEST_BODY' : 'ERR_NOT_FOUND_DOCUMENT';
  return new QuorateError(code, { status, emptyBody: true, headers: [etagHeader(etag)] });
}

/** Throws for every outcome but `created` and `updated`. */
function checkOutcome(result: WriteResult, newEtag: string, missingText: string): void {
  switch (result.outcome) {
    case 'created':
    case 'updated':
      return;
    case 'notFound':
      throw refusedByWriter(404, newEtag);
    case 'duplicate':
      throw duplicateKeyError();
    case 'etagMissing':
      throw etagMissing(missingText, result.storedEtag);
    case 'etagMismatch':
      throw etagMismatch(result.storedEtag);
  }
}

/** With such an `id_type`, a POST without `_id` is refused, since only ObjectIds can be made up. */
export function idTypeThatWantsIds({ parameters }: MongoRequest): string | undefined {
  const { idType } = parameters;
  return idType === undefined || idType === 'OID' || idType === 'STRING_OID' ? undefined : idType;
}

/** The refusal that single and bulk POST share. */
export function idMandatory(idType: string): QuorateError {
  return new QuorateError('ERR_REQUEST_ID', {
    message: `_id in content body is mandatory for documents with id type ${idType}`,
  });
}

function approximateBytes(request: MongoRequest): number | undefined {
  const length = Number(request.http.header('content-length'));
  return Number.isFinite(length) ? length : undefined;
}

/** POST /db/coll with one object, or with nothing. */
export async function postDocument(
  request: MongoRequest,
  context: RestContext,
  body: BsonDocument,
): Promise<Reply> {
  const { parameters } = request;
  const mode: WriteMode = parameters.writeMode ?? 'insert';
  const sentId = body.get('_id');
  if (isReservedId(sentId)) throw reservedResource();
  const wants = sentId === undefined ? idTypeThatWantsIds(request) : undefined;
  if (wants !== undefined) throw idMandatory(wants);
  const etag = new ObjectId();
  if (sentId === undefined && mode === 'update') throw refusedByWriter(400, etag.toHexString());
  const id = sentId === undefined ? new ObjectId() : sentId;
  const result = await writeDocument(
    context.mongo,
    namespaceOf(request),
    {
      id,
      mode,
      change: {
        kind: 'replace',
        document: toStoredDocument(body, id, etag, request.http.receivedAtMs),
      },
      filter: parameters.filter,
      shardKey: parameters.shardKey,
      etag: etagConditionOf(request, context.config),
      approximateBytes: approximateBytes(request),
    },
    writeOptionsOf(request, context),
  );
  checkOutcome(result, etag.toHexString(), `${ETAG_OF_DOCUMENT}.`);
  const headers: ReplyHeader[] = [etagHeader(etag.toHexString())];
  if (result.outcome !== 'created') return emptyReply(200, headers);
  headers.push(['Location', documentLocation(request, context.config, id)]);
  return emptyReply(201, headers);
}

/** PUT /db/coll/id */
export async function putDocument(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { parameters } = request;
  const body = documentContent(request);
  const id = request.id ?? null;
  if (body.has('_id') && !isSameId(body.get('_id'), id)) {
    throw new QuorateError('ERR_REQUEST_ID', {
      message: '_id in content body is different than id in URL',
    });
  }
  const etag = new ObjectId();
  const result = await writeDocument(
    context.mongo,
    namespaceOf(request),
    {
      id,
      mode: parameters.writeMode ?? 'update',
      change: {
        kind: 'replace',
        document: toStoredDocument(body, id, etag, request.http.receivedAtMs),
      },
      filter: parameters.filter,
      shardKey: parameters.shardKey,
      etag: etagConditionOf(request, context.config),
      approximateBytes: approximateBytes(request),
    },
    writeOptionsOf(request, context),
  );
  checkOutcome(result, etag.toHexString(), ETAG_OF_DOCUMENT);
  return emptyReply(result.outcome === 'created' ? 201 : 200, [etagHeader(etag.toHexString())]);
}

/** The change a PATCH body asks for: operators, or a pipeline when it is an array (rest-documents.md §5.3). */
function toChange(request: MongoRequest, etag: ObjectId): Exclude<Change, { kind: 'replace' }> {
  const { content, id } = request;
  if (content === undefined) throw noDataProvided();
  if (Array.isArray(content)) {
    if (content.length === 0) throw noDataProvided();
    const stages = content.filter(isDocument);
    return {
      kind: 'pipeline',
      stages: [...stages, new Map([['$set', new Map([['_etag', etag]])]])],
    };
  }
  if (content.size === 0) throw noDataProvided();
  if (content.has('_id') && !isSameId(content.get('_id'), id ?? null)) {
    throw new QuorateError('ERR_REQUEST_ID', {
      message: '_id in json data cannot be different than id in URL',
    });
  }
  return { kind: 'update', operators: withEtag(toUpdateDocument(withoutId(content)), etag) };
}

/** Operators that set `_etag` on top of what the client sets; its own value of `_etag` is dropped. */
export function withEtag(operators: BsonDocument, etag: ObjectId): BsonDocument {
  const update: BsonDocument = new Map(operators);
  const set = update.get('$set');
  // a `$set` that is no document is left for the database to refuse
  if (set !== undefined && !isDocument(set)) return update;
  const fields: BsonDocument = new Map(set ?? []);
  fields.delete('_etag');
  fields.set('_etag', etag);
  update.set('$set', fields);
  return update;
}

/** What the result of a PATCH must satisfy: the schema of the collection, and rules of its own. */
async function loadChecks(
  request: MongoRequest,
  context: RestContext,
): Promise<((document: BsonDocument) => Promise<void> | void) | undefined> {
  const { checkWritten } = request;
  const validate =
    request.collectionProperties?.get('jsonSchema') === undefined
      ? undefined
      : await context.checks.loadDocumentValidator(request, context);
  if (checkWritten === undefined) return validate;
  return (document) => {
    validate?.(document);
    return checkWritten(document);
  };
}

/** PATCH /db/coll/id */
export async function patchDocument(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { parameters } = request;
  const etag = new ObjectId();
  const change = toChange(request, etag);
  const validate = await loadChecks(request, context);
  const result = await writeDocument(
    context.mongo,
    namespaceOf(request),
    {
      id: request.id ?? null,
      mode: parameters.writeMode ?? 'update',
      change,
      filter: parameters.filter,
      shardKey: parameters.shardKey,
      etag: etagConditionOf(request, context.config),
      returnDocument: validate === undefined ? undefined : 'before',
    },
    writeOptionsOf(request, context),
  );
  checkOutcome(result, etag.toHexString(), ETAG_OF_PATCH);
  if (validate !== undefined) await undoWrite(request, context, { validate, result, etag });
  return emptyReply(result.outcome === 'created' ? 201 : 200, [etagHeader(etag.toHexString())]);
}

/** DELETE /db/coll/id */
export async function removeDocument(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { parameters } = request;
  const result = await deleteDocument(
    context.mongo,
    namespaceOf(request),
    {
      id: request.id ?? null,
      filter: parameters.filter,
      shardKey: parameters.shardKey,
      etag: etagConditionOf(request, context.config),
    },
    writeOptionsOf(request, context),
  );
  switch (result.outcome) {
    case 'deleted':
      return emptyReply(204);
    case 'notFound':
      return emptyReply(404);
    case 'etagMissing':
      throw etagMissing(ETAG_OF_DOCUMENT, result.storedEtag);
    case 'etagMismatch':
      throw etagMismatch(result.storedEtag);
  }
}
