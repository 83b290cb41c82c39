import { type Document, isDocument, Timestamp, toDocument, type Value } from '../bson/value.ts';
import { allowsSecondary, kindOf } from '../commands/command-kinds.ts';
import type { CommandRequest } from '../commands/command-request.ts';
import type { Connection } from '../commands/connection.ts';
import type { CommandRunner } from '../commands/dispatch.ts';
import { isStateChange, labelsFor } from '../commands/error-labels.ts';
import { DropConnection } from '../commands/fail-points.ts';
import { toNumber } from '../commands/field-types.ts';
import { toCommandError } from '../commands/reply.ts';
import type { EngineCore } from '../engine-core.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { type Position, toPosition } from '../oplog/oplog-entry.ts';
import { notPrimary, steppedDown } from './gated-store.ts';
import type { History } from './history.ts';

export type MemberRole = 'primary' | 'secondary' | 'down';

/** What the commands of a member depend on: its role, its history and how far its set has come. */
export interface CommandedMember {
  readonly core: EngineCore;
  readonly role: MemberRole;
  readonly history: Pick<History, 'length'>;
  readonly lastPosition: Position;
  /** Up to here its history is held by a majority, as far as it knows. */
  readonly stableLength: number;
  /** Every command waits this long. */
  readonly latencyMs: number;
  /** How many members its set has. */
  readonly setSize: number;
  /** How many members hold the first `length` groups of its history. */
  holdersOf(length: number): number;
  waitUntil(isDone: () => boolean): Promise<void>;
}

/** How many members must hold a write before it is acknowledged. */
interface Acknowledgement {
  readonly members: number;
  readonly timeoutMs: number;
}

const WAITING_READS: ReadonlySet<unknown> = new Set(['majority', 'linearizable', 'snapshot']);

/** Runs a member's commands: its role decides which, and its set when they are acknowledged. */
export class MemberRunner implements CommandRunner {
  readonly #member: CommandedMember;

  constructor(member: CommandedMember) {
    this.#member = member;
  }

  replyToUnreadable(error: unknown): Document {
    return this.#member.core.dispatcher.replyToUnreadable(error);
  }

  run(connection: Connection, request: CommandRequest): Document | Promise<Document> {
    const { latencyMs } = this.#member;
    if (latencyMs === 0) return this.#run(connection, request);
    return sleep(latencyMs).then(() => this.#run(connection, request));
  }

  #run(connection: Connection, request: CommandRequest): Document | Promise<Document> {
    const member = this.#member;
    if (member.role === 'down') throw new DropConnection('the member is down');
    const { dispatcher, services } = member.core;
    const args = request.arguments;
    const kind = kindOf(request.name, args);
    const refusal = this.#refusal(kind, args);
    if (refusal !== undefined) return dispatcher.refuse(request, refusal);
    if (kind === 'any') return dispatcher.run(connection, request);
    if (kind === 'write') return this.#write(connection, request);
    const after = afterClusterTime(args);
    if (after !== undefined && member.role === 'secondary' && services.oplog.lastPosition < after) {
      return this.#readLater(connection, request, after);
    }
    return this.#read(connection, request);
  }

  #refusal(kind: string, args: Document): MongoCommandError | undefined {
    if (this.#member.role === 'primary' || kind === 'any') return undefined;
    if (kind === 'write') return notPrimary();
    if (allowsSecondary(args)) return undefined;
    return new MongoCommandError('NotPrimaryNoSecondaryOk', 'not primary and secondaryOk=false');
  }

