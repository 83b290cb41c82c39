import { unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { ConnectionRegistry } from '../commands/connection.ts';
import type { CommandRunner } from '../commands/dispatch.ts';
import type { Logger } from '../lib/logger.ts';
import { ClientConnection } from './connection.ts';

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly socketPath?: string | undefined;
  readonly tls?: TlsOptions | undefined;
}

/** Accepts connections over TCP (or TLS) and a local socket. */
export class Listener {
  readonly #dispatcher: CommandRunner;
  readonly #connections: ConnectionRegistry;
  readonly #logger: Logger;
  readonly #servers: Server[] = [];
  readonly #open = new Set<ClientConnection>();

  constructor(fields: {
    dispatcher: CommandRunner;
    connections: ConnectionRegistry;
    logger: Logger;
  }) {
    this.#dispatcher = fields.dispatcher;
    this.#connections = fields.connections;
    this.#logger = fields.logger;
  }

  /** @returns the port that was bound */
  async open(options: ListenerOptions): Promise<number> {
    const accept = (socket: Socket): void => this.#accept(socket);
    const server =
      options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept);
    await listen(server, { host: options.host, port: options.port });
    this.#servers.push(server);
    if (options.socketPath !== undefined) await this.#openLocal(options.socketPath, accept);
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : options.port;
  }

  async #openLocal(path: string, accept: (socket: Socket) => void): Promise<void> {
    // left behind by a process that was killed; the folder lock says that no engine runs
    await unlink(path).catch(() => undefined);
    const server = createServer(accept);
    await listen(server, { path });
    this.#servers.push(server);
  }

  #accept(socket: Socket): void {
    const connection = new ClientConnection({
      id: this.#connections.nextId(),
      socket,
      dispatcher: this.#dispatcher,
      logger: this.#logger,
      onClose: (closed) => {
        this.#open.delete(closed);
        this.#connections.remove(closed);
      },
    });
    this.#open.add(connection);
    this.#connections.add(connection);
  }

  /** Stops accepting and drops all connections. */
  async close(): Promise<void> {
    const closed = this.#servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
        }),
    );
    for (const connection of [...this.#open]) connection.close();
    await Promise.all(closed);
  }
}

function listen(
  server: Server,
  where: { host: string; port: number } | { path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
