import type { BsonDocument } from '../model/bson.ts';
import type { AccountStore, StoredAccount } from '../model/ports.ts';

/** Accounts written in the configuration, with clear-text passwords (security.md §7.1). */
export class FileRealm implements AccountStore {
  private readonly accounts = new Map<string, StoredAccount>();

  /**
   * @param users - entries of `users:`; one without a password cannot log in
   * @param onDisabled - told the name of each such entry
   */
  constructor(users: readonly BsonDocument[], onDisabled?: (name: string) => void) {
    for (const user of users) {
      const name = user.get('userid');
      if (typeof name !== 'string') continue;
      const password = user.get('password');
      if (typeof password !== 'string') onDisabled?.(name);
      const roles = user.get('roles');
      this.accounts.set(name, {
        name,
        password: typeof password === 'string' ? password : undefined,
        passwordIsHashed: false,
        roles: Array.isArray(roles) ? roles.filter((role) => typeof role === 'string') : [],
        properties: new Map([...user].filter(([key]) => key !== 'password')),
      });
    }
  }

  find(name: string): Promise<StoredAccount | undefined> {
    return Promise.resolve(this.accounts.get(name));
  }
}
