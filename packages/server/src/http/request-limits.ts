import { acceptsCompression } from './accept-encoding.ts';
import type { NodeRequest } from './node-request.ts';
import { countParameters } from './query-string.ts';

/** Limits that are checked on the head of a request (operations.md §3). */
export interface RequestLimits {
  readonly maxHeaders: number;
  readonly maxParameters: number;
  readonly maxCookies: number;
  /** `core.force-gzip-encoding`: clients must offer gzip or deflate. */
  readonly forceCompression: boolean;
}

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
]);

/**
 * The status of a bare refusal before any service is looked up, or 0: the method gate (405) and the limits on headers,
 * cookies and parameters (400).
 */
export function refuseByLimits(request: NodeRequest, limits: RequestLimits): number {
  if (!METHODS.has(request.method)) return 405;
  if (request.rawHeaders.length > limits.maxHeaders * 2) return 400;
  // each parameter takes two characters at least, so most queries need no counting
  if (
    request.rawQuery.length >= limits.maxParameters &&
    countParameters(request.rawQuery) > limits.maxParameters
  )
    return 400;
  const cookies = request.message.headers.cookie;
  if (cookies !== undefined && countCookies(cookies) > limits.maxCookies) return 400;
  if (limits.forceCompression && !acceptsCompression(request.header('accept-encoding'))) return 400;
  return 0;
}

function countCookies(cookies: string): number {
  let count = 1;
  for (let at = cookies.indexOf(';'); at !== -1; at = cookies.indexOf(';', at + 1)) count += 1;
  return count;
}
