/** Lists that are no pages of documents: indexes and results of aggregations (rest-documents.md §2.4). */

import type { BsonDocument, BsonValue } from '../../../model/bson.ts';
import type { Reply } from '../../../model/reply.ts';
import { type JsonMode, parseJsonMode } from '../../../representation/json-mode.ts';
import { writeJson } from '../../../representation/json-writer.ts';
import { decode } from '../../../representation/raw-bson.ts';
import { transcodeArray } from '../../../representation/transcode.ts';
import { representedReply } from '../replies.ts';
import type { MongoRequest } from '../rest-request.ts';

/** What differs between the two. */
export interface ListOptions {
  /** HAL shows the number of all items even when there are some; a list without items always says so. */
  readonly isSized?: boolean;
}

/** The dialect of JSON that a request asks for. */
export function jsonModeOf(request: MongoRequest): JsonMode {
  const { jsonMode } = request.parameters;
  return (jsonMode === undefined ? undefined : parseJsonMode(jsonMode)) ?? 'default';
}

/** Items as an array, or embedded under `key`. */
export function listReply(
  request: MongoRequest,
  key: 'rh:index' | 'rh:result',
  items: readonly BsonDocument[],
  options: ListOptions = {},
): Reply {
  const mode = jsonModeOf(request);
  const { representation } = request.parameters;
  if (representation === 'STANDARD') return representedReply(request, writeJson([...items], mode));
  const resource = representation === 'HAL' ? toHal(request, key, items, options) : undefined;
  return representedReply(request, writeJson(resource ?? toShal(request, items, options), mode));
}

/** As `listReply` for raw documents, which the usual representation passes through undecoded. */
export function rawListReply(
  request: MongoRequest,
  key: 'rh:index' | 'rh:result',
  items: readonly Buffer[],
  options: ListOptions = {},
): Reply {
  if (request.parameters.representation === 'STANDARD') {
    return representedReply(request, transcodeArray(items, jsonModeOf(request)));
  }
  return listReply(request, key, items.map(decode), options);
}

function addCounts(resource: BsonDocument, count: number, { isSized }: ListOptions): BsonDocument {
  if (count === 0 || isSized === true) resource.set('_size', count);
  resource.set('_returned', count);
  return resource;
}

function toHal(
  request: MongoRequest,
  key: 'rh:index' | 'rh:result',
  items: readonly BsonDocument[],
  options: ListOptions,
): BsonDocument {
  const isFull = request.parameters.fullHal;
  const resource: BsonDocument = new Map();
  if (items.length > 0) {
    const shown = isFull && key === 'rh:index' ? items.map(withIndexType) : items;
    resource.set('_embedded', new Map([[key, [...shown]]]));
  }
  if (isFull && key === 'rh:index') resource.set('_type', 'COLLECTION_INDEXES');
  addCounts(resource, items.length, options);
  if (isFull) resource.set('_links', fullLinks(request, key));
  return resource;
}

function withIndexType(index: BsonDocument): BsonDocument {
  return new Map<string, BsonValue>([...index, ['_type', 'INDEX']]);
}

/** One flat array, there also when empty; with `np` nothing but it. */
function toShal(
  request: MongoRequest,
  items: readonly BsonDocument[],
  options: ListOptions,
): BsonValue {
  if (request.parameters.noProperties) return [...items];
  const resource: BsonDocument = new Map([['_embedded', [...items]]]);
  return addCounts(resource, items.length, options);
}

function fullLinks(request: MongoRequest, key: 'rh:index' | 'rh:result'): BsonDocument {
  const links: BsonDocument = new Map([['self', link(selfHref(request))]]);
  const collection = request.requestPath
    .split('/')
    .slice(0, key === 'rh:index' ? -1 : -2)
    .join('/');
  if (key === 'rh:result') return links.set('rh:collection', link(collection));
  const name = request.collectionName.endsWith('.files') ? 'rh:bucket' : 'rh:coll';
  return links.set(name, link(collection)).set('rh:indexes', link(request.requestPath));
}

function link(href: string): BsonDocument {
  return new Map([['href', href]]);
}

/** Path and decoded query, its parameters sorted by name (rest-documents.md §2.4). */
function selfHref({ http, requestPath }: MongoRequest): string {
  const parameters = [...http.query.names()]
    .sort()
    .flatMap((name) => http.query.getAll(name).map((value) => `${name}=${value}`));
  return parameters.length === 0 ? requestPath : `${requestPath}?${parameters.join('&')}`;
}
