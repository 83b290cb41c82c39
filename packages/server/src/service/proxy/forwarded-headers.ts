/** The headers of a request that is sent on, and of the answer that comes back (operations.md §8). */
import type { HttpRequest } from '../../model/http-request.ts';
import type { Identity } from '../../model/identity.ts';
import type { ReplyHeader } from '../../model/reply.ts';
import { writeJson } from '../../representation/json-writer.ts';

/** They belong to one connection (RFC 9110 §7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
]);

/** Set here, so that no client can claim to be somebody; its credentials stay here too. */
const OWN: ReadonlySet<string> = new Set([
  'authorization',
  'expect',
  'host',
  'x-forwarded-account-id',
  'x-forwarded-account-roles',
  'x-forwarded-jwt-payload',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-server',
]);

/**
 * Names and values alternating, in the client's spelling; the added ones come last.
 *
 * @param host - of the target; undefined leaves the client's
 */
export function requestHeaders(
  request: HttpRequest,
  identity: Identity,
  host: string | undefined,
): string[] {
  const headers = ['Host', host ?? request.host, 'Connection', 'keep-alive'];
  let hasLength = false;
  for (const [name, value] of endToEnd(request.rawHeaders)) {
    const lower = name.toLowerCase();
    // the pseudo-headers of HTTP/2 begin with a colon
    if (OWN.has(lower) || lower.startsWith(':')) continue;
    hasLength ||= lower === 'content-length';
    headers.push(name, value);
  }
  if (!hasLength && request.hasBody) headers.push('Transfer-Encoding', 'chunked');
  else if (!hasLength && MAY_HAVE_BODY.has(request.method)) headers.push('Content-Length', '0');
  const { hostname, port } = splitHost(request);
  headers.push(
    ...['X-Forwarded-For', request.remoteAddress],
    ...['X-Forwarded-Proto', request.secure ? 'https' : 'http'],
    ...['X-Forwarded-Host', request.host],
    ...['X-Forwarded-Port', port],
    ...['X-Forwarded-Server', hostname],
  );
  if (identity.kind === 'account') {
    headers.push('X-Forwarded-Account-Id', toHeaderText(identity.name));
    for (const role of identity.roles)
      headers.push('X-Forwarded-Account-Roles', toHeaderText(role));
    if (identity.hasToken === true) {
      const payload = writeJson(identity.properties, 'default');
      headers.push('X-Forwarded-Jwt-Payload', toHeaderText(payload));
    }
  }
  return headers;
}

const MAY_HAVE_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

function splitHost({ host, secure }: HttpRequest): { hostname: string; port: string } {
  const match = /^(.*?)(?::(\d+))?$/.exec(host);
  return { hostname: match?.[1] ?? host, port: match?.[2] ?? (secure ? '443' : '80') };
}

/** What a header cannot hold is escaped as in URLs: line ends would be headers of their own. */
function toHeaderText(text: string): string {
  return text.replace(/[^\t\u0020-\u007e]/gu, (character) => encodeURIComponent(character));
}

/** The target's headers, without those of the connection to it. */
export function replyHeaders(headers: readonly string[]): ReplyHeader[] {
  return endToEnd(headers);
}

function endToEnd(headers: readonly string[]): ReplyHeader[] {
  const named = new Set<string>();
  const pairs: ReplyHeader[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]];
    pairs.push([name, value]);
    // a sender lists further headers of the connection there
    if (name.toLowerCase() !== 'connection') continue;
    for (const token of value.split(',')) named.add(token.trim().toLowerCase());
  }
  return pairs.filter(([name]) => {
    const lower = name.toLowerCase();
    return !HOP_BY_HOP.has(lower) && !named.has(lower);
  });
}
