/** A replica set to rehearse failures with: several members on several ports in one process. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandDefinition } from '../commands/command.ts';
import type { SetPicture } from '../commands/server-identity.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { Oplog } from '../oplog/oplog.ts';
import type { Position } from '../oplog/oplog-entry.ts';
import { openLmdbStore } from '../storage/lmdb-store.ts';
import { Member, type MemberSurroundings } from './member.ts';
import type { MemberRole } from './member-runner.ts';
import { Replication } from './replication.ts';
import { createSetCommands } from './set-commands.ts';
import type { MemberOrNumber, ReplicaSet, ReplicaSetOptions } from './set-contract.ts';

const DEFAULT_MEMBERS = 3;
const DEFAULT_SET_NAME = 'rehearsal';
const DEFAULT_ELECTION_TIMEOUT_MS = 500;
const DEFAULT_ELECTION_MS = 100;
const DEFAULT_WAIT_MS = 10_000;

/** Starts the members and elects the first. For tests: the members share a process and its fate. */
export async function startReplicaSet(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
  const temporary = options.dataPath === undefined;
  const dataPath = options.dataPath ?? mkdtempSync(join(tmpdir(), 'quorate-set-'));
  const set = new RehearsedSet(dataPath, temporary, options);
  await set.start();
  return set;
}

