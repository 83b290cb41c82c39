/** What handlers tell `mongo/` about a request. */

import { QuorateError } from '../../errors/quorate-error.ts';
import type {
  ConsistencyOptions,
  Namespace,
  OperationOptions,
} from '../../mongo/operation-options.ts';
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

/** Options of writes of properties: they are nobody's documents, so no permit narrows them. */
export function propertyOptionsOf({ session, parameters }: MongoRequest): ConsistencyOptions {
  return { session, writeConcern: parameters.writeConcern };
}

/** Whether the request is part of a transaction. */
export function isInTransaction({ session }: MongoRequest): boolean {
  return session?.transactionNumber !== undefined;
}

/** @throws ERR_REQUEST_TRANSACTION for what the database cannot undo, and so does not do in a transaction */
export function refuseInTransaction(request: MongoRequest): void {
  if (!isInTransaction(request)) return;
  throw new QuorateError('ERR_REQUEST_TRANSACTION', {
    message: `${request.method} of this resource cannot be part of a transaction`,
  });
}
