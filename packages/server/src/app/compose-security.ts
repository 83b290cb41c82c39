/** Who asks and may they: the parts of `auth/` and `authz/` as the configuration wants them. */
import { randomBytes } from 'node:crypto';
import { AUTHORIZATION_OVERRIDE, RequestAuthenticator } from '../auth/authenticate.ts';
import { ApiKeyMechanism } from '../auth/mechanisms/api-key.ts';
import { BasicMechanism } from '../auth/mechanisms/basic.ts';
import { DigestMechanism } from '../auth/mechanisms/digest.ts';
import { IdentityMechanism } from '../auth/mechanisms/identity.ts';
import { JwtMechanism, type VerifyBearer } from '../auth/mechanisms/jwt.ts';
import type { AuthenticationMechanism } from '../auth/mechanisms/mechanism.ts';
import { TokenBasicMechanism } from '../auth/mechanisms/token-basic.ts';
import { PasswordVerifier } from '../auth/password-verifier.ts';
import { FileRealm } from '../auth/realms.ts';
import type { TokenManager } from '../auth/tokens/token-manager.ts';
import { AclAuthorizer } from '../authz/acl/acl-authorizer.ts';
import { type Permission, toPermission } from '../authz/acl/permission.ts';
import { RankedPermissions } from '../authz/acl/select-permission.ts';
import {
  type Allower,
  FullAuthorizer,
  OwnRolesAllower,
  type Vetoer,
} from '../authz/authorization.ts';
import { RuleExplainer } from '../authz/explain-rules.ts';
import { FailedLogins, sourceOf } from '../authz/failed-logins.ts';
import { RequestAuthorizer } from '../authz/request-authorizer.ts';
import { RequestGuard } from '../authz/request-guard.ts';
import { FilterOperatorVetoer, ForeignRolesVetoer, OriginVetoer } from '../authz/vetoers.ts';
import type { Settings } from '../config/schema.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { AccountStore, Guard } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import { MongoAccountStore } from '../mongo/account-store.ts';
import { API_KEY_PREFIX, ApiKeyStore } from '../mongo/api-key-store.ts';
import { FailureStore } from '../mongo/failure-store.ts';
import { PermissionStore } from '../mongo/permission-store.ts';
import type { RevocationStore } from '../mongo/revocation-store.ts';
import type { Log } from '../observe/log.ts';
import { parseJson } from '../representation/json-reader.ts';
import { ExplainService } from '../service/explain/explain-service.ts';
import { composeTokenServices } from './compose-token-services.ts';
import { composeTokens, type TokenParts } from './compose-tokens.ts';
import { readConfiguredEntries } from './configured-entries.ts';
import { afterFirstAccount, makeFirstAccount } from './first-account.ts';
import type { SecurityDatabase } from './security-database.ts';

