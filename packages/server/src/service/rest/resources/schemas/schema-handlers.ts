/** The schema store and its schemas (rest-resources.md §4.1). */

import { type BsonDocument, isDocument } from '../../../../model/bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import { decode, encode } from '../../../../representation/raw-bson.ts';
import { documentContent, notAnObject } from '../../body.ts';
import { getDocuments } from '../../collection-reads.ts';
import { patchCollection, putCollection, removeCollection } from '../../collection-writes.ts';
import { documentNotFound, readDocument } from '../../document-reads.ts';
import { postDocument, putDocument, removeDocument } from '../../document-writes.ts';
import type { HandlerTable, RestContext } from '../../handler.ts';
import {
  etagHeader,
  etagOfRaw,
  isNotModified,
  notModified,
  representedReply,
} from '../../replies.ts';
import { representDocument } from '../../represent.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { toSentSchema, toStoredSchema } from './stored-schema.ts';

/** A raw document of the store as clients see it. */
function toSentRawSchema(stored: Buffer): Buffer {
  return encode(toSentSchema(decode(stored)));
}

async function getSchema(request: MongoRequest, context: RestContext): Promise<Reply> {
  const stored = await readDocument(request, context);
  if (stored === undefined) throw documentNotFound('schema', request);
  const etag = etagOfRaw(stored);
  if (isNotModified(request, etag)) return notModified();
  const headers = etag === undefined ? [] : [etagHeader(etag)];
  const body = representDocument(request, toSentRawSchema(stored), 'SCHEMA');
  return representedReply(request, body, headers);
}

async function postSchema(request: MongoRequest, context: RestContext): Promise<Reply> {
  if (Array.isArray(request.content)) throw notAnObject();
  const body: BsonDocument = isDocument(request.content) ? request.content : new Map();
  const id = body.get('_id');
  return postDocument(request, context, toStoredSchema(body, request.databaseName, id));
}

async function putSchema(request: MongoRequest, context: RestContext): Promise<Reply> {
  const id = request.id ?? null;
  request.content = toStoredSchema(documentContent(request), request.databaseName, id);
  return putDocument(request, context);
}

/** Handlers of single schemas and of their store, which is a collection but for what is shown and accepted. */
export const SCHEMA_HANDLERS: HandlerTable = {
  SCHEMA_STORE: {
    GET: (request, context) => getDocuments(request, context, toSentRawSchema),
    POST: postSchema,
    PUT: (request, context) => putCollection(request, context),
    PATCH: (request, context) => patchCollection(request, context),
    DELETE: removeCollection,
  },
  SCHEMA: { GET: getSchema, PUT: putSchema, DELETE: removeDocument },
};
