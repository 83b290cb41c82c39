/** The services that need MongoDB; loaded only when one of them is enabled, for the driver takes time to load. */

import type { Settings } from '../config/schema.ts';
import { checkHandshake } from '../http/websocket.ts';
import type { DatabaseProbePort } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import { ChangeFeed } from '../mongo/change-feed.ts';
import { createMongoAccess } from '../mongo/client.ts';
import { loadCollection } from '../mongo/collections.ts';
import { PROPERTIES } from '../mongo/databases.ts';
import { type Deployment, whenDiscovered } from '../mongo/deployment.ts';
import { FAILURES } from '../mongo/failure-store.ts';
import { QUORATE_DATABASE } from '../mongo/key-store.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import { MongoNodeStore } from '../mongo/node-registry.ts';
import { watchPoolUse } from '../mongo/pool-use.ts';
import { REVOCATIONS } from '../mongo/revocation-store.ts';
import { SCHEMA_STORE } from '../mongo/schema-store.ts';
import type { Log } from '../observe/log.ts';
import { createCacheInvalidationService } from '../service/cache-invalidation/cache-invalidation-service.ts';
import { createCsvService } from '../service/csv/csv-service.ts';
import { createDatabaseProbeService } from '../service/health/database-probe-service.ts';
import { AccountGuards } from '../service/rest/account-guards.ts';
import { type AccountWrite, accountWritesOf } from '../service/rest/account-writes.ts';
import { invalidateCollectionCache } from '../service/rest/collection-cache.ts';
import { createSchemaChecks } from '../service/rest/resources/schemas/schema-checks.ts';
import type { MongoRequest } from '../service/rest/rest-request.ts';
import { createRestService } from '../service/rest/rest-service.ts';
import { createChangeStreamHandler } from '../service/streams/change-stream-handler.ts';
import { declarationsOf } from '../service/streams/stream-definition.ts';
import { StreamHub } from '../service/streams/stream-hub.ts';
import { createAccountsTest } from './accounts-collection.ts';
import type { ClusterDatabase } from './compose-cluster.ts';
import { composeGraphQL, definitionsNamespace } from './compose-graphql.ts';
import { readPoolShare } from './pool-share.ts';
import { toRestConfig } from './rest-settings.ts';

/** The connection and the services on it. */
export interface MongoParts {
  readonly mongo: MongoAccess;
  /** Tells of changes that other nodes made. */
  readonly feed: ChangeFeed;
  readonly streams: StreamHub;
  /** What the node tells of itself, and to whom. */
  readonly cluster: ClusterDatabase;
  readonly services: readonly AnyService[];
  /** Told of every write to an account, before its reply is sent. */
  readonly accountListeners: Set<(write: AccountWrite) => void>;
  close(): Promise<void>;
}

/** Where connections are counted, those of a busy moment are given back. */
const GIVE_BACK_MS = 60_000;

