/** A path whose requests other servers answer, behind our authentication and rules (operations.md §8). */
import { isQuorateError } from '../../errors/quorate-error.ts';
import type { Forward, ForwardedReply } from '../../model/forwarding.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Identity } from '../../model/identity.ts';
import type { Reply, ReplyHeader } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import { replyHeaders, requestHeaders } from './forwarded-headers.ts';
import { TargetList } from './target-list.ts';

export interface ProxyOptions {
  readonly location: string;
  /** At least one; the path takes the place of `location`. */
  readonly targets: readonly URL[];
  readonly name: string;
  /** True: the target gets its own name as `Host`. */
  readonly rewriteHost: boolean;
  readonly retryAfterMs: number;
  readonly forward: Forward;
  readonly warn: (message: string, error: unknown) => void;
}

/** The service that sends requests on to the targets in turn. */
export function createProxyService(options: ProxyOptions): Service {
  const { location, rewriteHost, forward } = options;
  const targets = new TargetList(options.targets, options.retryAfterMs, () => performance.now());
  return {
    name: options.name,
    uri: location,
    match: 'prefix',
    secured: true,
    isProxy: true,
    handlesOptions: true,
    handle: async (request, _prepared, { identity }) =>
      toReply(request, await forwardToFirst(request, identity)),
  };

  /** @throws ERR_PROXY_UNREACHABLE when no target can be reached, or one gives up */
  async function forwardToFirst(request: HttpRequest, identity: Identity): Promise<ForwardedReply> {
    let failure: unknown;
    for (const target of targets.order()) {
      try {
        const reply = await forward({
          target,
          method: request.method,
          path: targetPath(request, location, target),
          headers: requestHeaders(request, identity, rewriteHost ? target.host : undefined),
          openBody: request.hasBody ? () => request.stream() : undefined,
          signal: request.signal,
        });
        targets.answered(target);
        return reply;
      } catch (error) {
        failure = error;
        if (!isQuorateError(error) || error.code !== 'ERR_PROXY_UNREACHABLE') break;
        targets.failed(target);
        options.warn(`Proxy ${location}: ${error.message}`, error.cause);
        if (!error.retryable) break;
      }
    }
    throw failure;
  }
}

/** The target's path with what follows the proxy's location, as it was sent; the query is kept. */
function targetPath({ rawPath, rawQuery }: HttpRequest, location: string, target: URL): string {
  const depth = location === '/' ? 0 : location.split('/').length - 1;
  // segments, for an escape makes the path longer than the location it matches
  const rest = `/${rawPath
    .split('/')
    .slice(depth + 1)
    .join('/')}`;
  const hasRest = rawPath.split('/').length > depth + 1;
  const base = target.pathname.replace(/\/$/, '');
  const path = hasRest ? base + rest : base || '/';
  return rawQuery === '' ? path : `${path}?${rawQuery}`;
}

function toReply(request: HttpRequest, { status, headers, body }: ForwardedReply): Reply {
  const kept = replyHeaders(headers);
  const lowerValue = (name: string) => find(kept, name)?.toLowerCase() ?? '';
  const isEmpty = request.method === 'HEAD' || status === 204 || status === 304;
  if (isEmpty || lowerValue('content-length') === '0') {
    body.resume();
    return { status, headers: kept };
  }
  const isStream = lowerValue('content-type').startsWith('text/event-stream');
  return {
    status,
    headers: kept,
    body,
    flushHeaders: isStream,
    // events would wait for the compressor, and a range is one of the bytes as they are
    uncompressed: isStream || status === 206,
  };
}

function find(headers: readonly ReplyHeader[], lowerName: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === lowerName)?.[1];
}
