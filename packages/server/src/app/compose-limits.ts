/** Limits, records and headers around every request, as the configuration wants them. */
import { hostname } from 'node:os';
import { sourceOf } from '../authz/failed-logins.ts';
import { RateLimiter } from '../authz/rate-limiter.ts';
import type { Settings } from '../config/schema.ts';
import type { RequestLimiter } from '../model/ports.ts';
import { AuditStore } from '../mongo/audit-store.ts';
import type { MongoAccess } from '../mongo/mongo-access.ts';
import { RateStore } from '../mongo/rate-store.ts';
import { createAuditLog } from '../observe/audit-log.ts';
import type { Log } from '../observe/log.ts';
import type { RequestObserver } from '../observe/request-observer.ts';

/** Undefined: nobody is limited. */
export function composeLimiter(
  { rateLimits }: Settings,
  mongo: MongoAccess | undefined,
  log: Log,
): RequestLimiter | undefined {
  if (!rateLimits.enabled || rateLimits.policies.length === 0) return undefined;
  const source = {
    trustsForwardedFor: rateLimits['trust-x-forwarded-for'],
    valueFromLast: rateLimits['x-forwarded-for-value-from-last'],
  };
  return new RateLimiter({
    policies: rateLimits.policies.map(
      ({ name = 'default', quota, window, per = 'account', paths = ['/'] }) => ({
        name,
        quota,
        windowMs: window * 1000,
        per,
        paths,
      }),
    ),
    shared: mongo && rateLimits.shared ? new RateStore(mongo) : undefined,
    sourceOf: (request) => sourceOf(request, source),
    warn: (message, error) => log.warn(message, { err: error }),
  });
}

/** An observer of requests, and what writes its last entries. */
export interface AuditParts {
  readonly observers: readonly RequestObserver[];
  flush(): Promise<void>;
}

export function composeAudit(
  settings: Settings,
  mongo: MongoAccess | undefined,
  log: Log,
): AuditParts {
  const { auditLog, core } = settings;
  if (!auditLog.enabled) return { observers: [], flush: () => Promise.resolve() };
  const store =
    mongo && auditLog.collection
      ? new AuditStore(mongo, {
          maxBytes: auditLog['collection-size'],
          node: `${core.name}@${hostname()}:${process.pid}`,
          warn: (message, error) => log.warn(message, { err: error }),
        })
      : undefined;
  return {
    observers: [createAuditLog({ scope: auditLog.scope, sink: store }, log)],
    flush: () => store?.flush() ?? Promise.resolve(),
  };
}

/** The headers of the section `securityHeaders`, name and value alternating. */
export function composeSecurityHeaders({ securityHeaders }: Settings): {
  readonly plain: readonly string[];
  readonly tls: readonly string[];
} {
  if (!securityHeaders.enabled) return { plain: [], tls: [] };
  const plain = Object.entries(securityHeaders.headers).flatMap(([name, value]) => [
    name,
    String(value),
  ]);
  const hsts = securityHeaders['strict-transport-security'];
  return { plain, tls: hsts === null ? plain : [...plain, 'Strict-Transport-Security', hsts] };
}
