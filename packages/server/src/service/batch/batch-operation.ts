/** Single operations of a batch as requests of their own. */

import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { HttpRequest, QueryParameters } from '../../model/http-request.ts';
import { writeJson } from '../../representation/json-writer.ts';

/** One operation: what its own request would say. */
export interface BatchOperation {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: BsonValue | undefined;
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const MAX_OPERATIONS = 1000;
/** Headers that mean something to a document's request. */
const HEADERS = ['if-match', 'if-none-match'];

function illegal(message: string): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message });
}

/** @throws ERR_REQUEST_BODY */
export function readOperations(body: BsonValue | undefined): readonly BatchOperation[] {
  const list = isDocument(body) ? body.get('operations') : undefined;
  if (!Array.isArray(list) || list.length === 0) {
    throw illegal('operations must be an array of at least one operation');
  }
  if (list.length > MAX_OPERATIONS) throw illegal(`at most ${MAX_OPERATIONS} operations`);
  return list.map((item, index) => readOperation(item, index));
}

function readOperation(item: BsonValue, index: number): BatchOperation {
  if (!isDocument(item)) throw illegal(`operation ${index} must be a json object`);
  const method = item.get('method');
  const path = item.get('path');
  if (typeof method !== 'string' || !METHODS.includes(method.toUpperCase())) {
    throw illegal(`operation ${index}: method must be one of ${METHODS.join(', ')}`);
  }
  if (typeof path !== 'string' || !path.startsWith('/')) {
    throw illegal(`operation ${index}: path must be a text that starts with /`);
  }
  return { method: method.toUpperCase(), path, headers: headersIn(item), body: item.get('body') };
}

function headersIn(item: BsonDocument): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  const sent = item.get('headers');
  if (!isDocument(sent)) return headers;
  for (const [name, value] of sent) {
    const lower = name.toLowerCase();
    if (HEADERS.includes(lower) && typeof value === 'string') headers.set(lower, value);
  }
  return headers;
}

/** The operation as a request in a transaction. */
export function toRequest(
  outer: HttpRequest,
  operation: BatchOperation,
  transaction: { readonly sessionId: string; readonly number: number },
): HttpRequest {
  const { rawPath, rawQuery } = splitTarget(operation.path);
  const query = new URLSearchParams(rawQuery);
  query.delete('sid');
  query.delete('txn');
  query.set('sid', transaction.sessionId);
  query.set('txn', String(transaction.number));
  const content =
    operation.body === undefined
      ? Buffer.alloc(0)
      : Buffer.from(writeJson(operation.body, 'extended'));
  const headers: Record<string, string> = Object.fromEntries(operation.headers);
  headers['content-type'] = 'application/json';
  return {
    id: randomUUID(),
    method: operation.method,
    rawPath,
    rawQuery: query.toString(),
    query: toParameters(query),
    headers,
    rawHeaders: Object.entries(headers).flat(),
    header: (name) => headers[name],
    secure: outer.secure,
    host: outer.host,
    httpVersion: outer.httpVersion,
    remoteAddress: outer.remoteAddress,
    remotePort: outer.remotePort,
    localAddress: outer.localAddress,
    localPort: outer.localPort,
    receivedAtMs: outer.receivedAtMs,
    hasBody: content.length > 0,
    body: async () => content,
    stream: () => Readable.from([content]),
    signal: outer.signal,
    attached: new Map(),
  };
}

/** Paths are written readably: what may not stand in a URL is escaped. */
function splitTarget(path: string): { rawPath: string; rawQuery: string } {
  const mark = path.indexOf('?');
  const toAscii = (text: string) =>
    text.replace(/[^\x21-\x7e]/g, (part) => encodeURIComponent(part));
  if (mark < 0) return { rawPath: toAscii(path), rawQuery: '' };
  return { rawPath: toAscii(path.slice(0, mark)), rawQuery: toAscii(path.slice(mark + 1)) };
}

function toParameters(query: URLSearchParams): QueryParameters {
  return {
    get: (name) => query.get(name) ?? undefined,
    getAll: (name) => query.getAll(name),
    has: (name) => query.has(name),
    names: () => [...new Set(query.keys())],
    size: query.size,
  };
}
