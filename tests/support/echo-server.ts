/** A server to be proxied: it answers with what it was sent, or as the path says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the echo tells of a request. */
export interface Echo {
  readonly name: string;
  readonly method: string;
  readonly url: string;
  /** Name and value alternating, as they came. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Answers of paths that do not echo. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/lines': (response) =>
    response
      .writeHead(201, ['X-oDD', 'a', 'X-oDD', 'b', 'Set-Cookie', 'c=1', 'Set-Cookie', 'd=2'])
      .end('made'),
  '/plain': (response) =>
    response.writeHead(200, ['Content-Type', 'text/plain', 'Content-Length', '5']).end('plain'),
  '/packed': (response) =>
    response.writeHead(200, ['Content-Encoding', 'br', 'Content-Length', '3']).end('xyz'),
  '/none': (response) => response.writeHead(204).end(),
  '/teapot': (response) => response.writeHead(418).end('tea'),
  '/cut': (response) => response.destroy(),
  '/events': (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write('data:1\n\n');
  },
};

/** Starts one on a free port, or on a given one. */
export async function startEcho(name: string, port = 0) {
  const server = createServer((request, response) => void answer(name, request, response));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(name: string, request: IncomingMessage, response: ServerResponse) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const path = (request.url ?? '').replace(/\?.*$/, '');
  const special = ANSWERS[path.slice(path.lastIndexOf('/'))];
  if (special !== undefined) {
    special(response);
    return;
  }
  const echo: Echo = {
    name,
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.rawHeaders,
    body: Buffer.concat(chunks).toString('latin1'),
  };
  response.writeHead(200, ['Content-Type', 'application/json']).end(JSON.stringify(echo));
}
