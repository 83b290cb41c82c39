import { type CodeName, codeOf } from './codes.ts';

/** Labels drivers act upon (manual, "Error labels"). */
export type ErrorLabel =
  | 'TransientTransactionError'
  | 'UnknownTransactionCommitResult'
  | 'RetryableWriteError'
  | 'ResumableChangeStreamError'
  | 'NonResumableChangeStreamError'
  | 'SystemOverloadedError'
  | 'NoWritesPerformed';

export interface MongoCommandErrorOptions {
  /** Fields that join the reply or the write error, such as keyPattern, keyValue, errInfo. */
  readonly extra?: ReadonlyMap<string, unknown>;
  readonly labels?: readonly string[];
}

/**
 * A failure the client is told of, with MongoDB's code. `extra` is a Document (Map of BSON values);
 * it is typed loosely here because errors/ is a leaf below bson/.
 */
export class MongoCommandError extends Error {
  readonly code: number;
  readonly codeName: string;
  readonly labels: string[];
  readonly extra: ReadonlyMap<string, unknown> | undefined;

  constructor(codeName: CodeName, message: string, options: MongoCommandErrorOptions = {}) {
    super(message);
    this.name = 'MongoCommandError';
    this.code = codeOf(codeName);
    this.codeName = codeName;
    this.labels = [...(options.labels ?? [])];
    this.extra = options.extra;
  }
}
