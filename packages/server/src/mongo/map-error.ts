/**
 * Driver errors → QuorateError, by code and label, with the statuses and texts of
 * rest-documents.md §3. A database in trouble (no primary, network) is 503 with `Retry-After`.
 */

import { BSONError } from 'bson';
import {
  MongoBulkWriteError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
  MongoWriteConcernError,
} from 'mongodb';
import type { ErrorCode } from '../errors/codes.ts';
import { QuorateError } from '../errors/quorate-error.ts';

interface Row {
  readonly code: ErrorCode;
  readonly status: number;
  readonly message: string;
}

const DUPLICATE_KEY =
  'Duplicate key error (insert with existing _id, update a document not matching specified filter or unique index violation)';
/** The refusal of a transaction that no operation can join or end (rest-resources.md §8). */
export const NOT_IN_PROGRESS = 'The given transaction is not in-progress';

const TABLE: ReadonlyMap<number, Row> = new Map<number, Row>([
  ...rows('ERR_CONFLICT_DUPLICATE_KEY', 409, DUPLICATE_KEY, 11000, 11001, 12582),
  ...rows('ERR_CONFLICT_TRANSACTION', 409, 'Write conflict inside transaction', 112),
  ...rows('ERR_REQUEST_TRANSACTION', 400, NOT_IN_PROGRESS, 225, 251, 256),
  ...rows('ERR_VALIDATION_DOCUMENT', 400, 'Document failed validation', 121),
  ...rows(
    'ERR_DATABASE_FORBIDDEN',
    403,
    'The MongoDB user does not have enough permissions to execute this operation.',
    13,
  ),
  ...rows('ERR_DATABASE_FORBIDDEN', 403, 'Wrong MongoDB user credentials', 18),
  ...rows(
    'ERR_REQUEST_SHARDKEY',
    400,
    "Write request for sharded collection must specify the shardkey. Use the 'shardkey' query parameter",
    61,
  ),
  ...rows('ERR_REQUEST_SHARDKEY', 403, 'Update tried to change the immutable shardkey', 66),
  ...rows('ERR_REQUEST_DB_NAME', 400, 'Invalid database name', 73),
  ...rows('ERR_CONFLICT', 409, 'Db already exists with different case', 13297),
  ...rows(
    'ERR_REQUEST_KEYS',
    400,
    'Keys projection cannot have a mix of inclusion and exclusion',
    31253,
    17287,
  ),
  ...rows('ERR_REQUEST_SORT', 400, 'Invalid sort parameter', 15974, 17312),
  ...rows('ERR_REQUEST_SORT', 400, 'Invalid $meta sort', 31138),
  ...rows(
    'ERR_REQUEST_SORT',
    400,
    'Wrong sort parameter, key ordering must be 1 (for ascending) or -1 (for descending)',
    15975,
  ),
  ...rows('ERR_DATABASE_QUERY', 400, 'FieldPath field names may not be empty strings', 15998),
  ...rows('ERR_DATABASE_QUERY', 400, "FieldPath must not end with a '.'", 56, 40353),
  ...rows('ERR_DATABASE_QUERY', 400, 'FieldPath cannot be constructed with empty string', 40352),
  ...rows('ERR_DATABASE_QUERY', 400, "FieldPath field names may not start with '$'", 16410),
  ...rows(
    'ERR_DATABASE_QUERY',
    400,
    'A pipeline stage specification object must contain exactly one field.',
    40323,
  ),
  ...rows('ERR_DATABASE_QUERY', 400, 'Failed to parse number in $convert', 241),
  ...rows('ERR_DATABASE_TIMEOUT', 408, 'Operation exceeded time limit', 50, 262),
]);

/** Codes whose own text is passed on; 54: an upsert whose filter names one path twice, from which no document can be made. */
const QUERY_CODES = new Set([2, 54, 51091, 51108, 31249, 168, 17276, 31254]);

