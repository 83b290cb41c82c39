/** Resource type × method → handler: the one place where the families of handlers meet (rest-documents.md §1.2). */

import { patchDocuments, removeDocuments } from './bulk-writes.ts';
import { getCollectionMeta, getCollectionSize, getDocuments } from './collection-reads.ts';
import {
  patchCollection,
  postToCollection,
  putCollection,
  removeCollection,
} from './collection-writes.ts';
import { DATABASE_HANDLERS } from './database-handlers.ts';
import { getDocument } from './document-reads.ts';
import { patchDocument, putDocument, removeDocument } from './document-writes.ts';
import type { HandlerTable } from './handler.ts';
import { AGGREGATION_HANDLERS } from './resources/aggregations/aggregation-handlers.ts';
import {
  escapeAggregations,
  unescapeAggregations,
} from './resources/aggregations/escape-pipeline.ts';
import { FILE_HANDLERS } from './resources/files/file-handlers.ts';
import { INDEX_HANDLERS } from './resources/indexes/index-handlers.ts';
import { SCHEMA_HANDLERS } from './resources/schemas/schema-handlers.ts';
import { SESSION_HANDLERS } from './resources/sessions/session-handlers.ts';
import { ROOT_HANDLERS } from './root-handlers.ts';

const COLLECTION_HANDLERS: HandlerTable = {
  COLLECTION: {
    GET: (request, context) => getDocuments(request, context),
    POST: postToCollection,
    PUT: (request, context) => putCollection(request, context, escapeAggregations),
    PATCH: (request, context) => patchCollection(request, context, escapeAggregations),
    DELETE: removeCollection,
  },
  COLLECTION_SIZE: { GET: getCollectionSize },
  COLLECTION_META: { GET: getCollectionMeta('collection', unescapeAggregations) },
  FILES_BUCKET_SIZE: { GET: getCollectionSize },
  FILES_BUCKET_META: { GET: getCollectionMeta('file bucket', unescapeAggregations) },
  SCHEMA_STORE_SIZE: { GET: getCollectionSize },
  SCHEMA_STORE_META: { GET: getCollectionMeta('schema store', unescapeAggregations) },
};

const DOCUMENT_HANDLERS: HandlerTable = {
  DOCUMENT: {
    GET: getDocument,
    PUT: putDocument,
    PATCH: patchDocument,
    DELETE: removeDocument,
  },
  BULK_DOCUMENTS: { PATCH: patchDocuments, DELETE: removeDocuments },
};

/** Everything the service answers; what is absent is 405. */
export const HANDLERS: HandlerTable = {
  ...ROOT_HANDLERS,
  ...DATABASE_HANDLERS,
  ...COLLECTION_HANDLERS,
  ...DOCUMENT_HANDLERS,
  ...INDEX_HANDLERS,
  ...AGGREGATION_HANDLERS,
  ...SESSION_HANDLERS,
  ...SCHEMA_HANDLERS,
  ...FILE_HANDLERS,
};
