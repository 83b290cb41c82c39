import { toDocument } from '../bson/value.ts';
import type { CommandDefinition } from './command.ts';
import { dropCollection } from './drop.ts';
import { reply } from './reply.ts';
import { runWrite } from './run-write.ts';

/** `dropDatabase` (manual). */
export const dropDatabase: CommandDefinition = {
  name: 'dropDatabase',
  help: 'Drops a database',
  stable: true,
  privilege: 'dbAdmin',
  fields: {},
  async run(context) {
    const { database, services } = context;
    const count = await runWrite(context, (target) => {
      const collections = services.catalog.collections(target.batch, database);
      for (const collection of collections) dropCollection(context, target, collection);
      if (collections.length > 0) {
        target.log({
          op: 'c',
          ns: `${database}.$cmd`,
          command: toDocument({ dropDatabase: 1 }),
        });
      }
      return collections.length;
    });
    return reply({
      dropped: count > 0 ? database : undefined,
      writeConcernError: context.writeConcern.error,
    });
  },
};