/** Connects, without waiting for the database, and makes the services. */
export async function composeMongo(
  settings: Settings,
  connectionString: string,
  log: Log,
): Promise<MongoParts> {
  const share = await readPoolShare(settings, connectionString, log);
  const metadataTtlMs = settings.mongo['local-cache-ttl'];
  const mongo = createMongoAccess({
    connectionString,
    appName: 'quorate',
    ...share,
    ...(share && { maxIdleTimeMs: GIVE_BACK_MS }),
    metadataTtlMs: !settings.mongo['local-cache-enabled']
      ? 0
      : metadataTtlMs < 0
        ? Number.MAX_SAFE_INTEGER
        : metadataTtlMs,
  });
  // the embedded one is what it always is
  if (settings.mclient['connection-string'] !== null)
    whenDiscovered(mongo.client, (deployment) => logDeployment(deployment, log));
  const warn = (message: string, error: unknown) => log.warn(message, { err: error });
  const feed = composeFeed(settings, mongo, warn);
  const streams = new StreamHub({ maxWaitingBytes: 4 * 1024 * 1024, retryDelayMs: 1000, warn });
  feed.onChange(({ database, collection }) => {
    if (collection !== PROPERTIES) return;
    void closeOutdatedStreams(mongo, streams, database, warn);
  });
  const services: AnyService[] = [];
  const accountListeners = new Set<(write: AccountWrite) => void>();
  const isAccounts = createAccountsTest(settings);
  const realm = settings.mongoRealmAuthenticator;
  const properties = {
    password: realm['prop-password'],
    roles: realm['json-path-roles'].replace(/^\$\.?/, '').split('.')[0] ?? 'roles',
  };
  const announceAccounts = (request: MongoRequest): void => {
    const { databaseName: database, collectionName: collection } = request;
    if (accountListeners.size === 0 || !isAccounts({ database, collection })) return;
    for (const write of accountWritesOf(request, properties)) {
      for (const listener of accountListeners) listener(write);
    }
  };
  const graphql = composeGraphQL(settings, mongo, feed, warn);
  if (graphql !== undefined) services.push(graphql.service);
  if (settings.mongo.enabled) {
    const config = toRestConfig(settings, (message) => log.warn(message));
    const stream = createChangeStreamHandler({
      hub: streams,
      security: settings.aggregationSecurity,
      checkHandshake,
      keepAliveMs: 30_000,
      warn: (message) => log.warn(message),
    });
    services.push(
      createRestService({
        mongo,
        config,
        checks: createSchemaChecks({
          mongo,
          config,
          onStoreChange: (drop) => onSchemaChange(feed, drop),
        }),
        handlers: { CHANGE_STREAM: { GET: stream } },
        onWrite: (request) => {
          announceAccounts(request);
          const streamsClosed = announceWrite(request, feed, () =>
            closeOutdatedStreams(mongo, streams, request.databaseName, warn),
          );
          return graphql?.written(request) ?? streamsClosed;
        },
        documentRules: graphql?.rules,
        ...accountGuards(settings),
      }),
    );
  }
  services.push(...dataServices(settings, mongo));
  const probe = settings['database-probe'];
  if (probe.enabled) {
    services.push(
      createDatabaseProbeService(
        { uri: probe.uri, databaseName: probe.dbname, timeoutMs: probe['timeout-ms'] },
        probePort(mongo),
      ),
    );
  }
  return {
    mongo,
    feed,
    streams,
    cluster: {
      probe: probePort(mongo),
      nodes: new MongoNodeStore(mongo),
      poolUse: watchPoolUse(mongo, share?.maxSessionPoolSize),
    },
    services,
    accountListeners,
    async close() {
      streams.close();
      await feed.close();
      await mongo.close();
    },
  };
}

function logDeployment(deployment: Deployment, log: Log): void {
  if (deployment.kind === 'replica set')
    log.info(`MongoDB is reached: replica set ${deployment.setName}`);
  else if (deployment.kind === 'sharded cluster') log.info('MongoDB is reached: sharded cluster');
  else
    log.warn(
      'MongoDB is a standalone server: change streams, sessions, transactions and retryable writes need a replica set',
    );
}

/** The collections whose content is kept in memory: properties of all databases, accounts, rules, keys. */
function composeFeed(
  settings: Settings,
  mongo: MongoAccess,
  warn: (message: string, error: unknown) => void,
): ChangeFeed {
  const realm = settings.mongoRealmAuthenticator;
  const acl = settings.mongoAclAuthorizer;
  const feed = new ChangeFeed(mongo, {
    namespaces: [
      { collection: PROPERTIES },
      ...(settings.graphql.enabled ? [definitionsNamespace(settings)] : []),
      { collection: SCHEMA_STORE },
      { database: realm['users-db'], collection: realm['users-collection'] },
      { database: acl['acl-db'], collection: acl['acl-collection'] },
      { database: QUORATE_DATABASE, collection: 'keys' },
      { database: QUORATE_DATABASE, collection: REVOCATIONS },
      { database: QUORATE_DATABASE, collection: FAILURES },
    ],
    retryDelayMs: 1000,
    warn,
  });
  feed.onChange(({ database, collection }) => {
    if (collection === PROPERTIES) mongo.metadata.invalidate(database);
  });
  feed.onGap(() => mongo.metadata.clear());
  feed.start();
  return feed;
}

