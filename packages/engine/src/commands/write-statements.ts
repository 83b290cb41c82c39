import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { SLICE_MS } from '../lib/sliced.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import type { CommandContext } from './context.ts';
import { toNumber } from './field-types.ts';
import type { Location } from './matched-records.ts';
import { runWrite, type WriteTarget } from './run-write.ts';
import { MAX_WRITE_BATCH_SIZE } from './server-identity.ts';

/** What one statement of a write command did. */
export interface StatementOutcome {
  /** Documents inserted, matched or removed. */
  readonly n: number;
  readonly modified?: number;
  /** The `_id` of a document that an upsert made. */
  readonly upserted?: Value;
}

/** A write command taken apart into statements that succeed or fail one by one. */
export interface StatementBatch {
  readonly count: number;
  readonly ordered: boolean;
  /** Runs one statement inside a batch. */
  run(target: WriteTarget, index: number, location: Location | undefined): StatementOutcome;
  /** A statement whose document has to be searched for long, which is done before its batch. */
  isSearched?(index: number): boolean;
  search?(index: number): Promise<Location>;
  /** Statements that may touch any number of documents run by themselves, in several batches. */
  isAlone(index: number): boolean;
  runAlone(index: number): Promise<StatementOutcome>;
}

export interface WriteError {
  readonly index: number;
  readonly error: MongoCommandError;
}

export interface BatchOutcome {
  readonly outcomes: ReadonlyMap<number, StatementOutcome>;
  readonly errors: readonly WriteError[];
  readonly retried: readonly number[];
}

/** Longer than a slice: committing has a cost of its own. */
const GROUP_MS = SLICE_MS * 4;

/**
 * Runs the statements of a write command in order, as many as fit a stretch of time in one batch.
 * The first failure ends an ordered command; inside a transaction it ends the transaction.
 */
export async function runStatements(
  context: CommandContext,
  batch: StatementBatch,
): Promise<BatchOutcome> {
  const outcomes = new Map<number, StatementOutcome>();
  const errors: WriteError[] = [];
  const retried: number[] = [];
  let next = 0;
  const isOver = (): boolean =>
    next >= batch.count || (errors.length > 0 && (batch.ordered || isTransactional(context)));
  while (!isOver()) {
    context.operation.check();
    if (batch.isAlone(next)) {
      await settle(batch.runAlone(next), next, outcomes, errors);
      next += 1;
      continue;
    }
    const location = await searchFor(batch, next);
    const group = await runWrite(context, (target) =>
      runGroup(context, batch, target, next, location),
    );
    for (const [index, outcome] of group.outcomes) outcomes.set(index, outcome);
    errors.push(...group.errors);
    retried.push(...group.retried);
    next = group.next;
  }
  if (errors.length > 0) abortTransaction(context);
  return { outcomes, errors, retried };
}

async function searchFor(batch: StatementBatch, index: number): Promise<Location | undefined> {
  try {
    return batch.isSearched?.(index) === true ? await batch.search?.(index) : undefined;
  } catch (error) {
    if (error instanceof MongoCommandError && !COMMAND_ERRORS.has(error.codeName)) {
      // an invalid statement fails again where its error is counted
      return undefined;
    }
    throw error;
  }
}

function isSearched(batch: StatementBatch, index: number): boolean {
  try {
    return batch.isSearched?.(index) === true;
  } catch {
    return false;
  }
}

interface Group extends BatchOutcome {
  readonly next: number;
}

function runGroup(
  context: CommandContext,
  batch: StatementBatch,
  target: WriteTarget,
  first: number,
  location: Location | undefined,
): Group {
  const outcomes = new Map<number, StatementOutcome>();
  const errors: WriteError[] = [];
  const retried: number[] = [];
  const end = performance.now() + GROUP_MS;
  let index = first;
  for (; index < batch.count; index++) {
    if (index > first) {
      if (performance.now() > end || batch.isAlone(index) || isSearched(batch, index)) break;
    }
    const number = statementNumber(context, index);
    const known = target.retried(number);
    if (known !== undefined) {
      outcomes.set(index, fromRecord(known));
      retried.push(number);
      continue;
    }
    try {
      const outcome = batch.run(target, index, index === first ? location : undefined);
      outcomes.set(index, outcome);
      target.record(number, toRecord(outcome));
    } catch (error) {
      errors.push({ index, error: toWriteError(error) });
      if (batch.ordered || isTransactional(context)) {
        index += 1;
        break;
      }
    }
  }
  return { outcomes, errors, retried, next: index };
}

async function settle(
  work: Promise<StatementOutcome>,
  index: number,
  outcomes: Map<number, StatementOutcome>,
  errors: WriteError[],
): Promise<void> {
  try {
    outcomes.set(index, await work);
  } catch (error) {
    errors.push({ index, error: toWriteError(error) });
  }
}

