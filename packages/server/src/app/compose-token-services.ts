/** The services around tokens and OAuth, as the configuration wants them. */
import { randomUUID } from 'node:crypto';
import { CODE_USE } from '../auth/tokens/jwt.ts';
import type { Settings } from '../config/schema.ts';
import { LruCache } from '../lib/lru-cache.ts';
import type { HttpRequest } from '../model/http-request.ts';
import type { AccountIdentity } from '../model/identity.ts';
import type { AccountStore } from '../model/ports.ts';
import type { AnyService } from '../model/service.ts';
import type { ApiKeyStore } from '../mongo/api-key-store.ts';
import { redeemCode } from '../mongo/code-store.ts';
import { RefreshStore } from '../mongo/refresh-store.ts';
import { type CodeSigner, exchangeCode } from '../service/oauth/authorization-code.ts';
import { AuthorizeService } from '../service/oauth/authorize-service.ts';
import {
  ClientRegistrationService,
  ProtectedResourceService,
  ServerMetadataService,
} from '../service/oauth/metadata-services.ts';
import { ApiKeysService } from '../service/token/api-keys-service.ts';
import type { AuthCookieSettings } from '../service/token/auth-cookie.ts';
import { JwksService } from '../service/token/jwks-service.ts';
import { LogoutService } from '../service/token/logout-service.ts';
import { RefreshGrant } from '../service/token/refresh-grant.ts';
import { RolesService } from '../service/token/roles-service.ts';
import { TokenService } from '../service/token/token-service.ts';
import type { TokenParts } from './compose-tokens.ts';
import type { SecurityDatabase } from './security-database.ts';

type Override = (request: HttpRequest, value: string) => void;

export interface TokenServiceParts {
  readonly tokens: TokenParts;
  readonly overrideAuthorization: Override;
  readonly database: SecurityDatabase | undefined;
  readonly apiKeys: ApiKeyStore | undefined;
  /** The realm of passwords. */
  readonly accounts: AccountStore | undefined;
}

/** Token endpoint, logout, roles and OAuth, those that are enabled. */
export function composeTokenServices(settings: Settings, parts: TokenServiceParts): AnyService[] {
  const { tokens, overrideAuthorization, database, apiKeys } = parts;
  const services: AnyService[] = [];
  const cookie = cookieSettings(settings);
  const codes = createCodeSigner(tokens, database);
  const revokeAll = revokeAllOf(tokens);
  const { manager, nowMs } = tokens;
  const { authTokenService, authCookieRemover } = settings;
  if (authTokenService.enabled) {
    services.push(
      new TokenService({
        uri: authTokenService.uri,
        redirectUrl: authTokenService['redirect-url'] ?? undefined,
        tokens: manager,
        now: nowMs,
        cookie: settings.authCookieSetter.enabled && tokens.areAccepted ? cookie : undefined,
        bearerInCookie:
          manager?.tokenType === 'Bearer' && settings.jwtAuthenticationMechanism.enabled,
        overrideAuthorization,
        refresh: refreshGrant(settings, parts, revokeAll),
        revokeAll,
        rootRole: settings.mongoAclAuthorizer['root-role'] ?? undefined,
        cookieOnRequest: settings.authCookieSetter['allow-legacy'],
        ...(manager && {
          exchangeCode: (form) => exchangeCode(codes, manager, form, nowMs()),
        }),
      }),
    );
  }
  if (authCookieRemover.enabled && tokens.areAccepted) {
    const { uri } = authCookieRemover;
    const secured = authCookieRemover.secured ?? authCookieRemover.secure ?? false;
    services.push(new LogoutService({ uri, secured, cookie }));
  }
  if (settings.roles.enabled) services.push(new RolesService({ uri: settings.roles.uri }));
  if (apiKeys) {
    const { uri, 'max-ttl': maxTtlDays } = settings.apiKeys;
    services.push(new ApiKeysService(apiKeys, { uri, maxTtlDays }));
  }
  if (settings.jwks.enabled && !settings.jwtConfigProvider.algorithm.startsWith('H')) {
    services.push(new JwksService(settings.jwks.uri, tokens.publicKeys));
  }
  services.push(...oauthServices(settings, codes, overrideAuthorization));
  return services;
}

