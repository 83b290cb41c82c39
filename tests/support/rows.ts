/** Conformance cases as rows: what is given, one request, what the specification says of its answer. */
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { gapOf } from './known-gaps.ts';
import { headerValues, send, type WireReply } from './raw-http.ts';

/** Expected header: exact text, pattern, or null for "not there". */
export type HeaderExpectation = string | RegExp | null;

/** One case. `{db}` and `{c}` stand for the row's own database and collection in every text. */
export interface Row {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Chapter of rest-documents.md or rest-resources.md. */
  readonly chapter: string;
  /** Requests sent before, as `METHOD path [body]`; each must succeed. */
  readonly given?: readonly string[];
  /** Bodies POSTed to the bucket `{c}.files` before, with these headers. */
  readonly uploads?: readonly string[];
  readonly uploadHeaders?: Row['headers'];
  /** False: the collection `{c}` is not created before. */
  readonly collection?: false;
  /** `METHOD path [body]`; the body begins after the second blank. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Body that `request` cannot hold. */
  readonly content?: string | Buffer;
  /** Sends the request twice; the second answer counts. */
  readonly repeat?: true;
  readonly status: number;
  readonly replyHeaders?: Readonly<Record<string, HeaderExpectation>>;
  /** Whole JSON body, compared after parsing; functions are asked. */
  readonly body?: unknown;
  /** Members that the JSON body must have at least. */
  readonly bodyHas?: Readonly<Record<string, unknown>>;
  /** Whole body as text; a pattern must match. */
  readonly text?: string | RegExp;
  /** `message` of the error object, whose other members follow from the status. */
  readonly message?: string | RegExp;
  readonly exception?: string;
  readonly exceptionMessage?: unknown;
  /** Requests afterwards and what they must answer. */
  readonly after?: readonly Follower[];
}

/** A look at what the request left behind. */
export interface Follower {
  readonly text?: string | RegExp;
  readonly request: string;
  readonly status?: number;
  readonly body?: unknown;
  readonly bodyHas?: Readonly<Record<string, unknown>>;
}

/** Row of the tables, shorter to write. */
export type RowTable = readonly Row[];

interface ParsedRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

function parseRequest(text: string): ParsedRequest {
  const match = /^(\S+) (\S+)(?: ([\s\S]*))?$/.exec(text);
  if (match === null) throw new Error(`not a request: ${text}`);
  return { method: match[1] ?? '', path: match[2] ?? '', body: match[3] };
}

let serial = 0;
const madeOn = new Set<string>();
const run = Date.now().toString(36);

/** Replaces the placeholders of a row everywhere. */
function fill<T>(value: T, names: ReadonlyMap<string, string>): T {
  if (typeof value === 'string') {
    let text: string = value;
    for (const [name, replacement] of names) text = text.replaceAll(name, replacement);
    return text as T;
  }
  if (value instanceof RegExp) return new RegExp(fill(value.source, names), value.flags) as T;
  if (value === null || typeof value !== 'object') return value;
  // asymmetric matchers of the test runner are left alone
  if ('asymmetricMatch' in value || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map((item) => fill(item, names)) as T;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [fill(key, names), fill(member, names)]),
  ) as T;
}

async function sendText(
  baseUrl: string,
  text: string,
  headers: Row['headers'] = {},
  content?: string | Buffer,
): Promise<WireReply> {
  const { method, path, body } = parseRequest(text);
  const payload = content ?? body;
  const length: Record<string, string> =
    payload === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(payload)) };
  const type: Record<string, string> =
    payload === undefined || Object.keys(headers).some((key) => /^content-type$/i.test(key))
      ? {}
      : { 'Content-Type': 'application/json' };
  return send(baseUrl, {
    method,
    path: encodePath(path),
    headers: { ...length, ...type, ...headers },
    ...(payload === undefined ? {} : { body: payload }),
  });
}

