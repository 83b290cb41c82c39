import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { readRetryRecord } from '../session/retry-record.ts';
import type { Session } from '../session/session.ts';
import { abortedError, committedError, Transaction } from '../session/transaction.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { toNumber } from './field-types.ts';

/** The part of a command that places it in a session (driver specification "Transactions"). */
export interface SessionOptions {
  readonly number: bigint | undefined;
  readonly inTransaction: boolean;
  readonly starts: boolean;
}

/** @throws InvalidOptions for combinations that have no meaning */
export function readSessionOptions(
  context: Pick<CommandContext, 'args' | 'session'>,
): SessionOptions {
  const { args } = context;
  const raw = args.get('txnNumber');
  const autocommit = args.get('autocommit');
  const starts = args.get('startTransaction');
  if (raw === undefined) {
    if (autocommit !== undefined) {
      throw invalid("'autocommit' field requires a transaction number to also be specified");
    }
    if (starts !== undefined) {
      throw invalid("'startTransaction' field requires a transaction number to also be specified");
    }
    return { number: undefined, inTransaction: false, starts: false };
  }
  if (context.session === undefined) {
    throw invalid('Transaction number requires a session ID to also be specified');
  }
  const number = typeof raw === 'bigint' ? raw : BigInt(Math.trunc(toNumber(raw) ?? 0));
  if (number < 0n) throw invalid('Transaction number cannot be negative');
  if (autocommit === true) throw invalid('Specifying autocommit=true is not allowed.');
  if (starts !== undefined && autocommit === undefined) {
    throw invalid("'startTransaction' field requires 'autocommit' field to also be specified");
  }
  if (starts === false) throw invalid('Specifying startTransaction=false is not allowed.');
  return { number, inTransaction: autocommit === false, starts: starts === true };
}

/**
 * Makes the command part of its session's transaction, starting one where it says so, or marks it as
 * a retryable write.
 *
 * @throws TransactionTooOld, NoSuchTransaction, TransactionCommitted, with MongoDB's texts
 */
export function joinTransaction(
  context: CommandContext,
  definition: CommandDefinition,
  options: SessionOptions,
): void {
  const { session } = context;
  if (session === undefined || options.number === undefined) return;
  checkNumber(session, options.number);
  if (!options.inTransaction) {
    joinRetryableWrite(context, session, definition, options.number);
    return;
  }
  checkTransactionOptions(context, definition, options);
  if (options.starts) startTransaction(context, session, options.number);
  else continueTransaction(context, session, definition, options.number);
}

function checkNumber(session: Session, number: bigint): void {
  if (number >= session.lastTransactionNumber) return;
  throw new MongoCommandError(
    'TransactionTooOld',
    `Cannot start transaction ${number} on session ${session.key} because a newer transaction ` +
      `${session.lastTransactionNumber} has already started`,
  );
}

function joinRetryableWrite(
  context: CommandContext,
  session: Session,
  definition: CommandDefinition,
  number: bigint,
): void {
  if (!definition.retryable) {
    if (definition.name === 'commitTransaction' || definition.name === 'abortTransaction') {
      throw invalid(
        `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${definition.name} is not a retryable write command.`,
      );
    }
    throw new MongoCommandError(
      'Location50768',
      `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${definition.name} is not a retryable write command.`,
    );
  }
  if (number > session.lastTransactionNumber) {
    // a newer number ends a transaction that was left open
    endLeftOpen(context, session);
    session.lastTransactionNumber = number;
    session.transaction = undefined;
  } else if (session.transaction?.number === number) {
    throw new MongoCommandError(
      'NoSuchTransaction',
      `Transaction ${number} of this session is a multi-document transaction and no retryable write`,
    );
  }
  context.retryNumber = number;
}

function checkTransactionOptions(
  context: CommandContext,
  definition: CommandDefinition,
  options: SessionOptions,
): void {
  if (!definition.inTransactions) {
    throw new MongoCommandError(
      'OperationNotSupportedInTransaction',
      `Cannot run '${definition.name}' in a multi-document transaction.`,
    );
  }
  const ends = definition.name === 'commitTransaction' || definition.name === 'abortTransaction';
  if (context.args.has('writeConcern') && !ends) {
    throw invalid('writeConcern is not allowed within a multi-statement transaction');
  }
  if (context.args.has('readConcern') && !options.starts) {
    throw invalid('Only the first command in a transaction may specify a readConcern');
  }
  const database = context.database;
  if (!ends && (database === 'config' || database === 'local')) {
    throw new MongoCommandError(
      'OperationNotSupportedInTransaction',
      `Cannot run command against the '${database}' database in a transaction.`,
    );
  }
}

function startTransaction(context: CommandContext, session: Session, number: bigint): void {
  if (number === session.lastTransactionNumber && session.transaction !== undefined) {
    throw new MongoCommandError(
      'Location50911',
      'Only servers in a sharded cluster can start a new transaction at the active transaction number',
    );
  }
  const level = context.readConcern.level;
  if (level !== 'local' && level !== 'majority' && level !== 'snapshot') {
    throw invalid(
      `The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction`,
    );
  }
  endLeftOpen(context, session);
  const { services } = context;
  session.lastTransactionNumber = number;
  session.retryRecord = undefined;
  session.transaction = new Transaction({
    number,
    readPosition: services.oplog.lastPosition,
    readConcern: context.args.get('readConcern') as never,
    begin: () => services.store.begin(),
    lifetimeMs: services.sessions.transactionLifetimeMs,
    onExpire: (transaction) => services.sessions.expireTransaction(session, transaction),
  });
  context.transaction = session.transaction;
}

function continueTransaction(
  context: CommandContext,
  session: Session,
  definition: CommandDefinition,
  number: bigint,
): void {
  if (definition.name === 'commitTransaction') recallCommit(context, session, number);
  const { transaction } = session;
  if (transaction === undefined || transaction.number !== number) {
    throw new MongoCommandError(
      'NoSuchTransaction',
      `Given transaction number ${number} does not match any in-progress transactions. ` +
        `The active transaction number is ${session.lastTransactionNumber}`,
    );
  }
  if (transaction.state === 'aborted') throw abortedError(number);
  if (transaction.state === 'committed') {
    // a commit may be repeated: its answer may have been lost
    if (definition.name !== 'commitTransaction') throw committedError(number);
  }
  context.transaction = transaction;
}

/** A commit repeated after a crash, or on another member: it stands in the session's record. */
function recallCommit(context: CommandContext, session: Session, number: bigint): void {
  if (session.transaction !== undefined || number < session.lastTransactionNumber) return;
  const record = readRetryRecord(context.services.store.latest, Buffer.from(session.key, 'hex'));
  if (record?.transactionNumber !== number || record.committedAt === undefined) return;
  session.lastTransactionNumber = number;
  session.transaction = Transaction.ofCommitted(number, record.committedAt);
}

function endLeftOpen(context: CommandContext, session: Session): void {
  if (session.transaction?.isOpen) {
    context.services.sessions.expireTransaction(session, session.transaction);
  }
}

function invalid(message: string): MongoCommandError {
  return new MongoCommandError('InvalidOptions', message);
}
