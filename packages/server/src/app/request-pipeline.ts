import { OPEN_PERMIT } from '../authz/open-permit.ts';
import type { QuorateError } from '../errors/quorate-error.ts';
import { DEFAULT_CORS } from '../http/cors.ts';
import type { NodeRequest } from '../http/node-request.ts';
import { type RequestLimits, refuseByLimits } from '../http/request-limits.ts';
import type { Router } from '../http/router.ts';
import { type WriteOptions, writeBare, writeReply } from '../http/write-reply.ts';
import { ANONYMOUS, type Identity } from '../model/identity.ts';
import type { Guard, RequestLimiter } from '../model/ports.ts';
import type { Reply, ReplyHeader } from '../model/reply.ts';
import type { AnyService } from '../model/service.ts';
import type { Log } from '../observe/log.ts';
import type { RequestObserver } from '../observe/request-observer.ts';
import type { InterceptedExchange, InterceptorTable } from '../plugin-host/interceptors.ts';
import { type ErrorBodyWriter, replyToFailure } from './failure-reply.ts';

/** What the journey needs; made in compose.ts. */
export interface PipelineParts {
  readonly router: Router;
  readonly guard: Guard;
  readonly interceptors: InterceptorTable;
  readonly limits: RequestLimits;
  readonly writeErrorBody: ErrorBodyWriter;
  readonly observer: RequestObserver;
  readonly log: Log;
  readonly poweredBy: string | undefined;
  readonly dateHeader: boolean;
  /** Undefined: nobody is limited. */
  readonly limiter?: RequestLimiter | undefined;
  /** Names of services that are never limited, such as probes. */
  readonly isLimited?: (service: AnyService) => boolean;
  /** Headers that protect browsers, name and value alternating; the second list over TLS. */
  readonly securityHeaders?: { readonly plain: readonly string[]; readonly tls: readonly string[] };
  /** Request headers that are echoed in replies, spelled as configured (operations.md §4.2). */
  readonly tracingHeaders: readonly string[];
  /** The one of them that answers carry with the id of the request when the client sent none. */
  readonly generatedHeader?: string | undefined;
}

/** Answers requests, and knows how many are under way. */
export interface RequestPipeline {
  accept(request: NodeRequest): void;
  inFlight(): number;
  /**
   * From now on each answer ends its connection, and the services named here say 503 as they would
   * when refusing all (cluster.md E5); everything else is served.
   */
  announce(unavailable: ReadonlySet<string>): void;
  /** When the last request came that is no probe, on the clock of `performance.now`; counted from `announce` on. */
  lastRequestAtMs(): number;
  /** From now on every new request gets a bare 503 (cluster.md D3). */
  drain(): void;
}

/** How far a request has come; for the one place that turns a failure into a reply. */
interface Journey {
  prepared: unknown;
  isPrepared: boolean;
  identity: Identity;
  /** What the limiter says of the client. */
  limits: readonly ReplyHeader[];
}

/** Whether the process lives is answered without the database, whatever credentials come along. */
function orAnonymous(service: AnyService): (error: unknown) => Identity {
  return (error) => {
    if (service.needsNobody === true) return ANONYMOUS;
    throw error;
  };
}

const OPTIONS_REPLY: Reply = { status: 200, headers: [] };
const BARE_CONTEXT = { identity: ANONYMOUS, permit: OPEN_PERMIT };

