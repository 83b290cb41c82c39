import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.ts';
import { NodeRequest, type RequestSettings } from './node-request.ts';
import { UpgradeAwareMessage } from './websocket.ts';

/** Limits of one listener; each is set explicitly, none is left to Node's defaults. */
export interface ListenerLimits extends RequestSettings {
  readonly maxHeaderBytes: number;
  readonly maxHeaders: number;
  /** From the first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** Whole request; 0 is none (a body that advances is judged by its own pace). */
  readonly requestTimeoutMs: number;
  /** An idle connection between requests; above the usual idle time of load balancers (60 s). */
  readonly keepAliveTimeoutMs: number;
  /** A connection without any traffic; 0 is none. */
  readonly idleTimeoutMs: number;
}

/** PEM or PKCS12 material. */
export interface TlsMaterial {
  readonly pfx?: Buffer;
  readonly key?: Buffer;
  readonly cert?: Buffer;
  readonly passphrase?: string;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly limits: ListenerLimits;
  readonly tls?: TlsMaterial;
  readonly http2?: boolean;
  readonly onRequest: (request: NodeRequest) => void;
}

/** A bound port. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /**
   * New connections get this certificate; those that are open keep theirs. Only over TLS.
   *
   * @throws when the material cannot be used: the old one stays
   */
  setTls(material: TlsMaterial): void;
  /** New connections are refused from now on, which tells a balancer that their requests were never seen. */
  stopAccepting(): Promise<void>;
  /** Idle connections end now, the others with their reply; does nothing while an answer is still leaving. */
  closeIdle(): void;
  /** Connections on which an answer has not left completely. */
  unsent(): number;
  close(): Promise<void>;
}

/**
 * Binds a port and turns bytes into NodeRequests.
 *
 * @throws ERR_CONFIG_LISTENER when the port cannot be bound
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { limits } = options;
  const secure = options.tls !== undefined;
  const accept = (message: IncomingMessage, response: ServerResponse): void => {
    options.onRequest(new NodeRequest(message, response, secure, limits));
  };
  const server = openNodeServer(options, accept);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('checkContinue', (message: IncomingMessage, response: ServerResponse) => {
    const request = new NodeRequest(message, response, secure, limits);
    request.expectsContinue = true;
    options.onRequest(request);
  });
  server.on('clientError', (error: ParserError, socket) =>
    answerClientError(error, socket, options.limits),
  );
  server.on('connect', (_message: IncomingMessage, socket: Duplex) => refuse(socket, 405));
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    options.onRequest(toUpgradeRequest(message, socket, head, secure, limits));
  });
  const unsent = (): number => {
    let count = 0;
    for (const socket of sockets) if (socket.writableLength > 0) count += 1;
    return count;
  };
  const address = await bind(server, options);
  return {
    host: options.host,
    port: address.port,
    secure,
    setTls: (material) => {
      if ('setSecureContext' in server) {
        server.setSecureContext({ ...material, minVersion: 'TLSv1.2' });
      }
    },
    stopAccepting: async () => {
      // the kernel resets what it has accepted and we have not: close just after a short look for such connections
      for (let turn = 0; turn < 2; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      // http's own close would also cut connections whose last answer has not left yet
      NetServer.prototype.close.call(server);
    },
    closeIdle: () => {
      // Node takes a connection for idle as soon as its answer is handed over, and would cut what has not left yet
      if ('closeIdleConnections' in server && unsent() === 0) server.closeIdleConnections();
      // tells the client to open no stream here any more (RFC 9113 §6.8)
      for (const session of sessions) session.close();
    },
    unsent,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/**
 * Until the 101 a handshake is a request like any other, answered through the whole pipeline; Node
 * has taken its parser off the socket, so that the connection ends with any other answer.
 */
function toUpgradeRequest(
  message: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  secure: boolean,
  limits: ListenerLimits,
): NodeRequest {
  const response = new ServerResponse(message);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.on('finish', () => socket.end());
  socket.on('error', () => socket.destroy());
  const request = new NodeRequest(message, response, secure, limits);
  request.upgrade = { socket, head };
  return request;
}

