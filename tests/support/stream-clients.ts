/** Clients of change streams: a WebSocket and a reader of Server-Sent Events. */
import { type IncomingMessage, request as openRequest } from 'node:http';
import { WebSocket } from 'ws';

/** An open stream, whatever carries it. */
export interface StreamClient {
  /** Headers of the answer that opened it, in lower case. */
  readonly headers: IncomingMessage['headers'];
  readonly status: number;
  /** The next message: the text of a frame, or the lines of one SSE event. */
  next(): Promise<string>;
  /** Resolves when the server ended the stream: with the WebSocket's close code, or 0 for SSE. */
  readonly ended: Promise<number>;
  close(): void;
}

/** Messages as they arrive, for one reader. */
class Inbox {
  readonly #messages: string[] = [];
  readonly #readers: ((message: string) => void)[] = [];

  put(message: string): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#messages.push(message);
    else reader(message);
  }

  next(): Promise<string> {
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((resolve) => this.#readers.push(resolve));
  }
}

/** Opens a WebSocket; rejects with the status of any other answer than 101. */
export function openWebSocket(
  baseUrl: string,
  path: string,
  headers: Record<string, string> = {},
  protocols: string[] = [],
): Promise<StreamClient & { readonly socket: WebSocket }> {
  const inbox = new Inbox();
  const socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}${encodeURI(path)}`, protocols, {
    headers,
    perMessageDeflate: true,
  });
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const ended = new Promise<number>((end) => socket.on('close', end));
    socket.on('upgrade', (message) => {
      answer = message;
    });
    socket.on('message', (data, isBinary) => inbox.put(isBinary ? 'binary' : String(data)));
    socket.on('open', () =>
      resolve({
        headers: answer?.headers ?? {},
        status: 101,
        socket,
        ended,
        next: () => inbox.next(),
        close: () => socket.terminate(),
      }),
    );
    socket.on('unexpected-response', (_request, message) => {
      message.resume();
      reject(new Error(`answered ${message.statusCode}`));
    });
    socket.on('error', reject);
  });
}

/** Opens an SSE stream; comments are left out of its messages. */
export function openSse(
  baseUrl: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<StreamClient> {
  const inbox = new Inbox();
  return new Promise((resolve, reject) => {
    const outgoing = openRequest(
      new URL(encodeURI(path), baseUrl),
      { headers: { Accept: 'text/event-stream', ...headers }, agent: false },
      (message) => {
        let rest = '';
        message.setEncoding('utf8').on('data', (text: string) => {
          const blocks = (rest + text).split('\n\n');
          rest = blocks.pop() ?? '';
          for (const block of blocks) if (!block.startsWith(':')) inbox.put(block);
        });
        resolve({
          headers: message.headers,
          status: message.statusCode ?? 0,
          ended: new Promise((end) => message.on('close', () => end(0))),
          next: () => inbox.next(),
          close: () => outgoing.destroy(),
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}
