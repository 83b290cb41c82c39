import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

const killAll: CommandDefinition['run'] = ({ services, operation }) => {
  for (const { key } of [...services.sessions.all()]) {
    // not this command's own
    if (key !== operation.sessionKey) services.sessions.kill(key);
  }
  return reply();
};

/** `killAllSessions` (manual). */
export const killAllSessions: CommandDefinition = {
  name: 'killAllSessions',
  help: 'Kills all sessions',
  privilege: 'clusterAdmin',
  fields: {},
  run: killAll,
};

/** `killAllSessionsByPattern` (manual). */
export const killAllSessionsByPattern: CommandDefinition = {
  name: 'killAllSessionsByPattern',
  help: 'Kills all sessions of a pattern',
  privilege: 'clusterAdmin',
  fields: {},
  run: killAll,
};
