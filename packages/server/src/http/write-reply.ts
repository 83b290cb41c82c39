import { STATUS_CODES } from 'node:http';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Reply, ReplyBody, ReplyHeader } from '../model/reply.ts';
import type { CorsLists } from '../model/service.ts';
import { chooseCoding } from './accept-encoding.ts';
import { compressBytes, createCompressor } from './compress-body.ts';
import type { NodeRequest } from './node-request.ts';
import { serveWebSocket } from './websocket.ts';

/** What goes on the wire besides the reply itself. */
export interface WriteOptions {
  /** The service's lists; absent on infrastructure errors (operations.md §10). */
  readonly cors?: CorsLists;
  /** `X-Powered-By` and `Date`: on handled service responses only (operations.md §11). */
  readonly poweredBy?: string;
  readonly date?: boolean;
  readonly compress?: boolean;
  /** Headers of every answer of a service, name and value alternating. */
  readonly fixed?: readonly string[];
  /** Echoed tracing headers. */
  readonly extra?: readonly ReplyHeader[];
}

const REASONS: Readonly<Record<number, string>> = {
  ...STATUS_CODES,
  408: 'Request Timeout',
  413: 'Request Entity Too Large',
  422: 'Unprocessable Entity',
};

// up to here head and body leave in one string, one write: measured faster than writev of two buffers
const ONE_WRITE_LIMIT_BYTES = 64 * 1024;

let dateText = '';
let dateSecond = 0;

/** RFC 9110 §5.6.7 date, made once a second. */
function dateHeader(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(nowMs).toUTCString();
  }
  return dateText;
}

/**
 * Writes one reply: CORS, compression, length and connection headers are added here and nowhere else.
 * Header names keep their spelling, several of one name become several lines.
 *
 * @returns the length of the body on the wire, or -1 when it is streamed
 */
export function writeReply(
  request: NodeRequest,
  reply: Reply,
  options: WriteOptions,
): number | Promise<number> {
  const headers = collectHeaders(request, reply, options);
  if (reply.webSocket !== undefined && request.upgrade !== undefined) {
    request.response.detachSocket(request.message.socket);
    const upgraded = withoutHeader(headers, 'connection');
    const { webSocket: messages, cut } = reply;
    return serveWebSocket(request.message, request.upgrade, upgraded, { messages, cut }).then(
      () => -1,
    );
  }
  const body = reply.body;
  if (body === undefined || isEmpty(body)) return sendBytes(request, reply, headers, '');
  const coding =
    options.compress === true && reply.uncompressed !== true && !has(headers, 'content-encoding')
      ? chooseCoding(request.header('accept-encoding'))
      : 'none';
  if (coding !== 'none') headers.push('Content-Encoding', coding);
  if (typeof body === 'string' || Buffer.isBuffer(body)) {
    if (coding === 'none' || coding === 'identity') return sendBytes(request, reply, headers, body);
    const encoded = compressBytes(typeof body === 'string' ? Buffer.from(body) : body, coding);
    return Buffer.isBuffer(encoded)
      ? sendBytes(request, reply, headers, encoded)
      : encoded.then((bytes) => sendBytes(request, reply, headers, bytes));
  }
  const compressor =
    coding === 'none' || coding === 'identity' ? undefined : createCompressor(coding);
  return sendStream(request, reply, headers, body, compressor);
}

/**
 * A bare answer without body, CORS, `Date` or `X-Powered-By`: 405 of the method gate, 502, 400 of the limits, 503.
 *
 * @param isLeaving - the node stops: the connection ends, and the client may come back at once, to another node
 */
export function writeBare(request: NodeRequest, status: number, isLeaving = false): number {
  const headers = isLeaving ? ['Retry-After', '1', 'Connection', 'close'] : [];
  if (!isLeaving) pushConnection(request, headers);
  return sendBytes(request, { status, headers: [] }, headers, '');
}

function isEmpty(body: ReplyBody): boolean {
  return (typeof body === 'string' || Buffer.isBuffer(body)) && body.length === 0;
}

function collectHeaders(request: NodeRequest, reply: Reply, options: WriteOptions): string[] {
  const headers: string[] = [];
  let ownCors = false;
  let ownConnection = false;
  for (const [name, value] of reply.headers) {
    headers.push(name, value);
    const first = name.charCodeAt(0) | 32;
    // 'a' and 'c' alone can begin the names that matter here
    if (first === 97 && name.length > 20) ownCors ||= /^access-control-/i.test(name);
    else if (first === 99 && name.length === 10) ownConnection ||= /^connection$/i.test(name);
  }
  if (options.extra !== undefined)
    for (const [name, value] of options.extra) headers.push(name, value);
  if (options.cors !== undefined) pushCors(request, headers, options.cors, ownCors);
  if (options.poweredBy !== undefined && !has(headers, 'x-powered-by'))
    headers.push('X-Powered-By', options.poweredBy);
  if (options.fixed !== undefined) pushMissing(headers, options.fixed);
  if (options.date === true) headers.push('Date', dateHeader(request.receivedAtMs));
  if (!ownConnection) pushConnection(request, headers);
  return headers;
}

