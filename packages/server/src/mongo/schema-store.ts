/** The schema stores of databases (rest-resources.md §4). */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { decodeDocument } from '../model/raw-bson.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

/** The collection of a database's schemas. */
export const SCHEMA_STORE = '_schemas';

/**
 * A stored schema, for the server's own use: whoever may write to a collection is checked by its schema, whether or
 * not they may read the store.
 */
export async function findSchema(
  mongo: MongoAccess,
  database: string,
  id: BsonValue,
): Promise<BsonDocument | undefined> {
  const store = collectionOf(mongo.client, { database, collection: SCHEMA_STORE });
  const found = await mapped(() => store.findOne({ _id: id } as never, { raw: true }));
  return found === null ? undefined : decodeDocument(found as unknown as Uint8Array);
}
