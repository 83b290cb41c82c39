/** Accounts in a directory: the password is proved by a bind, groups become roles (RFC 4511, RFC 4513 §5.1.3). */
import { createHash, randomBytes } from 'node:crypto';
import type { Client, Entry } from 'ldapts';
import { QuorateError } from '../errors/quorate-error.ts';
import { LruCache } from '../lib/lru-cache.ts';
import type { BsonValue } from '../model/bson.ts';
import type { AccountStore, StoredAccount } from '../model/ports.ts';

export interface LdapRealmOptions {
  /** `ldap://` or `ldaps://`, host and port. */
  readonly url: string;
  readonly startTls: boolean;
  /** PEM of the authority that signed the directory's certificate; undefined: those of the system. */
  readonly ca: Buffer | undefined;
  /** Who searches; undefined: anonymously. */
  readonly searcher: { readonly dn: string; readonly password: string } | undefined;
  readonly userBase: string;
  /** `{name}` is the name of the login. */
  readonly userFilter: string;
  /** Undefined: accounts have no roles but `fixedRoles`. */
  readonly groupBase: string | undefined;
  /** `{dn}` is the account's entry, `{name}` the name of the login. */
  readonly groupFilter: string;
  /** Holds the name of a group. */
  readonly groupAttribute: string;
  /** Groups that are called differently as roles. */
  readonly roleOfGroup: ReadonlyMap<string, string>;
  readonly fixedRoles: readonly string[];
  /** Attributes that become properties of the account. */
  readonly attributes: readonly string[];
  readonly timeoutMs: number;
  /** How long a right password, and what was read of an account, are believed. */
  readonly cacheTtlMs: number;
  /** The library, loaded when it is first needed: it is an optional peer. */
  readonly load: () => Promise<typeof import('ldapts')>;
}

const MAX_ACCOUNTS = 10_000;
/** `busy` and `unavailable` (RFC 4511 appendix A.1). */
const NO_ANSWER: ReadonlySet<number> = new Set([51, 52]);

/** Looks accounts up in a directory. */
export class LdapRealm implements AccountStore {
  private readonly options: LdapRealmOptions;
  private readonly cacheKey = randomBytes(32).toString('base64');
  private readonly accounts: LruCache<string, StoredAccount>;
  private readonly logins: LruCache<string, StoredAccount>;

  constructor(options: LdapRealmOptions) {
    this.options = options;
    const cache = { maxEntries: MAX_ACCOUNTS, ttlMs: options.cacheTtlMs };
    this.accounts = new LruCache(cache);
    this.logins = new LruCache(cache);
  }

  find(
    name: string,
    { fresh = false }: { readonly fresh?: boolean } = {},
  ): StoredAccount | undefined | Promise<StoredAccount | undefined> {
    const known = fresh ? undefined : this.accounts.get(name);
    if (known !== undefined) return known;
    return this.withClient(async (client) => (await this.search(client, name))?.account);
  }

  login(
    name: string,
    password: string,
  ): StoredAccount | undefined | Promise<StoredAccount | undefined> {
    // a bind without a password is an anonymous one, and succeeds (RFC 4513 §5.1.2)
    if (name === '' || password === '') return undefined;
    const print = createHash('sha256')
      .update(`${this.cacheKey}${name.length}:${name}:${password}`)
      .digest('base64');
    const known = this.logins.get(print);
    if (known !== undefined) return known;
    return this.withClient(async (client) => {
      const found = await this.search(client, name);
      // an unknown account costs a bind too
      const dn = found?.dn ?? `cn=${randomBytes(8).toString('hex')},${this.options.userBase}`;
      const isRight = await this.isRight(dn, password);
      if (!isRight || found === undefined) return undefined;
      this.logins.set(print, found.account);
      return found.account;
    });
  }

