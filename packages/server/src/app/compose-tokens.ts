/** The token manager that the configuration chooses, and the keys behind it. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { importSPKI } from 'jose';
import { type JwtAlgorithm, JwtCodec } from '../auth/tokens/jwt.ts';
import { JwtTokenManager } from '../auth/tokens/jwt-token-manager.ts';
import {
  type KeyRing,
  SharedKeyRing,
  StaticKeyRing,
  type TokenKey,
} from '../auth/tokens/key-ring.ts';
import { RandomTokenManager } from '../auth/tokens/random-token-manager.ts';
import type { TokenManager } from '../auth/tokens/token-manager.ts';
import type { Settings } from '../config/schema.ts';
import type { AccountIdentity } from '../model/identity.ts';
import { loadKeys, QUORATE_DATABASE } from '../mongo/key-store.ts';
import type { Log } from '../observe/log.ts';
import type { SecurityDatabase } from './security-database.ts';

export interface TokenParts {
  readonly manager: TokenManager | undefined;
  readonly codec: JwtCodec;
  readonly verifyBearer: (token: string) => Promise<AccountIdentity | undefined>;
  /** Resolves when the keys are loaded, or the database did not answer in time. */
  readonly ready: Promise<void>;
}

/** Joins keys, codec and manager. */
export function composeTokens(
  settings: Settings,
  database: SecurityDatabase | undefined,
  log: Log,
): TokenParts {
  const { jwtConfigProvider, jwtAuthenticationMechanism: jwt } = settings;
  const { audience } = jwtConfigProvider;
  const keys = composeKeys(settings, database, log);
  const codec = new JwtCodec(
    {
      algorithm: normalizeAlgorithm(jwtConfigProvider.algorithm),
      issuer: jwtConfigProvider.issuer,
      audiences: typeof audience === 'string' ? [audience] : (audience ?? []),
    },
    keys.ring,
  );
  const { ttl } = settings.jwtTokenManager;
  const jwtManager = new JwtTokenManager(
    codec,
    { isRevoked: () => false },
    {
      ttlMinutes: ttl,
      accountPropertiesClaims: settings.jwtTokenManager['account-properties-claims'],
      uri: settings.jwtTokenManager['srv-uri'],
      identity: {
        usernameClaim: jwt.usernameClaim,
        rolesClaim: jwt.rolesClaim ?? undefined,
        fixedRoles: jwt.fixedRoles,
      },
    },
  );
  const random = settings.rndTokenManager;
  const manager = random.enabled
    ? new RandomTokenManager({ ttlMinutes: random.ttl })
    : settings.jwtTokenManager.enabled
      ? jwtManager
      : undefined;
  return {
    manager,
    codec,
    verifyBearer: (token) => jwtManager.verifyBearer(token),
    ready: keys.ready,
  };
}

interface Keys {
  readonly ring: KeyRing;
  readonly ready: Promise<void>;
}

function composeKeys(settings: Settings, database: SecurityDatabase | undefined, log: Log): Keys {
  const { key, algorithm } = settings.jwtConfigProvider;
  if (key !== null) {
    if (!algorithm.startsWith('R')) {
      if (key.length < 32) {
        log.warn('/jwtConfigProvider/key is short: use at least 32 characters', {});
      }
      const ring = new StaticKeyRing(Buffer.from(key, 'utf8'));
      return { ring, ready: Promise.resolve() };
    }
    return publicKeyRing(key, normalizeAlgorithm(algorithm));
  }
  if (database === undefined) {
    return { ring: new StaticKeyRing(randomBytes(64)), ready: Promise.resolve() };
  }
  return sharedKeyRing(database, log);
}

/** The key of a base64 X.509 certificate; it verifies only (security.md §2.2). */
function publicKeyRing(certificate: string, algorithm: JwtAlgorithm): Keys {
  const ring = new SharedKeyRing();
  const { publicKey } = new X509Certificate(Buffer.from(certificate, 'base64'));
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const ready = importSPKI(pem, algorithm).then((key) => ring.replace([{ kid: undefined, key }]));
  return { ring, ready };
}

const PATIENCE_MS = 5000;

function sharedKeyRing({ mongo, feed }: SecurityDatabase, log: Log): Keys {
  const ring = new SharedKeyRing();
  const load = async (): Promise<void> => {
    const stored = await loadKeys(mongo);
    ring.replace(stored.map(({ kid, secret }): TokenKey => ({ kid, key: secret })));
  };
  const loaded = (async () => {
    for (;;) {
      try {
        return await load();
      } catch (error) {
        log.warn('The signing keys cannot be read yet', { err: error });
        await new Promise((resolve) => setTimeout(resolve, 1000).unref());
      }
    }
  })();
  const reload = () => {
    load().catch((error: unknown) => log.warn('The signing keys cannot be read', { err: error }));
  };
  feed.onGap(reload);
  feed.onChange(({ database, collection }) => {
    if (database === QUORATE_DATABASE && collection === 'keys') reload();
  });
  const patience = new Promise<void>((resolve) => {
    setTimeout(resolve, PATIENCE_MS).unref();
  });
  return { ring, ready: Promise.race([loaded, patience]) };
}

/** `HMAC256` is `HS256`, `RSA256` is `RS256`. */
function normalizeAlgorithm(name: string): JwtAlgorithm {
  return name.replace(/^HMAC/, 'HS').replace(/^RSA/, 'RS') as JwtAlgorithm;
}
