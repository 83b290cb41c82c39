import type { CommandDefinition } from '../commands/command.ts';
import { isWriteOperation } from '../commands/command-kinds.ts';
import type { SetPicture } from '../commands/server-identity.ts';
import { type EngineCore, openEngineCore } from '../engine-core.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { SILENT_LOGGER } from '../lib/logger.ts';
import { Listener } from '../listener/listener.ts';
import { fromKey, type Position } from '../oplog/oplog-entry.ts';
import { type LmdbStore, openLmdbStore } from '../storage/lmdb-store.ts';
import type { StoreChange } from '../storage/store.ts';
import { GatedStore, steppedDown } from './gated-store.ts';
import { type ChangeGroup, History } from './history.ts';
import { type CommandedMember, type MemberRole, MemberRunner } from './member-runner.ts';

/** What a member asks of the set it belongs to. */
export interface MemberSurroundings {
  pictureFor(member: Member): SetPicture;
  /** The member's history has grown. */
  advanced(): void;
  /** How many members hold the first `length` groups of this member's history. */
  holdersOf(member: Member, length: number): number;
  readonly size: number;
  commandsFor(member: Member): readonly CommandDefinition[];
}

export interface MemberOptions {
  readonly index: number;
  readonly dataPath: string;
  readonly port: number;
  readonly setName: string;
  /** The address to listen on; default 127.0.0.1. */
  readonly host?: string | undefined;
  /** What clients are told to connect to, `host:port`; default is where it listens. */
  readonly advertised?: string | undefined;
  readonly surroundings: MemberSurroundings;
}

interface Waiter {
  isDone(): boolean;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

const LOOPBACK = '127.0.0.1';
const OPLOG_KEY_BYTES = 8;
const GROUPS_AT_ONCE = 200;

/** One member of a rehearsed set: a store and an engine of its own, and the history it holds. */
export class Member implements CommandedMember {
  readonly index: number;
  readonly history = new History();
  readonly #options: MemberOptions;
  readonly surroundings: MemberSurroundings;
  #role: MemberRole = 'down';
  #port: number;
  #store: LmdbStore | undefined;
  #core: EngineCore | undefined;
  #listener: Listener | undefined;
  readonly #waiters = new Set<Waiter>();
  #tail: Promise<unknown> = Promise.resolve();
  /** Cut off from the other members; clients still reach it. */
  isolated = false;
  lagMs = 0;
  /** Until then it seeks no election (replSetFreeze). */
  frozenUntilMs = 0;
  /** Every command waits this long. */
  latencyMs = 0;
  /** The election that this member, as a primary, has won. */
  term = 0;
  /** Where its history stood when it became primary. */
  termStart = 0;
  /** Up to here its history is held by a majority, as far as it knows. */
  stableLength = 0;
  stablePosition: Position = 0n;
  rollbacks = 0;

  constructor(options: MemberOptions) {
    this.#options = options;
    this.index = options.index;
    this.surroundings = options.surroundings;
    this.#port = options.port;
  }

  get role(): MemberRole {
    return this.#role;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    const { advertised, host = LOOPBACK } = this.#options;
    return advertised ?? `${host}:${this.#port}`;
  }

  /** For connections to this member alone. */
  get uri(): string {
    return `mongodb://${this.address}/?directConnection=true`;
  }

