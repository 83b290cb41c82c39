/** Methods and CORS lists of every resource type (rest-documents.md §1.2, §7). */

import type { CorsLists } from '../../model/service.ts';
import type { ResourceType } from './resource-type.ts';

const BASE_HEADERS = 'Authorization, Content-Type, X-Requested-With, No-Auth-Challenge';

function allowMethodsOf(type: ResourceType): string {
  switch (type) {
    case 'DB':
    case 'DOCUMENT':
    case 'FILE':
      return 'GET, PUT, PATCH, DELETE';
    case 'COLLECTION':
    case 'FILES_BUCKET':
    case 'SCHEMA_STORE':
      return 'GET, PUT, PATCH, POST, DELETE';
    case 'SCHEMA':
      return 'GET, PUT, DELETE';
    case 'BULK_DOCUMENTS':
    case 'TRANSACTION':
      return 'PATCH, DELETE';
    case 'BULK_FILES':
    case 'SESSION':
      return 'DELETE';
    case 'INDEX':
      return 'PUT, DELETE';
    case 'SESSIONS':
      return 'POST';
    case 'TRANSACTIONS':
      return 'GET, POST';
    case 'INVALID':
      return '';
    default:
      return 'GET';
  }
}

function allowHeadersOf(type: ResourceType): string {
  switch (type) {
    case 'ROOT':
    case 'ROOT_SIZE':
    case 'AGGREGATION':
    case 'COLLECTION_INDEXES':
    case 'FILE_BINARY':
    case 'CHANGE_STREAM':
      return BASE_HEADERS;
    case 'DOCUMENT':
    case 'FILE':
    case 'SCHEMA':
      return `${BASE_HEADERS}, If-Match, If-None-Match`;
    case 'INVALID':
      return '';
    default:
      return `${BASE_HEADERS}, If-Match`;
  }
}

const CREATING_TYPES: ReadonlySet<ResourceType> = new Set([
  'COLLECTION',
  'FILES_BUCKET',
  'SCHEMA_STORE',
  'SESSIONS',
  'TRANSACTIONS',
]);

function exposeHeadersOf(type: ResourceType, method: string): string {
  if (type === 'ROOT') return '';
  return method === 'POST' && CREATING_TYPES.has(type) ? 'Location, ETag' : 'ETag';
}

const listsByType = new Map<ResourceType, { post: CorsLists; other: CorsLists }>();

/** CORS lists of one answer; made once for each type. */
export function corsListsOf(type: ResourceType, method: string): CorsLists {
  let lists = listsByType.get(type);
  if (lists === undefined) {
    const common = { allowMethods: allowMethodsOf(type), allowHeaders: allowHeadersOf(type) };
    lists = {
      post: { ...common, exposeHeaders: exposeHeadersOf(type, 'POST') },
      other: { ...common, exposeHeaders: exposeHeadersOf(type, 'GET') },
    };
    listsByType.set(type, lists);
  }
  return method === 'POST' ? lists.post : lists.other;
}
