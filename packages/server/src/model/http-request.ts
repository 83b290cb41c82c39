import type { Readable } from 'node:stream';

/** Query parameters of one request, decoded: `+` and `%20` are a space, a malformed escape stays as it is. */
export interface QueryParameters {
  /** First value, or undefined when the parameter is absent. `?a` and `?a=` are the empty string. */
  get(name: string): string | undefined;
  /** All values in order of appearance. */
  getAll(name: string): readonly string[];
  has(name: string): boolean;
  /** Names in order of first appearance. */
  names(): readonly string[];
  readonly size: number;
}

/** One HTTP request as every step sees it; made by `http/`, cheap until something is asked of it. */
export interface HttpRequest {
  /** Unique in this process's life; in every log line of the request. */
  readonly id: string;
  /** Upper case, one of the seven accepted methods. */
  readonly method: string;
  /** Path as sent: not decoded, without the query; starts with `/`. */
  readonly rawPath: string;
  /** Text after `?`, not decoded; empty when there is none. */
  readonly rawQuery: string;
  readonly query: QueryParameters;
  /** Names in lower case; several lines of one name as Node joins them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Name and value alternating, spelled and repeated as the client sent them. */
  readonly rawHeaders: readonly string[];
  /** One header by its lower-case name; several lines are joined with `, `. */
  header(name: string): string | undefined;
  readonly secure: boolean;
  /** The `Host` header, or the listener's own address when the client sent none. */
  readonly host: string;
  /** `1.0`, `1.1` or `2.0` */
  readonly httpVersion: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
  /** False when the message has neither a length above 0 nor a transfer coding: then `body()` is empty. */
  readonly hasBody: boolean;
  /**
   * The whole body, read once and then shared.
   *
   * @throws ERR_REQUEST_TOO_LARGE past `MAX_ENTITY_SIZE`, ERR_REQUEST_TIMEOUT when it comes too slowly
   */
  body(): Promise<Buffer>;
  /** The body as a stream with `MULTIPART_MAX_ENTITY_SIZE` as its limit; the buffered bytes when `body()` came first. */
  stream(): Readable;
  /** Aborts when the client goes away before the reply is complete. */
  readonly signal: AbortSignal;
  /** Request-scoped bag, by which plugins and steps hand values on (plugins.md §6 `attachParam`). */
  readonly attached: Map<string, unknown>;
}
