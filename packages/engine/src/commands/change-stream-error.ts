import type { CodeName } from '../errors/codes.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';

/** An error that a change stream's getMore met: its labels say whether the stream can resume. */
export class ChangeStreamError extends MongoCommandError {
  constructor(cause: MongoCommandError) {
    super(cause.codeName as CodeName, cause.message, {
      labels: cause.labels,
      ...(cause.extra && { extra: cause.extra }),
    });
  }
}
