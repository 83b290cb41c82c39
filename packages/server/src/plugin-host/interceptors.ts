import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { Reply } from '../model/reply.ts';
import type { AnyService } from '../model/service.ts';

/** Points of the request pipeline at which interceptors run (plugins.md §5). */
export const INTERCEPT_POINTS = [
  'before-exchange-init',
  'before-auth',
  'after-auth',
  'after-failed-auth',
  'response',
  'response-async',
] as const;

export type InterceptPoint = (typeof INTERCEPT_POINTS)[number];

/** What an interceptor sees and may change. */
export interface InterceptedExchange {
  request: HttpRequest;
  readonly service: AnyService;
  identity: Identity;
  /** At the response points: the answer. At request points: set to refuse the request. */
  reply: Reply | undefined;
}

/** Sees the requests that `resolve` selects, at one point. */
export interface Interceptor {
  readonly name: string;
  readonly point: InterceptPoint;
  /** Lower runs first; default of plugins is 10. */
  readonly priority: number;
  /** A request kind (`mongo`, `json`, `bytes` …), or `*` for every service. */
  readonly kind: string;
  /** Runs although the service asked not to be intercepted. */
  readonly required?: boolean;
  resolve(exchange: InterceptedExchange): boolean | Promise<boolean>;
  handle(exchange: InterceptedExchange): void | Promise<void>;
}

/** Hears of failures that must not fail the request. */
export type ReportFailure = (interceptor: Interceptor, error: unknown) => void;

/**
 * Interceptors by point, in order of priority and then registration.
 *
 * Lists are replaced, never changed, so that a running request keeps the one it started with.
 */
export class InterceptorTable {
  #lists: Readonly<Record<InterceptPoint, readonly Interceptor[]>> = emptyLists();
  #isEmpty = true;

  add(interceptor: Interceptor): void {
    const { point } = interceptor;
    const list = [...this.#lists[point], interceptor];
    this.#lists = { ...this.#lists, [point]: list.sort((a, b) => a.priority - b.priority) };
    this.#isEmpty = false;
  }

  remove(name: string): void {
    const lists = emptyLists();
    for (const point of INTERCEPT_POINTS) {
      lists[point] = this.#lists[point].filter((interceptor) => interceptor.name !== name);
    }
    this.#lists = lists;
    this.#isEmpty = INTERCEPT_POINTS.every((point) => lists[point].length === 0);
  }

  /** True for nearly every server: the pipeline then asks for no point at all. */
  get isEmpty(): boolean {
    return this.#isEmpty;
  }

  /** Runs a request point: every `resolve` before the first `handle` (plugins.md §5); a throw goes to the caller. */
  async runRequest(point: InterceptPoint, exchange: InterceptedExchange): Promise<void> {
    const chosen: Interceptor[] = [];
    for (const interceptor of this.#lists[point]) {
      if (appliesTo(interceptor, exchange.service) && (await interceptor.resolve(exchange)))
        chosen.push(interceptor);
    }
    for (const interceptor of chosen) await interceptor.handle(exchange);
  }

  /** Starts the `response-async` ones, then runs the `response` ones; only a `handle` of the latter may fail the request. */
  async runResponse(exchange: InterceptedExchange, report: ReportFailure): Promise<void> {
    for (const interceptor of this.#lists['response-async']) {
      void runOne(interceptor, exchange).catch((error: unknown) => report(interceptor, error));
    }
    for (const interceptor of this.#lists.response) {
      if (!appliesTo(interceptor, exchange.service)) continue;
      let resolved = false;
      try {
        resolved = await interceptor.resolve(exchange);
      } catch (error) {
        report(interceptor, error);
      }
      if (resolved) await interceptor.handle(exchange);
    }
  }
}

async function runOne(interceptor: Interceptor, exchange: InterceptedExchange): Promise<void> {
  if (!appliesTo(interceptor, exchange.service)) return;
  if (await interceptor.resolve(exchange)) await interceptor.handle(exchange);
}

function emptyLists(): Record<InterceptPoint, readonly Interceptor[]> {
  return {
    'before-exchange-init': [],
    'before-auth': [],
    'after-auth': [],
    'after-failed-auth': [],
    response: [],
    'response-async': [],
  };
}

function appliesTo(interceptor: Interceptor, service: AnyService): boolean {
  return interceptor.kind === '*' || interceptor.kind === service.kind;
}
