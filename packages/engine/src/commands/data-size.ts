import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { splitNamespace } from '../oplog/change-event.ts';
import type { CommandDefinition } from './command.ts';
import { reply } from './reply.ts';

/** `dataSize` (manual), of whole collections. */
export const dataSize: CommandDefinition = {
  name: 'dataSize',
  aliases: ['datasize'],
  help: 'Size of the documents of a collection',
  privilege: 'read',
  fields: { keyPattern: 'object', min: 'object', max: 'object', estimate: 'bool' },
  run({ args, services, view }) {
    if (args.has('min') || args.has('max')) {
      throw new MongoCommandError('NotImplemented', 'dataSize of a range is not supported');
    }
    const { database, collection: name } = splitNamespace(String(args.get('dataSize')));
    const collection = services.catalog.find(view, database, name);
    if (collection === undefined) return reply({ size: 0n, numObjects: 0n, millis: 0n });
    const { bytes, count } = services.catalog.stats(services.store.latest, collection);
    return reply({ estimate: true, size: BigInt(bytes), numObjects: BigInt(count), millis: 0n });
  },
};
