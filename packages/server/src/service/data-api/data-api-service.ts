/**
 * `POST /action/<name>`: the Data API of MongoDB Atlas, retired in 2025, for clients that still speak it. Off by default.
 * Bodies and answers are Extended JSON: relaxed, or canonical where `Accept` names `application/ejson`.
 */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import { parseJsonBody } from '../../representation/json-reader.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { invalidateCollectionCache } from '../rest/collection-cache.ts';
import type { PipelineSecurityConfig } from '../rest/resources/aggregations/pipeline-security.ts';
import { ACTIONS } from './data-api-actions.ts';
import { invalidParameter, readNamespace } from './data-api-request.ts';

/** Makes the service. */
export function createDataApiService(parts: {
  readonly uri: string;
  readonly mongo: MongoAccess;
  readonly security: PipelineSecurityConfig;
  /** Operators refused at any depth of a body (security.md, filterOperatorsBlacklist). */
  readonly operatorBlacklist: readonly string[];
  /** Collections that only the REST API may touch. */
  readonly isReserved: (namespace: Namespace) => boolean;
}): Service {
  const { mongo, security, uri } = parts;
  return {
    name: 'dataApi',
    uri,
    match: 'prefix',
    secured: true,
    async handle(request, _prepared, { permit }): Promise<Reply> {
      try {
        return await answer(request, permit);
      } catch (failure) {
        if (failure instanceof QuorateError && failure.status < 500) return refusal(failure);
        throw failure;
      }
    },
  };

  async function answer(
    request: HttpRequest,
    permit: Parameters<Service['handle']>[2]['permit'],
  ): Promise<Reply> {
    const name = request.rawPath.slice(uri === '/' ? 1 : uri.length + 1);
    const action = ACTIONS.get(name);
    if (action === undefined) {
      throw new QuorateError('ERR_NOT_FOUND', { message: `no action ${name}` });
    }
    if (request.method !== 'POST') throw new QuorateError('ERR_REQUEST_METHOD');
    const contentType = request.header('content-type') ?? '';
    if (!/^\s*application\/e?json\s*(?:;|$)/i.test(contentType)) {
      throw invalidParameter('Content-Type must be application/json or application/ejson');
    }
    const body = parseBody(await request.body());
    if (usesOperator(body, parts.operatorBlacklist)) {
      throw new QuorateError('ERR_AUTHZ_FORBIDDEN', { message: 'operator not allowed' });
    }
    const namespace = readNamespace(body);
    if (parts.isReserved(namespace)) {
      throw new QuorateError('ERR_REQUEST_RESERVED', { message: 'reserved resource' });
    }
    const result = await action(body, { mongo, namespace, security, options: { permit } });
    invalidateCollectionCache(mongo, namespace.database, namespace.collection);
    const isCanonical = /application\/ejson/i.test(request.header('accept') ?? '');
    return {
      status: result.status,
      headers: [['Content-Type', isCanonical ? 'application/ejson' : 'application/json']],
      body: writeJson(result.body, isCanonical ? 'extended' : 'relaxed'),
    };
  }
}

function usesOperator(value: BsonValue, operators: readonly string[]): boolean {
  if (Array.isArray(value)) return value.some((item) => usesOperator(item, operators));
  if (!isDocument(value)) return false;
  for (const [name, member] of value) {
    if (operators.includes(name) || usesOperator(member, operators)) return true;
  }
  return false;
}

function parseBody(bytes: Buffer): BsonDocument {
  let body: unknown;
  try {
    body = parseJsonBody(bytes);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_JSON', { message: 'the body is no JSON', cause });
  }
  if (!isDocument(body)) throw invalidParameter('the body must be a json object');
  return body;
}

/** `error` and `error_code`, as the retired service had them. */
function refusal(failure: QuorateError): Reply {
  const body = writeJson(
    new Map([
      ['error', failure.message],
      ['error_code', errorCodeOf(failure.status)],
    ]),
  );
  return { status: failure.status, headers: [['Content-Type', 'application/json']], body };
}

function errorCodeOf(status: number): string {
  switch (status) {
    case 403:
      return 'Forbidden';
    case 404:
      return 'NotFound';
    case 409:
      return 'MongoDBError';
    default:
      return 'InvalidParameter';
  }
}
