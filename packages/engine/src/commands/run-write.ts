import type { Document } from '../bson/value.ts';
import { nameOfCode } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { OplogOperation, OplogOrigin } from '../oplog/oplog-entry.ts';
import type { Operation } from '../session/operation.ts';
import { RetryRecord, readRetryRecord, writeRetryRecord } from '../session/retry-record.ts';
import type { Session } from '../session/session.ts';
import type { Interruption, WriteBatch } from '../storage/store.ts';
import type { CommandContext } from './context.ts';
import { DropConnection } from './fail-points.ts';
import { isTrue, toNumber } from './field-types.ts';

/** Operations of one log entry at most; large writes make several. */
const OPERATIONS_PER_ENTRY = 500;

/** Where a write puts its changes and the log of them. */
export interface WriteTarget {
  readonly batch: WriteBatch;
  /** Adds to the log what has just been put into the batch. */
  log(operation: OplogOperation): void;
  /** The outcome of a statement that an earlier try of this command has executed. */
  retried(statement: number): Document | undefined;
  /** Notes down what a statement did, for a later try. */
  record(statement: number, outcome: Document): void;
}

/**
 * Runs a write where it belongs: inside the command's transaction, or in a batch of its own together
 * with its log entries and the record that makes it retryable.
 *
 * @param work - must leave no trace outside the target, as it may be run again
 */
export function runWrite<T>(
  context: CommandContext,
  work: (target: WriteTarget) => T,
  options: { readonly durable?: boolean } = {},
): Promise<T> {
  const { transaction, services, operation } = context;
  if (transaction !== undefined) return runInTransaction(context, work);
  return services.store.write((batch) => runInBatch(context, batch, work), {
    durable: options.durable ?? context.writeConcern.durable,
    interruption: new WriteInterruption(operation),
  });
}

/** A write's wait ends when its operation is killed or its time is over. */
class WriteInterruption implements Interruption {
  readonly #operation: Operation;

  constructor(operation: Operation) {
    this.#operation = operation;
  }

  check(): void {
    this.#operation.check();
  }

  subscribe(listener: (reason: unknown) => void): () => void {
    const operation = this.#operation;
    const unsubscribe = operation.onInterrupt(() => listener(reasonOf(operation)));
    const timer = deadlineTimer(operation, listener);
    return () => {
      unsubscribe();
      clearTimeout(timer);
    };
  }
}

function reasonOf(operation: Operation): unknown {
  try {
    operation.check();
  } catch (error) {
    return error;
  }
  return new MongoCommandError('Interrupted', 'operation was interrupted');
}

function deadlineTimer(
  { deadlineAtMs }: Operation,
  listener: (reason: unknown) => void,
): NodeJS.Timeout | undefined {
  if (deadlineAtMs === Number.POSITIVE_INFINITY) return undefined;
  const timer = setTimeout(
    () => listener(new MongoCommandError('MaxTimeMSExpired', 'operation exceeded time limit')),
    Math.max(0, deadlineAtMs - Date.now()),
  );
  timer.unref();
  return timer;
}

async function runInTransaction<T>(
  context: CommandContext,
  work: (target: WriteTarget) => T,
): Promise<T> {
  const { transaction } = context;
  if (transaction === undefined) throw new Error('no transaction');
  return work({
    batch: transaction.batch,
    log: (operation) => transaction.operations.push(operation),
    retried: () => undefined,
    record: () => undefined,
  });
}

function runInBatch<T>(
  context: CommandContext,
  batch: WriteBatch,
  work: (target: WriteTarget) => T,
): T {
  const operations: OplogOperation[] = [];
  const retry = context.retryNumber === undefined ? undefined : new RetryState(context, batch);
  const result = work({
    batch,
    log: (operation) => operations.push(operation),
    retried: (statement) => retry?.retried(statement),
    record: (statement, outcome) => retry?.record(statement, outcome),
  });
  const origin: OplogOrigin =
    context.retryNumber === undefined || context.session === undefined
      ? {}
      : { lsid: context.session.lsid, transactionNumber: context.retryNumber };
  for (let start = 0; start < operations.length; start += OPERATIONS_PER_ENTRY) {
    const part = operations.slice(start, start + OPERATIONS_PER_ENTRY);
    context.services.oplog.append(batch, part, origin);
  }
  for (let left = retry?.executed ?? 0; left > 0; left--) {
    if (failRetryable(context)) break;
  }
  retry?.save();
  return result;
}

/**
 * The fail point `onPrimaryTransactionalWrite`: a retryable write whose answer gets lost, or which is
 * not carried out. It is entered once per statement.
 */
function failRetryable(context: CommandContext): boolean {
  const data = context.services.failPoints?.enter('onPrimaryTransactionalWrite');
  if (data === undefined) return false;
  const closes = data.get('closeConnection') ?? true;
  if (isTrue(closes)) context.operation.dropsConnection = true;
  const code = toNumber(data.get('failBeforeCommitExceptionCode'));
  if (code === undefined) return true;
  if (isTrue(closes)) throw new DropConnection('closed by a fail point');
  throw new MongoCommandError(
    nameOfCode(code),
    'Failing write due to failpoint. The write must not be reflected.',
  );
}

/** The record of a session's retryable write while one command runs. */
class RetryState {
  readonly #session: Session;
  readonly #batch: WriteBatch;
  readonly #number: bigint;
  readonly #before: RetryRecord | undefined;
  #record: RetryRecord | undefined;
  /** Statements that this command has carried out itself. */
  executed = 0;

  constructor(context: CommandContext, batch: WriteBatch) {
    const { session, retryNumber } = context;
    if (session === undefined || retryNumber === undefined) throw new Error('no session');
    this.#session = session;
    this.#batch = batch;
    this.#number = retryNumber;
    if (!session.retryRecordLoaded) {
      session.retryRecord = readRetryRecord(batch, keyBytes(session));
      session.retryRecordLoaded = true;
    }
    this.#before = this.#checkedRecord();
  }

  /** @throws TransactionTooOld when a later write of the session has been stored already */
  #checkedRecord(): RetryRecord | undefined {
    const record = this.#session.retryRecord;
    if (record === undefined || record.transactionNumber < this.#number) return undefined;
    if (record.transactionNumber > this.#number) {
      throw new MongoCommandError(
        'TransactionTooOld',
        `Retryable write with txnNumber ${this.#number} is prohibited on session ` +
          `${this.#session.key} because a newer retryable write with txnNumber ` +
          `${record.transactionNumber} has already started on this session.`,
      );
    }
    return record;
  }

  retried(statement: number): Document | undefined {
    return this.#before?.outcomeOf(statement);
  }

  record(statement: number, outcome: Document): void {
    this.#record ??= new RetryRecord(this.#number, this.#before?.runs);
    this.#record.add(statement, outcome);
    this.executed += 1;
  }

  save(): void {
    const record = this.#record;
    if (record === undefined) return;
    const before = this.#session.retryRecord;
    writeRetryRecord(this.#batch, keyBytes(this.#session), record);
    this.#session.retryRecord = record;
    this.#batch.onUndo(() => {
      this.#session.retryRecord = before;
    });
  }
}

function keyBytes(session: Session): Uint8Array {
  return Buffer.from(session.key, 'hex');
}
