import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { AccountStore, StoredAccount } from '../../model/ports.ts';
import { readBasicCredentials } from '../credentials.ts';
import type { PasswordVerifier } from '../password-verifier.ts';
import type { AuthenticationMechanism } from './mechanism.ts';

/** HTTP Basic with a password (security.md §2.1, RFC 7617). */
export class BasicMechanism implements AuthenticationMechanism {
  readonly name = 'basicAuthMechanism';
  private readonly accounts: AccountStore;
  private readonly passwords: PasswordVerifier;

  constructor(accounts: AccountStore, passwords: PasswordVerifier) {
    this.accounts = accounts;
    this.passwords = passwords;
  }

  async authenticate(
    _request: HttpRequest,
    authorization: string | undefined,
  ): Promise<AccountIdentity | undefined> {
    const credentials = readBasicCredentials(authorization);
    if (credentials === undefined) return undefined;
    return this.login(credentials.name, credentials.secret);
  }

  challenge(): string {
    return 'Basic realm="RESTHeart Realm"';
  }

  /** The account, when the password is right. */
  async login(name: string, password: string): Promise<AccountIdentity | undefined> {
    const known = await this.accounts.find(name);
    if (await this.passwords.verify(known, password)) return known && toIdentity(known);
    // what the cache holds may be older than the password
    const fresh = await this.accounts.find(name, { fresh: true });
    if (fresh === undefined || (known && fresh.password === known.password)) return undefined;
    return (await this.passwords.verify(fresh, password)) ? toIdentity(fresh) : undefined;
  }
}

/** The account as the steps after authentication see it. */
export function toIdentity(account: StoredAccount): AccountIdentity {
  const { name, roles, properties } = account;
  return { kind: 'account', name, roles, properties };
}
