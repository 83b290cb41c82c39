/** What handlers tell `mongo/` about a request. */

import type { Namespace, OperationOptions } from '../../mongo/operation-options.ts';
import type { RestContext } from './handler.ts';
import type { MongoRequest } from './rest-request.ts';

/** Database and collection of the request. */
export function namespaceOf(request: MongoRequest): Namespace {
  return { database: request.databaseName, collection: request.collectionName };
}

/** Options of reads, within `query-time-limit`. */
export function readOptionsOf(request: MongoRequest, context: RestContext): OperationOptions {
  const { parameters } = request;
  return {
    permit: context.permit,
    session: request.session,
    causal: request.causal,
    readConcern: parameters.readConcern,
    readPreference: parameters.readPreference,
    writeConcern: undefined,
    maxTimeMS: context.config.queryTimeLimitMs,
  };
}

/** Options of writes. */
export function writeOptionsOf(request: MongoRequest, context: RestContext): OperationOptions {
  const { parameters } = request;
  return {
    permit: context.permit,
    session: request.session,
    causal: request.causal,
    readConcern: parameters.readConcern,
    readPreference: undefined,
    writeConcern: parameters.writeConcern,
    maxTimeMS: undefined,
  };
}
