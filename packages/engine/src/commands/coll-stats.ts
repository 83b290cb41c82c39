import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { resolveNamespace } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';
import { readScale, servedStats, storageStats } from './statistics.ts';

/** `collStats` (manual). */
export const collStats: CommandDefinition = {
  name: 'collStats',
  aliases: ['collstats'],
  help: 'Figures of a collection',
  privilege: 'read',
  fields: { scale: 'number' },
  run(context) {
    const name = context.collectionName;
    const { collection, isView, served } = resolveNamespace(context, {
      database: context.database,
      collection: name,
    });
    if (isView) {
      throw new MongoCommandError(
        'CommandNotSupportedOnView',
        `Namespace ${context.namespace(name)} is a view, not a collection`,
      );
    }
    const scale = readScale(context.args.get('scale'));
    const stats =
      served === undefined
        ? storageStats(context, collection, scale)
        : servedStats(context, served, scale);
    return reply({ ns: context.namespace(name), ...Object.fromEntries(stats) });
  },
};
