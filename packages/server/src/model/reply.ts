import type { Readable } from 'node:stream';

/** One response header; the name is spelled as it goes on the wire. Several of one name become several lines. */
export type ReplyHeader = readonly [name: string, value: string];

/** What may follow the headers. */
export type ReplyBody = Buffer | string | Readable | AsyncIterable<Uint8Array>;

/** The answer of a service: `http/` adds CORS, compression, `Content-Length`, `Date` and writes it. */
export interface Reply {
  readonly status: number;
  readonly headers: readonly ReplyHeader[];
  /** Absent or empty: `Content-Length: 0`, never a `Content-Encoding`. */
  readonly body?: ReplyBody;
  /** Messages of a WebSocket, at their end perhaps a close code: the handshake is completed, `status` is 101 and there is no body. */
  readonly webSocket?: AsyncIterable<string, number | undefined>;
  /** Cuts the connection of a stream whose client does not read. */
  readonly cut?: AbortSignal;
  /** Labels of the request's metrics, beside those that all have. */
  readonly metricLabels?: readonly (readonly [name: string, value: string])[];
  /** True for a stream whose headers must not wait for its first bytes. */
  readonly flushHeaders?: boolean;
  /** True for a body that must go out as it is (already encoded, a range of a file). */
  readonly uncompressed?: boolean;
}
