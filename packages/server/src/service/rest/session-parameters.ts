import { QuorateError } from '../../errors/quorate-error.ts';
import type { MongoRequest, RequestedSession } from './rest-request.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** True for the text form of a session id. */
export function isSessionId(text: string): boolean {
  return UUID.test(text);
}

/** The refusal of a session id that is no UUID. */
export function invalidSessionId(): QuorateError {
  return new QuorateError('ERR_REQUEST_SESSION', { message: 'Invalid session id' });
}

/**
 * The session that `sid` and `txn` ask for (rest-resources.md §8); `txn` without `sid` is ignored.
 *
 * @throws ERR_REQUEST_SESSION, ERR_REQUEST_TRANSACTION
 */
export function readSession(request: MongoRequest): RequestedSession | undefined {
  const { http } = request;
  if (http.rawQuery === '') return undefined;
  const sessionId = http.query.get('sid');
  if (sessionId === undefined) return undefined;
  if (!isSessionId(sessionId)) throw invalidSessionId();
  const text = http.query.get('txn');
  if (text === undefined) {
    return { sessionId: sessionId.toLowerCase(), transactionNumber: undefined };
  }
  const transactionNumber = /^[+-]?\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (transactionNumber === undefined) {
    throw new QuorateError('ERR_REQUEST_TRANSACTION', { message: 'Invalid txn' });
  }
  return { sessionId: sessionId.toLowerCase(), transactionNumber };
}
