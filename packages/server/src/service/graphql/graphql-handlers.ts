/** What `POST /graphql/<app>` does (graphql.md §8); loads the GraphQL library. */
import { parseRelaxedJson } from '../../config/relaxed-json.ts';
import { QuorateError } from '../../errors/quorate-error.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Identity } from '../../model/identity.ts';
import type { Reply } from '../../model/reply.ts';
import { isUnavailable } from '../../mongo/map-error.ts';
import { DataReader } from './data-reader.ts';
import { Deadline } from './deadline.ts';
import {
  aborted,
  databaseUnavailable,
  executeQuery,
  type QueryReply,
  type QueryRequest,
} from './execute-query.ts';
import { type Classification, plainError } from './graphql-errors.ts';
import {
  type GraphQLHandlers,
  type GraphQLServiceOptions,
  MEDIA_TYPE,
  type PreparedQuery,
} from './handlers-contract.ts';
import { LoaderSet } from './loaders.ts';
import type { RequestScope } from './request-scope.ts';
import { writeResult } from './write-result.ts';

/** The parameter by which an interceptor names another database of definitions. */
const DATABASE_PARAMETER = 'override-gql-apps-db';

/** @param options - those of the service */
export function createGraphQLHandlers(options: GraphQLServiceOptions): GraphQLHandlers {
  const { uri, apps } = options;
  return { prepare, handle };

  async function prepare(http: HttpRequest): Promise<PreparedQuery> {
    if (http.method === 'OPTIONS') return { kind: 'options' };
    if (http.method !== 'POST') {
      throw refusal('ERR_REQUEST_METHOD', 'Method Not Allowed', 'ExecutionAborted');
    }
    const database = http.attached.get(DATABASE_PARAMETER);
    let lookup: Awaited<ReturnType<typeof apps.find>>;
    try {
      lookup = await apps.find(
        appUriOf(http.rawPath, uri),
        typeof database === 'string' ? database : undefined,
      );
    } catch (error) {
      // told to those only who may ask
      return { kind: 'failed', error };
    }
    if (lookup === undefined) {
      throw refusal('ERR_NOT_FOUND_GRAPHQL_APP', 'GraphQL app not found', 'ExecutionAborted');
    }
    return { kind: 'query', lookup };
  }

  async function handle(
    http: HttpRequest,
    prepared: PreparedQuery,
    { identity }: { readonly identity: Identity },
  ): Promise<Reply> {
    if (prepared.kind === 'options') return { status: 200, headers: HEADERS };
    if (prepared.kind === 'failed') return toReply(failure(prepared.error));
    const { lookup } = prepared;
    if (lookup.kind === 'invalid') {
      return toReply(aborted(400, `Invalid GraphQL app definition: ${lookup.reason}`));
    }
    const request = await readRequest(http);
    if (request === undefined) {
      const errors = [plainError('Query cannot be null', 'DataFetchingException')];
      return toReply({ status: 400, body: writeResult({ errors }) });
    }
    const outcome = lookup.app.readQuery(request.query);
    try {
      const reply = await executeQuery(outcome, request, {
        schema: lookup.app.schema,
        scope: openScope(http, identity),
        verbose: options.verbose,
        report: (error) => options.report('A field of a GraphQL app failed', error),
      });
      return outcome.kind === 'syntax'
        ? toReply(reply)
        : { ...toReply(reply), metricLabels: [['query', outcome.rootFields]] };
    } catch (error) {
      return toReply(failure(error));
    }
  }

  function openScope(http: HttpRequest, identity: Identity): RequestScope {
    const waitedMs = Math.max(0, Date.now() - http.receivedAtMs);
    const deadline = new Deadline(options.timeLimitMs, performance.now() - waitedMs);
    const reader = new DataReader(options.mongo, options.permit, deadline);
    return {
      reader,
      deadline,
      loaders: new LoaderSet(reader),
      user: identity.kind === 'account' ? identity.properties : null,
      roots: new Map(),
    };
  }

  function failure(error: unknown): QueryReply {
    const message = error instanceof Error ? error.message : String(error);
    if (isUnavailable(error)) return databaseUnavailable(message);
    if (error instanceof QuorateError) return aborted(400, `Runtime Error: ${message}`);
    throw error;
  }
}

const HEADERS = [['Content-Type', MEDIA_TYPE]] as const;

function toReply({ status, body }: QueryReply): Reply {
  return { status, headers: HEADERS, body };
}

/** A refusal before authentication, in GraphQL's form. */
function refusal(
  code: 'ERR_REQUEST_METHOD' | 'ERR_NOT_FOUND_GRAPHQL_APP',
  message: string,
  classification: Classification,
): QuorateError {
  const text = writeResult({ errors: [plainError(message, classification)] });
  return new QuorateError(code, { message, content: { mediaType: MEDIA_TYPE, text } });
}

/** What follows the service's URI, decoded; empty for the service itself. */
function appUriOf(rawPath: string, uri: string): string {
  const below = uri === '/' ? rawPath.slice(1) : rawPath.slice(uri.length + 1);
  try {
    return decodeURIComponent(below);
  } catch {
    return below;
  }
}

/**
 * The query in a body; undefined when it has none.
 *
 * @throws ERR_REQUEST_BAD for another content type, ERR_REQUEST_BODY for malformed JSON
 */
async function readRequest(http: HttpRequest): Promise<QueryRequest | undefined> {
  const type = http.header('content-type')?.trim().toLowerCase() ?? '';
  if (type.startsWith('application/graphql')) {
    const query = (await http.body()).toString('utf8');
    return { query, variables: {}, operationName: undefined };
  }
  if (!/^application\/json(\s*;|$)/.test(type)) {
    throw new QuorateError('ERR_REQUEST_BAD', {
      message: 'Bad request: Content-Type must be either application/graphql or application/json',
    });
  }
  const body = parseBody((await http.body()).toString('utf8'));
  if (typeof body !== 'object' || body === null || !('query' in body)) return undefined;
  const { query, variables, operationName } = body as Readonly<Record<string, unknown>>;
  if (typeof query !== 'string') return undefined;
  return {
    query,
    variables:
      typeof variables === 'object' && variables !== null && !Array.isArray(variables)
        ? (variables as Record<string, unknown>)
        : {},
    // clients that have no name to give send an empty one
    operationName:
      typeof operationName === 'string' && operationName !== '' ? operationName : undefined,
  };
}

/** JSON; else the looser form with names without quotes, which clients of the reference may send. */
function parseBody(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (strict) {
    try {
      return parseRelaxedJson(text);
    } catch {
      throw new QuorateError('ERR_REQUEST_BODY', {
        message: `Bad request: the body is no valid JSON: ${(strict as Error).message}`,
      });
    }
  }
}
