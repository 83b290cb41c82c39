/** One query executed: status and body of the answer (graphql.md §8). */
import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  Kind,
  OperationTypeNode,
} from 'graphql';
import { isUnavailable } from '../../mongo/map-error.ts';
import { TimeLimitError } from './deadline.ts';
import {
  type ErrorObject,
  fieldError,
  isIntended,
  plainError,
  validationError,
} from './graphql-errors.ts';
import type { RequestScope } from './request-scope.ts';
import type { QueryOutcome } from './validate-query.ts';
import { writeResult } from './write-result.ts';

/** What a client asks. */
export interface QueryRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly operationName: string | undefined;
}

export interface QueryReply {
  readonly status: number;
  readonly body: string;
}

export interface ExecutionParts {
  readonly schema: GraphQLSchema;
  readonly scope: RequestScope;
  /** Adds statistics of the loaders to every answer but that of a syntax error. */
  readonly verbose: boolean;
  /** Told of failures that nobody foresaw. */
  readonly report: (error: unknown) => void;
}

/** Executes what `readQuery` has made of the request's text. */
export async function executeQuery(
  outcome: QueryOutcome,
  request: QueryRequest,
  parts: ExecutionParts,
): Promise<QueryReply> {
  if (outcome.kind === 'syntax') return { status: 400, body: JSON.stringify(outcome.error) };
  if (outcome.kind === 'invalid') return refuse(outcome.errors, parts);
  const refusal = checkOperation(outcome.document, request.operationName);
  if (refusal !== undefined) return refuse([refusal], parts);
  const result = await execute({
    schema: parts.schema,
    document: outcome.document,
    contextValue: parts.scope,
    variableValues: request.variables,
    operationName: request.operationName ?? null,
  });
  return replyTo(result, parts);
}

function refuse(errors: readonly ErrorObject[], parts: ExecutionParts): QueryReply {
  return { status: 400, body: writeResult({ errors, extensions: extensionsOf(parts) }) };
}

function replyTo(result: ExecutionResult, parts: ExecutionParts): QueryReply {
  const { errors = [], data } = result;
  // variables that do not fit their types: nothing was executed
  if (data === undefined) {
    return refuse(
      errors.map((error) => validationError(error, 'WrongVariable', [])),
      parts,
    );
  }
  const aborting = errors.map((error) => abort(error)).find((reply) => reply !== undefined);
  if (aborting !== undefined) return aborting;
  for (const { originalError } of errors) {
    if (!isIntended(originalError)) parts.report(originalError);
  }
  return {
    status: data === null ? 400 : 200,
    body: writeResult({
      errors: errors.map(fieldError),
      data,
      extensions: extensionsOf(parts),
    }),
  };
}

/** Failures after which no part of the data is given. */
function abort({ originalError, message }: GraphQLError): QueryReply | undefined {
  if (originalError instanceof TimeLimitError) return aborted(408, message);
  if (isUnavailable(originalError)) return databaseUnavailable(message);
  return undefined;
}

/** The answer to a request that ended early. */
export function aborted(status: number, message: string): QueryReply {
  const errors = [plainError(message, 'ExecutionAborted')];
  return { status, body: writeResult({ errors }) };
}

/** The answer while MongoDB is away. */
export function databaseUnavailable(reason: string): QueryReply {
  return aborted(500, `Unable to establish a connection to the database: ${reason}`);
}

function checkOperation(
  document: DocumentNode,
  operationName: string | undefined,
): ErrorObject | undefined {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  const chosen =
    operationName === undefined
      ? operations
      : operations.filter(({ name }) => name?.value === operationName);
  const [operation] = chosen;
  if (operation === undefined) {
    const message =
      operationName === undefined
        ? 'Must provide an operation.'
        : `Unknown operation named '${operationName}'.`;
    return plainError(message, 'ValidationError');
  }
  if (chosen.length > 1) {
    return plainError(
      'Must provide operation name if query contains multiple operations.',
      'ValidationError',
    );
  }
  if (operation.operation === OperationTypeNode.QUERY) return undefined;
  return plainError(
    `Schema is not configured to execute ${operation.operation}s: apps are read-only`,
    'ValidationError',
  );
}

function extensionsOf({ verbose, scope }: ExecutionParts) {
  if (!verbose) return undefined;
  return { dataloader: { 'overall-statistics': scope.loaders.statistics() } };
}