class RehearsedSet implements ReplicaSet, MemberSurroundings {
  readonly members: readonly Member[];
  readonly #dataPath: string;
  readonly #isTemporary: boolean;
  readonly #setName: string;
  readonly #electionTimeoutMs: number;
  readonly #electionMs: number;
  readonly #replication: Replication;
  readonly #timers = new Set<NodeJS.Timeout>();
  #leader: Member | undefined;
  #term = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(dataPath: string, isTemporary: boolean, options: ReplicaSetOptions) {
    this.#dataPath = dataPath;
    this.#isTemporary = isTemporary;
    this.#setName = options.setName ?? DEFAULT_SET_NAME;
    this.#electionTimeoutMs = options.electionTimeoutMs ?? DEFAULT_ELECTION_TIMEOUT_MS;
    this.#electionMs = options.electionMs ?? DEFAULT_ELECTION_MS;
    const count = options.ports?.length ?? options.members ?? DEFAULT_MEMBERS;
    this.members = Array.from(
      { length: count },
      (_, index) =>
        new Member({
          index,
          dataPath: this.#folderOf(index),
          port: options.ports?.[index] ?? 0,
          setName: this.#setName,
          host: options.hosts?.[index],
          advertised: options.advertised?.[index],
          surroundings: this,
        }),
    );
    this.#replication = new Replication({
      members: this.members,
      majority: this.#majority,
      leader: () => this.#leader,
      isConnected: (a, b) => this.#isConnected(a, b),
    });
  }

  async start(): Promise<void> {
    await prepareFolders(this.members.map(({ index }) => this.#folderOf(index)));
    for (const member of this.members) await member.start();
    await this.elect(0);
  }

  get uri(): string {
    const hosts = this.members.map(({ address }) => address).join(',');
    return `mongodb://${hosts}/?replicaSet=${this.#setName}`;
  }

  get size(): number {
    return this.members.length;
  }

  get #majority(): number {
    return Math.floor(this.size / 2) + 1;
  }

  #folderOf(index: number): string {
    return join(this.#dataPath, `member-${index}`);
  }

  primary(): Member | undefined {
    return this.#leader?.role === 'primary' ? this.#leader : undefined;
  }

  async waitForPrimary(timeoutMs = DEFAULT_WAIT_MS): Promise<Member> {
    await waitFor(() => this.primary() !== undefined, timeoutMs, 'a primary');
    return this.primary() as Member;
  }

  // ------------------------------------------------------------ what a test orders

  elect(target: MemberOrNumber): Promise<void> {
    return this.#inOrder(() => this.#elect(this.#find(target)));
  }

  stepDown(target?: MemberOrNumber): Promise<void> {
    return this.#inOrder(async () => {
      const member = target === undefined ? this.primary() : this.#find(target);
      if (member?.role !== 'primary') {
        throw new MongoCommandError('NotWritablePrimary', "not primary so can't step down");
      }
      const [heir] = this.#reachableFrom(member)
        .filter((one) => one !== member && one.frozenUntilMs <= Date.now())
        .sort((a, b) => (a.history.isBehind(b.history) ? 1 : -1));
      if (heir === undefined) {
        throw new MongoCommandError(
          'ExceededTimeLimit',
          'No electable secondaries caught up; cannot step down',
        );
      }
      await heir.follow(member.history, { ignoreLag: true });
      await member.becomeSecondary();
      this.#announce();
      await heir.follow(member.history, { ignoreLag: true });
      this.#later(this.#electionMs, () => this.#elect(heir));
    });
  }

  kill(target: MemberOrNumber): Promise<void> {
    return this.#inOrder(async () => {
      await this.#find(target).stop();
      this.#announce();
      this.#watch();
    });
  }

  restart(target: MemberOrNumber): Promise<void> {
    return this.#inOrder(async () => {
      const member = this.#find(target);
      if (member.role !== 'down') await member.stop();
      await member.start();
      this.#announce();
      this.advanced();
      this.#watch();
    });
  }

  cutSockets(target?: MemberOrNumber): void {
    const members = target === undefined ? this.members : [this.#find(target)];
    for (const member of members) member.cutSockets();
  }

  setReplicationLag(target: MemberOrNumber, lagMs: number): void {
    this.#find(target).lagMs = lagMs;
    this.#replication.advance();
  }

  setLatency(target: MemberOrNumber, latencyMs: number): void {
    this.#find(target).latencyMs = latencyMs;
  }

  isolate(target: MemberOrNumber): void {
    this.#find(target).isolated = true;
    this.#announce();
    this.#watch();
  }

  heal(target?: MemberOrNumber): void {
    const members = target === undefined ? this.members : [this.#find(target)];
    for (const member of members) member.isolated = false;
    this.#inOrder(async () => {
      // two that think they are primary meet: the one of the elder election gives way
      for (const member of this.members) {
        if (member !== this.#leader && !member.isolated) await member.becomeSecondary();
      }
      this.#announce();
      this.advanced();
      this.#watch();
    }).catch(() => undefined);
  }

  async settle(timeoutMs = DEFAULT_WAIT_MS): Promise<void> {
    const isSettled = (): boolean => {
      const leader = this.primary();
      if (leader === undefined) return false;
      return this.#reachableFrom(leader).every(
        ({ history }) =>
          history.length === leader.history.length &&
          history.commonLength(leader.history) === history.length,
      );
    };
    await waitFor(isSettled, timeoutMs, 'the members to hold the same');
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#replication.close();
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#tail.catch(() => undefined);
    for (const member of this.members) await member.stop();
    if (this.#isTemporary) rmSync(this.#dataPath, { recursive: true, force: true });
  }

  // ------------------------------------------------------------ elections

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  #later(delayMs: number, work: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.#isClosed) return;
      // who cannot be elected is tried again when something changes
      this.#inOrder(work).catch(() => this.#watch());
    }, delayMs);
    this.#timers.add(timer);
  }

  /** Looks after an election's time whether the set needs one. */
  #watch(): void {
    this.#later(this.#electionTimeoutMs, () => this.#heal());
  }

  async #heal(): Promise<void> {
    const old = this.#leader;
    if (old?.role === 'primary' && this.#reachableFrom(old).length >= this.#majority) return;
    const candidates = this.members
      .filter((one) => one.frozenUntilMs <= Date.now())
      .filter((one) => one.role !== 'down' && this.#reachableFrom(one).length >= this.#majority)
      .sort((a, b) => (a.history.isBehind(b.history) ? 1 : -1));
    const [best] = candidates;
    if (best !== undefined) await this.#elect(best);
    for (const member of this.members) {
      // who sees no majority steps down, as MongoDB's primaries do after the same time
      const alone = this.#reachableFrom(member).length < this.#majority;
      if (member.role === 'primary' && alone) await member.becomeSecondary();
    }
    this.#announce();
  }

  async #elect(candidate: Member): Promise<void> {
    if (candidate.role === 'down') throw new Error(`member ${candidate.index} is down`);
    if (candidate.role === 'primary' && this.#leader === candidate) return;
    const voters = this.#reachableFrom(candidate);
    if (voters.length < this.#majority) {
      throw new Error(`member ${candidate.index} reaches no majority`);
    }
    for (const voter of voters) await voter.becomeSecondary();
    // the fewest votes that make a majority, from those that ask least of the candidate
    const others = voters
      .filter((one) => one !== candidate)
      .sort((a, b) => (a.history.isBehind(b.history) ? -1 : 1));
    const last = others[this.#majority - 2];
    if (last !== undefined && candidate.history.isBehind(last.history)) {
      await candidate.follow(last.history, { ignoreLag: true });
    }
    this.#term += 1;
    this.#leader = candidate;
    await candidate.becomePrimary(this.#term);
    this.#announce();
    this.advanced();
  }

  #freeze(member: Member, seconds: number): void {
    if (member.role === 'primary') {
      throw new MongoCommandError(
        'NotSecondary',
        'cannot freeze node when primary or running for election. state: Primary',
      );
    }
    member.frozenUntilMs = seconds > 0 ? Date.now() + seconds * 1000 : 0;
    // a set that waited for this member can have its election now, or when the time is over
    this.#later(seconds * 1000, () => this.#heal());
  }

  #isConnected(a: Member, b: Member): boolean {
    if (a.role === 'down' || b.role === 'down') return false;
    return a === b || (!a.isolated && !b.isolated);
  }

  #reachableFrom(member: Member): Member[] {
    return this.members.filter((other) => this.#isConnected(member, other));
  }

  #announce(): void {
    for (const member of this.members) member.announce();
  }

  #find(target: MemberOrNumber): Member {
    const index = typeof target === 'number' ? target : target.index;
    const member = this.members[index];
    if (member === undefined) throw new Error(`the set has no member ${index}`);
    return member;
  }

  advanced(): void {
    this.#replication.advance();
  }

  holdersOf(member: Member, length: number): number {
    return this.#replication.holdersOf(member, length);
  }

  // ------------------------------------------------------------ what members tell

  pictureFor(member: Member): SetPicture {
    const leader = member.role === 'primary' ? member : this.primary();
    const knowsLeader = leader !== undefined && this.#isConnected(member, leader);
    return {
      members: this.members.map((one) => ({
        address: one.address,
        state: this.#isConnected(member, one) ? stateName(one.role) : 'DOWN',
        position: one.lastPosition,
      })),
      self: member.index,
      primary: knowsLeader ? leader.address : undefined,
      term: member.role === 'primary' ? member.term : this.#term,
      majorityPosition: member.stablePosition,
    };
  }

  commandsFor(member: Member): readonly CommandDefinition[] {
    return createSetCommands({
      stepDown: () => this.stepDown(member),
      stepUp: () => this.elect(member),
      freeze: (seconds) => this.#freeze(member, seconds),
    });
  }
}

