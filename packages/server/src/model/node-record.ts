/** What a node tells of itself in the registry (cluster.md E10). */

/** Where a node is in its life. */
export type NodeState = 'starting' | 'ready' | 'unready' | 'draining';

/** One entry of the registry. */
export interface NodeRecord {
  /** Random, new with each start: nothing depends on addresses or host names. */
  readonly id: string;
  /** `core.name`. */
  readonly name: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  /** Of the settings that must be equal on all nodes (cluster.md D7). */
  readonly configurationHash: string;
  /** The key that signs now; no secret. */
  readonly keyId: string;
  readonly state: NodeState;
  readonly startedAtMs: number;
  /** Connections in use, and how many there may be. */
  readonly poolInUse: number;
  readonly poolSize: number;
  /** 99th percentile since the last heartbeat, milliseconds. */
  readonly eventLoopDelayMs: number;
  /** This node's clock minus the database's, milliseconds; half of the round trip is the error. */
  readonly clockSkewMs: number;
  readonly requestsInFlight: number;
}

/** An entry as read back, with the database's time of its last heartbeat. */
export interface SeenNode extends NodeRecord {
  readonly seenAtMs: number;
}

/** The registry; implemented in `mongo/`. */
export interface NodeStore {
  /** The database's clock and this one's at the same moment. */
  readClock(): Promise<{ readonly databaseMs: number; readonly ownMs: number }>;
  save(record: NodeRecord): Promise<void>;
  remove(id: string): Promise<void>;
  list(): Promise<readonly SeenNode[]>;
}
