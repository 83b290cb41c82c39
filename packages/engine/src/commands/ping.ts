import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `ping` (manual): answers at once, whatever else is going on. */
export const ping: CommandDefinition = {
  name: 'ping',
  help: 'Answers at once',
  anonymous: true,
  stable: true,
  inTransactions: false,
  privilege: 'none',
  fields: {},
  run: () => reply(),
};
