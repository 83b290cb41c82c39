/** Tests that are left out, with the reason: the driver's own differences, or what the engine or a set of one lacks. */
import type { SpecFile, SpecTest } from './spec-file.ts';

interface Difference {
  /** Of the path of the file. */
  readonly file: RegExp;
  /** Of the description of the test; absent means all tests of the file. */
  readonly test?: RegExp;
  readonly reason: string;
}

const DIFFERENCES: readonly Difference[] = [
  {
    file: /^csot\//,
    reason: 'the driver does without timeoutMS since 7.9',
  },
  {
    file: /^crud\/unified\/bypassDocumentValidation$/,
    test: /bypassDocumentValidation: false/,
    reason: 'NODE-6484: the driver does not send false',
  },
  {
    file: /^crud\/unified\/create-null-ids$/,
    reason: 'NODE-6468: the driver gives a document with _id null an ObjectId',
  },
  {
    file: /^crud\/unified\/client-bulkWrite-partialResults$/,
    test: /^partialResult is unset/,
    reason: 'NODE-6384: the driver sets the partial result always',
  },
  {
    file: /^command_logging\/operation-id$/,
    reason: 'the driver logs no operation ids',
  },
  {
    file: /^command_logging\/redacted-commands$/,
    test: /^network error in response to/,
    reason: 'the driver redacts failures of sensitive commands always',
  },
  {
    file: /^retryable_reads\/unified\/list(Collection|Database)Objects/,
    reason: 'the driver has no such operation',
  },
  {
    file: /mapReduce$/,
    reason: 'the driver has no such operation',
  },
  {
    file: /^read_write_concern\/operation\/default-write-concern/,
    test: /^MapReduce/,
    reason: 'the driver has no such operation',
  },
  {
    file: /gridfs/,
    test: /ByName reports|^(delete|rename) when (multiple revisions|file name)/,
    reason: 'the driver has no such operation',
  },
  {
    file: /^gridfs\/download$/,
    test: /final chunk is missing/,
    reason: 'the driver does not miss a last chunk',
  },
  {
    file: /^client-backpressure\/backpressure-connection-checkin$/,
    reason: 'the driver retries more often than this version of the specification says',
  },
  {
    file: /^transactions\/unified\/client-bulkWrite$/,
    test: /with writeConcern in a transaction/,
    reason: 'the driver leaves the refusal to the server',
  },
  {
    file: /^discovery_and_monitoring\/unified\/(logging-replicaset|replicaset-emit)/,
    test: /^(Topology lifecycle|Successful heartbeat)$/,
    reason: 'needs a set of three members',
  },
  {
    file: /^discovery_and_monitoring\/unified\/rediscover-quickly/,
    reason: 'needs a set of three members',
  },
  {
    file: /^server_selection_logging\/replica-set$/,
    reason: 'needs a set of three members',
  },
  {
    file: /^transactions\/unified\/run-command$/,
    test: /secondary read preference in client option/,
    reason: 'needs a set of three members',
  },
  {
    file: /^transactions\/unified\/transaction-options$/,
    test: /^readPreference inherited from client$/,
    reason: 'needs a set of three members',
  },
  {
    file: /^discovery_and_monitoring\/unified\/interruptInUse-pool-clear$/,
    reason: 'the engine runs no JavaScript: $where is refused',
  },
];

/** Why a test is left out; undefined when it is to run. */
export function differenceOf(file: SpecFile, test: SpecTest): string | undefined {
  return DIFFERENCES.find(
    (difference) =>
      difference.file.test(file.path) &&
      (difference.test === undefined || difference.test.test(test.description)),
  )?.reason;
}
