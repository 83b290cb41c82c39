/** GET of collections, buckets and schema stores, their `_size` and `_meta` (rest-documents.md §4.3, §4.4). */

import type { BsonDocument } from '../../model/bson.ts';
import type { Reply, ReplyHeader } from '../../model/reply.ts';
import { count } from '../../mongo/count.ts';
import { type FindRequest, find } from '../../mongo/find.ts';
import { findCached } from './collection-cache.ts';
import type { RestContext } from './handler.ts';
import { type MetaSubject, metaReply } from './meta-reply.ts';
import { namespaceOf, readOptionsOf } from './operation-context.ts';
import { readSort } from './order-parameters.ts';
import { skipOf } from './page.ts';
import { etagHeader, etagOfProperties, representedReply } from './replies.ts';
import { representPage } from './represent.ts';
import {
  isKeysetRequest,
  type KeysetPage,
  readKeysetPage,
} from './resources/paging/keyset-page.ts';
import { exportFormatOf, exportReply } from './resources/transfer/export.ts';
import type { MongoRequest } from './rest-request.ts';
import { sizeReply } from './size-reply.ts';

const NEWEST_FIRST: BsonDocument = new Map([['_id', -1]]);

/** A page of documents, raw. */
export async function readPage(request: MongoRequest, context: RestContext): Promise<Buffer[]> {
  const { parameters } = request;
  const sort = readSort(parameters.sortItems) ?? NEWEST_FIRST;
  if (parameters.pageSize === 0) return [];
  const query: FindRequest = {
    filter: parameters.filter,
    projection: parameters.projection,
    sort,
    hint: parameters.hint,
    skip: skipOf(parameters),
    limit: parameters.pageSize,
    batchSize: context.config.cursorBatchSize,
  };
  const options = readOptionsOf(request, context);
  if (parameters.cache && context.config.collectionCache.enabled) {
    return findCached(context, namespaceOf(request), query, options);
  }
  return find(context.mongo, namespaceOf(request), query, options);
}

/** How many documents match, and the header that tells how it was counted; undefined when not asked for. */
async function countIfAsked(
  request: MongoRequest,
  context: RestContext,
): Promise<{ size: number; header: ReplyHeader } | undefined> {
  if (request.parameters.count === 'none') return undefined;
  return countMatching(request, context);
}

async function countMatching(
  request: MongoRequest,
  context: RestContext,
): Promise<{ size: number; header: ReplyHeader }> {
  const { filter, hint, count: asked } = request.parameters;
  const result = await count(
    context.mongo,
    namespaceOf(request),
    { filter, hint, estimated: asked === 'estimated' },
    readOptionsOf(request, context),
  );
  return { size: result.count, header: ['X-Count-Strategy', result.strategy] };
}

function etagHeaders(request: MongoRequest): ReplyHeader[] {
  const etag = etagOfProperties(request.collectionProperties);
  return etag === undefined ? [] : [etagHeader(etag)];
}

function withoutLinks(documents: Buffer[]): KeysetPage {
  return { documents, headers: [] };
}

/**
 * GET /db/coll: a page of documents.
 *
 * @param transform - what stored documents become before they are shown, such as unescaped schemas
 */
export async function getDocuments(
  request: MongoRequest,
  context: RestContext,
  transform?: (document: Buffer) => Buffer,
): Promise<Reply> {
  const format = transform === undefined ? exportFormatOf(request) : undefined;
  if (format !== undefined) return exportReply(request, context, format);
  const [page, counted] = await Promise.all([
    isKeysetRequest(request)
      ? readKeysetPage(request, context)
      : readPage(request, context).then(withoutLinks),
    countIfAsked(request, context),
  ]);
  const { documents } = page;
  const headers = [...etagHeaders(request), ...page.headers];
  if (counted !== undefined) headers.push(counted.header);
  const shown = transform === undefined ? documents : documents.map(transform);
  const body = representPage(request, shown, counted?.size);
  return representedReply(request, body, headers);
}

/** GET /db/coll/_size */
export async function getCollectionSize(
  request: MongoRequest,
  context: RestContext,
): Promise<Reply> {
  const { size, header } = await countMatching(request, context);
  return sizeReply(request, size, [...etagHeaders(request), header]);
}

/** GET /db/coll/_meta, for the kind of collection that `subject` names. */
export function getCollectionMeta(
  subject: MetaSubject,
  transform?: (properties: BsonDocument) => BsonDocument,
): (request: MongoRequest) => Promise<Reply> {
  return async (request) => {
    const { collectionProperties } = request;
    const shown =
      collectionProperties === undefined || transform === undefined
        ? collectionProperties
        : transform(collectionProperties);
    return metaReply(request, subject, shown);
  };
}
