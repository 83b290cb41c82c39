import type { BsonValue } from '../../model/bson.ts';
import type { AccountIdentity } from '../../model/identity.ts';
import type { AuthenticationMechanism } from './mechanism.ts';

/** Every request is one configured account; for development only (security.md §2.4). */
export class IdentityMechanism implements AuthenticationMechanism {
  readonly name = 'identityAuthMechanism';
  private readonly identity: AccountIdentity;

  constructor(options: { readonly username: string; readonly roles: readonly string[] }) {
    const { username, roles } = options;
    this.identity = {
      kind: 'account',
      name: username,
      roles,
      properties: new Map<string, BsonValue>([
        ['_id', username],
        ['roles', [...roles]],
      ]),
    };
  }

  authenticate(): Promise<AccountIdentity> {
    return Promise.resolve(this.identity);
  }
}
