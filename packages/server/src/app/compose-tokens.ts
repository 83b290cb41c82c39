/** The token manager that the configuration chooses, the keys behind it and what takes tokens back. */
import { createHmac } from 'node:crypto';
import type { VerifyBearer } from '../auth/mechanisms/jwt.ts';
import { issuerOf, JwtCodec } from '../auth/tokens/jwt.ts';
import { claimsToIdentity } from '../auth/tokens/jwt-identity.ts';
import { JwtTokenManager, type JwtTokenManagerOptions } from '../auth/tokens/jwt-token-manager.ts';
import type { JwtAlgorithm, TokenKey } from '../auth/tokens/key-ring.ts';
import { RandomTokenManager } from '../auth/tokens/random-token-manager.ts';
import { RemoteKeyRing } from '../auth/tokens/remote-key-ring.ts';
import { SharedTokenManager } from '../auth/tokens/shared-token-manager.ts';
import type { TokenManager } from '../auth/tokens/token-manager.ts';
import type { Settings } from '../config/schema.ts';
import type { RevocationList } from '../model/ports.ts';
import { RevocationStore } from '../mongo/revocation-store.ts';
import { TokenStore } from '../mongo/token-store.ts';
import type { Log } from '../observe/log.ts';
import { composeKeys, normalizeAlgorithm } from './compose-keys.ts';
import type { SecurityDatabase } from './security-database.ts';

export interface TokenParts {
  readonly manager: TokenManager | undefined;
  /** Some mechanism takes what the manager gives out: else no cookie is set, read or removed (security.md §2.5). */
  readonly areAccepted: boolean;
  /** The clock by which tokens live, that of the database. */
  readonly nowMs: () => number;
  readonly codec: JwtCodec;
  readonly verifyBearer: VerifyBearer;
  /** Undefined without a database, or when it is switched off. */
  readonly revocations: RevocationStore | undefined;
  readonly publicKeys: () => readonly unknown[];
  /** What the nodes share and nobody else knows; undefined where nothing is shared. */
  readonly sharedSecret: () => Uint8Array | undefined;
  /** Resolves when keys and revocations are there, however late. */
  readonly loaded: Promise<void>;
  /** Which key signs; empty where there is none to compare. */
  readonly keyId: () => string;
}

const NOTHING_REVOKED: RevocationList = { isRevoked: () => false };

/** Joins keys, codec and manager. */
export function composeTokens(
  settings: Settings,
  database: SecurityDatabase | undefined,
  { log, nowMs }: { readonly log: Log; readonly nowMs: () => number },
): TokenParts {
  const { jwtConfigProvider } = settings;
  const keys = composeKeys(settings, database, log);
  const codec = new JwtCodec(
    {
      algorithm: normalizeAlgorithm(jwtConfigProvider.algorithm),
      issuer: jwtConfigProvider.issuer,
      audiences: toList(jwtConfigProvider.audience),
    },
    keys.ring,
    nowMs,
  );
  const revocations =
    database && settings.tokenRevocation.enabled
      ? new RevocationStore(database.mongo, database.feed, {
          warn: (message, error) => log.warn(message, { err: error }),
          tokenClock: nowMs,
        })
      : undefined;
  const jwtManager = new JwtTokenManager(codec, revocations ?? NOTHING_REVOKED, {
    ...jwtOptions(settings, revocations),
    now: nowMs,
  });
  const signer = keys.canSign ? jwtManager : undefined;
  const manager = chooseManager(settings, database, signer, { log, nowMs });
  const asBearer = manager?.tokenType === 'Bearer' && settings.jwtAuthenticationMechanism.enabled;
  return {
    manager,
    areAccepted: manager !== undefined && (settings.tokenBasicAuthMechanism.enabled || asBearer),
    nowMs,
    codec,
    verifyBearer: withRemoteIssuer(settings, jwtManager, revocations ?? NOTHING_REVOKED),
    revocations,
    publicKeys: keys.publicKeys,
    sharedSecret: keys.sharedSecret,
    loaded: Promise.all([keys.loaded, revocations?.loaded]).then(() => undefined),
    keyId: () => keyIdOf(keys.ring.signingKey()),
  };
}

