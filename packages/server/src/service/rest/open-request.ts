/** From the raw request to the typed one: path, names, parameters, id (rest-documents.md §1, §3 items 1–2). */

import { QuorateError } from '../../errors/quorate-error.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import { parseDocumentId } from './document-id.ts';
import { joinPath, type MountTable, splitPath } from './mounts.ts';
import { defaultParameters, filterMandatory, readParameters } from './read-parameters.ts';
import { checkNames, collectionTokenOf } from './resource-names.ts';
import { isSessionType, type ResourceType, toResourceType } from './resource-type.ts';
import type { RestConfig } from './rest-config.ts';
import type { IdType, MongoRequest, RestParameters } from './rest-request.ts';

const NO_WARNINGS: readonly string[] = [];

function hasDocumentId(type: ResourceType): boolean {
  return type === 'DOCUMENT' || type === 'FILE' || type === 'FILE_BINARY' || type === 'SCHEMA';
}

function isFilterMandatory(type: ResourceType, method: string): boolean {
  return type === 'BULK_DOCUMENTS' && (method === 'PATCH' || method === 'DELETE');
}

/**
 * The typed request. Failed checks are remembered in it, because authorization and the body come before them.
 *
 * @throws ERR_REQUEST_URI, ERR_NOT_FOUND_MOUNT
 */
export function openRequest(
  http: HttpRequest,
  mounts: MountTable,
  config: RestConfig,
): MongoRequest {
  const segments = splitPath(http.rawPath);
  const match = mounts(segments, http.host);
  const requestPath = joinPath(segments);
  if (match === undefined) {
    throw new QuorateError('ERR_NOT_FOUND_MOUNT', {
      message: `No MongoDB resource bound for ${requestPath}`,
    });
  }
  const { tokens, mount } = match;
  const type = toResourceType(tokens);
  const isSession = isSessionType(type);
  const request: MongoRequest = {
    http,
    method: http.method,
    type,
    requestPath,
    mongoPath: joinPath(tokens),
    tokens,
    mount,
    databaseName: isSession || type === 'ROOT_SIZE' ? '' : (tokens[0] ?? ''),
    collectionName: collectionTokenOf(type, tokens) ?? '',
    documentToken: tokens[2],
    nameToken: tokens[3],
    parameters: defaultParameters(config),
    warnings: [],
    id: undefined,
    rememberedError: undefined,
    databaseProperties: undefined,
    collectionProperties: undefined,
    databaseExists: false,
    collectionExists: false,
    session: undefined,
    content: undefined,
    isForm: false,
  };
  return http.method === 'OPTIONS' ? request : checkRequest(request, config);
}

function checkRequest(request: MongoRequest, config: RestConfig): MongoRequest {
  const nameError = checkNames(request);
  const { http, type, method } = request;
  // most requests have no query: nothing to read, nothing to copy
  if (http.rawQuery === '') {
    if (nameError !== undefined) request.rememberedError = nameError;
    else if (isFilterMandatory(type, method)) request.rememberedError = filterMandatory();
    else setId(request, 'STRING_OID');
    return request;
  }
  const reading = readParameters(http.query, {
    config,
    filterMandatory: isFilterMandatory(type, method),
    nameError,
    checkId: (idType) => setId(request, idType),
  });
  request.rememberedError = reading.error;
  return withParameters(request, reading.parameters, reading.warnings);
}

function withParameters(
  request: MongoRequest,
  parameters: RestParameters,
  warnings: readonly string[] = NO_WARNINGS,
): MongoRequest {
  request.warnings.push(...warnings);
  return Object.assign(request, { parameters });
}

/** POST names no document: its URI is the collection's (rest-documents.md §1.4). */
function setId(request: MongoRequest, idType: IdType): void {
  if (request.method === 'POST' || !hasDocumentId(request.type)) return;
  if (request.documentToken === undefined) return;
  request.id = parseDocumentId(request.documentToken, idType);
}
