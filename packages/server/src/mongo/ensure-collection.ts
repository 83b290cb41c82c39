import { collectionOf, databaseOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { Namespace } from './operation-options.ts';

const NAMESPACE_EXISTS = 48;

/** Makes a collection where there is none; several nodes may try at once. */
export async function ensureCollection(mongo: MongoAccess, namespace: Namespace): Promise<void> {
  await mapped(async () => {
    // asked first: a user of the database who may not create collections need not
    const known = await databaseOf(mongo.client, namespace.database)
      .listCollections({ name: collectionOf(mongo.client, namespace).collectionName })
      .toArray();
    if (known.length > 0) return;
    try {
      await databaseOf(mongo.client, namespace.database).createCollection(namespace.collection);
    } catch (error) {
      if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw error;
    }
  });
}
