import { type CodeName, codeOf } from '../errors/codes.ts';

const codes = (...names: CodeName[]): ReadonlySet<number> => new Set(names.map(codeOf));

/** MongoDB's category RetriableError. */
const RETRYABLE = codes(
  'HostUnreachable',
  'HostNotFound',
  'NetworkTimeout',
  'ShutdownInProgress',
  'PrimarySteppedDown',
  'Location9001',
  'NotWritablePrimary',
  'InterruptedAtShutdown',
  'InterruptedDueToReplStateChange',
  'NotPrimaryNoSecondaryOk',
  'NotPrimaryOrSecondary',
  'ExceededTimeLimit',
  'Location134',
);

const TRANSIENT = codes(
  'WriteConflict',
  'LockTimeout',
  'PreparedTransactionInProgress',
  'SnapshotTooOld',
  'SnapshotUnavailable',
  'Location13388',
);

const NO_SUCH_TRANSACTION = codeOf('NoSuchTransaction');

/** Change streams can resume after these (driver specification "Change Streams"). */
const RESUMABLE = codes(
  'HostUnreachable',
  'HostNotFound',
  'NetworkTimeout',
  'ShutdownInProgress',
  'PrimarySteppedDown',
  'ExceededTimeLimit',
  'Location9001',
  'NotWritablePrimary',
  'InterruptedAtShutdown',
  'InterruptedDueToReplStateChange',
  'NotPrimaryNoSecondaryOk',
  'NotPrimaryOrSecondary',
  'Location63',
  'Location150',
  'Location13388',
  'RetryChangeStream',
  'Location133',
);

export interface FailedCommand {
  readonly name: string;
  readonly inTransaction: boolean;
  readonly retryableWrite: boolean;
  readonly onChangeStream: boolean;
  readonly hasWriteConcernError: boolean;
}

/** The labels MongoDB gives an error code, by the kind of command that met it. */
export function labelsFor(code: number, command: FailedCommand): string[] {
  const labels: string[] = [];
  const ending = command.name === 'commitTransaction' || command.name === 'abortTransaction';
  if (command.inTransaction && isTransient(code, ending, command.hasWriteConcernError)) {
    labels.push('TransientTransactionError');
  }
  if ((command.retryableWrite || ending) && RETRYABLE.has(code)) labels.push('RetryableWriteError');
  if (command.onChangeStream && RESUMABLE.has(code)) labels.push('ResumableChangeStreamError');
  return labels;
}

function isTransient(code: number, ending: boolean, hasWriteConcernError: boolean): boolean {
  if (TRANSIENT.has(code)) return !hasWriteConcernError;
  if (code === NO_SUCH_TRANSACTION) return !(ending && hasWriteConcernError);
  // a write concern that failed says nothing against the transaction
  return !ending && !hasWriteConcernError && RETRYABLE.has(code);
}

const STATE_CHANGES = codes(
  'ShutdownInProgress',
  'PrimarySteppedDown',
  'NotWritablePrimary',
  'InterruptedAtShutdown',
  'InterruptedDueToReplStateChange',
  'NotPrimaryNoSecondaryOk',
  'NotPrimaryOrSecondary',
);

const NOT_PRIMARY = codes(
  'PrimarySteppedDown',
  'NotWritablePrimary',
  'InterruptedDueToReplStateChange',
  'NotPrimaryNoSecondaryOk',
  'NotPrimaryOrSecondary',
);

/**
 * Codes that come with a topologyVersion. A member that merely shuts down has none to give: a driver
 * could take the error for an old one.
 */
export function isNotPrimary(code: number): boolean {
  return NOT_PRIMARY.has(code);
}

/** Codes that say a member is no primary any more, or goes away. */
export function isStateChange(code: number): boolean {
  return STATE_CHANGES.has(code);
}
