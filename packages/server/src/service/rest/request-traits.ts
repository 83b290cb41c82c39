/** What authorization has to know of a request to this service (security.md §8.6). */
import type { BsonValue } from '../../model/bson.ts';
import type { RequestTraits, RequiredFlags } from '../../model/request-traits.ts';
import { readContent } from './body.ts';
import type { ResourceType } from './resource-type.ts';
import { isImport } from './resources/transfer/import.ts';
import type { MongoRequest } from './rest-request.ts';

/** The traits of one request; cheap, because most permissions ask for none of them. */
export function traitsOf(request: MongoRequest): RequestTraits {
  return {
    flags: requiredFlags(request),
    filter: request.parameters.filter,
    databaseName: request.databaseName,
    collectionName: request.collectionName,
    id: request.id,
    resourceType: request.type,
    readBody: () => readBody(request),
  };
}

/** An operator that `bson-request-*` does not know touches everything. */
const UNSEEN_BODY: BsonValue = new Map([['$import', null]]);

const ALWAYS_MANAGEMENT: ReadonlySet<ResourceType> = new Set([
  'COLLECTION_INDEXES',
  'INDEX',
  'SCHEMA_STORE',
  'SCHEMA_STORE_SIZE',
  'SCHEMA_STORE_META',
  'SCHEMA',
  'DB_META',
  'COLLECTION_META',
  'FILES_BUCKET_META',
]);
const WRITE_MODE_METHODS: Partial<Record<ResourceType, readonly string[]>> = {
  COLLECTION: ['POST'],
  FILES_BUCKET: ['POST'],
  DOCUMENT: ['PUT', 'PATCH'],
  FILE: ['PUT', 'PATCH'],
};

/** That a write mode is named counts, not which: an unknown one asks for the flag too (security.md §8.6). */
function requiredFlags({ type, method, http: { query } }: MongoRequest): RequiredFlags {
  return {
    management: isManagement(type, method),
    bulkPatch: type === 'BULK_DOCUMENTS' && method === 'PATCH',
    bulkDelete: type === 'BULK_DOCUMENTS' && method === 'DELETE',
    writeMode:
      (query.has('wm') || query.has('writeMode')) &&
      WRITE_MODE_METHODS[type]?.includes(method) === true,
  };
}

function isManagement(type: ResourceType, method: string): boolean {
  if (ALWAYS_MANAGEMENT.has(type)) return true;
  if (type === 'DB') return method !== 'GET';
  if (type === 'COLLECTION' || type === 'FILES_BUCKET')
    return method !== 'GET' && method !== 'POST';
  return false;
}

/**
 * A broken body is no body here; the service refuses it later, with a message. Lines that are
 * imported as they arrive cannot be looked at: they may hold anything.
 */
async function readBody(request: MongoRequest): Promise<BsonValue | undefined> {
  if (isImport(request)) return UNSEEN_BODY;
  try {
    await readContent(request);
  } catch {
    return undefined;
  }
  return request.content;
}
