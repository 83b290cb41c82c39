/**
 * What browsers of other origins may send and read of the features beyond the reference. The lists of an ordinary request
 * stay as the contract has them (rest-documents.md §7): only who asks for a feature gets its headers.
 */
import type { HttpRequest } from '../../model/http-request.ts';
import type { CorsLists } from '../../model/service.ts';

/** By their names in lower case, as preflight requests send them. */
const REQUEST_HEADERS: ReadonlyMap<string, string> = new Map(
  [
    'Idempotency-Key',
    'If-None-Match',
    'If-Range',
    'Quorate-Consistency',
    'Range',
    'Tus-Resumable',
    'Upload-Length',
    'Upload-Metadata',
    'Upload-Offset',
  ].map((name) => [name.toLowerCase(), name]),
);

/** What a reply may say to a request with such a header. */
const REPLY_HEADERS: readonly (readonly [asked: string, exposed: string])[] = [
  ['idempotency-key', 'Idempotency-Replayed'],
  ['quorate-consistency', 'Quorate-Consistency'],
  ['range', 'Accept-Ranges, Content-Range'],
  ['tus-resumable', 'Location, Tus-Resumable, Upload-Expires, Upload-Length, Upload-Offset'],
];

/** The lists of a resource, with what the request asks for. */
export function withBeyond(lists: CorsLists, http: HttpRequest): CorsLists {
  if (http.method === 'OPTIONS') return withAllowed(lists, http);
  let { exposeHeaders } = lists;
  for (const [asked, exposed] of REPLY_HEADERS) {
    if (http.header(asked) !== undefined) exposeHeaders = join(exposeHeaders, exposed);
  }
  if (http.rawQuery.includes('after=')) exposeHeaders = join(exposeHeaders, 'Link');
  return exposeHeaders === lists.exposeHeaders ? lists : { ...lists, exposeHeaders };
}

function withAllowed(lists: CorsLists, http: HttpRequest): CorsLists {
  const asked = http.header('access-control-request-headers');
  if (asked === undefined) return lists;
  const allowed = new Set(lists.allowHeaders.toLowerCase().split(/\s*,\s*/));
  const more = asked
    .toLowerCase()
    .split(/\s*,\s*/)
    .flatMap((name) => (allowed.has(name) ? [] : (REQUEST_HEADERS.get(name.trim()) ?? [])));
  return more.length === 0
    ? lists
    : { ...lists, allowHeaders: join(lists.allowHeaders, more.join(', ')) };
}

function join(list: string, more: string): string {
  return list === '' ? more : `${list}, ${more}`;
}
