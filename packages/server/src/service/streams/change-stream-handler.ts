/** `GET /db/coll/_streams/<uri>` over WebSocket or SSE (streams.md, rest-resources.md §9). */
import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, isDocument } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import { commandErrorDetails, mongoCodeOf } from '../../mongo/map-error.ts';
import { parseJsonMode } from '../../representation/json-mode.ts';
import { writeJson } from '../../representation/json-writer.ts';
import type { Handler, RestContext } from '../rest/handler.ts';
import { namespaceOf } from '../rest/operation-context.ts';
import {
  bindVariables,
  VariableNotBoundError,
} from '../rest/resources/aggregations/bind-variables.ts';
import { unescapeStages } from '../rest/resources/aggregations/escape-pipeline.ts';
import {
  findSecurityViolation,
  type PipelineSecurityConfig,
} from '../rest/resources/aggregations/pipeline-security.ts';
import { withPredefinedVariables } from '../rest/resources/aggregations/predefined-variables.ts';
import type { MongoRequest } from '../rest/rest-request.ts';
import { eventFormat, type Transport } from './event-format.ts';
import { createEventOrigin } from './event-origin.ts';
import type { EventQueue } from './event-queue.ts';
import { sseReply } from './sse-reply.ts';
import {
  declarationsOf,
  findStream,
  malformed,
  type StreamDefinition,
} from './stream-definition.ts';
import type { StreamHub } from './stream-hub.ts';

export interface ChangeStreamHandlerOptions {
  readonly hub: StreamHub;
  readonly security: PipelineSecurityConfig;
  /** Throws when a WebSocket handshake is malformed. */
  readonly checkHandshake: (header: (name: string) => string | undefined) => void;
  /** Milliseconds between SSE comments that keep idle connections open; 0: none. */
  readonly keepAliveMs: number;
  readonly warn: (message: string) => void;
}

/** The handler of change streams; the order of its checks is that of streams.md §2. */
export function createChangeStreamHandler(options: ChangeStreamHandlerOptions): Handler {
  return async (request, context) => {
    if (!(await context.mongo.isReplicaSet())) {
      throw new QuorateError('ERR_REQUEST_METHOD', {
        message: `method ${request.method} not allowed`,
      });
    }
    const stream = findStream(request.collectionProperties, request.nameToken ?? '');
    const transport = chooseTransport(request.http);
    const pipeline = bindStages(stream.stages, request, context);
    const violation = findSecurityViolation(pipeline, request.databaseName, options.security);
    if (violation !== undefined) {
      throw new QuorateError('ERR_AUTHZ_SECURITY', {
        message: `Cannot open change stream: ${violation}`,
      });
    }
    if (transport === 'websocket') options.checkHandshake((name) => request.http.header(name));
    const events = await subscribe(stream, transport, pipeline, request, context);
    return transport === 'websocket'
      ? {
          status: 101,
          headers: [['Sec-WebSocket-Location', locationOf(request.http)]],
          webSocket: events,
          cut: events.overflow,
        }
      : sseReply(events, options.keepAliveMs);
  };

  async function subscribe(
    { notifyWhen }: StreamDefinition,
    transport: Transport,
    pipeline: readonly BsonDocument[],
    request: MongoRequest,
    { mongo, permit }: RestContext,
  ): Promise<EventQueue> {
    const { http, databaseName, collectionName, collectionProperties } = request;
    const resumesAfter = transport === 'sse' ? lastEventId(http, options.warn) : undefined;
    if (resumesAfter !== undefined && notifyWhen !== undefined) {
      options.warn('Last-Event-ID is ignored: the stream has notify_when');
    }
    try {
      return await options.hub.subscribe({
        databaseName,
        collectionName,
        // the resolved pipeline, not the variables: who asks differently but sees the same shares a cursor
        stages: writeJson([...pipeline], 'extended'),
        declarations: declarationsOf(collectionProperties),
        origin: createEventOrigin(mongo, namespaceOf(request), pipeline, permit),
        after: notifyWhen === undefined ? resumesAfter : undefined,
        notifyWhen,
        wanted: notifyWhen && http.query.get(notifyWhen.parameter),
        format: eventFormat(
          transport,
          parseJsonMode(request.parameters.jsonMode ?? '') ?? 'default',
        ),
      });
    } catch (error) {
      throw toOpeningError(error);
    }
  }
}

/** Where the stream is, in the word of the reference's handshake. */
function locationOf({ secure, host, rawPath, rawQuery }: HttpRequest): string {
  return `${secure ? 'wss' : 'ws'}://${host}${rawPath}${rawQuery === '' ? '' : `?${rawQuery}`}`;
}

/** A pipeline that the database refuses is a fault of the declaration, whatever its code (streams.md §2). */
function toOpeningError(error: unknown): unknown {
  if (!(error instanceof QuorateError) || error.status >= 500) return error;
  if (mongoCodeOf(error) === undefined) return error;
  return malformed(`Cannot open change stream: ${commandErrorDetails(error)['errmsg']}`, error);
}

function chooseTransport(http: HttpRequest): Transport {
  const upgrades =
    /upgrade/i.test(http.header('connection') ?? '') &&
    /websocket/i.test(http.header('upgrade') ?? '');
  if (upgrades) return 'websocket';
  if (/text\/event-stream/i.test(http.header('accept') ?? '')) return 'sse';
  throw new QuorateError('ERR_REQUEST_BAD', {
    message:
      "Change Stream requires WebSocket or SSE — send either 'Upgrade: websocket' or 'Accept: text/event-stream'",
  });
}

function bindStages(
  stages: readonly BsonDocument[],
  request: MongoRequest,
  { identity, permit }: RestContext,
): BsonDocument[] {
  const { page, pageSize, aggregationVariables } = request.parameters;
  const variables = withPredefinedVariables(aggregationVariables, {
    page,
    pageSize,
    identity,
    permit,
  });
  const unescaped = stages.map(unescapeStages).filter(isDocument);
  try {
    return bindVariables(unescaped, variables);
  } catch (error) {
    if (error instanceof VariableNotBoundError) {
      throw new QuorateError('ERR_REQUEST_BAD', { message: error.message, cause: error });
    }
    throw malformed("a stage has a malformed '$var' or '$ifvar'", error);
  }
}

/** The token to resume after; what is no JSON object is ignored (rest-resources.md §9.3). */
function lastEventId(http: HttpRequest, warn: (message: string) => void): string | undefined {
  const sent = http.header('last-event-id')?.trim();
  if (!sent) return undefined;
  try {
    const token: unknown = JSON.parse(sent);
    if (typeof token === 'object' && token !== null && '_data' in token) {
      return JSON.stringify(token);
    }
  } catch {
    // told below
  }
  warn('Last-Event-ID is ignored: it is no resume token');
  return undefined;
}
