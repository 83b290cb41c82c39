import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `refreshLogicalSessionCacheNow`: sessions are kept in one place here, so all is written already. */
export const refreshSessionCache: CommandDefinition = {
  name: 'refreshLogicalSessionCacheNow',
  help: 'Writes down the sessions in use, which needs no doing here',
  privilege: 'clusterAdmin',
  fields: {},
  run: () => reply(),
};
