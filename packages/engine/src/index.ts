/** The door of the engine: a MongoDB-compatible database in this process, over one data folder. */
import { mkdir } from 'node:fs/promises';
import type { TlsOptions } from 'node:tls';
import { openEngineCore } from './engine-core.ts';
import { type Logger, SILENT_LOGGER } from './lib/logger.ts';
import { Listener } from './listener/listener.ts';
import { openLmdbStore } from './storage/lmdb-store.ts';

export interface EngineOptions {
  /** The folder of the data; made when it is not there. One engine at a time may have it open. */
  readonly dataPath: string;
  /** Default 27017; 0 picks a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** A local socket to listen on besides. */
  readonly socketPath?: string;
  /** `host:port` that drivers are told to connect to; default is the bound address. */
  readonly advertisedAddress?: string;
  readonly replicaSetName?: string;
  /** Enables configureFailPoint, as MongoDB's test servers do. Never for production. */
  readonly testCommands?: boolean;
  /** Clients must authenticate; the first user is made over a local connection. */
  readonly auth?: boolean;
  readonly tls?: TlsOptions;
  readonly oplogMaxBytes?: number;
  readonly oplogMaxAgeMs?: number;
  /** How often documents are looked for that a TTL index lets expire; default 60 s. */
  readonly ttlIntervalMs?: number;
  readonly logger?: Logger;
}

export interface Engine {
  readonly uri: string;
  readonly port: number;
  close(): Promise<void>;
}

const DEFAULT_PORT = 27017;
const DEFAULT_HOST = '127.0.0.1';

/**
 * Opens the data folder and listens for drivers.
 *
 * @throws when the folder is in use, of an unknown format, or the address is taken
 */
export async function startEngine(options: EngineOptions): Promise<Engine> {
  const logger = options.logger ?? SILENT_LOGGER;
  const host = options.host ?? DEFAULT_HOST;
  await mkdir(options.dataPath, { recursive: true });
  checkExposure(host, options);
  const store = await openLmdbStore(options.dataPath);
  const core = await openEngineCore(store, { ...options, logger });
  const { identity, connections } = core.services;
  const listener = new Listener({ dispatcher: core.dispatcher, connections, logger });
  const port = await listener.open({
    host,
    port: options.port ?? DEFAULT_PORT,
    socketPath: options.socketPath,
    tls: options.tls,
  });
  if (identity.address === '') identity.address = `${host}:${port}`;
  return {
    uri: `mongodb://${identity.address}/?replicaSet=${identity.setName}`,
    port,
    async close() {
      core.interruptAll();
      await listener.close();
      await core.close();
      await store.close();
    },
  };
}

const LOOPBACK = /^(127\.|::1$|localhost$)/;

/** Without authentication the engine is open to whoever reaches it, so only this machine may. */
function checkExposure(host: string, options: EngineOptions): void {
  if (LOOPBACK.test(host) || options.auth === true) return;
  throw new Error(`the engine listens on ${host} only with authentication on (option auth)`);
}
