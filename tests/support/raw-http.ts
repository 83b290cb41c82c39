/** HTTP as it is on the wire: names in their spelling, nothing decoded, nothing added. */
import { Agent, type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import { connect } from 'node:net';

/** One answer. */
export interface WireReply {
  readonly status: number;
  readonly reason: string;
  /** Name and value alternating, as sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** What to send. */
export interface WireRequest {
  readonly method: string;
  /** Sent as it is: write escapes yourself. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
}

const agent = new Agent({ keepAlive: true, maxSockets: 16 });

/** Sends one request to `baseUrl` and waits for the whole answer. */
export function send(baseUrl: string, request: WireRequest): Promise<WireReply> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve, reject) => {
    const outgoing: ClientRequest = openRequest(
      {
        hostname,
        port,
        agent,
        method: request.method,
        // blanks are what Node refuses to send; everything else goes as written
        path: request.path.replaceAll(' ', '%20'),
        headers: { ...(request.headers as Record<string, string | string[]>) },
      },
      (reply) => {
        collect(reply).then(resolve, reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(request.body);
  });
}

async function collect(reply: IncomingMessage): Promise<WireReply> {
  const chunks: Buffer[] = [];
  for await (const chunk of reply) chunks.push(chunk as Buffer);
  return {
    status: reply.statusCode ?? 0,
    reason: reply.statusMessage ?? '',
    rawHeaders: reply.rawHeaders,
    body: Buffer.concat(chunks),
  };
}

/** All values of a header, by its exact or (when `spelling` is false) any spelling. */
export function headerValues(reply: WireReply, name: string, spelling = false): string[] {
  const values: string[] = [];
  for (let i = 0; i < reply.rawHeaders.length; i += 2) {
    const key = reply.rawHeaders[i] ?? '';
    const same = spelling ? key === name : key.toLowerCase() === name.toLowerCase();
    if (same) values.push(reply.rawHeaders[i + 1] ?? '');
  }
  return values;
}

/** Sends raw bytes on a fresh connection and returns all that comes back until it closes or `quietMs` pass without data. */
export function sendBytes(
  baseUrl: string,
  parts: readonly (string | Buffer)[],
  { quietMs = 1500, pauseMs = 0 } = {},
): Promise<string> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let text = '';
    let done = false;
    const finish = (): void => {
      if (done) return;
      done = true;
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(quietMs, finish);
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', finish);
    socket.on('close', finish);
    socket.on('connect', () => {
      void (async () => {
        for (const part of parts) {
          if (done) return;
          socket.write(part);
          if (pauseMs > 0) await new Promise((wake) => setTimeout(wake, pauseMs));
        }
      })();
    });
  });
}
