/** Collections, buckets and schema stores, and their properties (rest-resources.md §2). */

import {
  compareNames,
  deletePropertiesChecked,
  PROPERTIES,
  propertiesOf,
  readProperties,
} from './databases.ts';
import type { DeleteResult } from './delete-one.ts';
import type { EtagCondition } from './etag-condition.ts';
import { mongoCodeOf } from './map-error.ts';
import type { ResourceMetadata } from './metadata-cache.ts';
import { databaseOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { ConsistencyOptions, Namespace } from './operation-options.ts';
import { runOperation } from './sessions.ts';
import { shareRead } from './shared-reads.ts';
import { type Change, type WriteResult, writeConditionally } from './write.ts';

const NAMESPACE_EXISTS = 48;

/** Whether a collection is hidden and refused (rest-documents.md §1.3). */
export function isReservedCollection(name: string): boolean {
  return (
    name === '' || name.startsWith('system.') || name.endsWith('.chunks') || name === PROPERTIES
  );
}

/** The names of the visible collections of a database, ascending. */
export function listCollectionNames(
  mongo: MongoAccess,
  database: string,
): Promise<readonly string[]> {
  const key = { command: 'listCollections', namespace: { database, collection: '' } };
  return shareRead(mongo, key, {}, async () => {
    const collections = await mapped(() =>
      databaseOf(mongo.client, database).listCollections({}, { nameOnly: true }).toArray(),
    );
    return collections
      .map((collection) => collection.name)
      .filter((name) => !isReservedCollection(name))
      .sort(compareNames);
  });
}

/** Existence and properties of a collection; from the cache unless `fresh`. */
export function loadCollection(
  mongo: MongoAccess,
  namespace: Namespace,
  options: { readonly fresh?: boolean | undefined } = {},
): Promise<ResourceMetadata> {
  const { database, collection } = namespace;
  if (options.fresh === true) mongo.metadata.invalidate(database, collection);
  return mongo.metadata.load(database, collection, async () => {
    const properties = await readProperties(mongo, database, propertiesIdOf(collection));
    if (properties !== undefined) return { exists: true, properties };
    return { exists: await isListed(mongo, namespace), properties: undefined };
  });
}

function isListed(mongo: MongoAccess, { database, collection }: Namespace): Promise<boolean> {
  return mapped(() =>
    databaseOf(mongo.client, database)
      .listCollections({ name: collection }, { nameOnly: true })
      .hasNext(),
  );
}

/** The id of a collection's properties document. */
export function propertiesIdOf(collection: string): string {
  return `${PROPERTIES}.${collection}`;
}

/**
 * Creates the collection if it is not there. False when the database says that it was; newer ones
 * answer a repeated `create` as a success, so true does not prove that this call made it.
 */
export async function createCollection(
  mongo: MongoAccess,
  { database, collection }: Namespace,
  options: ConsistencyOptions = {},
): Promise<boolean> {
  try {
    await runOperation(mongo, options, (client, session) =>
      databaseOf(client, database).createCollection(collection, session ? { session } : {}),
    );
    return true;
  } catch (error) {
    if (mongoCodeOf(error) === NAMESPACE_EXISTS) return false;
    throw error;
  } finally {
    mongo.metadata.invalidate(database, collection);
  }
}

/** Replaces or changes the properties of a collection; see `writeDatabaseProperties`. */
export async function writeCollectionProperties(
  mongo: MongoAccess,
  { database, collection }: Namespace,
  request: { readonly change: Change; readonly etag?: EtagCondition | undefined },
  options: ConsistencyOptions = {},
): Promise<WriteResult> {
  try {
    return await writeConditionally(
      mongo,
      propertiesOf(database),
      { id: propertiesIdOf(collection), mode: 'upsert', ...request },
      options,
    );
  } finally {
    mongo.metadata.invalidate(database, collection);
  }
}

/** Drops a collection and its properties, under the ETag of the properties if they have one. */
export async function dropCollection(
  mongo: MongoAccess,
  namespace: Namespace,
  etag: EtagCondition,
): Promise<DeleteResult> {
  const { database, collection } = namespace;
  try {
    const id = propertiesIdOf(collection);
    const result = await deletePropertiesChecked(mongo, database, id, etag);
    if (result.outcome !== 'deleted') return result;
    await dropQuietly(mongo, namespace);
    return result;
  } finally {
    mongo.metadata.invalidate(database, collection);
  }
}

/** Drops a collection without looking at properties, such as the chunks of a bucket. */
export async function dropQuietly(mongo: MongoAccess, namespace: Namespace): Promise<void> {
  const { database, collection } = namespace;
  await mapped(() => databaseOf(mongo.client, database).dropCollection(collection));
}
