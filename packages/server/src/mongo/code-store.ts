/** Authorization codes that were exchanged, on any node: a code is good once (RFC 6749 §4.1.2). */
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'codes' };

/** True the first time it is asked of a code. */
export async function redeemCode(mongo: MongoAccess, codeId: string): Promise<boolean> {
  const collection = collectionOf(mongo.client, NAMESPACE);
  return mapped(async () => {
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 600 });
    try {
      await collection.insertOne({ _id: codeId as never, at: new Date() } as never, {
        writeConcern: { w: 'majority' },
      });
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code === 11000) return false;
      throw error;
    }
  });
}
