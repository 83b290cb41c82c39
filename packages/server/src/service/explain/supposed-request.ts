/** A request that nobody sent, for asking what the rules would say to it. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { QuorateError } from '../../errors/quorate-error.ts';
import type { HttpRequest, QueryParameters } from '../../model/http-request.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

/** One question: may `user` (or somebody with `roles`) do this? */
export interface Question {
  /** Undefined: nobody, unless roles are given. */
  readonly user: string | undefined;
  /** Instead of those of the account. */
  readonly roles: readonly string[] | undefined;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly body: unknown;
}

/** @throws ERR_REQUEST_BODY naming what is wrong */
export function readQuestion(value: unknown): Question {
  if (typeof value !== 'object' || value === null) throw wrong('must be a JSON object');
  const { user, roles, method = 'GET', path, body } = value as Record<string, unknown>;
  if (user !== undefined && typeof user !== 'string') throw wrong('user must be a text');
  if (typeof method !== 'string' || !METHODS.includes(method.toUpperCase())) {
    throw wrong(`method must be one of ${METHODS.join(', ')}`);
  }
  if (typeof path !== 'string' || !path.startsWith('/')) throw wrong('path must start with /');
  if (roles !== undefined && !isTexts(roles)) throw wrong('roles must be an array of texts');
  return { user, roles, method: method.toUpperCase(), path, body };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function wrong(reason: string): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message: `A question ${reason}` });
}

/** The question as a request from where the asker is. */
export function toSupposedRequest(question: Question, asker: HttpRequest): HttpRequest {
  const mark = question.path.indexOf('?');
  const toAscii = (text: string) =>
    text.replace(/[^\u0021-\u007e]/g, (part) => encodeURIComponent(part));
  const rawPath = toAscii(mark < 0 ? question.path : question.path.slice(0, mark));
  const rawQuery = mark < 0 ? '' : toAscii(question.path.slice(mark + 1));
  const query = new URLSearchParams(rawQuery);
  const content = Buffer.from(question.body === undefined ? '' : JSON.stringify(question.body));
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const { secure, host, httpVersion, remoteAddress, remotePort, localAddress, localPort } = asker;
  return {
    id: randomUUID(),
    method: question.method,
    rawPath,
    rawQuery,
    query: toParameters(query),
    headers,
    rawHeaders: Object.entries(headers).flat(),
    header: (name) => headers[name],
    secure,
    host,
    httpVersion,
    remoteAddress,
    remotePort,
    localAddress,
    localPort,
    receivedAtMs: asker.receivedAtMs,
    hasBody: content.length > 0,
    body: () => Promise.resolve(content),
    stream: () => Readable.from([content]),
    signal: asker.signal,
    attached: new Map(),
  };
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