  /** Causal consistency: the member must have come as far as its client has seen. */
  async #readLater(
    connection: Connection,
    request: CommandRequest,
    after: bigint,
  ): Promise<Document> {
    const limitMs = toNumber(request.arguments.get('maxTimeMS')) ?? 0;
    try {
      await this.#wait(() => this.#member.lastPosition >= after, limitMs);
    } catch (error) {
      return this.#member.core.dispatcher.refuse(request, error);
    }
    return this.#read(connection, request);
  }

  /** What a read at majority has seen must be held by a majority before it is told. */
  #read(connection: Connection, request: CommandRequest): Document | Promise<Document> {
    const member = this.#member;
    const answer = member.core.dispatcher.run(connection, request);
    const concern = request.arguments.get('readConcern');
    if (!isDocument(concern) || !WAITING_READS.has(concern.get('level'))) return answer;
    const length = member.history.length;
    const isStable = (): boolean => member.stableLength >= length;
    if (isStable()) return answer;
    return this.#answerOnce(answer, request, isStable);
  }

  async #answerOnce(
    answer: Document | Promise<Document>,
    request: CommandRequest,
    isStable: () => boolean,
  ): Promise<Document> {
    const document = await answer;
    try {
      await this.#wait(isStable, toNumber(request.arguments.get('maxTimeMS')) ?? 0);
    } catch (error) {
      return this.#member.core.dispatcher.refuse(request, error);
    }
    return document;
  }

  async #write(connection: Connection, request: CommandRequest): Promise<Document> {
    const member = this.#member;
    const args = request.arguments;
    const acknowledgement = this.#acknowledgement(request.name, args);
    const concern = args.get('writeConcern');
    if (isDocument(concern) && acknowledgement.members > 1) {
      // the member itself waits for its own disk; for the others this one does
      args.set('writeConcern', new Map(concern).set('w', 'majority'));
    }
    const { dispatcher, services } = member.core;
    const document = await dispatcher.run(connection, request);
    if (document.has('errmsg') || acknowledgement.members <= 1) return document;
    // what a deposed primary has written may be taken back, and other groups come in its place
    const isStillPrimary = member.role === 'primary';
    const length = member.history.length;
    const isHeld = (): boolean =>
      acknowledgement.members > member.setSize / 2 + 1
        ? member.holdersOf(length) >= acknowledgement.members
        : member.stableLength >= length;
    try {
      if (!isStillPrimary) throw steppedDown();
      await this.#wait(isHeld, acknowledgement.timeoutMs);
    } catch (thrown) {
      addConcernError(document, request, toConcernError(toCommandError(thrown)));
      const { processId, topologyCounter } = services.identity;
      if (isStateChange(toCommandError(thrown).code)) {
        document.set('topologyVersion', toDocument({ processId, counter: topologyCounter }));
      }
    }
    return document;
  }

  #acknowledgement(name: string, args: Document): Acknowledgement {
    const ends = name === 'commitTransaction' || name === 'abortTransaction';
    if (args.get('autocommit') === false && !ends) return { members: 1, timeoutMs: 0 };
    const size = this.#member.setSize;
    const majority = Math.floor(size / 2) + 1;
    const concern =
      args.get('writeConcern') ?? this.#member.core.services.settings.defaultWriteConcern;
    if (!isDocument(concern)) return { members: majority, timeoutMs: 0 };
    const timeoutMs = toNumber(concern.get('wtimeout')) ?? 0;
    const w = concern.get('w');
    if (w === undefined || w === 'majority') return { members: majority, timeoutMs };
    const members = toNumber(w) ?? 1;
    // more members than there are is for the command itself to refuse
    return { members: members > size ? 1 : members, timeoutMs };
  }

  async #wait(isDone: () => boolean, limitMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const waited = this.#member.waitUntil(isDone);
    if (limitMs <= 0) return await waited;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new MongoCommandError('MaxTimeMSExpired', 'operation exceeded time limit')),
        limitMs,
      );
    });
    waited.catch(() => undefined);
    await Promise.race([waited, limit]).finally(() => clearTimeout(timer));
  }
}

function toConcernError(error: MongoCommandError): MongoCommandError {
  return error.codeName === 'MaxTimeMSExpired'
    ? new MongoCommandError('WriteConcernTimeout', 'waiting for replication timed out', {
        extra: toDocument({ errInfo: toDocument({ wtimeout: true }) }),
      })
    : error;
}

function addConcernError(
  document: Document,
  request: CommandRequest,
  error: MongoCommandError,
): void {
  const concern = toDocument({ code: error.code, codeName: error.codeName, errmsg: error.message });
  for (const [name, value] of error.extra ?? []) concern.set(name, value as Value);
  document.set('writeConcernError', concern);
  const args = request.arguments;
  const labels = labelsFor(error.code, {
    name: request.name,
    inTransaction: args.get('autocommit') === false,
    retryableWrite: args.has('txnNumber') && args.get('autocommit') !== false,
    onChangeStream: false,
    hasWriteConcernError: true,
  });
  if (labels.length > 0) document.set('errorLabels', labels);
}

function afterClusterTime(args: Document): bigint | undefined {
  const concern = args.get('readConcern');
  const time = isDocument(concern) ? concern.get('afterClusterTime') : undefined;
  return time instanceof Timestamp ? toPosition(time) : undefined;
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}
