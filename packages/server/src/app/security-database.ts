import type { ChangeFeed } from '../mongo/change-feed.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import type { AccountWrite } from '../service/rest/account-writes.ts';

/** The database side; undefined in standalone mode. */
export interface SecurityDatabase {
  readonly mongo: MongoAccess;
  readonly feed: ChangeFeed;
  /** Told of every write to an account; absent where nobody tells. */
  readonly accountListeners?: Set<(write: AccountWrite) => void>;
}