/** Names of codes met in write errors, which come without their name. */
const WRITE_ERROR_NAMES: ReadonlyMap<number, string> = new Map([
  [9, 'FailedToParse'],
  [14, 'TypeMismatch'],
  [28, 'PathNotViable'],
  [40, 'ConflictingUpdateOperators'],
  [52, 'DollarPrefixedFieldName'],
  [54, 'NotSingleValueField'],
  [55, 'InvalidDBRef'],
  [57, 'DottedFieldName'],
  [72, 'InvalidOptions'],
  [10334, 'BSONObjectTooLarge'],
]);

/** MongoDB names what has no name of its own by its number. */
function nameOfWriteError(code: number): string {
  return WRITE_ERROR_NAMES.get(code) ?? (code >= 10_000 ? `Location${code}` : '');
}

/** Not primary, stepping down, shutting down, cut off: MongoDB's retryable state-change codes. */
const UNAVAILABLE_CODES = new Set([
  6, 7, 89, 91, 133, 134, 189, 317, 358, 384, 9001, 10058, 10107, 11600, 11602, 13435, 13436,
]);

/** Errors the driver raises without the database, by class name. */
const UNAVAILABLE_NAMES = new Set([
  'MongoNotConnectedError',
  'MongoTopologyClosedError',
  'MongoClientClosedError',
  'MongoServerClosedError',
  'PoolClosedError',
  'MongoPoolClosedError',
  'MongoPoolClearedError',
  'PoolClearedOnNetworkError',
  'MongoPoolClearedOnNetworkError',
  'WaitQueueTimeoutError',
  'MongoWaitQueueTimeoutError',
]);

/**
 * What the driver throws as Node gave it: a write to a socket that has just died waits for `drain`
 * and gets the socket's own error (its connection.ts, `writeCommand`).
 */
const SOCKET_CODES = new Set([
  'EPIPE',
  'ECONNRESET',
  'ECONNABORTED',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ERR_SOCKET_CLOSED',
]);

function isSocketError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && SOCKET_CODES.has(code);
}

function rows(code: ErrorCode, status: number, message: string, ...numbers: number[]) {
  return numbers.map((number): [number, Row] => [number, { code, status, message }]);
}

/** MongoDB's number of an error, or `undefined`. */
export function mongoCodeOf(error: unknown): number | undefined {
  if (error instanceof QuorateError) return mongoCodeOf(error.cause);
  if (error instanceof MongoBulkWriteError) {
    const [first] = writeErrorsOf(error);
    if (first !== undefined) return first.code;
  }
  if (error instanceof MongoError && typeof error.code === 'number') return error.code;
  return undefined;
}

/** A write error of a bulk, as the driver reports it. */
export interface DriverWriteError {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string;
}

/** The per-item errors of a bulk write. */
export function writeErrorsOf(error: MongoBulkWriteError): DriverWriteError[] {
  const list = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return list.map((item) => ({
    index: item.index,
    code: item.code ?? 0,
    errmsg: item.errmsg ?? '',
  }));
}

/** Whether an error means that the database cannot be reached or has no primary just now. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof QuorateError) return isUnavailable(error.cause);
  if (error instanceof MongoServerSelectionError || error instanceof MongoNetworkError) return true;
  if (!(error instanceof MongoError)) return isSocketError(error);
  if (UNAVAILABLE_NAMES.has(error.name)) return true;
  return typeof error.code === 'number' && UNAVAILABLE_CODES.has(error.code);
}

/** CappedPositionLost, InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost. */
const POSITION_LOST_CODES = new Set([136, 260, 280, 286]);

/** Whether a change stream cannot be continued at its position. */
export function isPositionLost(error: unknown): boolean {
  return POSITION_LOST_CODES.has(mongoCodeOf(error) ?? 0);
}

