import type { Member } from './member.ts';

/** Groups that all members hold for good are kept until there are this many. */
const KEPT_GROUPS = 10_000;

/** What replication has to know of the set. */
export interface ReplicationParts {
  readonly members: readonly Member[];
  readonly majority: number;
  readonly leader: () => Member | undefined;
  readonly isConnected: (a: Member, b: Member) => boolean;
}

/** Lets the members of a rehearsed set follow their leader, and tells what a majority holds. */
export class Replication {
  readonly #parts: ReplicationParts;
  readonly #following = new Set<Member>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stableLength = 0;
  #trimmed = 0;
  #isClosed = false;

  constructor(parts: ReplicationParts) {
    this.#parts = parts;
  }

  /** The leader's history has grown, or the leader is another. */
  advance(): void {
    this.#advanceStable();
    for (const member of this.#parts.members) member.checkWaiters();
    this.#follow();
  }

  /** How many members hold the first `length` groups of a member's history. */
  holdersOf(member: Member, length: number): number {
    const { members } = this.#parts;
    return members.filter((one) => one.history.commonLength(member.history) >= length).length;
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Raft: held by a majority, and the last of it written by this primary. */
  #advanceStable(): void {
    const { members, majority, isConnected } = this.#parts;
    const leader = this.#parts.leader();
    if (leader === undefined) return;
    const lengths = members.map((one) => one.history.commonLength(leader.history));
    const held = [...lengths].sort((a, b) => b - a)[majority - 1] ?? 0;
    if (held > this.#stableLength && held >= leader.termStart) this.#stableLength = held;
    for (const [index, member] of members.entries()) {
      if (!isConnected(member, leader)) continue;
      member.raiseStable(Math.min(this.#stableLength, lengths[index] ?? 0));
    }
    this.#trim();
  }

  #trim(): void {
    const { members } = this.#parts;
    const held = Math.min(...members.map(({ stableLength }) => stableLength));
    if (held - this.#trimmed < KEPT_GROUPS) return;
    this.#trimmed = held;
    for (const { history } of members) history.dropBefore(held);
  }

  #follow(): void {
    const leader = this.#parts.leader();
    if (leader === undefined || this.#isClosed) return;
    for (const member of this.#parts.members) {
      if (member === leader || this.#following.has(member)) continue;
      if (!this.#parts.isConnected(member, leader)) continue;
      const { history } = member;
      const isEven =
        history.length === leader.history.length &&
        history.at(history.length - 1) === leader.history.at(history.length - 1);
      if (isEven) continue;
      this.#following.add(member);
      member.follow(leader.history, { ignoreLag: false }).then(
        (dueAtMs) => this.#followed(member, dueAtMs),
        () => this.#following.delete(member),
      );
    }
  }

  #followed(member: Member, dueAtMs: number | undefined): void {
    this.#following.delete(member);
    if (dueAtMs === undefined || this.#isClosed) return;
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#follow();
      },
      Math.max(1, dueAtMs - Date.now()),
    );
    this.#timers.add(timer);
  }
}