/** Rows are written readably: what may not stand in a request line is escaped, existing escapes are kept. */
function encodePath(path: string): string {
  return path.replace(/[^\u0021-\u007e]|["<>\\^`{|}]/g, (char) => encodeURIComponent(char));
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  500: 'Internal Server Error',
};

function checkError(row: Row, reply: WireReply): void {
  if (row.message === undefined) return;
  const body = JSON.parse(reply.body.toString()) as Record<string, unknown>;
  const keys = ['http status code', 'http status description', 'message'];
  if (row.exception !== undefined) keys.push('exception', 'exception message');
  expect(Object.keys(body).filter((key) => key !== '_warnings')).toEqual(keys);
  expect(body['http status code']).toBe(row.status);
  expect(body['http status description']).toBe(REASONS[row.status]);
  if (typeof row.message === 'string') expect(body['message']).toBe(row.message);
  else expect(body['message']).toMatch(row.message);
  if (row.exception !== undefined) expect(body['exception']).toBe(row.exception);
  if (row.exceptionMessage !== undefined) {
    expect(body['exception message']).toEqual(row.exceptionMessage);
  }
  expect(headerValues(reply, 'Content-Type')).toEqual(['application/json; charset=UTF-8']);
}

function checkHeaders(row: Row, reply: WireReply): void {
  for (const [name, expected] of Object.entries(row.replyHeaders ?? {})) {
    const values = headerValues(reply, name, expected !== null);
    if (expected === null) expect(values, name).toEqual([]);
    else if (typeof expected === 'string') expect(values.join('\n'), name).toBe(expected);
    else expect(values.join('\n'), name).toMatch(expected);
  }
}

/** What is said of a body. */
interface BodyExpectation {
  readonly body?: unknown;
  readonly bodyHas?: unknown;
  readonly text?: string | RegExp | undefined;
}

function checkBody(expected: BodyExpectation, reply: WireReply): void {
  const text = reply.body.toString();
  if (typeof expected.text === 'string') expect(text).toBe(expected.text);
  else if (expected.text !== undefined) expect(text).toMatch(expected.text);
  if (expected.body !== undefined) expect(JSON.parse(text)).toEqual(expected.body);
  if (expected.bodyHas !== undefined)
    expect(JSON.parse(text)).toMatchObject(expected.bodyHas as Record<string, unknown>);
}

/** Sends what a row needs; a failure is told here and not by what comes of it later. */
async function make(baseUrl: string, request: string): Promise<void> {
  const reply = await sendText(baseUrl, request);
  expect(reply.status, `${request}: ${reply.body.toString()}`).toBeLessThan(400);
}

async function runRow(baseUrl: string, written: Row): Promise<void> {
  serial += 1;
  const names = new Map([
    ['{db}', `cf-${run}-${process.pid}`],
    ['{c}', `c${serial}-${run}`],
    ['{host}', new URL(baseUrl).host],
    ['{sid}', randomUUID()],
    ['{sid2}', randomUUID()],
  ]);
  const row = fill(written, names);
  if (row.collection !== false) {
    // one database for all rows of a file, made once
    if (!madeOn.has(baseUrl)) await make(baseUrl, fill('PUT /{db}', names));
    madeOn.add(baseUrl);
    await make(baseUrl, fill('PUT /{db}/{c}', names));
  }
  let etag = '';
  for (const text of row.given ?? []) {
    const reply = await sendText(baseUrl, text.replaceAll('{etag}', etag));
    expect(reply.status, `${text}: ${reply.body.toString()}`).toBeLessThan(400);
    etag = headerValues(reply, 'ETag')[0] ?? etag;
  }
  for (const content of row.uploads ?? []) {
    const post = fill('POST /{db}/{c}.files', names);
    const reply = await sendText(baseUrl, post, row.uploadHeaders, content);
    expect(reply.status, reply.body.toString()).toBe(201);
  }
  const withEtag = new Map([['{etag}', etag]]);
  const sendRow = () =>
    sendText(
      baseUrl,
      row.request.replaceAll('{etag}', etag),
      fill(row.headers, withEtag),
      row.content,
    );
  if (row.repeat === true) {
    const first = await sendRow();
    expect(first.status, `the first time: ${first.body.toString()}`).toBeLessThan(500);
  }
  const reply = await sendRow();
  expect(reply.status, reply.body.toString()).toBe(row.status);
  checkHeaders(fill(row, withEtag), reply);
  checkError(row, reply);
  checkBody(fill({ body: row.body, bodyHas: row.bodyHas, text: row.text }, withEtag), reply);
  for (const follower of row.after ?? []) {
    const after = await sendText(baseUrl, follower.request);
    expect(after.status, after.body.toString()).toBe(follower.status ?? 200);
    checkBody(follower, after);
  }
}

/** One test a row; what the database under test is known to lack is expected to fail, with the reason in its name. */
export function testRows(baseUrl: () => string, rows: RowTable): void {
  for (const row of rows) {
    const gap = gapOf(row);
    const name = `${row.name} (${row.chapter})`;
    if (gap === undefined) it(name, () => runRow(baseUrl(), row));
    else it.fails(`${name}: expected to fail, ${gap}`, () => runRow(baseUrl(), row));
  }
}