/** The error to throw instead; anything that is no driver error is given back as it is. */
export function mapDatabaseError(error: unknown): unknown {
  if (error instanceof QuorateError) return error;
  // the driver's BSON may be another copy of the library: its classes are not ours
  if (BSONError.isBSONError(error)) {
    return new QuorateError('ERR_REQUEST_BODY', {
      status: 400,
      message: `Invalid BSON: ${error.message}`,
      cause: error,
    });
  }
  // the serializer's buffer ends a little above the largest document MongoDB takes
  if (error instanceof RangeError) return tooLarge(error);
  if (isUnavailable(error)) return mapUnavailable(error);
  if (!(error instanceof MongoError)) return error;
  if (error.name === 'MongoOperationTimeoutError') {
    return new QuorateError('ERR_DATABASE_TIMEOUT', {
      status: 408,
      message: 'Operation exceeded time limit',
      cause: error,
    });
  }
  if (error instanceof MongoBulkWriteError) {
    const [first] = writeErrorsOf(error);
    if (first !== undefined) return mapServerError(first.code, first.errmsg, error);
  }
  if (error instanceof MongoWriteConcernError) {
    return new QuorateError('ERR_DATABASE_UNAVAILABLE', {
      message: 'The write could not be confirmed by enough members',
      cause: error,
      headers: [['Retry-After', '1']],
    });
  }
  if (error instanceof MongoServerError) {
    return mapServerError(typeof error.code === 'number' ? error.code : 0, error.message, error);
  }
  if (error instanceof MongoInvalidArgumentError) {
    return new QuorateError('ERR_DATABASE_QUERY', { message: error.message, cause: error });
  }
  return new QuorateError('ERR_DATABASE', { message: error.message, cause: error });
}

/** A document or command above MongoDB's limits is a BSON encoding problem (rest-documents.md §3). */
function tooLarge(cause: unknown): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', {
    message: 'Invalid BSON: document size is larger than the maximum of 16777216 bytes',
    cause,
  });
}

/** BSONObjectTooLarge, and the older code of oversized writes. */
const TOO_LARGE_CODES = new Set([10334, 17419, 17420]);

/** Maps an error the database reports by number and text. */
export function mapServerError(code: number, text: string, cause?: unknown): QuorateError {
  if (TOO_LARGE_CODES.has(code)) return tooLarge(cause);
  if (UNAVAILABLE_CODES.has(code)) return mapUnavailable(cause);
  const row = TABLE.get(code);
  if (row !== undefined) {
    return new QuorateError(row.code, {
      status: row.status,
      message: row.message,
      details: { mongodbCode: code },
      cause,
    });
  }
  if (QUERY_CODES.has(code)) {
    return new QuorateError('ERR_DATABASE_QUERY', {
      message: `Invalid query parameter: ${text}`,
      details: { mongodbCode: code },
      cause,
    });
  }
  const codeName = codeNameOf(cause) || nameOfWriteError(code);
  const name = codeName === '' ? '' : ` (${codeName})`;
  return new QuorateError('ERR_DATABASE_COMMAND', {
    message: `Command failed with error ${code}${name}: '${text}'`,
    details: { mongodbCode: code },
    cause,
  });
}

/**
 * `exception message` of a database command error: code, its name and the text cut at 100
 * characters (rest-documents.md §2.5).
 */
export function commandErrorDetails(error: unknown): Readonly<Record<string, unknown>> {
  const cause = error instanceof QuorateError ? (error.cause ?? error) : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  return {
    code: mongoCodeOf(error) ?? -1,
    codeName: codeNameOf(cause) || nameOfWriteError(mongoCodeOf(error) ?? 0),
    errmsg: text.length > 100 ? `${text.slice(0, 100)}...` : text,
  };
}

function codeNameOf(error: unknown): string {
  if (!(error instanceof MongoServerError)) return '';
  const { codeName } = error;
  return typeof codeName === 'string' ? codeName : '';
}

function mapUnavailable(cause: unknown): QuorateError {
  const noPrimary =
    cause instanceof MongoServerError ||
    (cause instanceof MongoServerSelectionError && cause.reason?.type === 'ReplicaSetNoPrimary');
  return new QuorateError(noPrimary ? 'ERR_DATABASE_NO_PRIMARY' : 'ERR_DATABASE_UNAVAILABLE', {
    status: 503,
    message: 'Timeout connecting to MongoDB, is it running?',
    headers: [['Retry-After', '1']],
    retryable: true,
    cause,
  });
}
