import { randomBytes, timingSafeEqual } from 'node:crypto';
import { LruCache } from '../../lib/lru-cache.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { IssuedToken } from '../../model/ports.ts';
import type { TokenManager } from './token-manager.ts';

interface Entry {
  readonly token: string;
  readonly account: AccountIdentity;
}

/**
 * Random tokens in this process's memory, one per user name, their life prolonged by each use
 * (security.md §3). In a cluster they need sticky sessions (cluster.md A4, A5).
 */
export class RandomTokenManager implements TokenManager {
  readonly name = 'rndTokenManager';
  readonly tokenType = 'Basic-Password';
  private readonly entries: LruCache<string, Entry>;
  private readonly ttlMs: number;
  private readonly uri: string;
  private readonly now: () => number;

  /** @param options - `uri`: what `Auth-Token-Location` begins with */
  constructor(options: {
    readonly ttlMinutes: number;
    readonly uri?: string;
    readonly now?: () => number;
  }) {
    this.uri = options.uri ?? '/tokens';
    this.ttlMs = options.ttlMinutes * 60_000;
    this.now = options.now ?? Date.now;
    this.entries = new LruCache({
      maxEntries: 100_000,
      ttlMs: this.ttlMs,
      sliding: true,
      now: this.now,
    });
  }

  issue(account: AccountIdentity): Promise<IssuedToken> {
    const known = this.entries.get(account.name);
    const token = known?.token ?? BigInt(`0x${randomBytes(32).toString('hex')}`).toString(36);
    // a login by password brings the account's present roles and properties
    this.entries.set(account.name, { token, account });
    return Promise.resolve({ token, expiresAtMs: this.now() + this.ttlMs });
  }

  verify(name: string, token: string): AccountIdentity | undefined {
    const entry = this.entries.get(name);
    const matches = entry !== undefined && isSameToken(entry.token, token);
    return matches ? entry.account : undefined;
  }

  revoke(account: AccountIdentity): Promise<void> {
    this.entries.delete(account.name);
    return Promise.resolve();
  }

  revokeAll(name: string | undefined): Promise<void> {
    if (name === undefined) this.entries.clear();
    else this.entries.delete(name);
    return Promise.resolve();
  }

  location(account: AccountIdentity): string {
    return `${this.uri}/${encodeURIComponent(account.name)}`;
  }
}

function isSameToken(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
