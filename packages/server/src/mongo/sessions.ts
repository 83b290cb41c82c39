/**
 * Sessions and transactions chosen by clients (rest-resources.md §8): any node can continue them,
 * because the driver's session is given the client's UUID and transaction number for one operation
 * and forgotten afterwards; the state lives in the database.
 */
import { type ClientSession, Long, type MongoClient } from 'mongodb';
import { QuorateError } from '../errors/quorate-error.ts';
import { Binary } from '../model/bson.ts';
import { mapDatabaseError, mongoCodeOf, NOT_IN_PROGRESS } from './map-error.ts';
import { databaseOf, type MongoAccess, mapped } from './mongo-access.ts';
import type { ConsistencyOptions, OperationSession } from './operation-options.ts';

/** What of the driver's session is set by hand; checked against driver 7 by the tests. */
interface SessionInternals {
  _serverSession: unknown;
  readonly sessionPool: { release(session: unknown): void };
  readonly transaction: { state: string };
  hasEnded: boolean;
  emit(event: 'ended', session: unknown): boolean;
}

const TRANSACTION_IN_PROGRESS = 'TRANSACTION_IN_PROGRESS';
const INVALID_OPTIONS = 72;
const NO_TRANSACTION = 'NO_TRANSACTION';
/** Reads of `admin`, `config` and `local` are not allowed in transactions, so the probe reads here. */
const PROBE = { database: 'quorate', collection: 'probe' } as const;

/** The state of a session's latest transaction. */
export interface TransactionState {
  readonly id: number;
  readonly status: 'IN' | 'COMMITTED' | 'ABORTED';
}

/**
 * Runs a driver operation in the session the options ask for, and throws its failure as a
 * QuorateError. The operation has to use the client it is given.
 */
export function runOperation<T>(
  mongo: MongoAccess,
  options: ConsistencyOptions,
  operation: (client: MongoClient, session: ClientSession | undefined) => Promise<T>,
): Promise<T> {
  return mapped(() => runDriverOperation(mongo, options, operation));
}

/** The same, with failures as the driver throws them. */
export async function runDriverOperation<T>(
  mongo: MongoAccess,
  options: ConsistencyOptions,
  operation: (client: MongoClient, session: ClientSession | undefined) => Promise<T>,
): Promise<T> {
  if (options.session !== undefined) return runInSession(mongo, options.session, operation);
  const { causal } = options;
  if (causal === undefined) return operation(mongo.client, undefined);
  const session = mongo.client.startSession({ causalConsistency: true });
  try {
    if (causal.after !== undefined) session.advanceOperationTime(causal.after);
    return await operation(mongo.client, session);
  } catch (failure) {
    // a time after the cluster's own: no answer of this server has named it
    if (causal.after === undefined || mongoCodeOf(failure) !== INVALID_OPTIONS) throw failure;
    throw new QuorateError('ERR_REQUEST_CONSISTENCY', {
      message: 'illegal Quorate-Consistency header: its time lies in the future',
      cause: failure,
    });
  } finally {
    causal.operationTime = session.operationTime;
    await session.endSession();
  }
}

async function runInSession<T>(
  mongo: MongoAccess,
  target: OperationSession,
  operation: (client: MongoClient, session: ClientSession) => Promise<T>,
): Promise<T> {
  // databases refuse to look for such a number at all
  if (target.transactionNumber !== undefined && target.transactionNumber < 0) {
    throw new QuorateError('ERR_REQUEST_TRANSACTION', { message: NOT_IN_PROGRESS });
  }
  const client = mongo.sessionClient;
  const session = openSession(client, target);
  try {
    return await operation(client, session);
  } finally {
    forgetSession(session);
  }
}

/** A driver session that speaks with the client's lsid and, in a transaction, its number. */
export function openSession(client: MongoClient, target: OperationSession): ClientSession {
  // causal consistency within one request only: nodes do not share cluster times
  const session = client.startSession({ causalConsistency: false });
  const internals = session as unknown as SessionInternals;
  internals.sessionPool.release(internals._serverSession);
  internals._serverSession = {
    id: { id: new Binary(uuidBytes(target.sessionId), Binary.SUBTYPE_UUID) },
    lastUse: 0,
    txnNumber: target.transactionNumber ?? 0,
    isDirty: false,
    hasTimedOut: () => false,
  };
  if (target.transactionNumber !== undefined) {
    internals.transaction.state = TRANSACTION_IN_PROGRESS;
  }
  return session;
}

/** Ends the driver's part only: `endSession` would abort the transaction and pool the lsid. */
function forgetSession(session: ClientSession): void {
  const internals = session as unknown as SessionInternals;
  internals.transaction.state = NO_TRANSACTION;
  internals.hasEnded = true;
  internals.emit('ended', session);
}

