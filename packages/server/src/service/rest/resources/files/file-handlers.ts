/** Buckets and files (rest-resources.md §7). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonValue, ObjectId } from '../../../../model/bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import { dropQuietly } from '../../../../mongo/collections.ts';
import { chunksOf, FILE_ETAG_PATH, forgetBucket } from '../../../../mongo/gridfs-bucket.ts';
import { deleteFile, deleteFiles } from '../../../../mongo/gridfs-delete.ts';
import { finishUpload } from '../../../../mongo/gridfs-publish.ts';
import { discardUpload, type StagedUpload, stageUpload } from '../../../../mongo/gridfs-upload.ts';
import { duplicateKeyError, writeDocument } from '../../../../mongo/write.ts';
import { bodyKindOf, documentContent, noDataProvided } from '../../body.ts';
import { getDocuments } from '../../collection-reads.ts';
import { patchCollection, putCollection, removeCollection } from '../../collection-writes.ts';
import { isSameId } from '../../document-id.ts';
import { documentNotFound, readDocument } from '../../document-reads.ts';
import { etagConditionOf, etagMismatch, etagMissing } from '../../etag-policy.ts';
import type { HandlerTable, RestContext } from '../../handler.ts';
import { documentLocation } from '../../location.ts';
import { namespaceOf, writeOptionsOf } from '../../operation-context.ts';
import {
  emptyReply,
  etagHeader,
  etagOfRaw,
  isNotModified,
  jsonReply,
  notModified,
  representedReply,
} from '../../replies.ts';
import { representDocument } from '../../represent.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { escapeAggregations } from '../aggregations/escape-pipeline.ts';
import { getFileContent } from './file-content.ts';
import { changeMetadata, type FileFacts, replaceMetadata, toFileFacts } from './file-metadata.ts';
import { receiveUpload } from './receive-upload.ts';

const ETAG_OF_METADATA = "The ETag must be provided using the 'If-Match' header";
const ETAG_OF_DELETE = "The file's ETag must be provided using the 'If-Match' header";

/** Content and facts of a multipart body; the content is stored, and not yet a file. */
async function stage(
  request: MongoRequest,
  context: RestContext,
): Promise<{ staged: StagedUpload; facts: FileFacts }> {
  const bucket = namespaceOf(request);
  const { mongo } = context;
  const received = await receiveUpload(request.http, {
    store: (content) => stageUpload(mongo, bucket, content),
    discard: (staged) => discardUpload(mongo, bucket, staged),
  });
  const { stored, metadata, sniffedType } = received;
  return {
    staged: stored,
    facts: toFileFacts(metadata, sniffedType, context.permit.mergeRequest),
  };
}

function isMultipart(request: MongoRequest): boolean {
  return bodyKindOf(request.http.header('content-type')) === 'multipart';
}

async function postFile(request: MongoRequest, context: RestContext): Promise<Reply> {
  if (!isMultipart(request)) {
    throw new QuorateError('ERR_REQUEST_FILE', { message: 'POST file request is in a bad format' });
  }
  const { staged, facts } = await stage(request, context);
  const result = await finishUpload(
    context.mongo,
    namespaceOf(request),
    staged,
    { ...facts, mode: 'insert' },
    writeOptionsOf(request, context),
  );
  if (result.outcome !== 'created') throw duplicateKeyError();
  return emptyReply(201, [['Location', documentLocation(request, context.config, result.id)]]);
}

async function putFile(request: MongoRequest, context: RestContext): Promise<Reply> {
  if (!isMultipart(request)) return putMetadata(request, context);
  const id: BsonValue = request.id ?? null;
  const { staged, facts } = await stage(request, context);
  const bucket = namespaceOf(request);
  if (facts.id !== undefined && !isSameId(facts.id, id)) {
    await discardUpload(context.mongo, bucket, staged);
    throw new QuorateError('ERR_REQUEST_ID', {
      message: '_id in content body is different than id in URL',
    });
  }
  const etag = etagConditionOf(request, context.config, FILE_ETAG_PATH);
  const file = { ...facts, id, mode: 'upsert', etag } as const;
  const options = writeOptionsOf(request, context);
  const result = await finishUpload(context.mongo, bucket, staged, file, options);
  switch (result.outcome) {
    case 'created':
      return emptyReply(201);
    case 'updated':
      return emptyReply(200);
    case 'etagMissing':
      return emptyReply(409);
    case 'etagMismatch':
      return emptyReply(412);
    case 'duplicate':
      throw duplicateKeyError();
  }
}

