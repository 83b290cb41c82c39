import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `appendOplogNote`: an entry that changes nothing, by which tools let the set's time advance. */
export const appendOplogNote: CommandDefinition = {
  name: 'appendOplogNote',
  help: 'Lets the time of the oplog advance',
  adminOnly: true,
  privilege: 'clusterAdmin',
  fields: { data: 'object', maxClusterTime: 'timestamp' },
  async run(context) {
    const { store, oplog } = context.services;
    await store.write((batch) => oplog.append(batch, []), {
      durable: context.writeConcern.durable,
    });
    return reply({ writeConcernError: context.writeConcern.error });
  },
};
