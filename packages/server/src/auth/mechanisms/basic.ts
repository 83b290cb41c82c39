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

  private readonly admitsKnownPassword: (() => boolean) | undefined;

  /**
   * @param admitsKnownPassword - asked when a client of another machine comes with the password that every manual
   * prints: false refuses it; default: it is a password like any other
   */
  constructor(
    accounts: AccountStore,
    passwords: PasswordVerifier,
    admitsKnownPassword?: () => boolean,
  ) {
    this.accounts = accounts;
    this.passwords = passwords;
    this.admitsKnownPassword = admitsKnownPassword;
  }

  authenticate(
    request: HttpRequest,
    authorization: string | undefined,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    const credentials = readBasicCredentials(authorization);
    if (credentials === undefined) return undefined;
    const { name, secret } = credentials;
    if (name === 'admin' && secret === 'secret' && !isFromThisMachine(request)) {
      if (this.admitsKnownPassword?.() === false) return undefined;
    }
    return this.login(name, secret);
  }

  challenge(): string {
    return 'Basic realm="RESTHeart Realm"';
  }

  /** The account, when the password is right; without waiting when both are remembered. */
  login(
    name: string,
    password: string,
  ): AccountIdentity | undefined | Promise<AccountIdentity | undefined> {
    if (this.accounts.login !== undefined) {
      const found = this.accounts.login(name, password);
      if (!(found instanceof Promise)) return found && toIdentity(found);
      return found.then((account) => account && toIdentity(account));
    }
    const known = this.accounts.find(name);
    if (known !== undefined && !(known instanceof Promise)) {
      if (this.passwords.isRemembered(known, password)) return toIdentity(known);
    }
    return this.verify(known, name, password);
  }

  private async verify(
    looked: ReturnType<AccountStore['find']>,
    name: string,
    password: string,
  ): Promise<AccountIdentity | undefined> {
    const known = await looked;
    if (await this.passwords.verify(known, password)) return known && toIdentity(known);
    // what the cache holds may be older than the password
    const fresh = await this.accounts.find(name, { fresh: true });
    if (fresh === undefined || (known && fresh.password === known.password)) return undefined;
    return (await this.passwords.verify(fresh, password)) ? toIdentity(fresh) : undefined;
  }
}

const LOOPBACK = /^"?\[?(127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})(\]?(:\d+)?)"?$/i;

/** False for clients elsewhere, those behind a proxy on this machine included (X-Forwarded-For, RFC 7239). */
export function isFromThisMachine(request: Pick<HttpRequest, 'remoteAddress' | 'header'>): boolean {
  const forwardedFor = request.header('x-forwarded-for')?.split(',') ?? [];
  const forwarded = request.header('forwarded');
  const named = [...(forwarded?.matchAll(/\bfor=("[^"]*"|[^;,\s]+)/gi) ?? [])].map(([, by]) => by);
  // a header that names nobody hides somebody
  if (forwarded !== undefined && named.length === 0) return false;
  return [request.remoteAddress, ...forwardedFor, ...named].every((address) =>
    LOOPBACK.test(address?.trim() ?? ''),
  );
}

// one object for each remembered account, not for each request
const identities = new WeakMap<StoredAccount, AccountIdentity>();

/** The account as the steps after authentication see it. */
export function toIdentity(account: StoredAccount): AccountIdentity {
  let identity = identities.get(account);
  if (identity === undefined) {
    const { name, roles, properties } = account;
    identity = { kind: 'account', name, roles, properties };
    identities.set(account, identity);
  }
  return identity;
}
