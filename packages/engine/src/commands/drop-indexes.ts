import { typeName } from '../bson/types.ts';
import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import type { Index } from '../catalog/index.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument } from '../query/describe.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { findWritable } from './document-writes.ts';
import { reply } from './reply.ts';
import { runWrite } from './run-write.ts';

/** `dropIndexes` (manual). */
export const dropIndexes: CommandDefinition = {
  name: 'dropIndexes',
  aliases: ['deleteIndexes'],
  help: 'Drops indexes',
  stable: true,
  privilege: 'dbAdmin',
  fields: { index: 'any', collectionUUID: 'binData' },
  async run(context) {
    const name = context.collectionName;
    const wanted = context.args.get('index');
    if (wanted === undefined) {
      throw new MongoCommandError(
        'Location40414',
        "BSON field 'dropIndexes.index' is missing but a required field",
      );
    }
    const before = await runWrite(context, (target) => {
      const collection = findWritable(context, target.batch, name);
      if (collection === undefined) {
        throw new MongoCommandError('NamespaceNotFound', `ns not found ${context.namespace(name)}`);
      }
      const count = collection.indexes.length;
      const dropped = selectIndexes(context, collection, wanted);
      if (dropped.length > 0)
        context.services.catalog.dropIndexes(target.batch, collection, dropped);
      for (const index of dropped) {
        target.log({
          op: 'c',
          ns: `${context.database}.$cmd`,
          uuid: collection.uuid,
          command: toDocument({ dropIndexes: name, indexes: [index.spec.document] }),
        });
      }
      return count;
    });
    return reply({
      nIndexesWas: before,
      ...(wanted === '*' && { msg: 'non-_id indexes dropped for collection' }),
      writeConcernError: context.writeConcern.error,
    });
  },
};

/** @throws IndexNotFound, InvalidOptions for the index on `_id` */
function selectIndexes(context: CommandContext, collection: Collection, wanted: Value): Index[] {
  if (wanted === '*') return collection.indexes.filter(({ isId }) => !isId);
  if (Array.isArray(wanted))
    return wanted.flatMap((one) =>
      one === '*' ? indexByName(context, collection, one) : selectIndexes(context, collection, one),
    );
  if (!isDocument(wanted) && typeof wanted !== 'string') {
    throw new MongoCommandError(
      'TypeMismatch',
      `BSON field 'dropIndexes.index' is the wrong type '${typeName(wanted)}', expected types '[string, object, array]'`,
    );
  }
  const found = isDocument(wanted)
    ? indexByKey(context, collection, wanted)
    : indexByName(context, collection, wanted);
  if (found.isId) throw new MongoCommandError('InvalidOptions', 'cannot drop _id index');
  return [found];
}

function indexByName(context: CommandContext, collection: Collection, name: string): Index {
  const index = context.services.catalog.findIndex(collection, name);
  if (index !== undefined) return index;
  throw new MongoCommandError('IndexNotFound', `index not found with name [${name}]`);
}

function indexByKey(context: CommandContext, collection: Collection, key: Document): Index {
  const [index, ...others] = context.services.catalog.indexesWithKey(collection, key);
  if (index === undefined) {
    throw new MongoCommandError(
      'IndexNotFound',
      `can't find index with key: ${describeDocument(key)}`,
    );
  }
  if (others.length > 0) {
    throw new MongoCommandError(
      'AmbiguousIndexKeyPattern',
      `${others.length + 1} indexes found for key: ${describeDocument(key)}, identify by name instead.`,
    );
  }
  return index;
}