function stateName(role: MemberRole): 'PRIMARY' | 'SECONDARY' | 'DOWN' {
  if (role === 'down') return 'DOWN';
  return role === 'primary' ? 'PRIMARY' : 'SECONDARY';
}

/** All members begin with the same data: that of the folder whose log goes furthest. */
async function prepareFolders(folders: readonly string[]): Promise<void> {
  let best: { readonly folder: string; readonly position: Position } | undefined;
  for (const folder of folders) {
    if (!existsSync(join(folder, 'data.mdb'))) continue;
    const position = await lastPositionIn(folder);
    if (best === undefined || position > best.position) best = { folder, position };
  }
  const [first] = folders;
  if (first === undefined) throw new Error('a set has at least one member');
  const source = best?.folder ?? first;
  if (best === undefined) await lastPositionIn(first);
  for (const folder of folders) {
    if (folder === source) continue;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const file of ['data.mdb', 'FORMAT']) cpSync(join(source, file), join(folder, file));
  }
}

/** Opens the folder, which begins a log where there is none. */
async function lastPositionIn(folder: string): Promise<Position> {
  const store = await openLmdbStore(folder);
  try {
    const oplog = new Oplog(store);
    await oplog.open();
    const position = oplog.lastPosition;
    await oplog.close();
    return position;
  } finally {
    await store.close();
  }
}

async function waitFor(isDone: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!isDone()) {
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
