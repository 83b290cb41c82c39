import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import { sessionKeys } from './session-ids.ts';

/** `endSessions` (manual). */
export const endSessions: CommandDefinition = {
  name: 'endSessions',
  help: 'Ends sessions before their time',
  stable: true,
  privilege: 'none',
  fields: {},
  run({ args, services }) {
    for (const key of sessionKeys('endSessions', args.get('endSessions')))
      services.sessions.end(key);
    return reply();
  },
};
