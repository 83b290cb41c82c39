/** Who asked for what, from where, and whether he got it: one entry for each request, in the log and wherever else. */
import type { Log } from './log.ts';
import type { EndedRequest, RequestObserver } from './request-observer.ts';

/** Key in `HttpRequest.attached` under which authorization leaves the name of what decided. */
export const DECIDED_BY = 'decided-by';

/** One entry; times as `Date`. No query string, no body: both may hold what nobody should read later. */
export interface AuditEntry {
  readonly at: Date;
  readonly requestId: string;
  /** Null: nobody. */
  readonly user: string | null;
  readonly roles: readonly string[];
  readonly remoteIp: string;
  readonly forwardedFor: string | null;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly decision: 'allowed' | 'not authenticated' | 'forbidden' | 'too many';
  /** The permission, authorizer or vetoer that decided; null where none was asked. */
  readonly decidedBy: string | null;
  readonly elapsedMs: number;
}

/** Which requests are worth an entry. */
export type AuditScope = 'refusals' | 'writes' | 'all';

/** Keeps entries elsewhere, a collection for instance. */
export interface AuditSink {
  /** Must not throw, and not wait. */
  add(entry: AuditEntry): void;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Writes the entries. */
export function createAuditLog(
  options: { readonly scope: AuditScope; readonly sink?: AuditSink | undefined },
  log: Log,
): RequestObserver {
  const { scope, sink } = options;
  return {
    ended(event) {
      if (event.serviceName === undefined) return;
      const decision = decisionOf(event.status);
      const isWorthIt =
        scope === 'all' ||
        decision !== 'allowed' ||
        (scope === 'writes' && !READS.has(event.request.method));
      if (!isWorthIt) return;
      const entry = toEntry(event, decision);
      log.info('audit', { ...entry, at: entry.at.toISOString() });
      sink?.add(entry);
    },
  };
}

function decisionOf(status: number): AuditEntry['decision'] {
  if (status === 401) return 'not authenticated';
  if (status === 403) return 'forbidden';
  return status === 429 ? 'too many' : 'allowed';
}

function toEntry(event: EndedRequest, decision: AuditEntry['decision']): AuditEntry {
  const { request, identity, status, elapsedMs } = event;
  const decidedBy = request.attached.get(DECIDED_BY);
  return {
    at: new Date(request.receivedAtMs),
    requestId: request.id,
    user: identity.kind === 'account' ? identity.name : null,
    roles: identity.kind === 'account' ? identity.roles : [],
    remoteIp: request.remoteAddress,
    forwardedFor: request.header('x-forwarded-for') ?? null,
    method: request.method,
    path: request.rawPath,
    status,
    decision,
    decidedBy: typeof decidedBy === 'string' ? decidedBy : null,
    elapsedMs: Math.round(elapsedMs * 10) / 10,
  };
}
