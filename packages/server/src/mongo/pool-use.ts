import type { MongoAccess } from './mongo-access.ts';

/** How many connections to the database are in use just now. */
export interface PoolUse {
  readonly inUse: number;
  /** Per member of the deployment (driver option `maxPoolSize`), those of clients' own sessions included where they differ. */
  readonly size: number;
}

/** Counts what the driver's pools give out and get back (specification "Connection Monitoring and Pooling"). */
export function watchPoolUse({ client }: MongoAccess, sessionPoolSize = 0): () => PoolUse {
  let inUse = 0;
  client.on('connectionCheckedOut', () => {
    inUse += 1;
  });
  client.on('connectionCheckedIn', () => {
    inUse -= 1;
  });
  return () => ({ inUse, size: client.options.maxPoolSize + sessionPoolSize });
}
