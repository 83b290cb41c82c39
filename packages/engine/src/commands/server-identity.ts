import { ObjectId } from '../bson/value.ts';

/** MongoDB's version whose behaviour the engine announces and follows. */
export const SERVER_VERSION = '8.0.12';
export const FEATURE_COMPATIBILITY_VERSION = '8.0';
export const SERVER_VERSION_ARRAY: readonly number[] = [8, 0, 12, 0];
/** The wire version of MongoDB 8.0. */
export const MAX_WIRE_VERSION = 25;
export const MIN_WIRE_VERSION = 0;
export const MAX_BSON_OBJECT_BYTES = 16 * 1024 * 1024;
export const MAX_WRITE_BATCH_SIZE = 100_000;
export const GIT_VERSION = 'quorate-engine';

/** One member of the set, as the commands about the set show it. */
export interface MemberPicture {
  readonly address: string;
  readonly state: 'PRIMARY' | 'SECONDARY' | 'DOWN';
  readonly position: bigint;
}

/** What a member of a set of several knows of the set. */
export interface SetPicture {
  readonly members: readonly MemberPicture[];
  readonly self: number;
  /** The address of the primary, as far as this member knows one. */
  readonly primary: string | undefined;
  readonly term: number;
  readonly majorityPosition: bigint;
}

/** How this engine presents itself to drivers: by default the only member of a replica set. */
export class ServerIdentity {
  readonly setName: string;
  readonly startedAtMs: number;
  readonly processId: ObjectId;
  /** `host:port` as drivers shall connect; known once the socket listens. */
  address: string;
  /** Grows with each change that monitors must hear of. */
  topologyCounter = 0n;
  readonly testCommands: boolean;
  /** Set for a member of a set of several; without it this is the only one, and primary. */
  picture: (() => SetPicture) | undefined;
  #topologyListeners = new Set<() => void>();

  constructor(fields: { setName: string; address: string; testCommands: boolean }) {
    this.setName = fields.setName;
    this.address = fields.address;
    this.testCommands = fields.testCommands;
    this.startedAtMs = Date.now();
    this.processId = new ObjectId();
  }

  /** The number of the election that made the present primary, in the form MongoDB gives it. */
  get electionId(): ObjectId {
    const term = this.picture?.().term ?? 1;
    return ObjectId.createFromHexString(`7fffffff${term.toString(16).padStart(16, '0')}`);
  }

  /** Calls `listener` at the next change of topology; the answer ends the subscription. */
  onTopologyChange(listener: () => void): () => void {
    this.#topologyListeners.add(listener);
    return () => this.#topologyListeners.delete(listener);
  }

  announceTopologyChange(): void {
    this.topologyCounter += 1n;
    for (const listener of [...this.#topologyListeners]) listener();
  }
}
