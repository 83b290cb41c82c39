/** The parts of an engine between its store and its listener. */
import { UserAuthority } from './auth/user-authority.ts';
import { UserStore } from './auth/user-store.ts';
import { Catalog } from './catalog/catalog.ts';
import { SettingsStore } from './catalog/settings-store.ts';
import { TtlMonitor } from './catalog/ttl-monitor.ts';
import type { CommandDefinition } from './commands/command.ts';
import { ConnectionRegistry } from './commands/connection.ts';
import { Dispatcher } from './commands/dispatch.ts';
import type { EngineServices } from './commands/engine-services.ts';
import { FailPoints } from './commands/fail-points.ts';
import { createOperationCounters } from './commands/operation-counters.ts';
import { Profiler } from './commands/profiler.ts';
import { compileStoredFilter } from './commands/query-environment.ts';
import { createRegistry } from './commands/registry.ts';
import { ServerIdentity } from './commands/server-identity.ts';
import { createServerParameters } from './commands/server-parameters.ts';
import { SoleMember } from './commands/sole-member.ts';
import { removeExpired } from './commands/ttl-removal.ts';
import type { Logger } from './lib/logger.ts';
import { Oplog } from './oplog/oplog.ts';
import { CursorRegistry } from './session/cursor-registry.ts';
import { OperationRegistry } from './session/operation.ts';
import { SessionRegistry } from './session/session-registry.ts';
import { LockableStore } from './storage/lockable-store.ts';
import type { Store } from './storage/store.ts';

const DEFAULT_SET_NAME = 'quorate';

export interface EngineCoreOptions {
  readonly advertisedAddress?: string;
  readonly replicaSetName?: string;
  readonly testCommands?: boolean;
  readonly auth?: boolean;
  readonly oplogMaxBytes?: number;
  readonly oplogMaxAgeMs?: number;
  readonly ttlIntervalMs?: number;
  readonly logger: Logger;
  /** Commands beside the engine's own. */
  readonly moreCommands?: readonly CommandDefinition[];
}

export interface EngineCore {
  readonly services: EngineServices;
  readonly dispatcher: Dispatcher;
  /** Reads again what is kept in memory of a store that was changed by other means. */
  reloadUsers(): void;
  reloadSettings(): void;
  interruptAll(): void;
  /** Ends everything but the store. */
  close(): Promise<void>;
}

/** Builds the parts over an open store. */
export async function openEngineCore(
  openStore: Store,
  options: EngineCoreOptions,
): Promise<EngineCore> {
  const store = new LockableStore(openStore);
  const { logger } = options;
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
  const profiler = new Profiler({ store, catalog, logger });
  const users = new UserStore(store);
  const settings = new SettingsStore(store);
  const authority = new UserAuthority(users, { required: options.auth ?? false });
  const member = new SoleMember({ identity, operations, sessions, oplog });
  const services: EngineServices = {
    store,
    catalog,
    oplog,
    cursors,
    operations,
    sessions,
    connections,
    identity,
    member,
    settings,
    parameters: createServerParameters({ cursors, sessions, identity }),
    counters: createOperationCounters(),
    failPoints: options.testCommands ? new FailPoints() : undefined,
    profiler,
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
    createRegistry({
      testCommands: options.testCommands ?? false,
      more: options.moreCommands ?? [],
    }),
    (connection, definition, request) => {
      if (definition.anonymous) return;
      authority.authorize(connection, {
        name: definition.name,
        privilege: definition.privilege,
        database: request.database,
      });
    },
  );
  return {
    services,
    dispatcher,
    reloadUsers: () => users.reload(),
    reloadSettings: () => settings.reload(),
    interruptAll() {
      for (const operation of operations.all()) operation.interrupt();
    },
    async close() {
      store.unlockAll();
      member.close();
      await ttlMonitor.close();
      await profiler.settled();
      cursors.close();
      sessions.close();
      await catalog.close();
      await oplog.close();
    },
  };
}
