/**
 * Keyset paging: `after=` continues behind the last document of a page, at the same cost on every page. An empty
 * `after=` is the first page. Beyond the reference.
 */

import { type BsonDocument, type BsonValue, isDocument, toNumber } from '../../../../model/bson.ts';
import { decodeDocument } from '../../../../model/raw-bson.ts';
import type { ReplyHeader } from '../../../../model/reply.ts';
import { type FindRequest, find } from '../../../../mongo/find.ts';
import { andFilters, type OperationOptions } from '../../../../mongo/operation-options.ts';
import type { RestContext } from '../../handler.ts';
import { namespaceOf, readOptionsOf } from '../../operation-context.ts';
import { readSort } from '../../order-parameters.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { illegalCursor, openCursor, sealCursor } from './keyset-cursor.ts';
import { filtersAfter, type KeysetField } from './keyset-filter.ts';

/** Documents and the way on. */
export interface KeysetPage {
  readonly documents: Buffer[];
  readonly headers: readonly ReplyHeader[];
}

/** Whether a request pages by `after`. */
export function isKeysetRequest({ http, parameters }: MongoRequest): boolean {
  return http.rawQuery !== '' && parameters.pageSize > 0 && http.query.has('after');
}

/** The sort order asked for, made total by `_id`. */
function totalSort(request: MongoRequest): BsonDocument {
  const sort: BsonDocument = new Map(readSort(request.parameters.sortItems) ?? []);
  if (!sort.has('_id')) sort.set('_id', -1);
  return sort;
}

/** @throws ERR_REQUEST_PAGE for a cursor that is none, or a sort order that has no positions */
export async function readKeysetPage(
  request: MongoRequest,
  context: RestContext,
): Promise<KeysetPage> {
  const { parameters, http } = request;
  const options = readOptionsOf(request, context);
  const sort = totalSort(request);
  const directions = [...sort].map(([name, direction]) => ({
    name,
    direction: directionOf(direction),
  }));
  const cursor = http.query.get('after') ?? '';
  const query: FindRequest = {
    projection: parameters.projection,
    sort,
    hint: parameters.hint,
    limit: parameters.pageSize,
    batchSize: context.config.cursorBatchSize,
  };
  let filters: readonly BsonDocument[] = [new Map()];
  if (cursor !== '') {
    const values = await openCursor(context.mongo, sort, cursor);
    filters = filtersAfter(
      directions.map((field, index): KeysetField => ({ ...field, value: values[index] ?? null })),
    );
  }
  const search = { request, context, query, options };
  const found = await findInTurn(search, filters);
  const headers = await linkHeaders(
    search,
    found,
    directions.map(({ name }) => name),
  );
  return { documents: found.documents, headers };
}

interface Search {
  readonly request: MongoRequest;
  readonly context: RestContext;
  readonly query: FindRequest;
  readonly options: OperationOptions;
}

interface Found {
  readonly documents: Buffer[];
  /** Filter and position of the last document, to read its sort fields when the projection hides them. */
  readonly last: { readonly filter: BsonDocument; readonly skip: number } | undefined;
}

async function findInTurn(search: Search, filters: readonly BsonDocument[]): Promise<Found> {
  const { request, context, query, options } = search;
  const { pageSize, filter: ownFilter } = request.parameters;
  const documents: Buffer[] = [];
  let last: Found['last'];
  for (const after of filters) {
    const filter = andFilters(ownFilter, after);
    const limit = pageSize - documents.length;
    const part = await find(
      context.mongo,
      namespaceOf(request),
      { ...query, filter, limit },
      options,
    );
    documents.push(...part);
    if (part.length > 0) last = { filter, skip: part.length - 1 };
    if (documents.length >= pageSize) break;
  }
  return { documents, last };
}

/** RFC 8288: where the listing begins, and where it goes on if the page is full. */
async function linkHeaders(
  search: Search,
  { documents, last }: Found,
  names: readonly string[],
): Promise<ReplyHeader[]> {
  const { request, context } = search;
  const links = [`<${hrefWith(request, '')}>; rel="first"`];
  if (documents.length === request.parameters.pageSize && last !== undefined) {
    const document = await lastDocument(search, documents, last);
    if (document !== undefined) {
      const values = names.map((name) => valueAt(document, name));
      const cursor = await sealCursor(context.mongo, search.query.sort ?? new Map(), values);
      links.push(`<${hrefWith(request, cursor)}>; rel="next"`);
    }
  }
  return [['Link', links.join(', ')]];
}

async function lastDocument(
  { request, context, query, options }: Search,
  documents: readonly Buffer[],
  last: { readonly filter: BsonDocument; readonly skip: number },
): Promise<BsonDocument | undefined> {
  if (query.projection === undefined) {
    const document = documents.at(-1);
    return document === undefined ? undefined : decodeDocument(document);
  }
  const projection = new Map([...(query.sort ?? [])].map(([name]) => [name, 1] as const));
  const [found] = await find(
    context.mongo,
    namespaceOf(request),
    { ...query, projection, filter: last.filter, skip: last.skip, limit: 1 },
    options,
  );
  return found === undefined ? undefined : decodeDocument(found);
}

function directionOf(direction: BsonValue): 1 | -1 {
  const number = toNumber(direction);
  if (number === 1 || number === -1) return number;
  throw illegalCursor('after needs a sort order of ascending and descending fields');
}

/** @throws ERR_REQUEST_PAGE for arrays, whose place in a sort order is not that of one value */
function valueAt(document: BsonDocument, path: string): BsonValue {
  let current: BsonValue | undefined = document;
  for (const piece of path.split('.')) {
    current = isDocument(current) ? current.get(piece) : undefined;
    if (Array.isArray(current)) {
      throw illegalCursor(`after cannot page by ${path}: it holds arrays`);
    }
  }
  return current ?? null;
}

function hrefWith({ http, requestPath }: MongoRequest, cursor: string): string {
  const parameters = new URLSearchParams();
  for (const name of http.query.names()) {
    if (name === 'after' || name === 'page') continue;
    for (const value of http.query.getAll(name)) parameters.append(name, value);
  }
  parameters.append('after', cursor);
  return `${encodeURI(requestPath)}?${parameters.toString()}`;
}
