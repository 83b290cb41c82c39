import type { HttpRequest } from '../../model/http-request.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { AccountStore } from '../../model/ports.ts';
import { readBearerToken } from '../credentials.ts';
import type { AuthenticationMechanism } from './mechanism.ts';

/** Where keys are looked up; implemented in `mongo/`. */
export interface ApiKeys {
  find(
    text: string,
  ): Promise<{ readonly owner: string; readonly roles: readonly string[] | undefined } | undefined>;
}

/** Keys of programs, sent as Bearer tokens with a prefix of their own. */
export class ApiKeyMechanism implements AuthenticationMechanism {
  readonly name = 'apiKeys';
  private readonly keys: ApiKeys;
  private readonly accounts: AccountStore;
  private readonly prefix: string;

  constructor(keys: ApiKeys, accounts: AccountStore, options: { readonly prefix: string }) {
    this.keys = keys;
    this.accounts = accounts;
    this.prefix = options.prefix;
  }

  authenticate(
    _request: HttpRequest,
    authorization: string | undefined,
  ): undefined | Promise<AccountIdentity | undefined> {
    const text = readBearerToken(authorization);
    return text?.startsWith(this.prefix) === true ? this.find(text) : undefined;
  }

  /** The owner as he is now: a key never gives more than he has. */
  private async find(text: string): Promise<AccountIdentity | undefined> {
    const key = await this.keys.find(text);
    const owner = key && (await this.accounts.find(key.owner));
    if (key === undefined || owner === undefined) return undefined;
    const { name, properties } = owner;
    const roles = owner.roles.filter((role) => key.roles?.includes(role) ?? true);
    return { kind: 'account', name, roles, properties: new Map([...properties, ['roles', roles]]) };
  }
}
