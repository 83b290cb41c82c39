import { clusteredSpec } from '../catalog/collection-options.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { sourceOf } from '../session/cursor.ts';
import type { CommandDefinition } from './command.ts';
import { cursorBatchSize, firstBatchLimit, openCursor } from './cursor-reply.ts';

/** `listIndexes` (manual). */
export const listIndexes: CommandDefinition = {
  name: 'listIndexes',
  help: 'Lists the indexes of a collection',
  stable: true,
  privilege: 'read',
  fields: { cursor: 'object', includeBuildUUIDs: 'bool', includeIndexBuildInfo: 'bool' },
  run(context) {
    const name = context.collectionName;
    const collection = context.services.catalog.find(context.view, context.database, name);
    if (collection === undefined) {
      throw new MongoCommandError(
        'NamespaceNotFound',
        `ns does not exist: ${context.namespace(name)}`,
      );
    }
    if (collection.type === 'view') {
      throw new MongoCommandError(
        'CommandNotSupportedOnView',
        `Namespace ${collection.namespace} is a view, not a collection`,
      );
    }
    const clustered = clusteredSpec(collection.options);
    const documents = collection.indexes.map(({ isId, spec }) =>
      isId && clustered !== undefined ? clustered : spec.document,
    );
    return openCursor(
      context,
      { namespace: context.namespace(name), source: sourceOf(documents) },
      { limit: firstBatchLimit(cursorBatchSize(context.args)) },
    );
  },
};
