/** Databases and their properties (rest-resources.md §1). */
import type { BsonDocument } from '../model/bson.ts';
import { decodeDocument } from '../model/raw-bson.ts';
import { type DeleteResult, deleteConditionally } from './delete-one.ts';
import type { EtagCondition } from './etag-condition.ts';
import type { ResourceMetadata } from './metadata-cache.ts';
import { collectionOf, databaseOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { ConsistencyOptions, Namespace } from './operation-options.ts';
import { type Change, type WriteResult, writeConditionally } from './write.ts';

/** The collection that keeps the properties of a database and its collections; never listed. */
export const PROPERTIES = '_properties';

/** `_quorate` holds the keys that sign tokens (key-store.ts). */
const RESERVED_DATABASES = new Set(['admin', 'config', 'local', '_quorate']);

/** Whether a database is hidden and refused (rest-documents.md §1.3). */
export function isReservedDatabase(name: string): boolean {
  return name === '' || RESERVED_DATABASES.has(name.toLowerCase()) || name.startsWith('system.');
}

/** The names of the visible databases, ascending. */
export async function listDatabaseNames(mongo: MongoAccess): Promise<string[]> {
  const { databases } = await mapped(() =>
    mongo.client.db('admin').admin().listDatabases({ nameOnly: true }),
  );
  return databases
    .map((database) => database.name)
    .filter((name) => !isReservedDatabase(name))
    .sort(compareNames);
}

/** Existence and properties of a database; from the cache unless `fresh`. */
export function loadDatabase(
  mongo: MongoAccess,
  database: string,
  options: { readonly fresh?: boolean | undefined } = {},
): Promise<ResourceMetadata> {
  if (options.fresh === true) mongo.metadata.invalidate(database);
  return mongo.metadata.load(database, undefined, async () => {
    const properties = await readProperties(mongo, database, PROPERTIES);
    if (properties !== undefined) return { exists: true, properties };
    const names = await mapped(() =>
      databaseOf(mongo.client, database)
        .listCollections({}, { nameOnly: true, batchSize: 1 })
        .hasNext(),
    );
    return { exists: names, properties: undefined };
  });
}

/**
 * The `_properties` document with the given id. While there is no primary a secondary tells, so that reads go on; that
 * there is no such document is for the primary alone to say.
 */
export async function readProperties(
  mongo: MongoAccess,
  database: string,
  id: string,
): Promise<BsonDocument | undefined> {
  const properties = collectionOf(mongo.client, propertiesOf(database));
  const read = (readPreference: 'primary' | 'primaryPreferred') =>
    mapped(() => properties.findOne({ _id: id } as never, { raw: true, readPreference }));
  const found = (await read('primaryPreferred')) ?? (await read('primary'));
  return found === null ? undefined : decodeDocument(found as unknown as Uint8Array);
}

/** The namespace of a database's properties. */
export function propertiesOf(database: string): Namespace {
  return { database, collection: PROPERTIES };
}

/**
 * Replaces (`replace`) or changes the properties of a database, making it exist. `created` tells
 * that there was no properties document before, not that the database is new.
 */
export async function writeDatabaseProperties(
  mongo: MongoAccess,
  database: string,
  request: { readonly change: Change; readonly etag?: EtagCondition | undefined },
  options: ConsistencyOptions = {},
): Promise<WriteResult> {
  try {
    return await writeConditionally(
      mongo,
      propertiesOf(database),
      { id: PROPERTIES, mode: 'upsert', ...request },
      options,
    );
  } finally {
    mongo.metadata.invalidate(database);
  }
}

/**
 * Drops a database. The ETag is checked by deleting the properties under it first; a database
 * without properties has none to check.
 */
export async function dropDatabase(
  mongo: MongoAccess,
  database: string,
  etag: EtagCondition,
): Promise<DeleteResult> {
  try {
    const result = await deletePropertiesChecked(mongo, database, PROPERTIES, etag);
    if (result.outcome !== 'deleted') return result;
    await mapped(() => databaseOf(mongo.client, database).dropDatabase());
    return result;
  } finally {
    mongo.metadata.invalidate(database);
  }
}

/** Deletes a properties document under its ETag; one that is missing or has no ETag passes. */
export async function deletePropertiesChecked(
  mongo: MongoAccess,
  database: string,
  id: string,
  etag: EtagCondition,
): Promise<DeleteResult> {
  const result = await deleteConditionally(mongo, propertiesOf(database), { id, etag }, {});
  if (result.outcome === 'notFound') return { outcome: 'deleted' };
  const refused = result.outcome === 'etagMissing' || result.outcome === 'etagMismatch';
  if (refused && result.storedEtag === undefined) {
    await deleteConditionally(mongo, propertiesOf(database), { id }, {});
    return { outcome: 'deleted' };
  }
  return result;
}

/** Order of names as the database's binary comparison gives it. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