type NodeServer = Server | TlsServer | Http2SecureServer;

/** @throws ERR_CONFIG_LISTENER when the key material cannot be used */
function openNodeServer(
  options: ListenerOptions,
  accept: (message: IncomingMessage, response: ServerResponse) => void,
): NodeServer {
  try {
    return createNodeServer(options, accept);
  } catch (error) {
    throw new QuorateError('ERR_CONFIG_LISTENER', {
      message: `The certificate of ${options.host}:${options.port} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Check the files and the passwords in /https-listener',
      cause: error,
    });
  }
}

function createNodeServer(
  options: ListenerOptions,
  accept: (message: IncomingMessage, response: ServerResponse) => void,
): NodeServer {
  const { limits, tls } = options;
  const httpOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: 1000,
    noDelay: true,
    insecureHTTPParser: false,
    requireHostHeader: true,
    IncomingMessage: UpgradeAwareMessage,
  };
  if (tls !== undefined && options.http2 === true) {
    const server = createSecureServer({
      ...httpOptions,
      ...tls,
      minVersion: 'TLSv1.2',
      allowHTTP1: true,
      maxHeaderListPairs: limits.maxHeaders + 8,
      settings: { maxConcurrentStreams: 256 },
    });
    // node:http2's compatibility classes have the members that NodeRequest uses
    server.on('request', accept as never);
    server.setTimeout(limits.idleTimeoutMs);
    return server;
  }
  const server =
    tls === undefined
      ? createServer(httpOptions, accept)
      : createTlsServer({ ...tls, minVersion: 'TLSv1.2', ...httpOptions }, accept);
  // one more than allowed, so that the excess can be seen and refused instead of being dropped
  server.maxHeadersCount = limits.maxHeaders + 1;
  server.timeout = limits.idleTimeoutMs;
  return server;
}

function bind(server: NodeServer, options: ListenerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new QuorateError('ERR_CONFIG_LISTENER', {
          message: `Cannot listen on ${options.host}:${options.port}: ${error.code ?? error.message}`,
          hint:
            error.code === 'EADDRINUSE'
              ? 'Another process listens there; choose another port (PORT=… or /http-listener/port)'
              : 'Check the host name and the port',
          cause: error,
        }),
      );
    });
    server.listen({ host: options.host, port: options.port, backlog: 2048 }, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('no TCP address'));
      else resolve(address);
    });
  });
}

/** Requests that Node's parser refuses: an answer, then the end of the connection. */
function answerClientError(error: ParserError, socket: Duplex, limits: ListenerLimits): void {
  if (error.code === 'HPE_INVALID_METHOD')
    refuse(socket, isRequestLine(error.rawPacket) ? 405 : 400);
  else if (error.code === 'HPE_HEADER_OVERFLOW')
    refuse(socket, hasTooManyHeaders(error, socket, limits) ? 400 : 431);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuse(socket, 408);
  else if (error.code === 'ECONNRESET') socket.destroy();
  else refuse(socket, 400);
}

/**
 * Node from 22 on has one error for headers that are too many and for headers that are too long; Node 20 lets the former pass,
 * to be refused as every other bad request.
 */
function hasTooManyHeaders(
  { rawPacket }: ParserError,
  socket: Duplex & { readonly bytesRead?: number },
  limits: ListenerLimits,
): boolean {
  if ((socket.bytesRead ?? 0) <= limits.maxHeaderBytes) return true;
  let lines = 0;
  for (const byte of rawPacket ?? []) if (byte === 0x0a) lines += 1;
  return lines > limits.maxHeaders;
}

type ParserError = NodeJS.ErrnoException & { readonly rawPacket?: Buffer };

/** A method that Node does not know, but a token and a path nevertheless. */
function isRequestLine(packet: Buffer | undefined): boolean {
  const start = packet?.subarray(0, 256).toString('latin1') ?? '';
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+ [/*h]/.test(start);
}

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function refuse(socket: Duplex, status: number): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  // what the client still sends is read for a moment: an early reset would eat the answer
  socket.on('error', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${REFUSALS[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => setTimeout(() => socket.destroy(), 500).unref(),
  );
}
