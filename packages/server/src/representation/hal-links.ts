/** The `_links` of HAL resources (rest-documents.md §1.4, §2.4). */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { bsonTypeOf, isDocument, ObjectId } from '../model/bson.ts';
import type { HalList, HalRequest, HalType } from './hal-resource.ts';
import { formatDouble } from './number-text.ts';
import { pagingLinks, selfHref } from './paging-links.ts';

/** A link; templated ones have placeholders in braces. */
export interface HalLink {
  readonly href: string;
  readonly templated?: boolean;
}

/** Links by relation, in the order they are written. */
export type LinkMap = Map<string, HalLink>;

/** Path suffix of an `_id` in HAL links; `undefined` for ids that no URI can name. */
export function halIdSuffix(id: BsonValue | undefined): string | undefined {
  if (id === undefined || id === null) return '_null';
  if (id instanceof ObjectId) return id.toHexString();
  if (typeof id === 'string') {
    return /^[0-9a-f]{24}$/i.test(id) ? `${id}?id_type=STRING` : id;
  }
  if (typeof id === 'boolean') return id ? '_true' : '_false';
  if (id instanceof Date) return `${id.getTime()}?id_type=DATE`;
  switch (bsonTypeOf(id)) {
    case 'INT32':
    case 'INT64':
      return `${String(id)}?id_type=NUMBER`;
    case 'DOUBLE':
      return `${formatDouble(Number(id))}?id_type=NUMBER`;
    case 'MIN_KEY':
      return '_MinKey';
    case 'MAX_KEY':
      return '_MaxKey';
    default:
      return undefined;
  }
}

/** Links of an embedded resource: itself in full mode, the content of files always. */
export function itemLinks(request: HalRequest, type: HalType, suffix: string | undefined): LinkMap {
  const links: LinkMap = new Map();
  const href = suffix === undefined ? '#' : childPath(request.requestPath, suffix);
  if (request.full) links.set('self', { href });
  if (type === 'FILE' && suffix !== undefined) links.set('rh:data', { href: binaryPath(href) });
  return links;
}

/** `<file>/binary`, before the query of the file's own path. */
function binaryPath(href: string): string {
  const query = href.indexOf('?id_type=');
  return query < 0 ? `${href}/binary` : `${href.slice(0, query)}/binary${href.slice(query)}`;
}

/** Links of the resource the request names. */
export function resourceLinks(
  request: HalRequest,
  list: HalList | undefined,
  totalPages: number | undefined,
): LinkMap {
  const links: LinkMap = new Map();
  const { type, requestPath, parameters } = request;
  if (request.full) {
    links.set('self', { href: selfHref(requestPath, parameters) });
    if (list !== undefined && isPaged(type)) {
      const info = { page: request.page, pageSize: request.pageSize, totalPages };
      for (const { rel, href } of pagingLinks(requestPath, parameters, info)) {
        links.set(rel, { href });
      }
    }
  }
  if (type === 'COLLECTION' || type === 'FILES_BUCKET') {
    addOperationLinks(requestPath, list?.properties, links);
  }
  if (request.full) addTemplates(request, links);
  return links;
}

function isPaged(type: HalType): boolean {
  return (
    type === 'ROOT' ||
    type === 'DB' ||
    type === 'COLLECTION' ||
    type === 'FILES_BUCKET' ||
    type === 'SCHEMA_STORE'
  );
}

/** One link per aggregation and change stream, keyed by its `uri`. */
function addOperationLinks(
  path: string,
  properties: BsonDocument | undefined,
  links: LinkMap,
): void {
  for (const [key, segment] of [
    ['aggrs', '_aggrs'],
    ['streams', '_streams'],
  ] as const) {
    const definitions = properties?.get(key);
    if (!Array.isArray(definitions)) continue;
    for (const definition of definitions) {
      const uri = isDocument(definition) ? definition.get('uri') : undefined;
      if (typeof uri === 'string') links.set(uri, { href: childPath(path, `${segment}/${uri}`) });
    }
  }
}

function addTemplates({ type, requestPath, collection }: HalRequest, links: LinkMap): void {
  const path = requestPath;
  const depth = path === '/' ? 0 : path.split('/').length - 1;
  const parent = parentOf(path);
  const template = (rel: string, href: string) => links.set(rel, { href, templated: true });
  const paging = () => template('rh:paging', `${path}{?page}{&pagesize}`);
  switch (type) {
    case 'ROOT':
      links.set('rh:root', { href: path });
      template('rh:db', childPath(path, '{dbname}'));
      paging();
      return;
    case 'DB':
      if (depth >= 1) links.set('rh:root', { href: parent });
      template('rh:db', childPath(parent, '{dbname}'));
      template('rh:coll', childPath(path, '{collname}'));
      template('rh:bucket', childPath(path, '{bucketname}.files'));
      paging();
      return;
    case 'COLLECTION':
    case 'FILES_BUCKET':
    case 'SCHEMA_STORE': {
      if (depth >= 2) links.set('rh:db', { href: parent });
      // plain concatenation: a collection mounted on one segment gives `//{collname}`
      if (type === 'FILES_BUCKET') template('rh:bucket', `${parent}/{bucketname}.files`);
      else template('rh:coll', `${parent}/{collname}`);
      if (type === 'FILES_BUCKET') template('rh:file', `${path}/{fileid}{?id_type}`);
      else if (type === 'SCHEMA_STORE') template('rh:schema', `${path}/{schemaid}{?id_type}`);
      else template('rh:document', `${path}/{docid}{?id_type}`);
      links.set('rh:indexes', { href: `${path}/_indexes` });
      template('rh:filter', `${path}{?filter}`);
      template('rh:sort', `${path}{?sort_by}`);
      paging();
      return;
    }
    case 'DOCUMENT':
    case 'SCHEMA':
      if (depth >= 2) links.set('rh:coll', { href: parent });
      template('rh:document', `${parent}/{docid}{?id_type}`);
      return;
    case 'FILE':
      if (depth >= 2) links.set('rh:bucket', { href: parent });
      template('rh:file', `${parent}/{fileid}{?id_type}`);
      return;
    case 'COLLECTION_INDEXES': {
      const rel = collection.endsWith('.files') ? 'rh:bucket' : 'rh:coll';
      if (depth >= 2) links.set(rel, { href: parent });
      links.set('rh:indexes', { href: path });
      return;
    }
    case 'AGGREGATION':
      if (depth >= 2) links.set('rh:collection', { href: parentOf(parent) });
      return;
    default:
  }
}

function childPath(parent: string, suffix: string): string {
  return parent.endsWith('/') ? `${parent}${suffix}` : `${parent}/${suffix}`;
}

function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}
