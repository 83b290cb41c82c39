import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import { sessionKeys } from './session-ids.ts';

/** `killSessions` (manual): also interrupts what runs in them; no ids means all. */
export const killSessions: CommandDefinition = {
  name: 'killSessions',
  help: 'Kills sessions',
  privilege: 'none',
  fields: {},
  run({ args, services }) {
    const keys = sessionKeys('killSessions', args.get('killSessions'));
    const all = keys.length === 0 ? [...services.sessions.all()].map(({ key }) => key) : keys;
    for (const key of all) services.sessions.kill(key);
    return reply();
  },
};
