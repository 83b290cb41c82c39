import { toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { splitNamespace } from '../oplog/change-event.ts';
import type { CommandDefinition } from './command.ts';
import { describeUuid, failCursors } from './drop.ts';
import { isTrue, requireField } from './field-types.ts';
import { reply } from './reply.ts';
import { runWrite } from './run-write.ts';

/** `renameCollection` (manual). */
export const renameCollection: CommandDefinition = {
  name: 'renameCollection',
  help: 'Renames a collection',
  adminOnly: true,
  privilege: 'dbAdmin',
  fields: { to: 'string', dropTarget: 'any', stayTemp: 'bool', collectionUUID: 'binData' },
  async run(context) {
    const { args, services } = context;
    const from = readNamespace(args.get('renameCollection'));
    const to = readNamespace(requireField('renameCollection', args, 'to'));
    const dropTarget = isTrue(args.get('dropTarget'));
    await runWrite(context, (target) => {
      const { catalog } = services;
      const collection = catalog.find(target.batch, from.database, from.collection);
      if (collection === undefined) {
        throw new MongoCommandError(
          'NamespaceNotFound',
          `Source collection ${from.database}.${from.collection} does not exist`,
        );
      }
      if (collection.type === 'view') {
        throw new MongoCommandError(
          'CommandNotSupportedOnView',
          `cannot rename view: ${collection.namespace}`,
        );
      }
      const replaced = catalog.find(target.batch, to.database, to.collection);
      const source = collection.namespace;
      catalog.rename(target.batch, collection, to.database, to.collection, { dropTarget });
      target.log({
        op: 'c',
        ns: `${from.database}.$cmd`,
        uuid: collection.uuid,
        command: toDocument({
          renameCollection: source,
          to: collection.namespace,
          dropTarget: replaced?.uuid,
        }),
      });
      const id = describeUuid(collection.uuid);
      const reason = `collection renamed from '${source}' to '${collection.namespace}'. UUID ${id}`;
      target.batch.onCommitted(() => failCursors(context, source, reason));
    });
    return reply({ writeConcernError: context.writeConcern.error });
  },
};

function readNamespace(value: Value | undefined): { database: string; collection: string } {
  const parts = splitNamespace(typeof value === 'string' ? value : '');
  if (parts.database === '' || parts.collection === '') {
    throw new MongoCommandError(
      'InvalidNamespace',
      `Invalid namespace specified '${String(value)}'`,
    );
  }
  return parts;
}
