/** The door of the engine: a MongoDB-compatible database in this process, over one data folder. */
import { mkdir } from 'node:fs/promises';
import type { TlsOptions } from 'node:tls';
import { UserAuthority } from './auth/user-authority.ts';
import { UserStore } from './auth/user-store.ts';
import { Catalog } from './catalog/catalog.ts';
import { TtlMonitor } from './catalog/ttl-monitor.ts';
import { ConnectionRegistry } from './commands/connection.ts';
import { Dispatcher } from './commands/dispatch.ts';
import type { EngineServices } from './commands/engine-services.ts';
import { FailPoints } from './commands/fail-points.ts';
import { createOperationCounters } from './commands/operation-counters.ts';
import { compileStoredFilter } from './commands/query-environment.ts';
import { createRegistry } from './commands/registry.ts';
import { ServerIdentity } from './commands/server-identity.ts';
import { createServerParameters } from './commands/server-parameters.ts';
import { removeExpired } from './commands/ttl-removal.ts';
import { type Logger, SILENT_LOGGER } from './lib/logger.ts';
import { Listener } from './listener/listener.ts';
import { Oplog } from './oplog/oplog.ts';
import { CursorRegistry } from './session/cursor-registry.ts';
import { OperationRegistry } from './session/operation.ts';
import { SessionRegistry } from './session/session-registry.ts';
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
const DEFAULT_SET_NAME = 'quorate';

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
  const oplog = new Oplog(store, {
    maxBytes: options.oplogMaxBytes,
    maxAgeMs: options.oplogMaxAgeMs,
  });
  await oplog.open();
  const cursors = new CursorRegistry();
  const operations = new OperationRegistry();
  const sessions = new SessionRegistry(store, cursors, operations);
  const connections = new ConnectionRegistry();
  const identity = new ServerIdentity({
    setName: options.replicaSetName ?? DEFAULT_SET_NAME,
    address: options.advertisedAddress ?? '',
    testCommands: options.testCommands ?? false,
  });
  const catalog = Catalog.open(store, {
    compileFilter: compileStoredFilter,
  });
  const authority = new UserAuthority(new UserStore(store), { required: options.auth ?? false });
  const services: EngineServices = {
    store,
    catalog,
    oplog,
    cursors,
    operations,
    sessions,
    connections,
    identity,
    parameters: createServerParameters({ cursors, sessions, identity }),
    counters: createOperationCounters(),
    failPoints: options.testCommands ? new FailPoints() : undefined,
    users: authority,
    logger,
  };
  const ttlMonitor = new TtlMonitor({
    store,
    catalog,
    remove: (collection, records) => removeExpired(services, collection, records),
    onError: (error) => logger.error({ err: error }, 'removing expired documents failed'),
    ...(options.ttlIntervalMs !== undefined && { intervalMs: options.ttlIntervalMs }),
  });
  ttlMonitor.start();
  const dispatcher = new Dispatcher(
    services,
    createRegistry({ testCommands: options.testCommands ?? false }),
    (connection, definition, request) => {
      if (definition.anonymous) return;
      authority.authorize(connection, {
        name: definition.name,
        privilege: definition.privilege,
        database: request.database,
      });
    },
  );
  const listener = new Listener({ dispatcher, connections, logger });
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
      for (const operation of operations.all()) operation.interrupt();
      await listener.close();
      await ttlMonitor.close();
      cursors.close();
      sessions.close();
      await catalog.close();
      await oplog.close();
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
