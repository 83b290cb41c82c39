/** Who asks and may they: the parts of `auth/` and `authz/` as the configuration wants them. */
import { AUTHORIZATION_OVERRIDE, RequestAuthenticator } from '../auth/authenticate.ts';
import { RuleExplainer } from '../authz/explain-rules.ts';
import { FailedLogins, sourceOf } from '../authz/failed-logins.ts';
import { RequestAuthorizer } from '../authz/request-authorizer.ts';
import { RequestGuard } from '../authz/request-guard.ts';
import type { Settings } from '../config/schema.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { Guard } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import { ApiKeyStore } from '../mongo/api-key-store.ts';
import { FailureStore } from '../mongo/failure-store.ts';
import type { RevocationStore } from '../mongo/revocation-store.ts';
import { DECIDED_BY } from '../observe/audit-log.ts';
import type { Log } from '../observe/log.ts';
import { ExplainService } from '../service/explain/explain-service.ts';
import { composeAccounts, composeMechanisms } from './compose-logins.ts';
import { compilePermissions, composeAllowers, composeVetoers } from './compose-rules.ts';
import { composeTokenServices } from './compose-token-services.ts';
import { composeTokens, type TokenParts } from './compose-tokens.ts';
import { makeFirstAccount } from './first-account.ts';
import type { SecurityDatabase } from './security-database.ts';

/** What the pipeline needs of it. */
export interface SecurityParts {
  readonly guard: Guard;
  readonly services: readonly AnyService[];
  /** Resolves when first account, keys and revocations are there, however late. */
  readonly loaded: Promise<void>;
  /** Which key signs tokens. */
  readonly keyId: () => string;
  /** Resolves when accounts and rules can be kept, or the database did not answer within a second. */
  readonly collections: Promise<void>;
  /** Tokens taken back; undefined when that is switched off or impossible. */
  readonly revocations: RevocationStore | undefined;
  /** Made once all services are known. */
  readonly explainService: (
    findService: (path: string) => AnyService | undefined,
  ) => AnyService | undefined;
}

/** Joins mechanisms, realms, token manager, authorizers and their services. */
export function composeSecurity(
  settings: Settings,
  database: SecurityDatabase | undefined,
  { log, nowMs }: { readonly log: Log; readonly nowMs: () => number },
): SecurityParts {
  const firstAccount = database ? makeFirstAccount(settings, database.mongo, log) : undefined;
  const accounts = composeAccounts(settings, database, firstAccount?.settled, log);
  const tokens = composeTokens(settings, database, { log, nowMs });
  const apiKeys =
    database && settings.apiKeys.enabled ? new ApiKeyStore(database.mongo) : undefined;
  const authenticator = new RequestAuthenticator({
    mechanisms: composeMechanisms(settings, accounts, tokens, apiKeys, log),
    // without tokens there is nothing that a cookie could hold (security.md §2.5)
    cookieName:
      settings.authCookieHandler.enabled && tokens.areAccepted
        ? settings.authCookieSetter.name
        : undefined,
  });
  const allowers = composeAllowers(settings, database, log);
  const vetoers = composeVetoers(settings);
  const authorizer = new RequestAuthorizer({
    allowers,
    vetoers,
    challenges: (request) => authenticator.challenges(request),
    decided: settings.auditLog.enabled
      ? (request, by) => void request.attached.set(DECIDED_BY, by)
      : undefined,
  });
  const overrideAuthorization = (request: HttpRequest, value: string) => {
    request.attached.set(AUTHORIZATION_OVERRIDE, value);
  };
  const realm = accounts[settings.basicAuthMechanism.authenticator];
  const parts = { tokens, overrideAuthorization, database, apiKeys, accounts: realm };
  const rootRole = settings.mongoAclAuthorizer['root-role'] ?? undefined;
  const rules = new RuleExplainer({
    allowers,
    vetoers,
    rootRole,
    compile: (documents) => {
      const invalid: string[] = [];
      const note = { warn: (message: string) => void invalid.push(message) };
      return { permissions: compilePermissions(documents, note), invalid };
    },
  });
  revokeOnAccountWrites(settings, database, tokens, log);
  return {
    guard: composeGuard(settings, authenticator, authorizer, database, log),
    services: composeTokenServices(settings, parts),
    loaded: Promise.all([tokens.loaded, firstAccount?.settled]).then(() => undefined),
    keyId: tokens.keyId,
    collections: firstAccount?.collections ?? Promise.resolve(),
    revocations: tokens.revocations,
    explainService: (findService) =>
      settings.authzExplain.enabled
        ? new ExplainService({
            uri: settings.authzExplain.uri,
            rootRole,
            rules,
            accounts: realm,
            findService,
          })
        : undefined,
  };
}

/** Ends the tokens of changed accounts, where that is asked for; of everybody when a filter chose the accounts. */
function revokeOnAccountWrites(
  settings: Settings,
  database: SecurityDatabase | undefined,
  { revocations, manager }: TokenParts,
  log: Log,
): void {
  const events = settings.tokenRevocation;
  const isWanted =
    events['on-password-change'] || events['on-role-change'] || events['on-deletion'];
  if (!isWanted || revocations === undefined) return;
  database?.accountListeners?.add((write) => {
    const ends =
      (write.isDeletion && events['on-deletion']) ||
      (write.touchesPassword && events['on-password-change']) ||
      (write.touchesRoles && events['on-role-change']);
    if (!ends) return;
    const { name } = write;
    const revoked =
      name === undefined ? revocations.revokeEveryone() : revocations.revokeUser(name);
    Promise.all([revoked, manager?.revokeAll?.(name)]).catch((error: unknown) =>
      log.error('The tokens of a changed account are not ended on other nodes', { err: error }),
    );
  });
}

/** Counts refused logins where that is asked for (security.md §10). */
function composeGuard(
  settings: Settings,
  authenticator: RequestAuthenticator,
  authorizer: RequestAuthorizer,
  database: SecurityDatabase | undefined,
  log: Log,
): RequestGuard {
  const guard = settings.bruteForceAttackGuard;
  const fromLast =
    guard['x-forwarded-for-value-from-last-element'] ?? guard['x-forwarded-for-value-from-last'];
  const source = {
    trustsForwardedFor: guard['trust-x-forwarded-for'],
    valueFromLast: Math.max(0, fromLast),
  };
  const warn = (message: string, error: unknown) => log.warn(message, { err: error });
  const shared =
    guard.enabled && guard.shared && database
      ? new FailureStore(database.mongo, database.feed, { warn })
      : undefined;
  const limit = (maxAttempts: number) =>
    guard.enabled && maxAttempts > 0 ? new FailedLogins({ maxAttempts, shared }) : undefined;
  return new RequestGuard(authenticator, authorizer, {
    failures: limit(guard['max-failed-attempts']),
    sourceOf: (request) => sourceOf(request, source),
    userFailures: limit(guard['max-failed-attempts-per-user']),
    claimedNameOf: (request) => authenticator.claimedName(request),
    loginServices: new Set(['authTokenService', 'oauthAuthorizationService', 'apiKeys']),
    refused: settings.failedAuthLogger.enabled
      ? (request) => logRefusal(request, authenticator, log)
      : undefined,
  });
}

function logRefusal(request: HttpRequest, authenticator: RequestAuthenticator, log: Log): void {
  log.warn('Login refused', {
    requestId: request.id,
    user: authenticator.claimedName(request) ?? null,
    remoteIp: request.remoteAddress,
    forwardedFor: request.header('x-forwarded-for') ?? null,
    method: request.method,
    path: request.rawPath,
    userAgent: request.header('user-agent') ?? null,
  });
}
