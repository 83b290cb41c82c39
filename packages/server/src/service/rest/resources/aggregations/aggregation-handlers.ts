/** Execution of stored aggregations (rest-resources.md §6.2). */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import type { BsonDocument } from '../../../../model/bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import { aggregate } from '../../../../mongo/aggregate.ts';
import { commandErrorDetails, mongoCodeOf } from '../../../../mongo/map-error.ts';
import type { HandlerTable, RestContext } from '../../handler.ts';
import { namespaceOf, readOptionsOf } from '../../operation-context.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { resultsReply } from '../list-reply.ts';
import { type AggregationDefinition, findAggregation } from './aggregation-definition.ts';
import { bindVariables, VariableNotBoundError } from './bind-variables.ts';
import { findSecurityViolation } from './pipeline-security.ts';
import { withPredefinedVariables } from './predefined-variables.ts';

async function readAggregation(request: MongoRequest, context: RestContext): Promise<Reply> {
  const definition = findAggregation(request.collectionProperties, request.nameToken ?? '');
  if (definition === undefined) {
    throw new QuorateError('ERR_NOT_FOUND_AGGREGATION', { message: 'query does not exist' });
  }
  const stages = bindStages(definition, request, context);
  const violation = findSecurityViolation(
    stages,
    request.databaseName,
    context.config.aggregationSecurity,
  );
  if (violation !== undefined) {
    throw new QuorateError('ERR_AUTHZ_SECURITY', {
      message: `aggregation pipeline security violation: ${violation}`,
    });
  }
  const results = await execute(stages, definition, request, context);
  return resultsReply(request, results);
}

function bindStages(
  definition: AggregationDefinition,
  request: MongoRequest,
  { identity, permit }: RestContext,
): BsonDocument[] {
  const { aggregationVariables, page, pageSize } = request.parameters;
  const facts = { page, pageSize, identity, permit };
  try {
    return bindVariables(definition.stages, withPredefinedVariables(aggregationVariables, facts));
  } catch (cause) {
    if (!(cause instanceof VariableNotBoundError)) throw cause;
    throw new QuorateError('ERR_REQUEST_AGGREGATION', {
      message: 'cannot execute aggregation',
      exception: 'org.restheart.exchange.QueryVariableNotBoundException',
      exceptionMessage: cause.message,
      cause,
    });
  }
}

async function execute(
  stages: readonly BsonDocument[],
  { allowDiskUse }: AggregationDefinition,
  request: MongoRequest,
  context: RestContext,
): Promise<Buffer[]> {
  const { config } = context;
  const options = {
    ...readOptionsOf(request, context),
    maxTimeMS: config.aggregationTimeLimitMs,
    writeConcern: request.parameters.writeConcern,
  };
  const query = { stages, allowDiskUse, batchSize: config.cursorBatchSize };
  try {
    return await aggregate(context.mongo, namespaceOf(request), query, options);
  } catch (cause) {
    throw toExecutionError(cause);
  }
}

/** Not the pipeline's fault: time limits, transactions, permissions of the database user. */
const PASSED_CODES = new Set([13, 18, 50, 112, 225, 251, 256, 262]);

function toExecutionError(cause: unknown): unknown {
  const code = mongoCodeOf(cause);
  if (!(cause instanceof QuorateError) || code === undefined) return cause;
  if (cause.status === 503 || PASSED_CODES.has(code)) return cause;
  return new QuorateError('ERR_REQUEST_AGGREGATION', {
    status: 422,
    message: 'error executing aggregation',
    exception: 'com.mongodb.MongoCommandException',
    exceptionMessage: commandErrorDetails(cause),
    cause,
  });
}

/** Handlers of `_aggrs/<uri>`. */
export const AGGREGATION_HANDLERS: HandlerTable = {
  AGGREGATION: { GET: readAggregation },
};