/** The name of a key of the ring; of a configured secret a short hash, which tells whether two are equal and nothing else. */
function keyIdOf(key: TokenKey | undefined): string {
  if (key === undefined) return '';
  if (key.kid !== undefined) return key.kid;
  if (!(key.key instanceof Uint8Array)) return '';
  return createHmac('sha256', key.key).update('quorate:key-id').digest('hex').slice(0, 12);
}

function chooseManager(
  settings: Settings,
  database: SecurityDatabase | undefined,
  jwtManager: JwtTokenManager | undefined,
  { log, nowMs }: { readonly log: Log; readonly nowMs: () => number },
): TokenManager | undefined {
  const { rndTokenManager, sharedTokenManager, jwtTokenManager } = settings;
  if (rndTokenManager.enabled) {
    const { ttl, 'srv-uri': uri } = rndTokenManager;
    return new RandomTokenManager({ ttlMinutes: ttl, uri });
  }
  if (sharedTokenManager.enabled && database) {
    const { ttl } = sharedTokenManager;
    return new SharedTokenManager(new TokenStore(database.mongo), {
      ttlMinutes: ttl,
      now: nowMs,
    });
  }
  if (!jwtTokenManager.enabled) return undefined;
  if (jwtManager === undefined) {
    log.warn(
      'jwtTokenManager is off: /jwtConfigProvider/key is a certificate, which only verifies',
    );
  }
  return jwtManager;
}

function jwtOptions(
  settings: Settings,
  revocations: RevocationStore | undefined,
): JwtTokenManagerOptions {
  const { jwtTokenManager: manager, jwtAuthenticationMechanism: jwt } = settings;
  return {
    ttlMinutes: manager.ttl,
    accountPropertiesClaims: manager['account-properties-claims'],
    uri: manager['srv-uri'],
    identity: {
      usernameClaim: jwt.usernameClaim,
      rolesClaim: jwt.rolesClaim ?? undefined,
      fixedRoles: jwt.fixedRoles,
    },
    failsClosed: settings.tokenRevocation['fail-closed'],
    ...(revocations && {
      revokeToken: ({ jti, expiresAtMs }) => revocations.revokeToken(jti, expiresAtMs),
    }),
  };
}

/** Tokens that name the other issuer are verified with its keys, all others with ours. */
function withRemoteIssuer(
  settings: Settings,
  own: JwtTokenManager,
  revocations: RevocationList,
): VerifyBearer {
  const { remoteJwks: remote, jwtAuthenticationMechanism: jwt } = settings;
  if (!remote.enabled) return (token) => own.verifyBearer(token);
  const algorithms = remote.algorithms.filter((name) => !name.startsWith('HS')) as JwtAlgorithm[];
  const ring = new RemoteKeyRing({ uri: remote.uri, algorithms, maxAgeMs: remote['max-age'] });
  const { issuer } = remote;
  const codec = new JwtCodec(
    { algorithm: algorithms[0] ?? 'RS256', issuer, audiences: toList(remote.audience) },
    ring,
  );
  const identity = {
    usernameClaim: jwt.usernameClaim,
    rolesClaim: jwt.rolesClaim ?? undefined,
    fixedRoles: jwt.fixedRoles,
  };
  return async (token) => {
    if (issuer === '' || issuerOf(token) !== issuer) return own.verifyBearer(token);
    const claims = await codec.verify(token);
    const account = claims && claimsToIdentity(claims, identity);
    if (account === undefined) return undefined;
    const { jti, iat } = claims ?? {};
    const issuedAtMs = typeof iat === 'number' ? iat * 1000 : undefined;
    return revocations.isRevoked({ jti, name: account.name, issuedAtMs }) ? undefined : account;
  };
}

function toList(audience: string | readonly string[] | null): readonly string[] {
  return typeof audience === 'string' ? [audience] : (audience ?? []);
}
