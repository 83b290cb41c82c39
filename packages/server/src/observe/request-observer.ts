import type { HttpRequest } from '../model/http-request.ts';
import type { Identity } from '../model/identity.ts';
import type { ReplyHeader } from '../model/reply.ts';

/** One request that was answered. */
export interface EndedRequest {
  readonly request: HttpRequest;
  /** Undefined when no service was reached: then it counts in no metric (operations.md §5). */
  readonly serviceName: string | undefined;
  /** True: another server answered, and no metric counts it. */
  readonly isProxied?: boolean;
  readonly identity: Identity;
  readonly status: number;
  readonly elapsedMs: number;
  /** Of the body on the wire; -1 when it was streamed or cut. */
  readonly contentLength: number;
  readonly responseHeaders: readonly ReplyHeader[];
  /** Labels that the service adds. */
  readonly labels?: readonly (readonly [name: string, value: string])[] | undefined;
}

/** Hears of every answered request: the request log, the metrics. */
export interface RequestObserver {
  ended(event: EndedRequest): void;
}