  private async search(
    client: Client,
    name: string,
  ): Promise<{ readonly dn: string; readonly account: StoredAccount } | undefined> {
    const { userBase, userFilter, attributes } = this.options;
    const { searchEntries } = await client.search(userBase, {
      scope: 'sub',
      filter: fillFilter(userFilter, { name }),
      attributes: ['dn', ...attributes],
      sizeLimit: 2,
    });
    const [entry] = searchEntries;
    // two accounts of one name would be a guess
    if (entry === undefined || searchEntries.length > 1) return undefined;
    const roles = await this.rolesOf(client, entry.dn, name);
    const account: StoredAccount = {
      name,
      password: undefined,
      passwordIsHashed: false,
      roles,
      properties: new Map<string, BsonValue>([
        ['_id', name],
        ['dn', entry.dn],
        ['roles', [...roles]],
        ...attributes.flatMap((attribute) => toProperty(attribute, entry)),
      ]),
    };
    this.accounts.set(name, account);
    return { dn: entry.dn, account };
  }

  private async rolesOf(client: Client, dn: string, name: string): Promise<readonly string[]> {
    const { groupBase, groupFilter, groupAttribute, roleOfGroup, fixedRoles } = this.options;
    if (groupBase === undefined) return fixedRoles;
    const { searchEntries } = await client.search(groupBase, {
      scope: 'sub',
      filter: fillFilter(groupFilter, { dn, name }),
      attributes: [groupAttribute],
    });
    const groups = searchEntries.flatMap((entry) => textsOf(entry[groupAttribute]));
    const roles = groups.map((group) => roleOfGroup.get(group) ?? group);
    return [...new Set([...roles, ...fixedRoles])];
  }

  private async isRight(dn: string, password: string): Promise<boolean> {
    const { ResultCodeError } = await this.options.load();
    const client = await this.connect();
    try {
      await client.bind(dn, password);
      return true;
    } catch (error) {
      // a wrong password, a locked account, an expired one: the directory has answered, and said no
      if (error instanceof ResultCodeError && !NO_ANSWER.has(error.code)) return false;
      throw error;
    } finally {
      await client.unbind().catch(() => undefined);
    }
  }

  private async connect(): Promise<Client> {
    const { url, startTls, ca, timeoutMs } = this.options;
    const { Client } = await this.options.load();
    const tlsOptions = ca === undefined ? {} : { ca };
    const isSecure = url.startsWith('ldaps:');
    const client = new Client({
      url,
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      ...(isSecure && { tlsOptions }),
    });
    if (startTls && !isSecure) await client.startTLS(tlsOptions);
    return client;
  }

  /** @throws ERR_DATABASE_UNAVAILABLE when the directory does not answer: that is no failed login */
  private async withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
    let client: Client | undefined;
    try {
      client = await this.connect();
      const { searcher } = this.options;
      if (searcher !== undefined) await client.bind(searcher.dn, searcher.password);
      return await use(client);
    } catch (cause) {
      throw new QuorateError('ERR_DATABASE_UNAVAILABLE', {
        message: 'The directory of accounts cannot be asked now',
        headers: [['Retry-After', '5']],
        cause,
      });
    } finally {
      await client?.unbind().catch(() => undefined);
    }
  }
}

/** The filter with values in it, escaped: a name is never syntax (RFC 4515 §3). */
export function fillFilter(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(name|dn)\}/g, (whole, key: string) => {
    const value = values[key];
    return value === undefined ? whole : escapeFilterValue(value);
  });
}

function escapeFilterValue(value: string): string {
  return value.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is one of the five
    /[*()\\\u0000]/g,
    (char) => `\\${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function textsOf(value: Entry[string] | undefined): string[] {
  const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
  return values.map((item) => (typeof item === 'string' ? item : item.toString('utf8')));
}

function toProperty(attribute: string, entry: Entry): [string, BsonValue][] {
  const values = textsOf(entry[attribute]);
  const [first] = values;
  if (first === undefined) return [];
  return [[attribute, values.length === 1 ? first : values]];
}
