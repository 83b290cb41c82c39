/** JSON Web Tokens: signed and verified as security.md §2.2 and §3 say (RFC 7519). */
import { compactVerify, decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose';
import { LruCache } from '../../lib/lru-cache.ts';
import { type JwtAlgorithm, type KeyRing, type TokenKey, unknownKeys } from './key-ring.ts';

export type { JwtAlgorithm } from './key-ring.ts';

export interface JwtSettings {
  readonly algorithm: JwtAlgorithm;
  readonly issuer: string | undefined;
  /** All of them must be in a token's `aud`. */
  readonly audiences: readonly string[];
}

export type JwtClaims = Readonly<JWTPayload & Record<string, unknown>>;

/** Signs and verifies the tokens of one issuer. */
export class JwtCodec {
  private readonly settings: JwtSettings;
  private readonly keys: KeyRing;
  private readonly now: () => number;
  // verifying costs tens of microseconds, and clients send the same token again and again
  private readonly verified: LruCache<string, JwtClaims>;

  constructor(settings: JwtSettings, keys: KeyRing, now: () => number = Date.now) {
    this.settings = settings;
    this.keys = keys;
    this.now = now;
    this.verified = new LruCache({ maxEntries: 10_000, ttlMs: 60_000, now });
  }

  /** A signed token; `iss` and `aud` are added. */
  async sign(claims: JwtClaims): Promise<string> {
    const key = this.keys.signingKey() ?? (await this.waitForKey());
    const { algorithm, issuer, audiences } = this.settings;
    const [audience] = audiences;
    return new SignJWT({
      ...(issuer === undefined ? {} : { iss: issuer }),
      ...claims,
      ...(audiences.length > 1 ? { aud: [...audiences] } : audience ? { aud: audience } : {}),
    })
      .setProtectedHeader({
        alg: key.algorithm ?? algorithm,
        typ: 'JWT',
        ...(key.kid ? { kid: key.kid } : {}),
      })
      .sign(key.privateKey ?? key.key);
  }

  /** The first requests may come before the keys are read. */
  private async waitForKey(): Promise<TokenKey> {
    const { ready } = this.keys;
    if (ready === undefined) throw new Error('the key ring cannot sign');
    await ready;
    const key = this.keys.signingKey();
    if (key !== undefined) return key;
    throw unknownKeys();
  }

  /** The claims of a good token; undefined for any other. A promise only where one has to compute. */
  verify(token: string): JwtClaims | undefined | Promise<JwtClaims | undefined> {
    const known = this.verified.get(token);
    if (known === undefined) return this.verifyAnew(token);
    return this.isCurrent(known) ? known : undefined;
  }

  private async verifyAnew(token: string): Promise<JwtClaims | undefined> {
    const claims = await this.verifySignature(token);
    if (claims === undefined || !this.isCurrent(claims) || !this.isForUs(claims)) return undefined;
    this.verified.set(token, claims);
    return claims;
  }

  /** Forgets what was verified, because a key is gone. */
  forget(): void {
    this.verified.clear();
  }

  private async verifySignature(token: string): Promise<JwtClaims | undefined> {
    const kid = readKid(token);
    if (kid === null) return undefined;
    const keys = this.keys.verificationKeys(kid);
    if (keys.length > 0) return this.verifyWith(token, keys);
    return this.verifyWith(token, (await this.keys.findUnknown?.(kid)) ?? []);
  }

  private async verifyWith(
    token: string,
    keys: readonly TokenKey[],
  ): Promise<JwtClaims | undefined> {
    for (const { key, algorithm = this.settings.algorithm } of keys) {
      try {
        // one algorithm for each key: a public key never serves as an HMAC secret
        const { payload } = await compactVerify(token, key, { algorithms: [algorithm] });
        const claims: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
        return isObject(claims) ? (claims as JwtClaims) : undefined;
      } catch {
        // the next key may be the one
      }
    }
    return undefined;
  }

  /** Zero leeway, and each claim optional (security.md §2.2). */
  private isCurrent(claims: JwtClaims): boolean {
    const seconds = this.now() / 1000;
    const { exp, nbf, iat } = claims;
    return (
      [exp, nbf, iat].every((time) => time === undefined || typeof time === 'number') &&
      (exp === undefined || seconds < exp) &&
      (nbf === undefined || nbf <= seconds) &&
      (iat === undefined || iat <= seconds)
    );
  }

  private isForUs(claims: JwtClaims): boolean {
    const { issuer, audiences } = this.settings;
    const audience = typeof claims.aud === 'string' ? [claims.aud] : (claims.aud ?? []);
    return (
      (issuer === undefined || claims.iss === issuer) &&
      Array.isArray(audience) &&
      audiences.every((wanted) => audience.includes(wanted))
    );
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The `use` of authorization codes: signed with the same keys, they are no tokens (security.md §12.4). */
export const CODE_USE = 'quorate:authorization-code';

/** The issuer that a token names, unverified: which keys to try. */
export function issuerOf(token: string): unknown {
  try {
    const payload = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return isObject(claims) ? (claims as JwtClaims).iss : undefined;
  } catch {
    return undefined;
  }
}

/** The `kid` of a token's header: undefined without one, null when the token is none. */
function readKid(token: string): string | undefined | null {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return null;
  }
}