function putMetadata(request: MongoRequest, context: RestContext): Promise<Reply> {
  return writeMetadata(request, context, replaceMetadata);
}

function patchFile(request: MongoRequest, context: RestContext): Promise<Reply> {
  if (isMultipart(request)) {
    throw new QuorateError('ERR_REQUEST_FILE', {
      message: 'only metadata is allowed for PATCH requests, not binary data',
    });
  }
  return writeMetadata(request, context, changeMetadata);
}

async function writeMetadata(
  request: MongoRequest,
  context: RestContext,
  toOperators: typeof changeMetadata,
): Promise<Reply> {
  const body = documentContent(request);
  if (body.size === 0) throw noDataProvided();
  const etag = new ObjectId();
  const { filter, shardKey } = request.parameters;
  const result = await writeDocument(
    context.mongo,
    namespaceOf(request),
    {
      id: request.id ?? null,
      mode: 'update',
      change: { kind: 'update', operators: toOperators(body, etag, context.permit.mergeRequest) },
      filter,
      shardKey,
      etag: etagConditionOf(request, context.config, FILE_ETAG_PATH),
    },
    writeOptionsOf(request, context),
  );
  switch (result.outcome) {
    case 'notFound':
      return emptyReply(404);
    case 'etagMissing':
      throw etagMissing(ETAG_OF_METADATA, result.storedEtag);
    case 'etagMismatch':
      throw etagMismatch(result.storedEtag);
    default:
      return emptyReply(200, [etagHeader(etag.toHexString())]);
  }
}

async function getFile(request: MongoRequest, context: RestContext): Promise<Reply> {
  const document = await readDocument(request, context);
  if (document === undefined) throw documentNotFound('file', request);
  const etag = etagOfRaw(document, FILE_ETAG_PATH);
  if (isNotModified(request, etag)) return notModified();
  const headers = etag === undefined ? [] : [etagHeader(etag)];
  return representedReply(request, representDocument(request, document, 'FILE'), headers);
}

async function removeFile(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { filter, shardKey } = request.parameters;
  const result = await deleteFile(
    context.mongo,
    namespaceOf(request),
    {
      id: request.id ?? null,
      filter,
      shardKey,
      etag: etagConditionOf(request, context.config, FILE_ETAG_PATH),
    },
    writeOptionsOf(request, context),
  );
  switch (result.outcome) {
    case 'deleted':
      return emptyReply(204);
    case 'notFound':
      return emptyReply(404);
    case 'etagMissing':
      throw etagMissing(ETAG_OF_DELETE, result.storedEtag);
    case 'etagMismatch':
      throw etagMismatch(result.storedEtag);
  }
}

/** All files without a filter, as in the reference. */
async function removeFiles(request: MongoRequest, context: RestContext): Promise<Reply> {
  const { filter } = request.parameters;
  const options = writeOptionsOf(request, context);
  const deleted = await deleteFiles(context.mongo, namespaceOf(request), { filter }, options);
  return jsonReply(`{"deleted": ${deleted}}`);
}

/** The chunks go after the ETag was checked; the reference drops them before, and loses them to a 409. */
async function removeBucket(request: MongoRequest, context: RestContext): Promise<Reply> {
  const bucket = namespaceOf(request);
  const reply = await removeCollection(request, context);
  await dropQuietly(context.mongo, chunksOf(bucket));
  forgetBucket(context.mongo, bucket);
  return reply;
}

/** Handlers of buckets and what is in them. */
export const FILE_HANDLERS: HandlerTable = {
  FILES_BUCKET: {
    GET: (request, context) => getDocuments(request, context),
    POST: postFile,
    PUT: (request, context) => putCollection(request, context, escapeAggregations),
    PATCH: (request, context) => patchCollection(request, context, escapeAggregations),
    DELETE: removeBucket,
  },
  FILE: { GET: getFile, PUT: putFile, PATCH: patchFile, DELETE: removeFile },
  FILE_BINARY: { GET: getFileContent },
  BULK_FILES: { DELETE: removeFiles },
};
