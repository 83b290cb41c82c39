import { isQuorateError, QuorateError } from '../errors/quorate-error.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Reply, ReplyHeader } from '../model/reply.ts';
import type { AnyService, ErrorContext } from '../model/service.ts';
import type { Log } from '../observe/log.ts';

/** RESTHeart's error object as text (rest-documents.md §2.5); given by `representation/`. */
export type ErrorBodyWriter = (
  error: QuorateError,
  method: string,
  context: ErrorContext,
) => string;

/** A failure and its answer. */
export interface FailureReply {
  readonly error: QuorateError;
  readonly reply: Reply;
}

interface FailureParts {
  readonly writeErrorBody: ErrorBodyWriter;
  readonly log: Log;
}

/**
 * The one place where a thrown error becomes a reply. What nobody threw on purpose is a 500 whose cause goes to the
 * log under the request's id, and never to the client.
 */
export function replyToFailure(
  thrown: unknown,
  request: HttpRequest,
  service: AnyService,
  journey: { readonly prepared: unknown; readonly isPrepared: boolean },
  parts: FailureParts,
): FailureReply {
  const error = isQuorateError(thrown)
    ? thrown
    : new QuorateError('ERR_INTERNAL', { cause: thrown });
  report(error, request, service, parts.log);
  const isMongo = service.errorStyle === 'mongo';
  const headers: ReplyHeader[] = error.headers.map(([name, value]) => [name, value] as const);
  if (error.content !== undefined) {
    headers.push(['Content-Type', error.content.mediaType]);
    return { error, reply: { status: error.status, headers, body: error.content.text } };
  }
  if (isMongo || !error.emptyBody)
    headers.push([
      'Content-Type',
      // errors while the request is being prepared come before the pipeline (rest-documents.md §2.1)
      service.errorMediaType ??
        (isMongo && journey.isPrepared ? 'application/json; charset=UTF-8' : 'application/json'),
    ]);
  if (error.emptyBody || isBodyless(error))
    return { error, reply: { status: error.status, headers } };
  if (isMongo && !journey.isPrepared) {
    // as RESTHeart writes it there: without blanks (rest-documents.md §1.5)
    const text = parts.writeErrorBody(
      error,
      request.method,
      errorContext(request, service, journey),
    );
    return {
      error,
      reply: { status: error.status, headers, body: JSON.stringify(JSON.parse(text)) },
    };
  }
  const body = isMongo
    ? parts.writeErrorBody(error, request.method, errorContext(request, service, journey))
    : messageBody(error);
  return { error, reply: { status: error.status, headers, body } };
}

/** 401 and 403 of the guard have no body (security.md §1.2). */
function isBodyless(error: QuorateError): boolean {
  return error.code === 'ERR_AUTH_REQUIRED' || error.code === 'ERR_AUTHZ_FORBIDDEN';
}

function errorContext(
  request: HttpRequest,
  service: AnyService,
  journey: { readonly prepared: unknown; readonly isPrepared: boolean },
): ErrorContext {
  if (!journey.isPrepared) return {};
  return service.errorContext?.(request, journey.prepared) ?? {};
}

function messageBody(error: QuorateError): string {
  const exception = error.exception === undefined ? {} : { exception: error.exception };
  return JSON.stringify({ msg: error.message, ...exception });
}

function report(error: QuorateError, request: HttpRequest, service: AnyService, log: Log): void {
  if (error.code === 'ERR_REQUEST_ABORTED') return;
  if (error.status < 500) {
    if (log.isEnabled('debug'))
      log.debug(error.message, { requestId: request.id, code: error.code, ...error.details });
    return;
  }
  const fields = {
    requestId: request.id,
    code: error.code,
    service: service.name,
    method: request.method,
    path: request.rawPath,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    err: error.cause ?? error,
  };
  if (error.code === 'ERR_NOT_FOUND_MOUNT') log.debug(error.message, fields);
  else log.error(error.message, fields);
}
