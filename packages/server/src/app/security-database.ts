import type { ChangeFeed } from '../mongo/change-feed.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';

/** The database side; undefined in standalone mode. */
export interface SecurityDatabase {
  readonly mongo: MongoAccess;
  readonly feed: ChangeFeed;
}
