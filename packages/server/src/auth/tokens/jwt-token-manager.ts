import { QuorateError } from '../../errors/quorate-error.ts';
import { LruCache } from '../../lib/lru-cache.ts';
import { type BsonDocument, type BsonValue, Double, Long, ObjectId } from '../../model/bson.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { IssuedToken, RevocationList } from '../../model/ports.ts';
import { createTokenId, issueTimeOf } from './issue-time.ts';
import { CODE_USE, type JwtClaims, type JwtCodec } from './jwt.ts';
import { claimsToIdentity, type JwtIdentitySettings } from './jwt-identity.ts';
import type { TokenManager } from './token-manager.ts';

export interface JwtTokenManagerOptions {
  readonly ttlMinutes: number;
  /** Account properties that become claims: names, or slash paths such as `/a/b`. */
  readonly accountPropertiesClaims: readonly string[];
  readonly uri: string;
  readonly identity: JwtIdentitySettings;
  /** Makes a token invalid on every node. */
  readonly revokeToken?: (token: {
    jti: string;
    name: string;
    expiresAtMs: number;
  }) => Promise<void>;
  /** True: no token is believed while revocations cannot be read. */
  readonly failsClosed?: boolean;
  readonly now?: () => number;
}

interface CachedToken extends IssuedToken {
  readonly jti: string;
  /** The account it was issued for; another state of it gets another token. */
  readonly account: string;
}

/** Signed tokens, good on every node that knows the key (security.md §3, cluster.md B). */
export class JwtTokenManager implements TokenManager {
  readonly name = 'jwtTokenManager';
  readonly tokenType = 'Bearer';
  private readonly codec: JwtCodec;
  private readonly revocations: RevocationList;
  private readonly options: JwtTokenManagerOptions;
  private readonly ttlMs: number;
  private readonly now: () => number;
  private readonly issued: LruCache<string, CachedToken>;
  // one object for each verified token, not for each request
  private readonly identities = new WeakMap<JwtClaims, AccountIdentity>();

  constructor(codec: JwtCodec, revocations: RevocationList, options: JwtTokenManagerOptions) {
    this.codec = codec;
    this.revocations = revocations;
    this.options = options;
    this.ttlMs = options.ttlMinutes * 60_000;
    this.now = options.now ?? Date.now;
    this.issued = new LruCache({ maxEntries: 1000, ttlMs: this.ttlMs, now: this.now });
  }

  async issue(account: AccountIdentity, { renew }: { renew: boolean }): Promise<IssuedToken> {
    const key = cacheKey(account);
    const state = JSON.stringify([account.roles, this.accountClaims(account)]);
    const cached = this.issued.get(key);
    // a changed account gets a new token, unlike in the original (security.md §12.2)
    const isSame = cached?.account === state || showsToken(account, cached?.jti);
    if (cached && !renew && isSame && !this.isRevoked(cached, account.name)) return cached;
    const expiresAtMs = Math.floor((this.now() + this.ttlMs) / 1000) * 1000;
    const jti = createTokenId(this.now());
    const token = await this.codec.sign({
      ...this.accountClaims(account),
      sub: account.name,
      // where names are read from another claim, our own tokens have it too
      [this.options.identity.usernameClaim]: account.name,
      exp: expiresAtMs / 1000,
      jti,
      [this.options.identity.rolesClaim ?? 'roles']: [...account.roles],
    });
    const entry = { token, expiresAtMs, jti, account: state };
    this.issued.set(key, entry, expiresAtMs - 500);
    return entry;
  }

  verify(
    name: string,
    token: string,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    // a password is no token: spare it the signature check
    if (token.split('.').length !== 3) return undefined;
    const identity = this.verifyBearer(token);
    if (identity instanceof Promise) {
      return identity.then((found) => (found?.name === name ? found : undefined));
    }
    return identity?.name === name ? identity : undefined;
  }

