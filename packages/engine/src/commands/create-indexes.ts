import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import type { Index } from '../catalog/index.ts';
import { buildIndexes, createIndexes as createInBatch } from '../catalog/index-build.ts';
import { withoutUnknownOptions } from '../catalog/index-options.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { parseCollation } from '../query/collation.ts';
import type { WriteBatch } from '../storage/store.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { ensureWritable, findWritable, logCreate } from './document-writes.ts';
import { isTrue, toNumber } from './field-types.ts';
import { reply } from './reply.ts';
import { runWrite } from './run-write.ts';

/** `createIndexes` (manual). */
export const createIndexes: CommandDefinition = {
  name: 'createIndexes',
  help: 'Makes indexes',
  stable: true,
  inTransactions: true,
  privilege: 'dbAdmin',
  fields: {
    indexes: 'array',
    ignoreUnknownIndexOptions: 'bool',
    commitQuorum: 'any',
    collectionUUID: 'binData',
  },
  async run(context) {
    const specs = readSpecs(context);
    checkCommitQuorum(context.args.get('commitQuorum'));
    const name = context.collectionName;
    const { createdCollection, before, after } =
      context.transaction === undefined
        ? await buildOutside(context, name, specs)
        : await buildInside(context, name, specs);
    return reply({
      numIndexesBefore: before,
      numIndexesAfter: after,
      createdCollectionAutomatically: createdCollection,
      ...(before === after && { note: 'all indexes already exist' }),
      ...(context.transaction === undefined && { commitQuorum: 'votingMembers' }),
      writeConcernError: context.writeConcern.error,
    });
  },
};

interface Built {
  readonly createdCollection: boolean;
  readonly before: number;
  readonly after: number;
}

/** In several batches, so that a large collection keeps nobody waiting. */
async function buildOutside(
  context: CommandContext,
  name: string,
  specs: readonly Document[],
): Promise<Built> {
  const { store, catalog, oplog } = context.services;
  let createdCollection = false;
  let collection: Collection | undefined;
  const find = (batch: WriteBatch): Collection => {
    createdCollection = false;
    collection = findWritable(context, batch, name);
    if (collection !== undefined) return collection;
    createdCollection = true;
    const created = catalog.create(batch, context.database, name);
    collection = created;
    logCreate(
      {
        batch,
        log: (operation) => oplog.append(batch, [operation]),
        retried: () => undefined,
        record: () => undefined,
      },
      created,
    );
    return created;
  };
  const { before, after } = await buildIndexes(store, catalog, find, specs, {
    onReady: (batch, created) => {
      if (created.length === 0 || collection === undefined) return;
      oplog.append(batch, [logEntry(collection, created)]);
    },
  });
  // the build's own batches may not have been flushed
  if (context.writeConcern.durable) await store.write(() => undefined, { durable: true });
  return { createdCollection, before, after };
}

function buildInside(
  context: CommandContext,
  name: string,
  specs: readonly Document[],
): Promise<Built> {
  return runWrite(context, (target) => {
    const isNew = findWritable(context, target.batch, name) === undefined;
    const collection = ensureWritable(context, target, name);
    const { catalog } = context.services;
    const isEmpty = target.batch.counters(collection.id).count === 0;
    if (!isNew && !isEmpty && catalog.newIndexSpecs(collection, specs).length > 0) {
      throw new MongoCommandError(
        'OperationNotSupportedInTransaction',
        'Cannot create new indexes on existing collection in a multi-document transaction.',
      );
    }
    const { before, after, created } = createInBatch(target.batch, catalog, collection, specs);
    if (created.length > 0) target.log(logEntry(collection, created));
    return { createdCollection: isNew, before, after };
  });
}

function logEntry(collection: Collection, created: readonly Index[]) {
  return {
    op: 'c' as const,
    ns: `${collection.database}.$cmd`,
    uuid: collection.uuid,
    command: toDocument({
      createIndexes: collection.name,
      indexes: created.map(({ spec }) => spec.document),
    }),
  };
}

/** @throws what a set of one member cannot wait for (manual, "Index Builds on Populated Collections") */
function checkCommitQuorum(quorum: Value | undefined): void {
  const members = toNumber(quorum);
  if (members !== undefined && members > 1) {
    throw new MongoCommandError(
      'UnsatisfiableCommitQuorum',
      'Not enough data-bearing voting nodes to satisfy the commit quorum',
    );
  }
  if (typeof quorum === 'string' && quorum !== 'majority' && quorum !== 'votingMembers') {
    throw new MongoCommandError(
      'UnknownReplWriteConcern',
      `No write concern mode named '${quorum}' found in replica set configuration`,
    );
  }
}

/** @throws BadValue, FailedToParse for what is no index specification */
function readSpecs(context: CommandContext): Document[] {
  const indexes = context.args.get('indexes');
  if (!Array.isArray(indexes)) {
    throw new MongoCommandError(
      'Location40414',
      "BSON field 'createIndexes.indexes' is missing but a required field",
    );
  }
  if (indexes.length === 0)
    throw new MongoCommandError('BadValue', 'Must specify at least one index to create');
  return indexes.map((spec, index) => {
    if (!isDocument(spec)) {
      throw new MongoCommandError(
        'TypeMismatch',
        `BSON field 'createIndexes.indexes.${index}' is the wrong type, expected type 'object'`,
      );
    }
    const known = isTrue(context.args.get('ignoreUnknownIndexOptions'))
      ? withoutUnknownOptions(spec)
      : spec;
    return withFullCollation(known);
  });
}

/** A collation is kept with all its options, as MongoDB shows it. */
function withFullCollation(spec: Document): Document {
  const given: Value | undefined = spec.get('collation');
  const collation = isDocument(given) ? parseCollation(given) : undefined;
  if (collation === undefined) return spec;
  return new Map(spec).set('collation', collation.spec);
}
