/** The nodes that share this database: one document each, with a heartbeat (cluster.md E10). */
import type { NodeRecord, NodeStore, SeenNode } from '../model/node-record.ts';
import { QUORATE_DATABASE } from './key-store.ts';
import { collectionOf, databaseOf, type MongoAccess, mapped } from './mongo-access.ts';

const NAMESPACE = { database: QUORATE_DATABASE, collection: 'nodes' };
// a node that was killed is forgotten by the database itself
const FORGET_AFTER_SECONDS = 60;

/** The registry on MongoDB. */
export class MongoNodeStore implements NodeStore {
  private readonly mongo: MongoAccess;
  private hasIndex = false;

  constructor(mongo: MongoAccess) {
    this.mongo = mongo;
  }

  async readClock(): Promise<{ readonly databaseMs: number; readonly ownMs: number }> {
    const before = Date.now();
    const hello = await mapped(() =>
      databaseOf(this.mongo.client, 'admin').command({ hello: 1 }, { readPreference: 'primary' }),
    );
    const ownMs = (before + Date.now()) / 2;
    const localTime: unknown = hello['localTime'];
    return { databaseMs: localTime instanceof Date ? localTime.getTime() : ownMs, ownMs };
  }

  async save({ id, startedAtMs, ...rest }: NodeRecord): Promise<void> {
    await mapped(async () => {
      await this.ensureIndex();
      await this.collection().updateOne(
        { _id: id as never },
        { $set: { ...rest, startedAt: new Date(startedAtMs) }, $currentDate: { seenAt: true } },
        // a lost heartbeat is made good by the next one
        { upsert: true, writeConcern: { w: 1 } },
      );
    });
  }

  async remove(id: string): Promise<void> {
    await mapped(() =>
      this.collection().deleteOne({ _id: id as never }, { writeConcern: { w: 1 } }),
    );
  }

  async list(): Promise<readonly SeenNode[]> {
    const found = await mapped(() => this.collection().find().toArray());
    return found.map((document) => {
      const { _id, seenAt, startedAt, ...rest } = document as Record<string, unknown>;
      return {
        ...(rest as Omit<SeenNode, 'id' | 'seenAtMs' | 'startedAtMs'>),
        id: String(_id),
        seenAtMs: seenAt instanceof Date ? seenAt.getTime() : 0,
        startedAtMs: startedAt instanceof Date ? startedAt.getTime() : 0,
      };
    });
  }

  private async ensureIndex(): Promise<void> {
    if (this.hasIndex) return;
    await this.collection().createIndex(
      { seenAt: 1 },
      { expireAfterSeconds: FORGET_AFTER_SECONDS },
    );
    this.hasIndex = true;
  }

  private collection() {
    return collectionOf(this.mongo.client, NAMESPACE);
  }
}
