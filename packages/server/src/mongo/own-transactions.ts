/** Transactions that the server itself wants around a request: run anew when they lose a race or their primary. */
import { randomUUID } from 'node:crypto';
import { MongoError } from 'mongodb';
import { QuorateError } from '../errors/quorate-error.ts';
import { isUnavailable } from './map-error.ts';
import type { MongoAccess } from './mongo-access.ts';
import type { OperationSession } from './operation-options.ts';
import { abortTransaction, beginTransaction, commitTransaction } from './sessions.ts';

/** How long a transaction is tried again, milliseconds: an election and the choice of a server fit in. */
const PATIENCE_MS = 8000;
const MAX_POOLED = 256;
/** WriteConflict, NoSuchTransaction: nothing of it was committed. */
const NOT_COMMITTED = new Set([112, 251]);

/** A database session for one transaction after another. */
export interface OwnSession {
  readonly sessionId: string;
  /** Of its latest transaction. */
  number: number;
}

// MongoDB keeps each session for half an hour: a new one for each request would be too many
const pools = new WeakMap<MongoAccess, OwnSession[]>();

/** A session that nobody uses now. */
export function takeSession(mongo: MongoAccess): OwnSession {
  return poolOf(mongo).pop() ?? { sessionId: randomUUID(), number: 0 };
}

/** Keeps a session for the next one who needs one. */
export function returnSession(mongo: MongoAccess, own: OwnSession): void {
  const pool = poolOf(mongo);
  if (pool.length < MAX_POOLED) pool.push(own);
}

/** What a run of a transaction came to: kept, or taken back by the caller's wish. */
export interface TransactionOutcome<T> {
  readonly isKept: boolean;
  readonly value: T;
}

/**
 * Runs `work` in a transaction of its session and commits it, by a majority. `work` runs again when the transaction conflicts
 * with another or its primary is lost, so whether an earlier run was committed after all is for `work` to find out.
 *
 * @throws what `work` throws; ERR_DATABASE_UNAVAILABLE when it is not known whether the commit took place
 */
export async function inTransaction<T>(
  mongo: MongoAccess,
  own: OwnSession,
  work: (session: Required<OperationSession>) => Promise<TransactionOutcome<T>>,
): Promise<T> {
  const until = Date.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    own.number += 1;
    const session = { sessionId: own.sessionId, transactionNumber: own.number };
    try {
      await beginTransaction(mongo, session);
      const { isKept, value } = await work(session);
      await (isKept ? commit(mongo, session, until) : abortTransaction(mongo, session));
      return value;
    } catch (failure) {
      await abortTransaction(mongo, session).catch(() => undefined);
      if (!isTransient(failure) || Date.now() >= until) throw failure;
      await pauseRandomly(Math.min(200, 5 * 2 ** attempt));
    }
  }
}

function poolOf(mongo: MongoAccess): OwnSession[] {
  let pool = pools.get(mongo);
  if (pool === undefined) {
    pool = [];
    pools.set(mongo, pool);
  }
  return pool;
}

/** A commit that was not answered is asked for again: it takes place once. */
async function commit(
  mongo: MongoAccess,
  session: Required<OperationSession>,
  until: number,
): Promise<void> {
  for (;;) {
    try {
      return await commitTransaction(mongo, session);
    } catch (failure) {
      const isUnknown = isUnavailable(causeOf(failure));
      if (!isUnknown || Date.now() >= until) throw failure;
      await pauseRandomly(100);
    }
  }
}

/** Whether a transaction that failed so may succeed when it is run again. */
function isTransient(failure: unknown): boolean {
  const cause = causeOf(failure);
  if (!(cause instanceof MongoError)) return false;
  if (cause.hasErrorLabel('TransientTransactionError')) return true;
  return isUnavailable(cause) || (typeof cause.code === 'number' && NOT_COMMITTED.has(cause.code));
}

function causeOf(failure: unknown): unknown {
  return failure instanceof QuorateError ? failure.cause : failure;
}

function pauseRandomly(maxMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * maxMs));
}