/** A new session id; bit 0x20 of the 9th byte says causally consistent (rest-resources.md §8). */
export function createSessionId(
  causallyConsistent: boolean,
  random: (n: number) => Buffer,
): string {
  const bytes = random(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x1f) | 0x80 | (causallyConsistent ? 0x20 : 0);
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/** Whether text is a UUID, of any version. */
export function isSessionId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
}

function uuidBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

/** Kills a session, with its transaction and cursors. */
export async function killSession(mongo: MongoAccess, sessionId: string): Promise<void> {
  const id = new Binary(uuidBytes(sessionId), Binary.SUBTYPE_UUID);
  await mapped(() => databaseOf(mongo.client, 'admin').command({ killSessions: [{ id }] }));
}

/** The latest transaction of a session, found out by a harmless read (rest-resources.md §8). */
export async function findTransaction(
  mongo: MongoAccess,
  sessionId: string,
): Promise<TransactionState | undefined> {
  let number = 1;
  for (let attempt = 0; attempt < 8; attempt++) {
    const outcome = await probe(mongo, sessionId, number);
    if (typeof outcome !== 'number') return outcome;
    number = outcome;
  }
  throw new QuorateError('ERR_DATABASE', {
    message: 'Cannot determine the state of the transaction',
  });
}

/** The state of transaction `number`, or the newer number to ask for. */
async function probe(
  mongo: MongoAccess,
  sessionId: string,
  number: number,
): Promise<TransactionState | undefined | number> {
  try {
    await runInSession(mongo, { sessionId, transactionNumber: number }, (client, session) =>
      databaseOf(client, PROBE.database).command(
        { find: PROBE.collection, limit: 1, singleBatch: true },
        { session },
      ),
    );
    return { id: number, status: 'IN' };
  } catch (error) {
    const text = error instanceof Error ? error.message : '';
    switch (mongoCodeOf(error)) {
      case 256:
        return { id: number, status: 'COMMITTED' };
      case 251:
        // the one place where MongoDB tells two states apart by text alone
        return text.includes('has been aborted') ? { id: number, status: 'ABORTED' } : undefined;
      case 225: {
        const newer = /newer (?:transaction|retryable write)[^0-9]*(\d+)/.exec(
          text.replace(/lsid[^}]*\}|[0-9a-f]{8}-[0-9a-f-]{27}/g, ''),
        );
        const next = newer === null ? number + 1 : Number(newer[1]);
        return next > number ? next : number + 1;
      }
      default:
        throw mapDatabaseError(error);
    }
  }
}

/**
 * Starts the next transaction of a session: the first is 1. The transaction exists in the database
 * when this returns; `undefined` when one is in progress already.
 */
export async function startTransaction(
  mongo: MongoAccess,
  sessionId: string,
  options: { readonly readConcern?: string | undefined } = {},
): Promise<number | undefined> {
  const current = await findTransaction(mongo, sessionId);
  if (current?.status === 'IN') return undefined;
  const transactionNumber = (current?.id ?? 0) + 1;
  await beginTransaction(mongo, { sessionId, transactionNumber }, options);
  return transactionNumber;
}

/** Begins a transaction whose number is known to be free; an older one of the session ends. */
export async function beginTransaction(
  mongo: MongoAccess,
  { sessionId, transactionNumber }: Required<OperationSession>,
  options: { readonly readConcern?: string | undefined } = {},
): Promise<void> {
  await runOperation(mongo, { session: { sessionId } }, async (client, session) => {
    const command: Record<string, unknown> = {
      find: PROBE.collection,
      limit: 1,
      singleBatch: true,
      txnNumber: Long.fromNumber(transactionNumber ?? 1),
      startTransaction: true,
      autocommit: false,
    };
    if (options.readConcern !== undefined) command['readConcern'] = { level: options.readConcern };
    await databaseOf(client, PROBE.database).command(command, session ? { session } : {});
  });
}

/** Commits; committing a committed transaction again succeeds, as in the database. */
export async function commitTransaction(
  mongo: MongoAccess,
  session: Required<OperationSession>,
  writeConcern?: { readonly w?: number | 'majority' | undefined },
): Promise<void> {
  await endTransaction(mongo, session, {
    commitTransaction: 1,
    writeConcern: { w: writeConcern?.w ?? 'majority' },
  });
}

/** Aborts. */
export async function abortTransaction(
  mongo: MongoAccess,
  session: Required<OperationSession>,
): Promise<void> {
  await endTransaction(mongo, session, { abortTransaction: 1 });
}

async function endTransaction(
  mongo: MongoAccess,
  target: Required<OperationSession>,
  command: Record<string, unknown>,
): Promise<void> {
  await runOperation(mongo, { session: target }, (client, session) =>
    databaseOf(client, 'admin').command(command, session ? { session } : {}),
  );
}
