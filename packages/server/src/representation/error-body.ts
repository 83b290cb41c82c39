/** The error object of every JSON answer that is no success (rest-documents.md §2.5). */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { JsonMode } from './json-mode.ts';
import { writeJson } from './json-writer.ts';

/** What an error object is made of; only `status` is always there. */
export interface ErrorBodyParts {
  readonly status: number;
  readonly message?: string | undefined;
  /** A Java class name, verbatim, because clients of the reference compare it. */
  readonly exception?: string | undefined;
  readonly exceptionMessage?: string | BsonDocument | undefined;
  /** Further members of this one error, at the end. */
  readonly members?: BsonDocument | undefined;
  readonly warnings?: readonly string[] | undefined;
  /** Warnings come first, before the other keys, unless the request was a GET. */
  readonly method?: string | undefined;
  readonly jsonMode?: JsonMode | undefined;
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  207: 'Multi-Status',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  421: 'Misdirected Request',
  422: 'Unprocessable Entity',
  423: 'Locked',
  424: 'Failed Dependency',
  428: 'Precondition Required',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
};

/** The usual reason text of a status. */
export function reasonOf(status: number): string {
  return REASONS[status] ?? 'Unknown';
}

/** The error object as a document. */
export function errorDocument(parts: ErrorBodyParts): BsonDocument {
  const document: BsonDocument = new Map();
  const warnings = parts.warnings?.length ? [...parts.warnings] : undefined;
  if (warnings && parts.method !== 'GET') document.set('_warnings', warnings);
  document.set('http status code', parts.status);
  document.set('http status description', reasonOf(parts.status));
  if (parts.message !== undefined) document.set('message', cleanText(parts.message));
  if (parts.exception !== undefined) document.set('exception', parts.exception);
  if (parts.exceptionMessage !== undefined) {
    document.set('exception message', cleanValue(parts.exceptionMessage));
  }
  for (const [name, value] of parts.members ?? []) document.set(name, value);
  if (warnings && parts.method === 'GET') document.set('_warnings', warnings);
  return document;
}

/** The error object as JSON text. */
export function errorBody(parts: ErrorBodyParts): string {
  return writeJson(errorDocument(parts), parts.jsonMode);
}

/** Double quotes become single ones, tabs two spaces. */
function cleanText(text: string): string {
  return text.replaceAll('"', "'").replaceAll('\t', '  ');
}

function cleanValue(value: string | BsonDocument): BsonValue {
  return typeof value === 'string' ? cleanText(value) : value;
}
