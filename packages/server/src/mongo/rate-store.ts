/** Requests that clients sent to any node, one document for each client and window. */
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'rates' };
/** A count is worth no more waiting: the node counts alone until the database answers again. */
const PATIENCE_MS = 500;

interface RateDocument {
  readonly taken: number;
}

/** Shares of windows, taken by one update each. */
export class RateStore {
  private readonly mongo: MongoAccess;
  private indexed: Promise<unknown> | undefined;

  constructor(mongo: MongoAccess) {
    this.mongo = mongo;
  }

  /** @throws ERR_DATABASE_* when the database does not answer at once */
  async take(
    key: string,
    share: { readonly wanted: number; readonly quota: number; readonly endsAtMs: number },
  ): Promise<{ readonly granted: number; readonly taken: number }> {
    const { wanted, quota, endsAtMs } = share;
    const collection = collectionOf(this.mongo.client, NAMESPACE);
    const document = await mapped(async () => {
      this.indexed ??= collection.createIndex({ at: 1 }, { expireAfterSeconds: 1 });
      await this.indexed.catch((error: unknown) => {
        this.indexed = undefined;
        throw error;
      });
      return (await collection.findOneAndUpdate(
        { _id: `${endsAtMs} ${key}` as never },
        { $inc: { taken: wanted }, $setOnInsert: { at: new Date(endsAtMs) } } as never,
        { upsert: true, returnDocument: 'after', timeoutMS: PATIENCE_MS },
      )) as unknown as RateDocument | null;
    });
    const taken = document?.taken ?? wanted;
    const granted = Math.min(wanted, Math.max(0, quota - (taken - wanted)));
    return { granted, taken };
  }
}
