import { abortTransaction } from './abort-transaction.ts';
import { aggregate } from './aggregate.ts';
import { appendOplogNote } from './append-oplog-note.ts';
import { buildInfo } from './build-info.ts';
import { bulkWrite } from './bulk-write.ts';
import { collMod } from './coll-mod.ts';
import { collStats } from './coll-stats.ts';
import type { CommandDefinition } from './command.ts';
import { commitTransaction } from './commit-transaction.ts';
import { compact } from './compact.ts';
import { configureFailPoint } from './configure-fail-point.ts';
import { connectionStatus } from './connection-status.ts';
import { cloneCollectionAsCapped, convertToCapped } from './convert-to-capped.ts';
import { count } from './count.ts';
import { create } from './create.ts';
import { createIndexes } from './create-indexes.ts';
import { currentOp } from './current-op.ts';
import { dataSize } from './data-size.ts';
import { dbStats } from './db-stats.ts';
import { getDefaultRwConcern, setDefaultRwConcern } from './default-rw-concern.ts';
import { deleteCommand } from './delete.ts';
import { distinct } from './distinct.ts';
import { drop } from './drop.ts';
import { dropDatabase } from './drop-database.ts';
import { dropIndexes } from './drop-indexes.ts';
import { endSessions } from './end-sessions.ts';
import { explain } from './explain.ts';
import { fileMd5 } from './file-md5.ts';
import { find } from './find.ts';
import { findAndModify } from './find-and-modify.ts';
import { fsync, fsyncUnlock } from './fsync.ts';
import { getCmdLineOpts } from './get-cmd-line-opts.ts';
import { getLog } from './get-log.ts';
import { getMore } from './get-more.ts';
import { getParameter } from './get-parameter.ts';
import { hello } from './hello.ts';
import { hostInfo } from './host-info.ts';
import { insert } from './insert.ts';
import { killAllSessions, killAllSessionsByPattern } from './kill-all-sessions.ts';
import { killCursors } from './kill-cursors.ts';
import { killOp } from './kill-op.ts';
import { killSessions } from './kill-sessions.ts';
import { listCollections } from './list-collections.ts';
import { createListCommands } from './list-commands.ts';
import { listDatabases } from './list-databases.ts';
import { listIndexes } from './list-indexes.ts';
import { logRotate } from './log-rotate.ts';
import { ping } from './ping.ts';
import { planCacheClear } from './plan-cache-clear.ts';
import { profile } from './profile.ts';
import { refreshSessionCache } from './refresh-session-cache.ts';
import { refreshSessions } from './refresh-sessions.ts';
import { refusedCommands } from './refused-commands.ts';
import { renameCollection } from './rename-collection.ts';
import { replSetGetConfig } from './repl-set-get-config.ts';
import { replSetGetStatus } from './repl-set-get-status.ts';
import { replicaSetOrders } from './replica-set-orders.ts';
import { logout, saslContinue, saslStart } from './sasl.ts';
import { searchIndexCommands } from './search-indexes.ts';
import { serverStatus } from './server-status.ts';
import { setFeatureCompatibilityVersion } from './set-feature-compatibility-version.ts';
import { setParameter } from './set-parameter.ts';
import { startSession } from './start-session.ts';
import { apiVersionTests } from './test-api-versions.ts';
import { top } from './top.ts';
import { update } from './update.ts';
import {
  createUser,
  dropAllUsers,
  dropUser,
  grantRoles,
  revokeRoles,
  rolesInfo,
  updateUser,
  usersInfo,
} from './users.ts';
import { validate } from './validate.ts';
import { whatsMyUri } from './whats-my-uri.ts';

/** All commands the engine knows. One more is a file beside this one and a line here. */
const COMMANDS: readonly CommandDefinition[] = [
  abortTransaction,
  aggregate,
  appendOplogNote,
  buildInfo,
  bulkWrite,
  cloneCollectionAsCapped,
  collMod,
  collStats,
  commitTransaction,
  compact,
  connectionStatus,
  convertToCapped,
  count,
  create,
  createIndexes,
  createUser,
  currentOp,
  dataSize,
  dbStats,
  deleteCommand,
  distinct,
  drop,
  dropAllUsers,
  dropDatabase,
  dropIndexes,
  dropUser,
  endSessions,
  explain,
  fileMd5,
  find,
  findAndModify,
  fsync,
  fsyncUnlock,
  getCmdLineOpts,
  getDefaultRwConcern,
  getLog,
  getMore,
  getParameter,
  grantRoles,
  hello,
  hostInfo,
  insert,
  killAllSessions,
  killAllSessionsByPattern,
  killCursors,
  killOp,
  killSessions,
  listCollections,
  listDatabases,
  listIndexes,
  logout,
  logRotate,
  ping,
  planCacheClear,
  profile,
  refreshSessionCache,
  ...refusedCommands,
  refreshSessions,
  renameCollection,
  replSetGetConfig,
  replSetGetStatus,
  ...replicaSetOrders,
  revokeRoles,
  rolesInfo,
  saslContinue,
  saslStart,
  ...searchIndexCommands,
  serverStatus,
  setDefaultRwConcern,
  setFeatureCompatibilityVersion,
  setParameter,
  startSession,
  update,
  updateUser,
  usersInfo,
  top,
  validate,
  whatsMyUri,
];

/** The commands by name and alias; those for tests only where the server is one for tests. */
export function createRegistry(options: {
  readonly testCommands: boolean;
  /** Commands of a set of several members. */
  readonly more?: readonly CommandDefinition[];
}): ReadonlyMap<string, CommandDefinition> {
  const list: CommandDefinition[] = [...COMMANDS, ...(options.more ?? [])];
  if (options.testCommands) list.push(configureFailPoint, ...apiVersionTests);
  list.push(createListCommands(() => list));
  const registry = new Map<string, CommandDefinition>();
  for (const command of list) {
    registry.set(command.name, command);
    for (const alias of command.aliases ?? []) registry.set(alias, command);
  }
  return registry;
}
