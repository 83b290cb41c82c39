/** Tokens that stand for a login, behind one interface (cluster.md B). */
import type { AccountIdentity } from '../../model/identity.ts';
import type { TokenIssuer } from '../../model/ports.ts';

/** Issues, verifies and takes back tokens. */
export interface TokenManager extends TokenIssuer {
  readonly name: 'jwtTokenManager' | 'rndTokenManager' | 'sharedTokenManager';
  /** The account behind a token sent as Basic's password; undefined when it is not a token of that name. */
  verify(
    name: string,
    token: string,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined>;
  /** Ends all tokens of an account, or of everybody; absent: the manager keeps none that could be ended. */
  revokeAll?(name: string | undefined): Promise<void>;
}
