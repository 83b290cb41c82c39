/** Indexes of a collection (rest-resources.md §3). */
import type { BsonDocument } from '../model/bson.ts';
import { decodeDocument, toBuffer } from '../model/raw-bson.ts';
import { collectionOf, databaseOf, type MongoAccess } from './mongo-access.ts';
import type { ConsistencyOptions, Namespace } from './operation-options.ts';
import { toPlainFields } from './read-options.ts';
import { runOperation } from './sessions.ts';
import { shareRead } from './shared-reads.ts';

/** The index descriptions as the database gives them, `name` included. */
export async function listIndexes(
  mongo: MongoAccess,
  namespace: Namespace,
  options: ConsistencyOptions = {},
): Promise<readonly BsonDocument[]> {
  return shareRead(mongo, { command: 'listIndexes', namespace }, options, async () => {
    const indexes = await runOperation(mongo, options, (client, session) =>
      databaseOf(client, namespace.database)
        .runCursorCommand({ listIndexes: namespace.collection }, {
          raw: true,
          ...(session ? { session } : {}),
        } as never)
        .toArray(),
    );
    return indexes.map((index) => decodeDocument(toBuffer(index as unknown as Uint8Array)));
  });
}

/**
 * Creates an index; the identical one may exist already.
 *
 * @param index - `key` and the options, in the words of MongoDB's createIndexes; `name` is added
 */
export async function createIndex(
  mongo: MongoAccess,
  namespace: Namespace,
  name: string,
  index: BsonDocument,
  options: ConsistencyOptions = {},
): Promise<void> {
  const description = { ...toPlainFields(index), name };
  await runOperation(mongo, options, (client) =>
    databaseOf(client, namespace.database).command({
      createIndexes: namespace.collection,
      indexes: [description],
    }),
  );
}

/** Drops an index by its name. */
export async function dropIndex(
  mongo: MongoAccess,
  namespace: Namespace,
  name: string,
  options: ConsistencyOptions = {},
): Promise<void> {
  await runOperation(mongo, options, (client) => collectionOf(client, namespace).dropIndex(name));
}
