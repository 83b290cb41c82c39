/**
 * Checks passwords against stored hashes without letting bcrypt's cost stop the server: off the main
 * thread, few at once, and remembered once they were right (decision 11).
 */
import { createHmac, hash as digest, randomBytes, timingSafeEqual } from 'node:crypto';
import { hash, verify } from '@node-rs/bcrypt';
import { QuorateError } from '../errors/quorate-error.ts';
import { LruCache } from '../lib/lru-cache.ts';
import type { StoredAccount } from '../model/ports.ts';

const MAX_RUNNING = 2;
const MAX_WAITING = 200;

/** Verifies passwords of accounts; one per process. */
export class PasswordVerifier {
  // keyed, so that a memory dump shows no password and a guess cannot be tried against the cache
  private readonly cacheKey = randomBytes(32).toString('base64');
  private readonly verified: LruCache<string, true>;
  private readonly dummyHash: Promise<string>;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @param options - `complexity`: bcrypt's cost, for the hash that stands in for unknown accounts */
  constructor(options: { readonly complexity: number; readonly now?: () => number }) {
    this.verified = new LruCache({
      maxEntries: 1000,
      ttlMs: 20 * 60_000,
      sliding: true,
      ...(options.now ? { now: options.now } : {}),
    });
    this.dummyHash = hash(randomBytes(16).toString('hex'), { cost: options.complexity });
  }

  /** True when this very password was right before and the account has not changed since. */
  isRemembered(account: StoredAccount, password: string): boolean {
    return (
      account.passwordIsHashed &&
      account.password !== undefined &&
      this.verified.get(this.fingerprint(account, password)) === true
    );
  }

  /**
   * True when `password` is the account's. An unknown account costs as much time as a wrong password.
   *
   * @throws ERR_AUTH_BUSY when too many verifications are waiting
   */
  async verify(account: StoredAccount | undefined, password: string): Promise<boolean> {
    if (account?.password === undefined) {
      await this.runBcrypt(password, await this.dummyHash);
      return false;
    }
    if (!account.passwordIsHashed) return isSameText(account.password, password);
    const key = this.fingerprint(account, password);
    if (this.verified.get(key)) return true;
    const right = await this.runBcrypt(password, account.password);
    if (right) this.verified.set(key, true);
    return right;
  }

  /** The stored hash is part of the key: a changed password is in force at once. */
  private fingerprint(account: StoredAccount, password: string): string {
    const { name, password: stored } = account;
    return digest(
      'sha256',
      `${this.cacheKey}${name.length}:${name}:${stored}:${password}`,
      'base64',
    );
  }

  private async runBcrypt(password: string, stored: string): Promise<boolean> {
    await this.enter();
    try {
      return await verify(password, stored);
    } catch {
      // not a bcrypt hash: nobody can log in with it
      return false;
    } finally {
      this.leave();
    }
  }

  private async enter(): Promise<void> {
    if (this.running < MAX_RUNNING) {
      this.running += 1;
      return;
    }
    if (this.waiting.length >= MAX_WAITING) {
      throw new QuorateError('ERR_AUTH_BUSY', { headers: [['Retry-After', '1']] });
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}

function isSameText(a: string, b: string): boolean {
  const key = randomBytes(32);
  const mac = (text: string) => createHmac('sha256', key).update(text).digest();
  return timingSafeEqual(mac(a), mac(b));
}
