/** What a proxy sends on, and what comes back; `http/` does it, `service/proxy/` says what. */
import type { Readable } from 'node:stream';

export interface ForwardedRequest {
  /** Scheme, host and port are used. */
  readonly target: URL;
  readonly method: string;
  /** Path and query, as they go on the wire. */
  readonly path: string;
  /** Name and value alternating, in this spelling and order; `Host` included. */
  readonly headers: readonly string[];
  /** Opens the body, once the connection is there; undefined: there is none. */
  readonly openBody: (() => Readable) | undefined;
  readonly signal: AbortSignal;
}

export interface ForwardedReply {
  readonly status: number;
  /** Name and value alternating, spelled and repeated as the target sent them. */
  readonly headers: readonly string[];
  readonly body: Readable;
}

/**
 * Sends a request to a target and resolves with the head of its answer.
 *
 * @throws ERR_PROXY_UNREACHABLE; `retryable` while nothing of the request has been sent: another target may be tried
 */
export type Forward = (request: ForwardedRequest) => Promise<ForwardedReply>;