  /** The account of a token sent in a Bearer header. */
  verifyBearer(token: string): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    const claims = this.codec.verify(token);
    if (claims instanceof Promise) return claims.then((verified) => this.toAccount(verified));
    return this.toAccount(claims);
  }

  private toAccount(claims: JwtClaims | undefined): AccountIdentity | undefined {
    // an authorization code is signed with the same key, and is no token (security.md §12.4)
    if (claims === undefined || claims['use'] === CODE_USE) return undefined;
    let identity = this.identities.get(claims);
    if (identity === undefined) {
      identity = claimsToIdentity(claims, this.options.identity);
      if (identity === undefined) return undefined;
      this.identities.set(claims, identity);
    }
    const { revocations } = this;
    if (this.options.failsClosed === true && revocations.isFresh === false) {
      throw new QuorateError('ERR_DATABASE_UNAVAILABLE', {
        message: 'Revoked tokens cannot be told from others now',
        headers: [['Retry-After', '5']],
      });
    }
    const { jti } = claims;
    const issuedAtMs = issuedAt(claims, this.ttlMs);
    return revocations.isRevoked({ jti, name: identity.name, issuedAtMs }) ? undefined : identity;
  }

  async revoke(account: AccountIdentity): Promise<void> {
    const key = cacheKey(account);
    const cached = this.issued.get(key);
    this.issued.delete(key);
    const jti = account.hasToken === true ? account.properties.get('jti') : undefined;
    const own = typeof jti === 'string' ? { jti, expiresAtMs: expiry(account.properties) } : cached;
    if (own) await this.options.revokeToken?.({ ...own, name: account.name });
    if (cached && cached.jti !== own?.jti) {
      await this.options.revokeToken?.({ ...cached, name: account.name });
    }
  }

  location(): string {
    return this.options.uri;
  }

  private isRevoked(token: CachedToken, name: string): boolean {
    const issuedAtMs = issueTimeOf(token.jti);
    return this.revocations.isRevoked({ jti: token.jti, name, issuedAtMs });
  }

  private accountClaims(account: AccountIdentity): JwtClaims {
    const claims: Record<string, unknown> = {};
    for (const path of this.options.accountPropertiesClaims) {
      copyPath(account.properties, path.split('/').filter(Boolean), claims);
    }
    const authDb = account.properties.get('authDb');
    return typeof authDb === 'string' ? { ...claims, authDb } : claims;
  }
}

/** True when the account proved itself by this very token; its roles may have grown by `fixedRoles`. */
function showsToken({ hasToken, properties }: AccountIdentity, jti: string | undefined): boolean {
  return hasToken === true && jti !== undefined && properties.get('jti') === jti;
}

function cacheKey(account: AccountIdentity): string {
  return JSON.stringify([account.name, account.properties.get('authDb') ?? null]);
}

function issuedAt(claims: JwtClaims, ttlMs: number): number | undefined {
  const exact = issueTimeOf(claims.jti);
  if (exact !== undefined) return exact;
  if (typeof claims.iat === 'number') return claims.iat * 1000;
  return typeof claims.exp === 'number' ? claims.exp * 1000 - ttlMs : undefined;
}

function expiry(properties: BsonDocument): number {
  return toNumber(properties.get('exp')) * 1000;
}

function toNumber(value: BsonValue | undefined): number {
  if (value instanceof Double) return value.value;
  if (value instanceof Long) return value.toNumber();
  return typeof value === 'number' ? value : Number.MAX_SAFE_INTEGER / 1000;
}

/** Copies one property, with the objects around it, into the claims; a missing one is skipped. */
function copyPath(
  from: BsonDocument,
  [name, ...rest]: readonly string[],
  to: Record<string, unknown>,
): void {
  if (name === undefined) return;
  const value = from.get(name);
  if (value === undefined) return;
  if (rest.length === 0) {
    to[name] = toJson(value);
  } else if (value instanceof Map) {
    const nested = (to[name] ?? {}) as Record<string, unknown>;
    copyPath(value, rest, nested);
    if (Object.keys(nested).length > 0) to[name] = nested;
  }
}

function toJson(value: BsonValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, member]) => [name, toJson(member)]));
  }
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Double || value instanceof Long) return toNumber(value);
  if (value instanceof ObjectId) return { $oid: value.toHexString() };
  return value;
}
