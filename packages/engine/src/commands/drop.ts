import { type Binary, toDocument } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { reply } from './reply.ts';
import { runWrite, type WriteTarget } from './run-write.ts';

/** `drop` (manual): succeeds also when there is nothing to drop. */
export const drop: CommandDefinition = {
  name: 'drop',
  help: 'Drops a collection or view',
  stable: true,
  privilege: 'dbAdmin',
  fields: { collectionUUID: 'binData' },
  async run(context) {
    const name = context.collectionName;
    const dropped = await runWrite(context, (target) => {
      const collection = context.services.catalog.find(target.batch, context.database, name);
      if (collection === undefined) return undefined;
      const before = collection.indexes.length;
      dropCollection(context, target, collection);
      return { nIndexesWas: before, ns: `${context.database}.${name}` };
    });
    const { error } = context.writeConcern;
    if (dropped === undefined) return reply({ writeConcernError: error });
    return reply({ ...dropped, writeConcernError: error });
  },
};

/** Drops a collection with its log entry; its cursors end. */
export function dropCollection(
  context: CommandContext,
  target: WriteTarget,
  collection: Collection,
): void {
  const { namespace, database, name, uuid } = collection;
  context.services.catalog.drop(target.batch, collection);
  target.log({ op: 'c', ns: `${database}.$cmd`, uuid, command: toDocument({ drop: name }) });
  const reason = `collection dropped. UUID ${describeUuid(uuid)}`;
  target.batch.onCommitted(() => failCursors(context, namespace, reason));
}

/** Cursors over what is gone end by QueryPlanKilled; change streams tell of it themselves. */
export function failCursors(context: CommandContext, namespace: string, reason: string): void {
  context.services.cursors.failWhere(
    (cursor) => cursor.namespace === namespace && cursor.source.postBatchResumeToken === undefined,
    new MongoCommandError('QueryPlanKilled', reason),
  );
}

/** A collection's UUID as messages show it. */
export function describeUuid(uuid: Binary): string {
  return uuid.toUUID().toHexString();
}