/** Errors that are not about one statement but about the whole command. */
const COMMAND_ERRORS: ReadonlySet<string> = new Set([
  'WriteConflict',
  'NoSuchTransaction',
  'TransactionTooOld',
  'Interrupted',
  'InterruptedAtShutdown',
  'MaxTimeMSExpired',
  'OutOfDiskSpace',
  'CommandNotSupportedOnView',
]);

/** @throws what must not become the error of a single statement */
function toWriteError(error: unknown): MongoCommandError {
  if (!(error instanceof MongoCommandError) || COMMAND_ERRORS.has(error.codeName)) throw error;
  return error;
}

function isTransactional(context: CommandContext): boolean {
  return context.transaction !== undefined;
}

function abortTransaction(context: CommandContext): void {
  const { session, transaction, services } = context;
  if (session !== undefined && transaction !== undefined) {
    services.sessions.expireTransaction(session, transaction);
  }
}

/** The number under which a retry of the command finds a statement again. */
function statementNumber(context: CommandContext, index: number): number {
  const numbers = context.args.get('stmtIds');
  if (Array.isArray(numbers)) return toNumber(numbers[index]) ?? index;
  return (toNumber(context.args.get('stmtId')) ?? 0) + index;
}

/** Shared by the statements that end so, which are nearly all: it makes their record short. */
const INSERTED = toDocument({ n: 1 });
const MODIFIED = toDocument({ n: 1, m: 1 });
const UNMODIFIED = toDocument({ n: 1, m: 0 });

function toRecord({ n, modified, upserted }: StatementOutcome): Document {
  if (n === 1 && upserted === undefined) {
    if (modified === undefined) return INSERTED;
    if (modified === 1) return MODIFIED;
    if (modified === 0) return UNMODIFIED;
  }
  return toDocument({ n, m: modified, u: upserted });
}

function fromRecord(record: Document): StatementOutcome {
  const modified = toNumber(record.get('m'));
  const upserted = record.get('u');
  return {
    n: toNumber(record.get('n')) ?? 0,
    ...(modified !== undefined && { modified }),
    ...(upserted !== undefined && { upserted }),
  };
}

/** A statement's error as a write command's reply lists it. */
export function writeErrorDocument({ index, error }: WriteError): Document {
  const document = toDocument({ index, code: error.code });
  for (const [name, value] of error.extra ?? []) document.set(name, value as Value);
  document.set('errmsg', error.message);
  return document;
}

/** The fields every write command's reply has besides its own. */
export function writeReplyFields(
  context: CommandContext,
  outcome: BatchOutcome,
): Record<string, Value | undefined> {
  const { identity, oplog } = context.services;
  const errors = outcome.errors.map(writeErrorDocument);
  return {
    ...(errors.length > 0 && { writeErrors: errors }),
    ...(outcome.retried.length > 0 && { retriedStmtIds: [...outcome.retried] }),
    writeConcernError: context.writeConcern.error,
    ...(context.transaction === undefined && {
      electionId: identity.electionId,
      opTime: toDocument({ ts: toTimestamp(oplog.lastPosition), t: 1n }),
    }),
  };
}

/** @throws InvalidLength when a write command holds no statement or too many */
export function checkBatchSize(count: number): void {
  if (count >= 1 && count <= MAX_WRITE_BATCH_SIZE) return;
  throw new MongoCommandError(
    'InvalidLength',
    `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH_SIZE}. Got ${count} operations.`,
  );
}

/**
 * The statements of `updates` or `deletes` as documents.
 *
 * @throws TypeMismatch, Location40415, Location40414
 */
export function readStatements(
  context: CommandContext,
  field: string,
  known: ReadonlySet<string>,
  required: readonly string[],
): Document[] {
  const path = `${context.request.name}.${field}`;
  const value = context.args.get(field);
  if (value === undefined) {
    throw new MongoCommandError(
      'Location40414',
      `BSON field '${path}' is missing but a required field`,
    );
  }
  const statements = Array.isArray(value) ? value : [];
  checkBatchSize(statements.length);
  return statements.map((statement, index) => {
    if (!isDocument(statement)) {
      throw new MongoCommandError(
        'TypeMismatch',
        `BSON field '${path}.${index}' is the wrong type, expected type 'object'`,
      );
    }
    for (const name of statement.keys()) {
      if (!known.has(name)) {
        throw new MongoCommandError(
          'Location40415',
          `BSON field '${path}.${name}' is an unknown field.`,
        );
      }
    }
    for (const name of required) {
      if (!statement.has(name)) {
        throw new MongoCommandError(
          'Location40414',
          `BSON field '${path}.${name}' is missing but a required field`,
        );
      }
    }
    return statement;
  });
}
