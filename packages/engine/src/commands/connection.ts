import type { AuthenticatedUser } from '../auth/user-authority.ts';
import type { Document, Value } from '../bson/value.ts';

/** What the commands know of the connection they came over. */
export interface Connection {
  readonly id: number;
  readonly remoteAddress: string;
  /** The `client` document of its first hello. */
  clientMetadata: Document | undefined;
  /** Compressors agreed upon at its first hello. */
  compressors: readonly string[];
  /** Who has authenticated, by database; empty for nobody. */
  user: AuthenticatedUser | undefined;
  /** An unfinished SASL conversation. */
  saslState: unknown;
  /** What has gone over its socket. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** It came over the loopback interface or a local socket. */
  readonly isLocal: boolean;
  close(): void;
}

/** The open connections. */
export class ConnectionRegistry {
  readonly #connections = new Map<number, Connection>();
  #lastId = 0;
  readonly #closedTraffic = { bytesIn: 0, bytesOut: 0 };

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  add(connection: Connection): void {
    this.#connections.set(connection.id, connection);
  }

  remove(connection: Connection): void {
    if (!this.#connections.delete(connection.id)) return;
    this.#closedTraffic.bytesIn += connection.bytesIn;
    this.#closedTraffic.bytesOut += connection.bytesOut;
  }

  /** What has gone over all sockets since the start. */
  get traffic(): { readonly bytesIn: number; readonly bytesOut: number } {
    let { bytesIn, bytesOut } = this.#closedTraffic;
    for (const connection of this.#connections.values()) {
      bytesIn += connection.bytesIn;
      bytesOut += connection.bytesOut;
    }
    return { bytesIn, bytesOut };
  }

  all(): Iterable<Connection> {
    return this.#connections.values();
  }

  get size(): number {
    return this.#connections.size;
  }

  get totalCreated(): number {
    return this.#lastId;
  }
}

/** The driver's or application's name from a connection's metadata. */
export function appNameOf(connection: Connection): string | undefined {
  return appNameIn(connection.clientMetadata);
}

/** The same of the metadata itself, which a first hello brings. */
export function appNameIn(metadata: Value | undefined): string | undefined {
  const application = metadata instanceof Map ? metadata.get('application') : undefined;
  const name = application instanceof Map ? application.get('name') : undefined;
  return typeof name === 'string' ? name : undefined;
}
