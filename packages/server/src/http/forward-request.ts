/** Requests sent on to other servers over connections that are kept (operations.md §8). */
import { Agent, type ClientRequest, request as openRequest } from 'node:http';
import { request as openTlsRequest, Agent as TlsAgent } from 'node:https';
import { pipeline } from 'node:stream';
import { isQuorateError, QuorateError } from '../errors/quorate-error.ts';
import { IDEMPOTENT_METHODS } from '../lib/idempotent-methods.ts';
import type { Forward, ForwardedReply, ForwardedRequest } from '../model/forwarding.ts';

export interface ForwarderOptions {
  /** Idle connections that are kept for each target. */
  readonly maxIdleConnections: number;
  /** How long one is kept; 0: as long as the target says. */
  readonly idleTimeoutMs: number;
}

/** A way to other servers. */
export interface Forwarder {
  readonly forward: Forward;
  /** Ends the idle connections. */
  close(): void;
}

/** @param options - of the connections to all targets */
export function createForwarder(options: ForwarderOptions): Forwarder {
  const agentOptions = {
    keepAlive: true,
    maxFreeSockets: options.maxIdleConnections,
    ...(options.idleTimeoutMs > 0 && { timeout: options.idleTimeoutMs }),
  };
  const agents = { 'http:': new Agent(agentOptions), 'https:': new TlsAgent(agentOptions) };
  return {
    forward: (request) =>
      attempt(request, request.target.protocol === 'https:' ? agents['https:'] : agents['http:']),
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

function attempt(request: ForwardedRequest, agent: Agent | false): Promise<ForwardedReply> {
  const { target, openBody, signal } = request;
  const isSecure = target.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const outgoing = (isSecure ? openTlsRequest : openRequest)({
      agent,
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port === '' ? (isSecure ? 443 : 80) : Number(target.port),
      method: request.method,
      path: request.path,
      headers: request.headers,
      signal,
    });
    let isSent = false;
    const sendOn = (): void => {
      isSent = true;
      if (openBody === undefined) outgoing.end();
      // a client that fails makes the request fail, whose error tells what to do
      else pipeline(openBody(), outgoing, (error) => error && outgoing.destroy(error));
    };
    // the body is opened when it can leave: until then the request may go elsewhere
    outgoing.once('socket', (socket) => {
      if (outgoing.reusedSocket) sendOn();
      else socket.once(isSecure ? 'secureConnect' : 'connect', sendOn);
    });
    outgoing.once('response', (reply) =>
      resolve({ status: reply.statusCode ?? 502, headers: reply.rawHeaders, body: reply }),
    );
    outgoing.on('error', (error) => {
      if (isStale(outgoing, request, error)) attempt(request, false).then(resolve, reject);
      else reject(toFailure(error, request, isSent));
    });
  });
}

/** Limits of the client's body are told as they are. */
function toFailure(cause: Error, { target, signal }: ForwardedRequest, isSent: boolean) {
  if (isQuorateError(cause)) return cause;
  if (signal.aborted) return new QuorateError('ERR_REQUEST_ABORTED', { cause });
  const message = `${target.origin} cannot be reached`;
  return new QuorateError('ERR_PROXY_UNREACHABLE', {
    message,
    cause,
    retryable: !isSent,
    emptyBody: true,
  });
}

/** The target closed the kept connection in the very moment; such a request is sent again on a new one. */
function isStale(
  { reusedSocket }: ClientRequest,
  { method, openBody, signal }: ForwardedRequest,
  error: NodeJS.ErrnoException,
): boolean {
  return (
    reusedSocket &&
    error.code === 'ECONNRESET' &&
    openBody === undefined &&
    IDEMPOTENT_METHODS.has(method) &&
    !signal.aborted
  );
}
