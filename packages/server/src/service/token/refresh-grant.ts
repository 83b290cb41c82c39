/** Refresh tokens: one login, new tokens for weeks, each refresh token good once (RFC 6749 §6). */
import type { AccountIdentity } from '../../model/identity.ts';
import type { AccountStore } from '../../model/ports.ts';
import type { RefreshStore } from '../../mongo/refresh-store.ts';

/** An account that showed a good refresh token, and the one that follows it. */
export interface Refreshed {
  readonly account: AccountIdentity;
  readonly refreshToken: string;
}

export interface RefreshParts {
  readonly store: RefreshStore;
  readonly accounts: AccountStore;
  /** Ends all tokens of an account whose refresh token was stolen. */
  readonly revokeUser: (name: string) => Promise<void>;
}

/** Gives refresh tokens out and takes them in. */
export class RefreshGrant {
  private readonly parts: RefreshParts;

  constructor(parts: RefreshParts) {
    this.parts = parts;
  }

  /** The first token of a login. */
  start(account: AccountIdentity): Promise<string> {
    return this.parts.store.create(account.name);
  }

  /** The account as it is now, its roles included; undefined for a token that is not good (any more). */
  async refresh(token: string): Promise<Refreshed | undefined> {
    const { store, accounts, revokeUser } = this.parts;
    const redeemed = await store.redeem(token);
    if (redeemed.kind === 'unknown') return undefined;
    if (redeemed.kind === 'reused') {
      await revokeUser(redeemed.name);
      return undefined;
    }
    const account = await accounts.find(redeemed.name, { fresh: true });
    if (account === undefined) return undefined;
    const refreshToken = await store.create(redeemed.name, redeemed.family);
    const { name, roles, properties } = account;
    return { account: { kind: 'account', name, roles, properties }, refreshToken };
  }

  /** Ends the refresh tokens of an account. */
  end(name: string): Promise<void> {
    return this.parts.store.deleteOf(name);
  }
}
