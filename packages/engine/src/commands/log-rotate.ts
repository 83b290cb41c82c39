import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `logRotate` (manual): the host process keeps the log, so there is no file to begin anew. */
export const logRotate: CommandDefinition = {
  name: 'logRotate',
  help: 'Begins a new log file',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { comment: 'any' },
  run: () => reply(),
};