/** Ends all tokens of an account, or of everybody. */
function revokeAllOf({ manager, revocations }: TokenParts) {
  return async (name: string | undefined): Promise<void> => {
    if (name === undefined) await revocations?.revokeEveryone();
    else await revocations?.revokeUser(name);
    await manager?.revokeAll?.(name);
  };
}

function refreshGrant(
  settings: Settings,
  { database, accounts }: TokenServiceParts,
  revokeUser: (name: string) => Promise<void>,
): RefreshGrant | undefined {
  const { refreshTokens } = settings;
  if (!refreshTokens.enabled || database === undefined || accounts === undefined) return undefined;
  const store = new RefreshStore(database.mongo, { ttlMs: refreshTokens.ttl * 60_000 });
  return new RefreshGrant({ store, accounts, revokeUser });
}

function oauthServices(
  settings: Settings,
  codes: CodeSigner,
  overrideAuthorization: Override,
): AnyService[] {
  const services: AnyService[] = [];
  const authorize = settings.oauthAuthorizationService;
  const metadata = settings.oauthAuthorizationServerMetadataService;
  const resource = settings.oauthProtectedResourceMetadataService;
  const registration = settings.oauthClientRegistrationService;
  if (authorize.enabled) {
    services.push(
      new AuthorizeService({
        uri: authorize.uri,
        loginUrl: authorize['login-url'] ?? undefined,
        allowedRedirectUris: authorize['allowed-redirect-uris'],
        codes,
        overrideAuthorization,
      }),
    );
  }
  if (metadata.enabled) {
    services.push(
      new ServerMetadataService({
        baseUrl: metadata['base-url'] ?? undefined,
        authorizeEndpointUri: metadata['authorize-endpoint-uri'],
        tokenEndpointUri: metadata['token-endpoint-uri'],
        registrationEndpointUri: metadata['registration-endpoint-uri'] ?? undefined,
      }),
    );
  }
  if (resource.enabled) {
    services.push(new ProtectedResourceService({ baseUrl: resource['base-url'] ?? undefined }));
  }
  if (registration.enabled) {
    services.push(new ClientRegistrationService({ uri: registration.uri }));
  }
  return services;
}

function cookieSettings({ authCookieSetter: setter }: Settings): AuthCookieSettings {
  return {
    name: setter.name,
    domain: setter.domain,
    path: setter.path,
    httpOnly: setter['http-only'],
    sameSite: setter['same-site'],
    sameSiteMode: setter['same-site-mode'],
    // the default file has no such key, and the cookie is secure all the same
    secure: setter.secure ?? true,
    ttlMinutes: setter.ttl,
  };
}

function createCodeSigner(
  { codec, nowMs }: TokenParts,
  database: SecurityDatabase | undefined,
): CodeSigner {
  const redeemed = new LruCache<string, true>({ maxEntries: 100_000, ttlMs: 10 * 60_000 });
  return {
    sign: (account, claims, ttlSeconds) =>
      codec.sign({
        ...claims,
        jti: claims['jti'] ?? randomUUID(),
        sub: account.name,
        use: CODE_USE,
        code_roles: [...account.roles],
        exp: Math.floor(nowMs() / 1000) + ttlSeconds,
      }),
    async verify(code) {
      const claims = await codec.verify(code);
      const roles = claims?.['code_roles'];
      if (claims?.['use'] !== CODE_USE || !Array.isArray(roles)) return undefined;
      const account: AccountIdentity = {
        kind: 'account',
        name: String(claims.sub),
        roles: roles.filter((role) => typeof role === 'string'),
        properties: new Map(),
      };
      return { account, claims };
    },
    redeem(codeId) {
      if (database) return redeemCode(database.mongo, codeId);
      const isFirst = redeemed.get(codeId) === undefined;
      redeemed.set(codeId, true);
      return Promise.resolve(isFirst);
    },
  };
}
