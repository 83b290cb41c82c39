/** Tokens that stand for a login, behind one interface (cluster.md B). */
import type { AccountIdentity } from '../../model/identity.ts';

/** A token and its end. */
export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

/** Issues, verifies and takes back tokens. */
export interface TokenManager {
  readonly name: 'jwtTokenManager' | 'rndTokenManager' | 'sharedTokenManager';
  /** `Bearer` tokens go into a Bearer header; `Basic-Password` ones are sent as Basic's password. */
  readonly tokenType: 'Bearer' | 'Basic-Password';
  /** The token of an account: the same one again while it lives, unless `renew`. */
  issue(account: AccountIdentity, options: { readonly renew: boolean }): Promise<IssuedToken>;
  /** The account behind a token sent as Basic's password; undefined when it is not a token of that name. */
  verify(name: string, token: string): Promise<AccountIdentity | undefined>;
  /** Takes back the account's token. */
  revoke(account: AccountIdentity): Promise<void>;
  /** `Auth-Token-Location` of an account's token. */
  location(account: AccountIdentity): string;
}