/** What the service says itself is kept: HTTP/2 does not send such a header twice. */
function pushMissing(headers: string[], fixed: readonly string[]): void {
  for (let i = 0; i + 1 < fixed.length; i += 2) {
    const [name = '', value = ''] = [fixed[i], fixed[i + 1]];
    if (!has(headers, name.toLowerCase())) headers.push(name, value);
  }
}

function pushCors(
  request: NodeRequest,
  headers: string[],
  cors: CorsLists,
  mayBeSet: boolean,
): void {
  const set = (name: string, value: string): void => {
    if (!mayBeSet || !has(headers, name.toLowerCase())) headers.push(name, value);
  };
  const origin = request.message.headers.origin;
  set('Access-Control-Allow-Origin', origin === undefined || origin === '' ? '*' : origin);
  set('Access-Control-Allow-Credentials', 'true');
  set('Access-Control-Expose-Headers', cors.exposeHeaders);
  if (request.method === 'OPTIONS') {
    set('Access-Control-Allow-Methods', cors.allowMethods);
    set('Access-Control-Allow-Headers', cors.allowHeaders);
  }
}

function has(headers: readonly string[], lowerName: string): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i];
    if (name?.length === lowerName.length && name.toLowerCase() === lowerName) return true;
  }
  return false;
}

function pushConnection(request: NodeRequest, headers: string[]): void {
  if (request.message.httpVersionMajor >= 2) return;
  // a client that was not told to go on may send its body or not: the connection cannot be read any further
  const goesOn = request.response.shouldKeepAlive && !request.expectsContinue;
  if (goesOn && !request.saysKeepAlive && request.message.httpVersionMinor === 1) {
    // else Node adds it by itself
    request.response.removeHeader('Connection');
    return;
  }
  headers.push('Connection', goesOn ? 'keep-alive' : 'close');
}

function mayHaveLength(status: number): boolean {
  return status !== 204 && status !== 304;
}

function sendBytes(
  request: NodeRequest,
  reply: Reply,
  ownHeaders: string[],
  body: Buffer | string,
): number {
  const response = request.response;
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const headers = withLength(request, reply.status, ownHeaders, length);
  writeHead(request, reply.status, headers);
  if (length === 0 || request.method === 'HEAD') response.end();
  else if (typeof body === 'string') response.end(body);
  else if (length <= ONE_WRITE_LIMIT_BYTES && request.message.httpVersionMajor === 1)
    // as latin1 the bytes are unchanged, and Node appends them to the head: one string, one write
    response.end(body.toString('latin1'), 'latin1');
  else response.end(body);
  return request.method === 'HEAD' ? 0 : length;
}

/** The length is that of the body that is sent, whatever the reply says; of HEAD the reply may know it better. */
function withLength(
  request: NodeRequest,
  status: number,
  headers: string[],
  length: number,
): string[] {
  const isGiven = has(headers, 'content-length');
  if (isGiven && request.method === 'HEAD') return headers;
  const kept = isGiven ? withoutHeader(headers, 'content-length') : headers;
  if (mayHaveLength(status)) kept.push('Content-Length', String(length));
  return kept;
}

function writeHead(request: NodeRequest, status: number, headers: string[]): void {
  const response = request.response;
  response.sendDate = false;
  if (request.message.httpVersionMajor >= 2) {
    for (const [name, values] of groupHeaders(headers)) response.setHeader(name, values);
    response.writeHead(status);
  } else response.writeHead(status, REASONS[status] ?? 'Unknown', headers);
}

function groupHeaders(headers: readonly string[]): Map<string, string[]> {
  const grouped = new Map<string, string[]>();
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    if (name === 'connection') continue;
    const values = grouped.get(name);
    if (values === undefined) grouped.set(name, [headers[i + 1] ?? '']);
    else values.push(headers[i + 1] ?? '');
  }
  return grouped;
}

async function sendStream(
  request: NodeRequest,
  reply: Reply,
  headers: string[],
  body: Exclude<ReplyBody, string | Buffer>,
  compressor: Transform | undefined,
): Promise<number> {
  const source = body instanceof Readable ? body : Readable.from(body, { objectMode: false });
  const finalHeaders =
    compressor === undefined ? headers : withoutHeader(headers, 'content-length');
  writeHead(request, reply.status, finalHeaders);
  if (reply.flushHeaders === true) request.response.flushHeaders();
  if (request.method === 'HEAD' || !mayHaveLength(reply.status)) {
    source.destroy();
    request.response.end();
    return 0;
  }
  reply.cut?.addEventListener('abort', () => request.response.destroy());
  if (compressor === undefined) await pipeline(source, request.response);
  else await pipeline(source, compressor, request.response);
  return -1;
}

function withoutHeader(headers: readonly string[], lowerName: string): string[] {
  const kept: string[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.toLowerCase() !== lowerName) kept.push(name, headers[i + 1] ?? '');
  }
  return kept;
}
