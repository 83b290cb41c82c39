import type { Position } from '../oplog/oplog-entry.ts';
import type { StoreChange } from '../storage/store.ts';

/** What one commit of a primary changed: the unit that members copy and take back. */
export interface ChangeGroup {
  readonly changes: readonly StoreChange[];
  /** The election that made the primary which wrote it. */
  readonly term: number;
  readonly writtenAtMs: number;
  /** The last place of the oplog that the group wrote. */
  readonly position: Position | undefined;
}

/**
 * The changes a member has, in order. Groups are shared between members: two histories agree up to a
 * place where both hold the same object. Groups that all members hold for good are dropped from the
 * beginning.
 */
export class History {
  #base = 0;
  #groups: ChangeGroup[] = [];

  /** The number of groups since the beginning, dropped ones included. */
  get length(): number {
    return this.#base + this.#groups.length;
  }

  get lastTerm(): number {
    return this.#groups.at(-1)?.term ?? 0;
  }

  at(index: number): ChangeGroup | undefined {
    return this.#groups[index - this.#base];
  }

  append(group: ChangeGroup): void {
    this.#groups.push(group);
  }

  /** Takes the groups from `length` on away and answers them. */
  truncate(length: number): ChangeGroup[] {
    return this.#groups.splice(length - this.#base);
  }

  /** Forgets the groups before `index`. */
  dropBefore(index: number): void {
    if (index <= this.#base) return;
    this.#groups.splice(0, index - this.#base);
    this.#base = index;
  }

  /** Up to where both histories are the same. */
  commonLength(other: History): number {
    let length = Math.min(this.length, other.length);
    // what one of them has dropped, both hold
    const floor = Math.max(this.#base, other.#base);
    while (length > floor && this.at(length - 1) !== other.at(length - 1)) length -= 1;
    return length;
  }

  /** Raft's rule for votes: the later term wins, then the longer history. */
  isBehind(other: History): boolean {
    if (this.lastTerm !== other.lastTerm) return this.lastTerm < other.lastTerm;
    return this.length < other.length;
  }
}