/** What the pipeline needs of it. */
export interface SecurityParts {
  readonly guard: Guard;
  readonly services: readonly AnyService[];
  /** Resolves when first account, keys and revocations are there, however late. */
  readonly loaded: Promise<void>;
  /** Which key signs tokens. */
  readonly keyId: () => string;
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
  log: Log,
): SecurityParts {
  const firstAccount = database ? makeFirstAccount(settings, database.mongo, log) : undefined;
  const accounts = composeAccounts(settings, database, firstAccount);
  const tokens = composeTokens(settings, database, log);
  const apiKeys =
    database && settings.apiKeys.enabled ? new ApiKeyStore(database.mongo) : undefined;
  const authenticator = new RequestAuthenticator({
    mechanisms: composeMechanisms(settings, accounts, tokens, apiKeys),
    cookieName: settings.authCookieHandler.enabled ? settings.authCookieSetter.name : undefined,
  });
  const allowers = composeAllowers(settings, database, log);
  const vetoers = composeVetoers(settings);
  const authorizer = new RequestAuthorizer({
    allowers,
    vetoers,
    challenges: (request) => authenticator.challenges(request),
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
    loaded: Promise.all([tokens.loaded, firstAccount]).then(() => undefined),
    keyId: tokens.keyId,
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
  const maxAttempts = guard['max-failed-attempts'];
  return new RequestGuard(authenticator, authorizer, {
    failures: guard.enabled ? new FailedLogins({ maxAttempts, shared }) : undefined,
    sourceOf: (request) => sourceOf(request, source),
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

function composeMechanisms(
  settings: Settings,
  accounts: Readonly<Record<string, AccountStore | undefined>>,
  tokens: { readonly manager: TokenManager | undefined; readonly verifyBearer: VerifyBearer },
  apiKeys: ApiKeyStore | undefined,
): AuthenticationMechanism[] {
  const mechanisms: AuthenticationMechanism[] = [];
  const { basicAuthMechanism, digestAuthMechanism, jwtAuthenticationMechanism } = settings;
  if (settings.tokenBasicAuthMechanism.enabled && tokens.manager) {
    mechanisms.push(new TokenBasicMechanism(tokens.manager));
  }
  if (settings.identityAuthMechanism.enabled) {
    mechanisms.push(new IdentityMechanism(settings.identityAuthMechanism));
  }
  if (jwtAuthenticationMechanism.enabled) {
    mechanisms.push(new JwtMechanism(tokens.verifyBearer, jwtAuthenticationMechanism));
  }
  const owners = accounts[basicAuthMechanism.authenticator];
  if (apiKeys && owners) {
    mechanisms.push(new ApiKeyMechanism(apiKeys, owners, { prefix: API_KEY_PREFIX }));
  }
  const basicAccounts = accounts[basicAuthMechanism.authenticator];
  if (basicAuthMechanism.enabled && basicAccounts) {
    const complexity = settings.mongoRealmAuthenticator['bcrypt-complexity'];
    mechanisms.push(new BasicMechanism(basicAccounts, new PasswordVerifier({ complexity })));
  }
  const digestAccounts = accounts[digestAuthMechanism.authenticator];
  if (digestAuthMechanism.enabled && digestAccounts) {
    const { realm, domain } = digestAuthMechanism;
    const nonceKey = randomBytes(32);
    mechanisms.push(new DigestMechanism(digestAccounts, { realm, domain, nonceKey }));
  }
  return mechanisms;
}

function composeAccounts(
  settings: Settings,
  database: SecurityDatabase | undefined,
  firstAccount: Promise<void> | undefined,
): Readonly<Record<string, AccountStore | undefined>> {
  const file = settings.fileRealmAuthenticator;
  const realm = settings.mongoRealmAuthenticator;
  const mongoAccounts =
    database &&
    realm.enabled &&
    new MongoAccountStore(database.mongo, database.feed, {
      database: realm['users-db'],
      collection: realm['users-collection'],
      idProperty: realm['prop-id'],
      passwordProperty: realm['prop-password'],
      rolesPath: realm['json-path-roles'],
      passwordIsHashed: realm['bcrypt-hashed-password'],
      cacheSize: realm['cache-size'],
      cacheTtlMs: realm['cache-enabled'] ? realm['cache-ttl'] : 0,
    });
  return {
    fileRealmAuthenticator: file.enabled
      ? new FileRealm(readConfiguredEntries(file['conf-file'], 'users', file.users))
      : undefined,
    mongoRealmAuthenticator: mongoAccounts
      ? afterFirstAccount(mongoAccounts, firstAccount)
      : undefined,
  };
}

function composeAllowers(
  settings: Settings,
  database: SecurityDatabase | undefined,
  log: Log,
): Allower[] {
  const { fileAclAuthorizer, fullAuthorizer, mongoAclAuthorizer } = settings;
  const allowers: Allower[] = [];
  if (fullAuthorizer.enabled) {
    const authenticationRequired = fullAuthorizer['authentication-required'];
    allowers.push(new FullAuthorizer({ authenticationRequired }));
  }
  if (fileAclAuthorizer.enabled) {
    const entries = readConfiguredEntries(
      fileAclAuthorizer['conf-file'],
      'permissions',
      fileAclAuthorizer.permissions,
    );
    const permissions = compilePermissions(entries.map(toMongoForm), log);
    const ranked = new RankedPermissions(permissions, 'file');
    const options = { name: 'fileAclAuthorizer', rootRole: undefined };
    allowers.push(new AclAuthorizer({ current: () => ranked }, options));
  }
  if (database && mongoAclAuthorizer.enabled) {
    const store = new PermissionStore(database.mongo, database.feed, {
      database: mongoAclAuthorizer['acl-db'],
      collection: mongoAclAuthorizer['acl-collection'],
      ttlMs: mongoAclAuthorizer['cache-enabled'] ? mongoAclAuthorizer['cache-ttl'] : 0,
      compile: (documents) => new RankedPermissions(compilePermissions(documents, log), 'mongo'),
    });
    const rootRole = mongoAclAuthorizer['root-role'] ?? undefined;
    allowers.push(new AclAuthorizer(store, { name: 'mongoAclAuthorizer', rootRole }));
  }
  if (allowers.length > 0 && settings.roles.enabled) {
    allowers.push(new OwnRolesAllower(settings.roles.uri));
  }
  return allowers;
}

/** A permission that is not valid is left out: whoever it would let in stays outside. */
function compilePermissions(
  documents: readonly BsonDocument[],
  log: Pick<Log, 'warn'>,
): Permission[] {
  return documents.flatMap((document) => {
    try {
      return [toPermission(document, { parseJson })];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log.warn(`Permission ${String(document.get('_id') ?? '')} is ignored: ${reason}`, {});
      return [];
    }
  });
}

/** `role` and filters as JSON text are the file's way (security.md §8.2). */
function toMongoForm(entry: BsonDocument): BsonDocument {
  const role = entry.get('role');
  if (role !== undefined && entry.get('roles') !== undefined) {
    return new Map([...entry, ['roles', null]]);
  }
  const mongo = entry.get('mongo');
  return new Map<string, BsonValue>([
    ...entry,
    ...(role === undefined ? [] : [['roles', [role]] as [string, BsonValue]]),
    ...(mongo instanceof Map ? [['mongo', parseFilters(mongo)] as [string, BsonValue]] : []),
  ]);
}

function parseFilters(mongo: BsonDocument): BsonDocument {
  return new Map(
    [...mongo].map(([name, value]) => [name, typeof value === 'string' ? parseJson(value) : value]),
  );
}

function composeVetoers(settings: Settings): Vetoer[] {
  const { filterOperatorsBlacklist, originVetoer, roles } = settings;
  const vetoers: Vetoer[] = [];
  if (originVetoer.enabled) {
    vetoers.push(
      new OriginVetoer({
        whitelist: originVetoer.whitelist,
        whitelistPatterns: originVetoer['whitelist-patterns'],
        allowMissingOrigin: originVetoer['allow-missing-origin'],
        ignorePaths: originVetoer['ignore-paths'],
      }),
    );
  }
  if (filterOperatorsBlacklist.enabled) {
    vetoers.push(new FilterOperatorVetoer(filterOperatorsBlacklist.blacklist));
  }
  if (roles.enabled) vetoers.push(new ForeignRolesVetoer(roles.uri));
  return vetoers;
}
