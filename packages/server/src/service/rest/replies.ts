/** Replies of the REST service, with the headers they share (rest-documents.md §2.1, §5.2). */

import { ObjectId } from '../../model/bson.ts';
import type { Reply, ReplyBody, ReplyHeader } from '../../model/reply.ts';
import { readRawPath } from '../../representation/raw-bson.ts';
import type { MongoRequest, Representation } from './rest-request.ts';

const JSON_TYPE: ReplyHeader = ['Content-Type', 'application/json; charset=UTF-8'];
const HAL_TYPE: ReplyHeader = ['Content-Type', 'application/hal+json'];

/** The `Content-Type` of a success in a representation. */
export function contentTypeOf(representation: Representation): ReplyHeader {
  return representation === 'STANDARD' ? JSON_TYPE : HAL_TYPE;
}

/** A success with a body in the request's own representation. */
export function representedReply(
  request: MongoRequest,
  body: ReplyBody,
  headers: readonly ReplyHeader[] = [],
  status = 200,
): Reply {
  return {
    status,
    headers: [...headers, contentTypeOf(request.parameters.representation)],
    body,
  };
}

/** A success in JSON, whatever the representation asked for. */
export function jsonReply(
  body: ReplyBody,
  headers: readonly ReplyHeader[] = [],
  status = 200,
): Reply {
  return { status, headers: [...headers, JSON_TYPE], body };
}

/** An answer without a body; it names the type of JSON all the same (rest-documents.md §2.1). */
export function emptyReply(status: number, headers: readonly ReplyHeader[] = []): Reply {
  return { status, headers: [...headers, JSON_TYPE] };
}

/** The `ETag` header; bare hex, as the dialect has it. */
export function etagHeader(etag: string): ReplyHeader {
  return ['ETag', etag];
}

/** `_etag` of a raw document; undefined when it has none or the projection dropped it. */
export function etagOfRaw(document: Uint8Array, field = '_etag'): string | undefined {
  const etag = readRawPath(document, field);
  return etag instanceof ObjectId ? etag.toHexString() : undefined;
}

/** `_etag` of properties. */
export function etagOfProperties(
  properties: ReadonlyMap<string, unknown> | undefined,
): string | undefined {
  const etag = properties?.get('_etag');
  return etag instanceof ObjectId ? etag.toHexString() : undefined;
}

/** First line of a header: further lines and lists are not looked at (rest-documents.md §4.4). */
function firstLine(request: MongoRequest, name: string): string | undefined {
  const joined = request.http.header(name);
  if (joined === undefined || !joined.includes(',')) return joined;
  const { rawHeaders } = request.http;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) return rawHeaders[i + 1];
  }
  return joined;
}

/** Whether the client already has this version: the bare hex, no quotes, no `*`, no lists. */
export function isNotModified(request: MongoRequest, etag: string | undefined): boolean {
  return etag !== undefined && firstLine(request, 'if-none-match') === etag;
}

/** 304: no body and no ETag header (rest-documents.md §4.4). */
export function notModified(): Reply {
  return emptyReply(304);
}
