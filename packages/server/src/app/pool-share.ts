/** How many connections this node may open: its share of what all nodes together may (setting `pool-budget`). */

import { judgeNodes } from '../cluster/judge-nodes.ts';
import { DEAD_AFTER_HEARTBEATS } from '../cluster/membership.ts';
import type { Settings } from '../config/schema.ts';
import { createMongoAccess } from '../mongo/client.ts';
import { MongoNodeStore } from '../mongo/node-registry.ts';
import type { Log } from '../observe/log.ts';

/** The driver's own limit: a larger share is of no use to one process. */
const MOST = 100;
/** Sessions that clients name themselves have connections of their own. */
const SESSION_PART = 4;
const LOOK_MS = 2000;

/** Connections to each member. */
export interface PoolShare {
  readonly maxPoolSize: number;
  /** Those of sessions that clients name. */
  readonly maxSessionPoolSize: number;
}

/**
 * The driver fixes the size of a pool when it is made, so the nodes that are there at the start count, this one included, but
 * at least `pool-nodes`. A database that is away leaves the share of `pool-nodes` alone.
 *
 * @returns undefined without a budget
 */
export async function readPoolShare(
  { cluster }: Settings,
  connectionString: string,
  log: Log,
): Promise<PoolShare | undefined> {
  const budget = cluster['pool-budget'];
  if (!cluster.enabled || budget === 0) return undefined;
  const others = await countNodes(connectionString, cluster['heartbeat-interval']).catch(
    (error: unknown) => {
      log.debug('The nodes could not be counted', { err: error });
      return 0;
    },
  );
  const nodes = Math.max(others + 1, cluster['pool-nodes']);
  const share = sharePool(budget, nodes);
  log.info(`Up to ${share.maxPoolSize + share.maxSessionPoolSize} connections to each member`, {
    budget,
    nodes,
  });
  return share;
}

/** Both pools get at least one connection: a node without could do nothing. */
export function sharePool(budget: number, nodes: number): PoolShare {
  const share = Math.min(MOST, Math.floor(budget / nodes));
  const maxSessionPoolSize = Math.max(1, Math.floor(share / SESSION_PART));
  return { maxPoolSize: Math.max(1, share - maxSessionPoolSize), maxSessionPoolSize };
}

async function countNodes(connectionString: string, heartbeatMs: number): Promise<number> {
  const mongo = createMongoAccess({
    connectionString,
    maxPoolSize: 1,
    serverSelectionTimeoutMs: LOOK_MS,
  });
  try {
    const store = new MongoNodeStore(mongo);
    const [clock, nodes] = await Promise.all([store.readClock(), store.list()]);
    const deadAfterMs = DEAD_AFTER_HEARTBEATS * heartbeatMs;
    return judgeNodes(nodes, clock.databaseMs, { deadAfterMs, totalBudget: 0 }).nodes.length;
  } finally {
    await mongo.close();
  }
}
