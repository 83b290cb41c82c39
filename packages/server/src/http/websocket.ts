/** The WebSocket handshake and its frames (RFC 6455); a stream's messages go out one text frame each. */
import { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { QuorateError } from '../errors/quorate-error.ts';

/** What is left of a connection that asked to be upgraded. */
export interface UpgradeSocket {
  readonly socket: Duplex;
  /** What the client already sent after its request. */
  readonly head: Buffer;
}

const UPGRADE = Symbol('upgrade');

/**
 * A message of which Node takes only WebSocket handshakes for upgrades. Java's HTTP client asks with
 * each first request for `h2c`, bodies included; such requests are ordinary ones (RFC 9110 §7.8: an
 * upgrade may be ignored).
 */
export class UpgradeAwareMessage extends IncomingMessage {
  private [UPGRADE] = false;

  get upgrade(): boolean {
    return this[UPGRADE] && this.method === 'GET' && isWebSocketRequest(this);
  }

  set upgrade(value: boolean) {
    this[UPGRADE] = value;
  }
}

/** True for a client that asks for a WebSocket (streams.md §2). */
export function isWebSocketRequest({ headers }: IncomingMessage): boolean {
  return (
    /upgrade/i.test(headers.connection ?? '') && /websocket/i.test(String(headers.upgrade ?? ''))
  );
}

// no extension and no subprotocol is negotiated (streams.md §3): permessage-deflate is off, and one event is sent to many clients
const server = new WebSocketServer({
  noServer: true,
  perMessageDeflate: false,
  maxPayload: 65_536,
  handleProtocols: () => false,
});
// the 101 carries the headers of any answer; they wait here between handshake and write
const extraHeaders = new WeakMap<IncomingMessage, readonly string[]>();
server.on('headers', (lines, message) => {
  const extra = extraHeaders.get(message) ?? [];
  for (let i = 0; i + 1 < extra.length; i += 2) lines.push(`${extra[i]}: ${extra[i + 1]}`);
});

/** @throws ERR_REQUEST_HEADERS when the handshake lacks a good key or version */
export function checkHandshake(header: (name: string) => string | undefined): void {
  const key = header('sec-websocket-key') ?? '';
  const version = header('sec-websocket-version');
  if (/^[+/0-9A-Za-z]{22}==$/.test(key) && version === '13') return;
  throw new QuorateError('ERR_REQUEST_HEADERS', {
    message: 'The WebSocket handshake needs Sec-WebSocket-Key and Sec-WebSocket-Version: 13',
  });
}

// a client may leave this much unread before the next message waits
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * Completes the handshake and sends each message as a text frame; what the client sends is ignored.
 * Resolves when either side has ended.
 *
 * @param headers - names and values of the 101, alternating
 * @param stream - `cut` ends a connection whose client does not read
 */
export async function serveWebSocket(
  message: IncomingMessage,
  { socket, head }: UpgradeSocket,
  headers: readonly string[],
  stream: {
    readonly messages: AsyncIterable<string, number | undefined>;
    readonly cut?: AbortSignal | undefined;
  },
): Promise<void> {
  extraHeaders.set(message, headers);
  const webSocket = await new Promise<WebSocket>((resolve) => {
    server.handleUpgrade(message, socket, head, resolve);
  });
  webSocket.on('error', () => webSocket.terminate());
  stream.cut?.addEventListener('abort', () => webSocket.terminate());
  const iterator = stream.messages[Symbol.asyncIterator]();
  // no promise of the connection's life is raced: each race would leave a reaction behind on it
  let leave = (): void => {};
  let isGone = false;
  webSocket.once('close', () => {
    isGone = true;
    leave();
  });
  const nextMessage = (): Promise<IteratorResult<string, number | undefined> | undefined> =>
    new Promise((resolve, reject) => {
      leave = () => resolve(undefined);
      iterator.next().then(resolve, reject);
    });
  try {
    while (!isGone) {
      const next = await nextMessage();
      if (next === undefined) return;
      if (next.done) {
        await closeWebSocket(webSocket, socket, next.value);
        return;
      }
      await send(webSocket, next.value);
    }
  } finally {
    // not awaited: a source that waits for its next event would keep the socket from ending
    void iterator.return?.();
  }
}

/**
 * The connection ends with the close frame, as the reference does it, whether the client answers or
 * not (streams.md §3); the frame has to leave before a stopping server cuts its sockets.
 */
async function closeWebSocket(
  webSocket: WebSocket,
  socket: Duplex,
  code: number | undefined,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 1000).unref();
    webSocket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    webSocket.close(code);
    socket.end();
  });
}

async function send(webSocket: WebSocket, text: string): Promise<void> {
  if (webSocket.bufferedAmount < MAX_BUFFERED_BYTES) {
    webSocket.send(text, () => undefined);
    return;
  }
  await new Promise<void>((resolve) => webSocket.send(text, () => resolve()));
}
