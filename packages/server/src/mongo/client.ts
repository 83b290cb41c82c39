/** Opens the connection to the database. */
import { MongoClient, type MongoClientOptions } from 'mongodb';
import { QuorateError } from '../errors/quorate-error.ts';
import { wakeWritersOfClosedSockets } from './closed-socket.ts';
import { createPointReads } from './find-one.ts';
import { createInsertBatches } from './insert.ts';
import { keepConnecting } from './keep-connecting.ts';
import { MetadataCache } from './metadata-cache.ts';
import { type MongoAccess, mapped } from './mongo-access.ts';

/** Settings of the connection; what is absent is the driver's or the connection string's. */
export interface MongoAccessConfig {
  /** `mongodb://…` or `mongodb+srv://…`. */
  readonly connectionString: string;
  readonly appName?: string | undefined;
  readonly maxPoolSize?: number | undefined;
  /** Of the second client, for sessions that clients name; as `maxPoolSize` when absent. */
  readonly maxSessionPoolSize?: number | undefined;
  /** After which an idle connection is given back, milliseconds; absent is never. */
  readonly maxIdleTimeMs?: number | undefined;
  readonly minPoolSize?: number | undefined;
  /** How long to look for a server, milliseconds; default 3 000: then a client is told to come back. */
  readonly serverSelectionTimeoutMs?: number | undefined;
  /** How long to wait for a free connection, milliseconds; default 10 000. */
  readonly waitQueueTimeoutMs?: number | undefined;
  /** Age of cached properties of databases and collections, milliseconds; 0 switches the cache off. */
  readonly metadataTtlMs?: number | undefined;
  /** Documents in one batch of point reads or inserts; 1 switches batching off. Default 256. */
  readonly maxBatchSize?: number | undefined;
}

/**
 * Opens the connection. Does not wait for the database: the first operation does, so that a node
 * can start, and report itself not ready, while the database is away.
 */
export function createMongoAccess(config: MongoAccessConfig): MongoAccess {
  wakeWritersOfClosedSockets();
  const options = toClientOptions(config);
  let client: MongoClient;
  let sessionClient: MongoClient | undefined;
  const stops: (() => void)[] = [];
  try {
    client = new MongoClient(config.connectionString, options);
  } catch (cause) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: 'The MongoDB connection string is invalid',
      cause,
    });
  }
  stops.push(keepConnecting(client));
  let replicaSet: boolean | undefined;
  const access: MongoAccess = {
    client,
    get sessionClient() {
      if (sessionClient === undefined) {
        sessionClient = new MongoClient(config.connectionString, {
          ...toClientOptions({
            ...config,
            maxPoolSize: config.maxSessionPoolSize ?? config.maxPoolSize,
          }),
          minPoolSize: 0,
          retryWrites: false,
        });
        stops.push(keepConnecting(sessionClient));
      }
      return sessionClient;
    },
    metadata: new MetadataCache({ ttlMs: config.metadataTtlMs ?? 60_000 }),
    pointReads: createPointReads({ maxBatchSize: config.maxBatchSize ?? 256 }),
    inserts: createInsertBatches({ maxBatchSize: config.maxBatchSize ?? 256 }),
    async isReplicaSet() {
      if (replicaSet === undefined) {
        const hello = await mapped(() => client.db('admin').command({ hello: 1 }));
        replicaSet = typeof hello['setName'] === 'string' || hello['msg'] === 'isdbgrid';
      }
      return replicaSet;
    },
    async ping(timeoutMs) {
      const signal = AbortSignal.timeout(timeoutMs);
      const admin = client.db('admin');
      try {
        await mapped(() =>
          admin.command({ ping: 1 }, { signal, readPreference: 'primaryPreferred' }),
        );
      } catch (cause) {
        if (!signal.aborted) throw cause;
        throw new QuorateError('ERR_DATABASE_UNAVAILABLE', {
          message: `The database did not answer within ${timeoutMs} ms`,
          cause,
        });
      }
    },
    async close() {
      for (const stop of stops) stop();
      await Promise.all([client.close(), sessionClient?.close()]);
    },
  };
  return access;
}

/**
 * The driver's options. What the connection string says wins over our defaults: the driver itself
 * would let options win. The timeouts are shorter than the driver's, so that a server which neither
 * answers nor closes its sockets is given up, and its operations tried elsewhere, within seconds.
 */
export function toClientOptions(config: MongoAccessConfig): MongoClientOptions {
  const defaults: MongoClientOptions = {
    appName: config.appName ?? 'quorate',
    serverSelectionTimeoutMS: config.serverSelectionTimeoutMs ?? 3_000,
    waitQueueTimeoutMS: config.waitQueueTimeoutMs ?? 10_000,
    connectTimeoutMS: 10_000,
    heartbeatFrequencyMS: 5_000,
  };
  if (config.maxPoolSize !== undefined) defaults.maxPoolSize = config.maxPoolSize;
  if (config.maxIdleTimeMs !== undefined) defaults.maxIdleTimeMS = config.maxIdleTimeMs;
  if (config.minPoolSize !== undefined) defaults.minPoolSize = config.minPoolSize;
  const query = config.connectionString.split('?')[1] ?? '';
  const given = new Set(query.split('&').map((part) => part.split('=')[0]?.toLowerCase()));
  const options = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()));
  return { ...Object.fromEntries(options), ignoreUndefined: false };
}
