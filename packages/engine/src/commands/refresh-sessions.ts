import { isDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import { sessionKeys } from './session-ids.ts';

/** `refreshSessions` (manual). */
export const refreshSessions: CommandDefinition = {
  name: 'refreshSessions',
  help: 'Keeps sessions from expiring',
  stable: true,
  privilege: 'none',
  fields: {},
  run({ args, services }) {
    const ids = args.get('refreshSessions');
    sessionKeys('refreshSessions', ids);
    for (const id of Array.isArray(ids) ? ids : []) {
      if (isDocument(id)) services.sessions.use(id);
    }
    return reply();
  },
};