function onSchemaChange(feed: ChangeFeed, drop: () => void): void {
  feed.onGap(drop);
  feed.onChange(({ collection }) => {
    if (collection === SCHEMA_STORE) drop();
  });
}

function accountGuards(settings: Settings): { accountGuards?: AccountGuards } {
  const realm = settings.mongoRealmAuthenticator;
  if (!realm.enabled) return {};
  const accountGuards = new AccountGuards({
    database: realm['users-db'],
    collection: realm['users-collection'],
    passwordProperty: realm['prop-password'],
    hashesPasswords: realm['bcrypt-hashed-password'],
    complexity: realm['bcrypt-complexity'],
    minimumStrength: realm['enforce-minimum-password-strength']
      ? realm['minimum-password-strength']
      : undefined,
    rolesProperty: realm['json-path-roles'].replace(/^\$\.?/, '').split('.')[0] ?? 'roles',
    guardedRole: settings.rootRoleGuard.enabled
      ? (settings.mongoAclAuthorizer['root-role'] ?? undefined)
      : undefined,
  });
  return { accountGuards };
}

/** What this node wrote is in force before the reply is sent. */
function announceWrite(
  request: MongoRequest,
  feed: ChangeFeed,
  closeOutdated: () => Promise<void>,
): Promise<void> | undefined {
  const { type, method, databaseName: database, collectionName: collection } = request;
  if (collection !== '') feed.touched({ database, collection });
  const mayChangeStreams = type === 'COLLECTION' ? method !== 'POST' : type === 'DB';
  return mayChangeStreams ? closeOutdated() : undefined;
}

/** Ends the streams whose declarations are others by now, or gone; whoever changed them. */
async function closeOutdatedStreams(
  mongo: MongoAccess,
  streams: StreamHub,
  database: string,
  warn: (message: string, error: unknown) => void,
): Promise<void> {
  try {
    await streams.closeOutdated(database, async (collection) => {
      const { properties } = await loadCollection(mongo, { database, collection });
      return declarationsOf(properties);
    });
  } catch (error) {
    warn('Streams may go on although their declaration was changed', error);
  }
}

/** Services beside the REST API that read or write what it caches. */
function dataServices(settings: Settings, mongo: MongoAccess): AnyService[] {
  const { csvLoader, cacheInvalidator } = settings;
  const services: AnyService[] = [];
  const invalidate = (database: string, collection: string | undefined): void => {
    mongo.metadata.invalidate(database, collection);
    invalidateCollectionCache(mongo, database, collection);
  };
  if (csvLoader.enabled) {
    const { uri } = csvLoader;
    const written = (namespace: { readonly database: string; readonly collection: string }) =>
      invalidate(namespace.database, namespace.collection);
    services.push(
      createCsvService({ uri, mongo, written, isReserved: createAccountsTest(settings) }),
    );
  }
  if (cacheInvalidator.enabled) {
    const { uri } = cacheInvalidator;
    const isCacheEnabled = settings.mongo['local-cache-enabled'];
    services.push(createCacheInvalidationService({ uri, isCacheEnabled, invalidate }));
  }
  return services;
}

function probePort(mongo: MongoAccess): DatabaseProbePort {
  return {
    async ping(_databaseName, timeoutMs) {
      const startedAtMs = Date.now();
      let timer: NodeJS.Timeout | undefined;
      // the driver's own limit does not cover looking for a server that is away
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), timeoutMs);
      });
      try {
        const outcome = await Promise.race([mongo.ping(timeoutMs).then(() => 'ok' as const), late]);
        if (outcome === 'late') return { status: 'timeout' };
        return { status: 'ok', latencyMs: Date.now() - startedAtMs };
      } catch (error) {
        if (Date.now() - startedAtMs >= timeoutMs) return { status: 'timeout' };
        return { status: 'error', message: error instanceof Error ? error.message : String(error) };
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