/** The whole journey of a request: route → prepare → authenticate → authorize → handle → write. */
export function createRequestPipeline(parts: PipelineParts): RequestPipeline {
  const { router, guard, interceptors } = parts;
  let inFlight = 0;
  let isDraining = false;
  let unavailable: ReadonlySet<string> | undefined;
  let lastRequestAtMs = Number.NEGATIVE_INFINITY;

  function accept(request: NodeRequest): void {
    if (unavailable !== undefined) request.response.shouldKeepAlive = false;
    const refusal = isDraining ? 503 : refuseByLimits(request, parts.limits);
    const service = refusal === 0 ? router.find(request.rawPath) : undefined;
    if (service === undefined) {
      const status = refusal === 0 ? 502 : refusal;
      writeBare(request, status, isDraining);
      observe(request, undefined, ANONYMOUS, { status, headers: [] }, 0);
      return;
    }
    if (unavailable?.has(service.name)) {
      writeBare(request, 503, true);
      observe(request, service, ANONYMOUS, { status: 503, headers: [] }, 0);
      return;
    }
    if (unavailable !== undefined && parts.isLimited?.(service) !== false)
      lastRequestAtMs = performance.now();
    inFlight += 1;
    // serve never rejects: its failures become replies or cut connections
    void serve(request, service);
  }

  async function serve(request: NodeRequest, service: AnyService): Promise<void> {
    const journey: Journey = {
      prepared: undefined,
      isPrepared: false,
      identity: ANONYMOUS,
      limits: [],
    };
    let reply: Reply;
    let failure: QuorateError | undefined;
    try {
      reply = await travel(request, service, journey);
    } catch (thrown) {
      const outcome = replyToFailure(thrown, request, service, journey, parts);
      reply = outcome.reply;
      failure = outcome.error;
    }
    // the connection ends with this answer: a client that was told so sends its next request elsewhere
    if (isDraining) request.response.shouldKeepAlive = false;
    let length = -1;
    try {
      const written = writeReply(request, reply, writeOptions(request, service, journey, failure));
      length = typeof written === 'number' ? written : await written;
    } catch (error) {
      // the head may be out already: the cut tells the client that the body is not complete
      request.response.destroy();
      parts.log.debug('The reply could not be written', { requestId: request.id, err: error });
    }
    inFlight -= 1;
    observe(request, service, journey.identity, reply, length);
  }

  async function travel(
    request: NodeRequest,
    service: AnyService,
    journey: Journey,
  ): Promise<Reply> {
    if (service.bare === true) return service.handle(request, undefined, BARE_CONTEXT);
    if (!interceptors.isEmpty) return travelIntercepted(request, service, journey);

    await prepare(request, service, journey);
    const permit = await admit(request, service, journey);
    return handle(request, service, journey, permit);
  }

  /** The same journey with the interceptors between its steps (plugins.md §5). */
  async function travelIntercepted(
    request: NodeRequest,
    service: AnyService,
    journey: Journey,
  ): Promise<Reply> {
    const exchange: InterceptedExchange = {
      request,
      service,
      identity: ANONYMOUS,
      reply: undefined,
    };
    await interceptors.runRequest('before-exchange-init', exchange);
    await prepare(request, service, journey);
    await interceptors.runRequest('before-auth', exchange);
    let permit: Awaited<ReturnType<typeof admit>>;
    try {
      permit = await admit(request, service, journey);
    } catch (error) {
      await interceptors.runRequest('after-failed-auth', exchange);
      throw error;
    }
    exchange.identity = journey.identity;
    await interceptors.runRequest('after-auth', exchange);
    // refused at a request point: the service and the response points are skipped
    if (exchange.reply !== undefined) return exchange.reply;

    exchange.reply = await handle(request, service, journey, permit);
    await interceptors.runResponse(exchange, (interceptor, error) =>
      parts.log.warn(`Interceptor ${interceptor.name} failed`, {
        requestId: request.id,
        err: error,
      }),
    );
    return exchange.reply;
  }

  // the steps await only what is a promise: each await of a plain value costs a turn of the microtask queue
  async function prepare(request: NodeRequest, service: AnyService, journey: Journey) {
    const prepared: unknown = service.prepare?.(request);
    journey.prepared = prepared instanceof Promise ? await prepared : prepared;
    journey.isPrepared = true;
  }

  async function admit(request: NodeRequest, service: AnyService, journey: Journey) {
    const limiter = parts.isLimited?.(service) === false ? undefined : parts.limiter;
    if (limiter !== undefined) journey.limits = await limiter.beforeLogin(request);
    const identity = guard.authenticate(request, service);
    journey.identity =
      identity instanceof Promise ? await identity.catch(orAnonymous(service)) : identity;
    if (limiter !== undefined) {
      const more = await limiter.afterLogin(request, journey.identity);
      journey.limits = [...journey.limits, ...more];
    }
    return guard.authorize(request, service, journey.prepared, journey.identity);
  }

  function handle(
    request: NodeRequest,
    service: AnyService,
    journey: Journey,
    permit: Awaited<ReturnType<Guard['authorize']>>,
  ): Reply | Promise<Reply> {
    if (request.method === 'OPTIONS' && service.handlesOptions !== true) return OPTIONS_REPLY;
    return service.handle(request, journey.prepared, { identity: journey.identity, permit });
  }

  function writeOptions(
    request: NodeRequest,
    service: AnyService,
    journey: Journey,
    failure: QuorateError | undefined,
  ): WriteOptions {
    if (service.bare === true) return { date: parts.dateHeader };
    // errors while the request is being prepared come before the pipeline (rest-documents.md §7)
    if (!journey.isPrepared) return { compress: true };
    const extra = extraHeaders(request, journey);
    if (service.isProxy === true) return { compress: true, ...(extra && { extra }) };
    const cors = service.cors?.(request, journey.prepared) ?? DEFAULT_CORS;
    if (failure?.family === 'authentication' || failure?.code === 'ERR_AUTHZ_FORBIDDEN')
      return { cors, compress: true, ...(extra && { extra }) };
    const fixed = request.secure ? parts.securityHeaders?.tls : parts.securityHeaders?.plain;
    return {
      cors,
      compress: true,
      date: parts.dateHeader,
      ...(parts.poweredBy !== undefined && { poweredBy: parts.poweredBy }),
      ...(fixed !== undefined && fixed.length > 0 && { fixed }),
      ...(extra && { extra }),
    };
  }

  /** Echoed ones, and those of the mechanism that let the client in; undefined: none, as nearly always. */
  function extraHeaders(
    request: NodeRequest,
    { identity, limits }: Journey,
  ): readonly (readonly [string, string])[] | undefined {
    const echoed = parts.tracingHeaders.length === 0 ? undefined : tracingHeaders(request);
    const traced = limits.length === 0 ? echoed : [...(echoed ?? []), ...limits];
    if (guard.replyHeaders === undefined || identity.kind === 'anonymous') return traced;
    return [...(traced ?? []), ...guard.replyHeaders(request)];
  }

  function tracingHeaders(request: NodeRequest): (readonly [string, string])[] {
    const echoed: (readonly [string, string])[] = [];
    for (const name of parts.tracingHeaders) {
      const first = request.firstLine(name.toLowerCase());
      if (first !== undefined) echoed.push([name, first]);
      else if (name === parts.generatedHeader) echoed.push([name, request.id]);
    }
    return echoed;
  }

  function observe(
    request: NodeRequest,
    service: AnyService | undefined,
    identity: Identity,
    reply: Reply,
    contentLength: number,
  ): void {
    parts.observer.ended({
      request,
      serviceName: service?.bare === true ? undefined : service?.name,
      isProxied: service?.isProxy === true,
      identity,
      status: reply.status,
      elapsedMs: performance.now() - request.startedAtMs,
      contentLength,
      responseHeaders: reply.headers,
      labels: reply.metricLabels,
    });
  }

  return {
    accept,
    inFlight: () => inFlight,
    announce: (services) => {
      unavailable = services;
    },
    lastRequestAtMs: () => lastRequestAtMs,
    drain: () => {
      isDraining = true;
    },
  };
}
