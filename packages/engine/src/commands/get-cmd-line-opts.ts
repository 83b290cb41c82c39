import { toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `getCmdLineOpts` (manual). */
export const getCmdLineOpts: CommandDefinition = {
  name: 'getCmdLineOpts',
  help: 'Shows the options the server was started with',
  adminOnly: true,
  privilege: 'clusterMonitor',
  fields: {},
  run: ({ services }) =>
    reply({
      argv: ['quorate-engine'],
      parsed: toDocument({
        replication: toDocument({ replSet: services.identity.setName }),
        ...(services.identity.testCommands && {
          setParameter: toDocument({ enableTestCommands: '1' }),
        }),
      }),
    }),
};
