import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { HttpRequest, QueryParameters } from '../model/http-request.ts';
import { EMPTY_QUERY, parseQuery } from './query-string.ts';
import { type BodyLimits, EMPTY_BODY, hasBody, readBody, streamBody } from './read-body.ts';
import type { UpgradeSocket } from './websocket.ts';

/** What a listener is told about each of its requests. */
export interface RequestSettings extends BodyLimits {
  /** `ALWAYS_SET_KEEP_ALIVE`: write `Connection: keep-alive`. */
  readonly saysKeepAlive: boolean;
}

let sequence = 0;
// tells the requests of two processes, and of two lives of one, apart in the log
const LIFE = (Math.floor(Date.now() / 1000) * 65_536 + (process.pid % 65_536))
  .toString(36)
  .slice(-7);

/** HttpRequest over Node's message: every field is computed when it is asked for, at most once. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly secure: boolean;
  readonly receivedAtMs: number;
  /** Monotonic, in fractions of milliseconds; for durations. */
  readonly startedAtMs: number;
  /** Only `http/` touches these two. */
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly #limits: RequestSettings;
  #sequence = 0;
  #query: QueryParameters | undefined;
  #body: Promise<Buffer> | undefined;
  #streamed = false;
  #abort: AbortController | undefined;
  #attached: Map<string, unknown> | undefined;
  /** Set for a WebSocket handshake. */
  upgrade: UpgradeSocket | undefined = undefined;
  /** Set when the client waits for `100 Continue` before it sends its body. */
  expectsContinue = false;

  constructor(
    message: IncomingMessage,
    response: ServerResponse,
    secure: boolean,
    limits: RequestSettings,
  ) {
    this.message = message;
    this.response = response;
    this.secure = secure;
    this.#limits = limits;
    this.method = message.method ?? '';
    this.receivedAtMs = Date.now();
    this.startedAtMs = performance.now();
    const target = originForm(message.url ?? '/');
    const mark = target.indexOf('?');
    this.rawPath = mark === -1 ? target : target.slice(0, mark);
    this.rawQuery = mark === -1 ? '' : target.slice(mark + 1);
    sequence += 1;
    this.#sequence = sequence;
  }

  /** Whether an answer on a connection that stays says so, though HTTP/1.1 takes it for granted. */
  get saysKeepAlive(): boolean {
    return this.#limits.saysKeepAlive;
  }

  get id(): string {
    return `${LIFE}-${this.#sequence.toString(36)}`;
  }

  /** Number of this request since the process started. */
  get sequence(): number {
    return this.#sequence;
  }

  get query(): QueryParameters {
    if (this.#query === undefined) {
      this.#query = this.rawQuery === '' ? EMPTY_QUERY : parseQuery(this.rawQuery);
    }
    return this.#query;
  }

  get headers(): IncomingMessage['headers'] {
    return this.message.headers;
  }

  get rawHeaders(): readonly string[] {
    return this.message.rawHeaders;
  }

  header(name: string): string | undefined {
    const value = this.message.headers[name];
    return typeof value === 'object' ? value.join(', ') : value;
  }

  /** The value of the first line of a name in lower case, where `header` joins all lines. */
  firstLine(name: string): string | undefined {
    const { rawHeaders } = this.message;
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      if (rawHeaders[i]?.toLowerCase() === name) return rawHeaders[i + 1];
    }
    return undefined;
  }

  get host(): string {
    const headers = this.message.headers;
    const authority = headers[':authority'];
    return (
      headers.host ??
      (typeof authority === 'string' ? authority : `${this.localAddress}:${this.localPort}`)
    );
  }

  get httpVersion(): string {
    return this.message.httpVersion;
  }

  get remoteAddress(): string {
    return this.message.socket.remoteAddress ?? '';
  }

  get remotePort(): number {
    return this.message.socket.remotePort ?? 0;
  }

  get localAddress(): string {
    return this.message.socket.localAddress ?? '';
  }

  get localPort(): number {
    return this.message.socket.localPort ?? 0;
  }

  get hasBody(): boolean {
    return hasBody(this.message);
  }

  body(): Promise<Buffer> {
    if (this.#body === undefined) {
      this.#body = this.hasBody ? this.#readBody() : Promise.resolve(EMPTY_BODY);
    }
    return this.#body;
  }

  #readBody(): Promise<Buffer> {
    if (this.#streamed) throw new Error('the body is already being read as a stream');
    return readBody(this.message, this.#limits, () => this.#sendContinue());
  }

  stream(): Readable {
    if (this.#body !== undefined || !this.hasBody) return Readable.from(yieldBody(this.body()));
    this.#streamed = true;
    return streamBody(this.message, this.#limits, () => this.#sendContinue());
  }

  #sendContinue(): void {
    if (!this.expectsContinue) return;
    this.expectsContinue = false;
    this.response.writeContinue();
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      const abort = new AbortController();
      this.#abort = abort;
      const response = this.response;
      if (response.destroyed && !response.writableFinished) abort.abort();
      response.once('close', () => {
        if (!response.writableFinished) abort.abort();
      });
    }
    return this.#abort.signal;
  }

  get attached(): Map<string, unknown> {
    if (this.#attached === undefined) this.#attached = new Map();
    return this.#attached;
  }
}

async function* yieldBody(body: Promise<Buffer>): AsyncGenerator<Buffer> {
  const bytes = await body;
  if (bytes.length > 0) yield bytes;
}

/** Path and query of a request target in origin form or absolute form (RFC 9112 §3.2). */
function originForm(target: string): string {
  if (target.charCodeAt(0) === 47) return target;
  const match = ABSOLUTE_FORM.exec(target);
  if (match === null) return target.includes('://') ? MALFORMED_PATH : target;
  const rest = target.slice(match[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Scheme and authority, up to the path, the query or the end (RFC 9112 §3.2.2, RFC 3986 §3.2). */
const ABSOLUTE_FORM =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[\w.~%!$&'()*+,;=:-]*@)?(?:\[[\da-f:.]+\]|[\w.~%!$&'()*+,;=-]*)(?::\d*)?(?=[/?#]|$)/i;
/** An escape that is none: refused by all that look at paths. */
const MALFORMED_PATH = '/%';
