/** What a rehearsed set is started with, and what a test can order of it. */
import type { MemberRole } from './member-runner.ts';

/** How many members there are, where, and how fast they are. */
export interface ReplicaSetOptions {
  /** Default 3. */
  readonly members?: number;
  /** Where the members' folders are; default is a temporary folder that `close` removes. */
  readonly dataPath?: string;
  /** Default: free ones. */
  readonly ports?: readonly number[];
  /** Addresses to listen on, one a member; default is the loopback. */
  readonly hosts?: readonly string[];
  /** Where clients are sent to, `host:port` of each member: proxies, for instance. */
  readonly advertised?: readonly string[];
  /** Default `rehearsal`. */
  readonly setName?: string;
  /** How long members do without a primary before they elect one; MongoDB's is 10 s, here 500 ms. */
  readonly electionTimeoutMs?: number;
  /** How long a set is without a primary after a step-down; default 100 ms. */
  readonly electionMs?: number;
}

/** A member as tests see it; methods take it or its number. */
export interface ReplicaSetMember {
  readonly index: number;
  readonly port: number;
  readonly address: string;
  /** For connections to this member alone. */
  readonly uri: string;
  readonly role: MemberRole;
  readonly isolated: boolean;
  /** How often it had to take back writes. */
  readonly rollbacks: number;
}

/** A member, or its number. */
export type MemberOrNumber = ReplicaSetMember | number;

/** The set as a test sees it. */
export interface ReplicaSet {
  readonly uri: string;
  readonly members: readonly ReplicaSetMember[];
  /** The primary most lately elected, unless it has gone. */
  primary(): ReplicaSetMember | undefined;
  /** Waits until there is one. */
  waitForPrimary(timeoutMs?: number): Promise<ReplicaSetMember>;
  /** The primary hands over to the member that has come furthest, which catches up first. */
  stepDown(member?: MemberOrNumber): Promise<void>;
  /**
   * Makes a member primary. It catches up only as far as it needs to win the votes of a majority:
   * what none but the old primary has is rolled back there.
   */
  elect(member: MemberOrNumber): Promise<void>;
  /** The member's process ends: sockets drop, connections are refused. */
  kill(member: MemberOrNumber): Promise<void>;
  restart(member: MemberOrNumber): Promise<void>;
  /** Drops all client connections of a member, or of all. */
  cutSockets(member?: MemberOrNumber): void;
  /** Secondary `member` applies what it copies only after `lagMs`. */
  setReplicationLag(member: MemberOrNumber, lagMs: number): void;
  /** Every command to `member` waits first. */
  setLatency(member: MemberOrNumber, latencyMs: number): void;
  /** Cuts a member off from the others; clients still reach it. */
  isolate(member: MemberOrNumber): void;
  heal(member?: MemberOrNumber): void;
  /** Waits until all members that are up and connected hold the same. */
  settle(timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}
