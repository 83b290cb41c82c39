import { type Document, toDocument } from '../bson/value.ts';
import { checkCollection } from '../catalog/check-store.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandDefinition } from './command.ts';
import { isTrue } from './field-types.ts';
import { reply } from './reply.ts';

/** `validate` (manual): whether the records and each index of a collection agree. */
export const validate: CommandDefinition = {
  name: 'validate',
  help: 'Checks a collection and its indexes',
  privilege: 'dbAdmin',
  fields: {
    full: 'bool',
    background: 'bool',
    repair: 'bool',
    fixMultikey: 'bool',
    checkBSONConformance: 'bool',
    metadata: 'bool',
    enforceFastCount: 'bool',
    // sent by drivers for servers of long ago, ignored like there
    scandata: 'bool',
  },
  run(context) {
    const name = context.collectionName;
    const { catalog, store } = context.services;
    const collection = catalog.find(context.view, context.database, name);
    if (collection === undefined) {
      throw new MongoCommandError(
        'NamespaceNotFound',
        `Collection '${context.namespace(name)}' does not exist to validate.`,
      );
    }
    if (collection.type === 'view') {
      throw new MongoCommandError('CommandNotSupportedOnView', 'Cannot validate a view');
    }
    if (isTrue(context.args.get('background')) && isTrue(context.args.get('full'))) {
      throw new MongoCommandError(
        'InvalidOptions',
        'Running the validate command with { background: true } and { full: true } is not supported',
      );
    }
    const snapshot = store.snapshot();
    try {
      const { problems, documents } = checkCollection(snapshot, collection);
      const keysPerIndex: Document = new Map();
      for (const [index, keys] of catalog.stats(snapshot, collection).indexKeys) {
        keysPerIndex.set(index, BigInt(keys));
      }
      const isValid = (index: string): boolean => problems.every((one) => one.index !== index);
      return reply({
        ns: collection.namespace,
        nInvalidDocuments: 0n,
        nNonCompliantDocuments: 0n,
        nrecords: BigInt(documents),
        nIndexes: collection.indexes.length,
        keysPerIndex,
        indexDetails: toDocument(
          Object.fromEntries(
            collection.indexes.map(({ name: index }) => [
              index,
              toDocument({ valid: isValid(index) }),
            ]),
          ),
        ),
        valid: problems.length === 0,
        repaired: false,
        warnings: [],
        errors: problems.map(({ text }) => text),
        extraIndexEntries: [],
        missingIndexEntries: [],
        corruptRecords: [],
      });
    } finally {
      snapshot.close();
    }
  },
};
