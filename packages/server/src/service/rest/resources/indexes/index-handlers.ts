/** Indexes of collections and buckets (rest-resources.md §3). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import type { BsonDocument } from '../../../../model/bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import { createIndex, dropIndex, listIndexes } from '../../../../mongo/indexes.ts';
import { commandErrorDetails, mongoCodeOf } from '../../../../mongo/map-error.ts';
import { documentContent } from '../../body.ts';
import type { HandlerTable, RestContext } from '../../handler.ts';
import { namespaceOf, readOptionsOf } from '../../operation-context.ts';
import { emptyReply } from '../../replies.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { indexesReply } from '../list-reply.ts';
import { illegal, readIndexDefinition } from './index-definition.ts';

const DUPLICATE_KEY = 11000;

async function readIndexes(request: MongoRequest, context: RestContext): Promise<Reply> {
  // listing indexes is not allowed in transactions, and no session changes what it shows
  const { permit: _permit, session: _session, ...options } = readOptionsOf(request, context);
  const indexes = await listIndexes(context.mongo, namespaceOf(request), options);
  return indexesReply(request, indexes.map(toResource));
}

/** The database's own description with its name as `_id`, last. */
function toResource(index: BsonDocument): BsonDocument {
  const resource: BsonDocument = new Map(index);
  resource.delete('name');
  resource.set('_id', index.get('name') ?? null);
  return resource;
}

function indexNameOf(request: MongoRequest): string {
  return request.nameToken ?? '';
}

async function putIndex(request: MongoRequest, context: RestContext): Promise<Reply> {
  const name = indexNameOf(request);
  if (name.startsWith('_')) throw illegal('index name cannot start with _');
  const definition = readIndexDefinition(documentContent(request));
  try {
    await createIndex(context.mongo, namespaceOf(request), name, definition);
  } catch (cause) {
    throw toCreationError(cause);
  }
  return emptyReply(201);
}

/** Every refusal by the database is the client's fault here, also where other writes answer 409 or 500. */
function toCreationError(cause: unknown): unknown {
  const code = mongoCodeOf(cause);
  if (!(cause instanceof QuorateError) || code === undefined || cause.status === 503) return cause;
  const message = 'error creating the index';
  return new QuorateError('ERR_REQUEST_INDEX', {
    message,
    exception:
      code === DUPLICATE_KEY
        ? 'com.mongodb.DuplicateKeyException'
        : 'com.mongodb.MongoCommandException',
    exceptionMessage: commandErrorDetails(cause),
    cause,
  });
}

async function deleteIndex(request: MongoRequest, context: RestContext): Promise<Reply> {
  const name = indexNameOf(request);
  if (name.startsWith('_')) {
    throw new QuorateError('ERR_REQUEST_INDEX', {
      status: 401,
      message: `${name} is a default index and cannot be deleted`,
    });
  }
  await dropIndex(context.mongo, namespaceOf(request), name);
  return emptyReply(204);
}

/** Handlers of `_indexes` and below. */
export const INDEX_HANDLERS: HandlerTable = {
  COLLECTION_INDEXES: { GET: readIndexes },
  INDEX: { PUT: putIndex, DELETE: deleteIndex },
};
