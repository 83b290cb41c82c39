import { createHash, randomBytes } from 'node:crypto';
import { LruCache } from '../../lib/lru-cache.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { IssuedToken } from '../../model/ports.ts';
import type { TokenManager } from './token-manager.ts';

/** Where all nodes find the tokens; implemented in `mongo/`. */
export interface SharedTokens {
  save(hash: string, token: SharedToken): Promise<void>;
  find(hash: string): Promise<SharedToken | undefined>;
  prolong(hash: string, expiresAtMs: number): Promise<void>;
  /** Of everybody when no name is given. */
  deleteOf(name: string | undefined): Promise<void>;
}

export interface SharedToken {
  readonly account: AccountIdentity;
  readonly expiresAtMs: number;
}

/** How long a node believes what it read: a deleted token is refused everywhere after it. */
const BELIEVED_MS = 500;

/**
 * Random tokens that every node knows, their life prolonged by each use: what `rndTokenManager`
 * gives, without sticky sessions (cluster.md E1). MongoDB holds only their hashes.
 */
export class SharedTokenManager implements TokenManager {
  readonly name = 'sharedTokenManager';
  readonly tokenType = 'Basic-Password';
  private readonly tokens: SharedTokens;
  private readonly ttlMs: number;
  private readonly now: () => number;
  private readonly issued: LruCache<string, string>;
  private readonly known: LruCache<string, SharedToken>;

  constructor(
    tokens: SharedTokens,
    options: { readonly ttlMinutes: number; readonly now?: () => number },
  ) {
    this.tokens = tokens;
    this.ttlMs = options.ttlMinutes * 60_000;
    this.now = options.now ?? Date.now;
    const { now } = this;
    this.issued = new LruCache({ maxEntries: 10_000, ttlMs: this.ttlMs, sliding: true, now });
    this.known = new LruCache({ maxEntries: 10_000, ttlMs: BELIEVED_MS, now });
  }

  async issue(account: AccountIdentity): Promise<IssuedToken> {
    const expiresAtMs = this.now() + this.ttlMs;
    const own = this.issued.get(account.name);
    // another node may have ended what this one issued
    const isAlive = own !== undefined && (await this.tokens.find(hashOf(own))) !== undefined;
    const token = isAlive ? own : BigInt(`0x${randomBytes(32).toString('hex')}`).toString(36);
    await this.tokens.save(hashOf(token), { account, expiresAtMs });
    this.issued.set(account.name, token);
    return { token, expiresAtMs };
  }

  verify(
    name: string,
    token: string,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    // a password is no token: spare it the search
    if (!/^[0-9a-z]{40,52}$/.test(token)) return undefined;
    const hash = hashOf(token);
    const known = this.known.get(hash);
    if (known !== undefined) return known.account.name === name ? known.account : undefined;
    return this.find(name, hash);
  }

  revoke(account: AccountIdentity): Promise<void> {
    return this.revokeAll(account.name);
  }

  async revokeAll(name: string | undefined): Promise<void> {
    if (name === undefined) this.issued.clear();
    else this.issued.delete(name);
    this.known.clear();
    await this.tokens.deleteOf(name);
  }

  location(account: AccountIdentity): string {
    return `/tokens/${encodeURIComponent(account.name)}`;
  }

  private async find(name: string, hash: string): Promise<AccountIdentity | undefined> {
    const token = await this.tokens.find(hash);
    // MongoDB removes expired documents only once a minute
    if (token === undefined || token.expiresAtMs <= this.now() || token.account.name !== name) {
      return undefined;
    }
    this.known.set(hash, token);
    const expiresAtMs = this.now() + this.ttlMs;
    // each use prolongs, but not each one is worth a write
    if (expiresAtMs - token.expiresAtMs > this.ttlMs / 20) {
      await this.tokens.prolong(hash, expiresAtMs);
    }
    return token.account;
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
