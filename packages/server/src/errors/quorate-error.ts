import { ERROR_CODES, type ErrorCode, type ErrorFamily } from './codes.ts';

/** What a throw may add to its code. */
export interface QuorateErrorOptions {
  /** Safe to send; sentence of the specification where it names one. Defaults to the title of the code. */
  readonly message?: string;
  /** Overrides the status of the table where the specification's status differs. */
  readonly status?: number;
  /** What the reader can do about it; for the log and the command line. */
  readonly hint?: string;
  /** Safe facts for the log. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Fully qualified Java class name that clients of RESTHeart compare (rest-documents.md §2.5). */
  readonly exception?: string;
  /** `exception message` of the error body: a text, or an object for database command errors. */
  readonly exceptionMessage?: string | Readonly<Record<string, unknown>>;
  /** Extra response headers, spelled as on the wire. */
  readonly headers?: readonly (readonly [string, string])[];
  /** True where RESTHeart answers this status without a body (rest-documents.md §2.5). */
  readonly emptyBody?: boolean;
  /** The whole body, where an interface has error bodies of its own. */
  readonly content?: { readonly mediaType: string; readonly text: string };
  readonly retryable?: boolean;
  /** The original error; stays inside the process. */
  readonly cause?: unknown;
}

/** The only error that is thrown on purpose; becomes a reply once, in the request pipeline. */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly exception: string | undefined;
  readonly exceptionMessage: string | Readonly<Record<string, unknown>> | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly emptyBody: boolean;
  readonly content: { readonly mediaType: string; readonly text: string } | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, options: QuorateErrorOptions = {}) {
    const row = ERROR_CODES[code];
    const status = options.status ?? row.status;
    const stackLimit = Error.stackTraceLimit;
    // what clients do wrong is nobody's stack: a 404 costs a third less without it
    if (status < 500) Error.stackTraceLimit = 0;
    super(
      options.message ?? row.title,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    Error.stackTraceLimit = stackLimit;
    this.code = code;
    this.status = status;
    this.hint = options.hint;
    this.details = options.details;
    this.exception = options.exception;
    this.exceptionMessage = options.exceptionMessage;
    this.headers = options.headers ?? [];
    this.emptyBody = options.emptyBody ?? false;
    this.content = options.content;
    this.retryable = options.retryable ?? false;
  }

  get family(): ErrorFamily {
    return ERROR_CODES[this.code].family;
  }
}

/** True for errors thrown on purpose. */
export function isQuorateError(error: unknown): error is QuorateError {
  return error instanceof QuorateError;
}
