import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `compact` (manual). Freed pages are used again by themselves, so there is nothing to do. */
export const compact: CommandDefinition = {
  name: 'compact',
  help: 'Gives back unused space',
  privilege: 'dbAdmin',
  fields: { force: 'bool', dryRun: 'bool', freeSpaceTargetMB: 'number' },
  run(context) {
    const name = context.collectionName;
    if (context.services.catalog.find(context.view, context.database, name) === undefined) {
      throw new MongoCommandError('NamespaceNotFound', 'collection does not exist');
    }
    return reply({ bytesFreed: 0 });
  },
};
