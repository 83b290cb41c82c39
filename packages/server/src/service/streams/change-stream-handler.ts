/** `GET /db/coll/_streams/<uri>` over WebSocket or SSE (streams.md, rest-resources.md §9). */
import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, isDocument } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Reply } from '../../model/reply.ts';
import { watchCollection } from '../../mongo/change-stream.ts';
import type { JsonMode } from '../../representation/json-mode.ts';
import { parseJsonMode } from '../../representation/json-mode.ts';
import { writeJson } from '../../representation/json-writer.ts';
import type { Handler, RestContext } from '../rest/handler.ts';
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
import { findStream } from './stream-definition.ts';
import type { EventSource, StreamEvent, StreamHub } from './stream-hub.ts';

export interface ChangeStreamHandlerOptions {
  readonly hub: StreamHub;
  readonly security: PipelineSecurityConfig;
  /** Throws when a WebSocket handshake is malformed. */
  readonly checkHandshake: (header: (name: string) => string | undefined) => void;
  /** Milliseconds between SSE comments that keep idle connections open; 0: none. */
  readonly keepAliveMs: number;
}

type Transport = 'websocket' | 'sse';

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
    const mode = jsonModeOf(request);
    const events = await options.hub.subscribe({
      // the resolved pipeline, not the variables: who asks differently but sees the same shares a cursor
      key: JSON.stringify([request.requestPath, mode, writeJson([...pipeline], 'extended')]),
      databaseName: request.databaseName,
      collectionName: request.collectionName,
      open: (after) => openSource(request, context, pipeline, mode, after),
      after: transport === 'sse' && !stream.notifyWhen ? lastEventId(request.http) : undefined,
      notifyWhen: stream.notifyWhen,
      wanted: stream.notifyWhen && request.http.query.get(stream.notifyWhen.parameter),
      format: transport === 'websocket' ? formatFrame : formatSse,
    });
    return transport === 'websocket'
      ? { status: 101, headers: [], webSocket: events }
      : sseReply(events, options.keepAliveMs);
  };
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
    if (!(error instanceof VariableNotBoundError)) throw error;
    throw new QuorateError('ERR_REQUEST_BAD', { message: error.message, cause: error });
  }
}

async function openSource(
  request: MongoRequest,
  { mongo, permit }: RestContext,
  pipeline: readonly BsonDocument[],
  mode: JsonMode,
  after: string | undefined,
): Promise<EventSource> {
  const { databaseName: database, collectionName: collection } = request;
  const events = await watchCollection(mongo, { database, collection }, pipeline, {
    permit,
    after,
  });
  return {
    close: () => events.close(),
    async *[Symbol.asyncIterator]() {
      for await (const { id, document } of events) {
        yield { id, document, text: writeJson(document, mode) };
      }
    },
  };
}

/** The token to resume after; what is no JSON object is ignored (rest-resources.md §9.3). */
function lastEventId(http: HttpRequest): string | undefined {
  const sent = http.header('last-event-id')?.trim();
  if (!sent) return undefined;
  try {
    const token: unknown = JSON.parse(sent);
    const isToken = typeof token === 'object' && token !== null && '_data' in token;
    return isToken ? JSON.stringify(token) : undefined;
  } catch {
    return undefined;
  }
}

function formatFrame(event: StreamEvent): string {
  return event.text;
}

function formatSse(event: StreamEvent): string {
  return `id:${event.id}\nevent:change\ndata:${event.text}\n\n`;
}

function jsonModeOf(request: MongoRequest): JsonMode {
  return parseJsonMode(request.parameters.jsonMode ?? '') ?? 'default';
}

function sseReply(events: AsyncIterable<string>, keepAliveMs: number): Reply {
  return {
    status: 200,
    headers: [['Content-Type', 'text/event-stream; charset=UTF-8']],
    body: withKeepAlive(events, keepAliveMs),
    flushHeaders: true,
    uncompressed: true,
  };
}

/** The messages as bytes, with a comment when nothing was sent for a while. */
function withKeepAlive(events: AsyncIterable<string>, everyMs: number): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.asyncIterator]();
      let pending: Promise<IteratorResult<string>> | undefined;
      return {
        async next(): Promise<IteratorResult<Uint8Array, undefined>> {
          pending ??= iterator.next();
          const result = everyMs > 0 ? await withTimeout(pending, everyMs) : await pending;
          if (result === undefined) return { done: false, value: Buffer.from(':\n\n') };
          pending = undefined;
          if (result.done) return { done: true, value: undefined };
          return { done: false, value: Buffer.from(result.value) };
        },
        async return(): Promise<IteratorResult<Uint8Array, undefined>> {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
