/** When a write must present the ETag of what it changes (rest-documents.md §6). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, ObjectId } from '../../model/bson.ts';
import type { EtagCondition } from '../../mongo/etag-condition.ts';
import type { ResourceType } from './resource-type.ts';
import type { EtagPolicy, RestConfig } from './rest-config.ts';
import type { MongoRequest } from './rest-request.ts';

/** Reads a policy out of properties; invalid values are ignored. */
function policyIn(properties: BsonDocument | undefined, name: string): EtagPolicy | undefined {
  const value = properties?.get(name);
  if (typeof value !== 'string') return undefined;
  switch (value.toUpperCase()) {
    case 'REQUIRED':
      return 'REQUIRED';
    case 'REQUIRED_FOR_DELETE':
      return 'REQUIRED_FOR_DELETE';
    case 'OPTIONAL':
      return 'OPTIONAL';
    default:
      return undefined;
  }
}

function policyOf(
  type: ResourceType,
  { databaseProperties, collectionProperties }: MongoRequest,
  config: RestConfig,
): EtagPolicy {
  switch (type) {
    case 'DB':
      return policyIn(databaseProperties, 'etagPolicy') ?? config.etagPolicies.database;
    case 'COLLECTION':
      return (
        policyIn(collectionProperties, 'etagPolicy') ??
        policyIn(databaseProperties, 'etagPolicy') ??
        config.etagPolicies.collection
      );
    case 'FILES_BUCKET':
    case 'SCHEMA_STORE':
      return config.etagPolicies.collection;
    default:
      return (
        policyIn(collectionProperties, 'etagDocPolicy') ??
        policyIn(databaseProperties, 'etagDocPolicy') ??
        config.etagPolicies.document
      );
  }
}

/** The `If-Match` header; undefined when absent. */
export function ifMatchOf(request: MongoRequest): string | undefined {
  return request.http.header('if-match');
}

/** Whether this write must present an ETag; POSTed documents follow the document's policy. */
export function isEtagRequired(request: MongoRequest, config: RestConfig): boolean {
  if (ifMatchOf(request) !== undefined || request.parameters.checkEtag) return true;
  const type = request.method === 'POST' ? 'DOCUMENT' : request.type;
  const policy = policyOf(type, request, config);
  return policy === 'REQUIRED' || (policy === 'REQUIRED_FOR_DELETE' && request.method === 'DELETE');
}

/** The ETag condition of a write for `mongo/`; undefined when none must be presented. */
export function etagConditionOf(
  request: MongoRequest,
  config: RestConfig,
  path?: string,
): EtagCondition | undefined {
  if (!isEtagRequired(request, config)) return undefined;
  return { required: true, presented: ifMatchOf(request), path };
}

function etagHeaders(storedEtag: BsonValue | undefined): readonly (readonly [string, string])[] {
  return storedEtag instanceof ObjectId ? [['ETag', storedEtag.toHexString()]] : [];
}

/** The 409 of a write that presents no ETag; the stored value goes into the header. */
export function etagMissing(message: string, storedEtag: BsonValue | undefined): QuorateError {
  return new QuorateError('ERR_CONFLICT_ETAG_REQUIRED', {
    message,
    headers: etagHeaders(storedEtag),
  });
}

/** The 412 of a write that presents another ETag. */
export function etagMismatch(storedEtag: BsonValue | undefined): QuorateError {
  return new QuorateError('ERR_CONFLICT_ETAG', {
    emptyBody: true,
    headers: etagHeaders(storedEtag),
  });
}
