import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `planCacheClear` (manual): plans are made anew for each query here, so none is kept. */
export const planCacheClear: CommandDefinition = {
  name: 'planCacheClear',
  help: 'Forgets the plans of a collection, of which none are kept',
  privilege: 'dbAdmin',
  fields: { query: 'object', projection: 'object', sort: 'object' },
  run: () => reply(),
};