  get core(): EngineCore {
    if (this.#core === undefined) throw new Error(`member ${this.index} is down`);
    return this.#core;
  }

  get lastPosition(): Position {
    return this.#core?.services.oplog.lastPosition ?? 0n;
  }

  get setSize(): number {
    return this.surroundings.size;
  }

  holdersOf(length: number): number {
    return this.surroundings.holdersOf(this, length);
  }

  // ------------------------------------------------------------ start and end

  /** Opens its store and listens, as a secondary. */
  async start(): Promise<void> {
    const { dataPath, setName } = this.#options;
    this.#store = await openLmdbStore(dataPath, { onCommit: (changes) => this.#noteOwn(changes) });
    this.#role = 'secondary';
    const gate = new GatedStore(this.#store, () => this.#role === 'primary');
    const core = await openEngineCore(gate, {
      replicaSetName: setName,
      advertisedAddress: this.address,
      testCommands: true,
      logger: SILENT_LOGGER,
      moreCommands: this.surroundings.commandsFor(this),
    });
    this.#core = core;
    core.services.identity.picture = () => this.surroundings.pictureFor(this);
    if (this.history.length === 0) this.stablePosition = this.lastPosition;
    core.services.oplog.limitStable(this.stablePosition);
    this.#listener = new Listener({
      dispatcher: new MemberRunner(this),
      connections: core.services.connections,
      logger: SILENT_LOGGER,
    });
    this.#port = await this.#listener.open({
      host: this.#options.host ?? LOOPBACK,
      port: this.#port,
    });
    core.services.identity.address = this.address;
  }

  /** Ends it as the end of its process would: sockets drop, nothing is answered any more. */
  async stop(): Promise<void> {
    if (this.#role === 'down') return;
    this.#role = 'down';
    const [core, listener, store] = [this.#core, this.#listener, this.#store];
    this.#rejectWaiters();
    core?.interruptAll();
    await listener?.close();
    await this.exclusive(async () => {
      // its log cannot note down its size: the store is closed to writes
      await core?.close().catch(() => undefined);
      await store?.close();
    });
    this.#core = undefined;
    this.#store = undefined;
    this.#listener = undefined;
  }

  cutSockets(): void {
    for (const connection of [...(this.#core?.services.connections.all() ?? [])]) {
      connection.close();
    }
  }

  // ------------------------------------------------------------ roles

  announce(): void {
    this.#core?.services.identity.announceTopologyChange();
  }

  /** Runs `work` after what this member does already. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work);
    this.#tail = result.catch(() => undefined);
    return result;
  }

  async becomePrimary(term: number): Promise<void> {
    await this.exclusive(async () => {
      await this.#settle();
      this.#forget();
      this.term = term;
      this.termStart = this.history.length + 1;
      this.#role = 'primary';
      // record ids go on where the last primary stopped
      this.core.services.catalog.reload();
    });
    const { store, oplog } = this.core.services;
    // Raft: a new primary's first entry lets a majority agree on all that came before it
    await store.write((batch) => oplog.append(batch, []), { durable: false });
  }

  /**
   * Takes no more writes; what was running is interrupted and open transactions end, while reads,
   * cursors and connections stay (manual, "replSetStepDown").
   */
  async becomeSecondary(): Promise<void> {
    if (this.#role !== 'primary') return;
    this.#role = 'secondary';
    this.#forget();
    for (const operation of this.core.services.operations.all()) {
      if (!isWriteOperation(operation.commandName, operation.command)) continue;
      operation.interrupt(
        new MongoCommandError('InterruptedDueToReplStateChange', 'operation was interrupted'),
      );
    }
    this.#rejectWaiters();
    await this.exclusive(() => this.#settle());
  }

  /** After it, all writes that had begun are part of the history. */
  async #settle(): Promise<void> {
    await this.#store?.write(() => undefined, { durable: false, unobserved: true });
  }

  /** Sessions are known by what the store says of them. */
  #forget(): void {
    const { sessions } = this.core.services;
    for (const session of sessions.all()) {
      if (session.transaction?.isOpen) sessions.expireTransaction(session, session.transaction);
      session.transaction = undefined;
      session.retryRecord = undefined;
      session.retryRecordLoaded = false;
      session.lastTransactionNumber = -1n;
    }
  }

  // ------------------------------------------------------------ history

  #noteOwn(changes: readonly StoreChange[]): void {
    this.history.append({
      changes,
      term: this.term,
      writtenAtMs: Date.now(),
      position: lastPositionOf(changes),
    });
    this.surroundings.advanced();
  }

  /**
   * Follows `source`: takes back what it does not have, then copies what is old enough.
   *
   * @returns when the next group will be old enough; undefined when there is none
   */
  follow(source: History, options: { readonly ignoreLag: boolean }): Promise<number | undefined> {
    return this.exclusive(async () => {
      if (this.#role !== 'secondary') return undefined;
      await this.#settle();
      for (;;) {
        if (this.#core === undefined) return undefined;
        const common = this.history.commonLength(source);
        if (this.history.length > common) await this.#rollBack(common);
        const due: ChangeGroup[] = [];
        let next = source.at(common);
        while (next !== undefined && due.length < GROUPS_AT_ONCE) {
          const dueAtMs = options.ignoreLag ? 0 : next.writtenAtMs + this.lagMs;
          if (dueAtMs > Date.now()) break;
          due.push(next);
          next = source.at(common + due.length);
        }
        if (due.length === 0) return next === undefined ? undefined : next.writtenAtMs + this.lagMs;
        await this.#apply(due);
      }
    });
  }

  async #apply(groups: readonly ChangeGroup[]): Promise<void> {
    await this.#store?.write(
      (batch) => {
        for (const { changes } of groups) {
          for (const { table, key, value } of changes) {
            if (value === null) batch.remove(table, key);
            else batch.put(table, key, value);
          }
        }
        batch.onCommitted(() => this.#noteApplied(groups));
      },
      { durable: false, unobserved: true },
    );
    this.surroundings.advanced();
  }

  #noteApplied(groups: readonly ChangeGroup[]): void {
    const core = this.#core;
    if (core === undefined) return;
    for (const group of groups) this.history.append(group);
    this.#refresh(groups);
    for (const { changes } of groups) {
      for (const { table, key, value } of changes) {
        if (table !== 'oplog' || value === null || key.length !== OPLOG_KEY_BYTES) continue;
        core.services.oplog.receive(fromKey(key), value);
      }
    }
  }

  #refresh(groups: readonly ChangeGroup[]): void {
    const touches = (table: string): boolean =>
      groups.some(({ changes }) => changes.some((change) => change.table === table));
    if (touches('catalog')) this.core.services.catalog.reload();
    if (touches('users')) this.core.reloadUsers();
    if (touches('meta')) this.core.reloadSettings();
  }

  /** Takes back what the rest of the set does not have; clients are dropped, as MongoDB does. */
  async #rollBack(length: number): Promise<void> {
    const groups = this.history.truncate(length).reverse();
    await this.#store?.write(
      (batch) => {
        for (const { changes } of groups) {
          for (const { table, key, previous } of [...changes].reverse()) {
            if (previous === null) batch.remove(table, key);
            else batch.put(table, key, previous);
          }
        }
      },
      { durable: false, unobserved: true },
    );
    this.rollbacks += 1;
    this.#refresh(groups);
    const { oplog, cursors } = this.core.services;
    oplog.rewind(this.#lastStoredPosition());
    cursors.removeWhere(() => true);
    this.#forget();
    this.cutSockets();
  }

  #lastStoredPosition(): Position {
    const end = Buffer.alloc(OPLOG_KEY_BYTES, 0xff);
    for (const { key } of this.#store?.latest.range('oplog', { end, reverse: true }) ?? []) {
      return fromKey(key);
    }
    return 0n;
  }

  /** Learns that a majority holds the first `length` groups. */
  raiseStable(length: number): void {
    for (; this.stableLength < length; this.stableLength += 1) {
      this.stablePosition = this.history.at(this.stableLength)?.position ?? this.stablePosition;
    }
    this.#core?.services.oplog.limitStable(this.stablePosition);
  }

  // ------------------------------------------------------------ waiting

  /**
   * Waits until `isDone`, which is asked with each advance of the set.
   *
   * @throws PrimarySteppedDown when the member loses its role meanwhile
   */
  waitUntil(isDone: () => boolean): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.add({ isDone, resolve, reject });
    });
  }

  checkWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      if (!waiter.isDone()) continue;
      this.#waiters.delete(waiter);
      waiter.resolve();
    }
  }

  #rejectWaiters(): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.reject(steppedDown());
    }
  }
}

function lastPositionOf(changes: readonly StoreChange[]): Position | undefined {
  for (let index = changes.length - 1; index >= 0; index -= 1) {
    const { table, key, value } = changes[index] as StoreChange;
    if (table === 'oplog' && value !== null && key.length === OPLOG_KEY_BYTES) return fromKey(key);
  }
  return undefined;
}
