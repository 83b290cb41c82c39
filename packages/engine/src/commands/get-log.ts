import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `getLog` (manual). The engine hands its log to its host process, so it keeps no lines itself. */
export const getLog: CommandDefinition = {
  name: 'getLog',
  help: 'Shows recent log lines',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: {},
  run({ args }) {
    const name = args.get('getLog');
    if (name === '*') return reply({ names: ['global', 'startupWarnings'] });
    if (name === 'global' || name === 'startupWarnings') {
      return reply({ totalLinesWritten: 0, log: [] });
    }
    throw new MongoCommandError('OperationFailed', `No log named '${String(name)}'`);
  },
};
