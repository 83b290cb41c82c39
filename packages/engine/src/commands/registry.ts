import { abortTransaction } from './abort-transaction.ts';
import { buildInfo } from './build-info.ts';
import type { CommandDefinition } from './command.ts';
import { commitTransaction } from './commit-transaction.ts';
import { configureFailPoint } from './configure-fail-point.ts';
import { connectionStatus } from './connection-status.ts';
import { currentOp } from './current-op.ts';
import { endSessions } from './end-sessions.ts';
import { getCmdLineOpts } from './get-cmd-line-opts.ts';
import { getLog } from './get-log.ts';
import { getMore } from './get-more.ts';
import { getParameter } from './get-parameter.ts';
import { hello } from './hello.ts';
import { hostInfo } from './host-info.ts';
import { killAllSessions, killAllSessionsByPattern } from './kill-all-sessions.ts';
import { killCursors } from './kill-cursors.ts';
import { killOp } from './kill-op.ts';
import { killSessions } from './kill-sessions.ts';
import { createListCommands } from './list-commands.ts';
import { ping } from './ping.ts';
import { refreshSessions } from './refresh-sessions.ts';
import { replSetGetConfig } from './repl-set-get-config.ts';
import { replSetGetStatus } from './repl-set-get-status.ts';
import { logout, saslContinue, saslStart } from './sasl.ts';
import { serverStatus } from './server-status.ts';
import { setParameter } from './set-parameter.ts';
import { startSession } from './start-session.ts';
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
import { whatsMyUri } from './whats-my-uri.ts';

/** All commands the engine knows. One more is a file beside this one and a line here. */
const COMMANDS: readonly CommandDefinition[] = [
  abortTransaction,
  buildInfo,
  commitTransaction,
  connectionStatus,
  createUser,
  currentOp,
  dropAllUsers,
  dropUser,
  endSessions,
  getCmdLineOpts,
  getLog,
  getMore,
  getParameter,
  grantRoles,
  hello,
  hostInfo,
  killAllSessions,
  killAllSessionsByPattern,
  killCursors,
  killOp,
  killSessions,
  logout,
  ping,
  refreshSessions,
  replSetGetConfig,
  replSetGetStatus,
  revokeRoles,
  rolesInfo,
  saslContinue,
  saslStart,
  serverStatus,
  setParameter,
  startSession,
  updateUser,
  usersInfo,
  whatsMyUri,
];

/** The commands by name and alias; those for tests only where the server is one for tests. */
export function createRegistry(options: {
  readonly testCommands: boolean;
}): ReadonlyMap<string, CommandDefinition> {
  const list: CommandDefinition[] = [...COMMANDS];
  if (options.testCommands) list.push(configureFailPoint);
  list.push(createListCommands(() => list));
  const registry = new Map<string, CommandDefinition>();
  for (const command of list) {
    registry.set(command.name, command);
    for (const alias of command.aliases ?? []) registry.set(alias, command);
  }
  return registry;
}
