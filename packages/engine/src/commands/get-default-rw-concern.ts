import { DateTime, toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `getDefaultRWConcern` (manual): the concerns of commands that name none; they cannot be changed. */
export const getDefaultRwConcern: CommandDefinition = {
  name: 'getDefaultRWConcern',
  help: 'Shows the default read and write concern',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: { inMemory: 'bool' },
  run: () =>
    reply({
      defaultReadConcern: toDocument({ level: 'local' }),
      defaultWriteConcern: toDocument({ w: 'majority', wtimeout: 0 }),
      defaultWriteConcernSource: 'implicit',
      defaultReadConcernSource: 'implicit',
      localUpdateWallClockTime: new DateTime(Date.now()),
    }),
};
