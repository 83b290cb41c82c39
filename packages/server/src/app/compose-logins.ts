/** Where accounts are looked up, and the ways to say who one is. */
import { createHmac, randomBytes } from 'node:crypto';
import { ApiKeyMechanism } from '../auth/mechanisms/api-key.ts';
import { BasicMechanism } from '../auth/mechanisms/basic.ts';
import { DigestMechanism } from '../auth/mechanisms/digest.ts';
import { IdentityMechanism } from '../auth/mechanisms/identity.ts';
import { JwtMechanism } from '../auth/mechanisms/jwt.ts';
import type { AuthenticationMechanism } from '../auth/mechanisms/mechanism.ts';
import { TokenBasicMechanism } from '../auth/mechanisms/token-basic.ts';
import { PasswordVerifier } from '../auth/password-verifier.ts';
import { FileRealm } from '../auth/realms.ts';
import type { Settings } from '../config/schema.ts';
import type { AccountStore } from '../model/ports.ts';
import { MongoAccountStore } from '../mongo/account-store.ts';
import { API_KEY_PREFIX, type ApiKeyStore } from '../mongo/api-key-store.ts';
import type { Log } from '../observe/log.ts';
import { composeLdapRealm } from './compose-ldap.ts';
import type { TokenParts } from './compose-tokens.ts';
import { readConfiguredEntries } from './configured-entries.ts';
import { afterFirstAccount } from './first-account.ts';
import type { SecurityDatabase } from './security-database.ts';

/** The mechanisms that are enabled, in the order in which they are tried (security.md §2). */
export function composeMechanisms(
  settings: Settings,
  accounts: Readonly<Record<string, AccountStore | undefined>>,
  tokens: TokenParts,
  apiKeys: ApiKeyStore | undefined,
  log: Log,
): AuthenticationMechanism[] {
  const mechanisms: AuthenticationMechanism[] = [];
  const { basicAuthMechanism, digestAuthMechanism, jwtAuthenticationMechanism } = settings;
  if (settings.tokenBasicAuthMechanism.enabled && tokens.manager) {
    mechanisms.push(new TokenBasicMechanism(tokens.manager));
  }
  if (settings.identityAuthMechanism.enabled) {
    mechanisms.push(new IdentityMechanism(settings.identityAuthMechanism));
  }
  if (jwtAuthenticationMechanism.enabled) {
    mechanisms.push(new JwtMechanism(tokens.verifyBearer, jwtAuthenticationMechanism));
  }
  const owners = accounts[basicAuthMechanism.authenticator];
  if (apiKeys && owners) {
    mechanisms.push(new ApiKeyMechanism(apiKeys, owners, { prefix: API_KEY_PREFIX }));
  }
  const basicAccounts = accounts[basicAuthMechanism.authenticator];
  if (basicAuthMechanism.enabled && basicAccounts) {
    const complexity = settings.mongoRealmAuthenticator['bcrypt-complexity'];
    const admits = admitsKnownPassword(settings, log);
    mechanisms.push(
      new BasicMechanism(basicAccounts, new PasswordVerifier({ complexity }), admits),
    );
  }
  const digestAccounts = accounts[digestAuthMechanism.authenticator];
  if (digestAuthMechanism.enabled && digestAccounts) {
    const { realm, domain } = digestAuthMechanism;
    const nonceKey = nonceKeyOf(settings, tokens);
    mechanisms.push(
      new DigestMechanism(digestAccounts, { realm, domain, nonceKey, now: tokens.nowMs }),
    );
  }
  return mechanisms;
}

/**
 * Whether `admin` may come with `secret` from another machine. Accounts that the configuration names are its operator's
 * wish, as in RESTHeart; one that a database brought along, or somebody made, is an open door that nobody meant.
 */
function admitsKnownPassword(settings: Settings, log: Log): () => boolean {
  const isConfigured =
    settings.basicAuthMechanism.authenticator !== 'mongoRealmAuthenticator' ||
    settings.mongoRealmAuthenticator['create-user-document'] !== null;
  let hasWarned = false;
  return () => {
    if (!hasWarned) log.warn(isConfigured ? KNOWN_PASSWORD_USED : KNOWN_PASSWORD_REFUSED, {});
    hasWarned = true;
    return isConfigured;
  };
}

const KNOWN_PASSWORD_USED =
  'A login as admin came from another machine with the password of the manuals, as it is configured; set another password';
const KNOWN_PASSWORD_REFUSED =
  'A login as admin with the password of the manuals was refused: it is worth nothing from another machine; set another password';

/**
 * The key of Digest's nonces: the same on nodes that share a signing secret (cluster.md E8), a random one elsewhere.
 */
function nonceKeyOf(
  { jwtConfigProvider: { key } }: Settings,
  { sharedSecret }: TokenParts,
): () => Uint8Array {
  const derive = (secret: string | Uint8Array) =>
    createHmac('sha256', secret).update('quorate digest nonces').digest();
  const own = derive(key ?? randomBytes(32));
  return () => {
    const secret = key === null ? sharedSecret() : undefined;
    return secret === undefined ? own : derive(secret);
  };
}

/** The realms that are enabled, by the names by which mechanisms choose them. */
export function composeAccounts(
  settings: Settings,
  database: SecurityDatabase | undefined,
  firstAccount: Promise<void> | undefined,
  log: Log,
): Readonly<Record<string, AccountStore | undefined>> {
  const file = settings.fileRealmAuthenticator;
  const realm = settings.mongoRealmAuthenticator;
  const mongoAccounts =
    database &&
    realm.enabled &&
    new MongoAccountStore(database.mongo, database.feed, {
      database: realm['users-db'],
      collection: realm['users-collection'],
      idProperty: realm['prop-id'],
      passwordProperty: realm['prop-password'],
      rolesPath: realm['json-path-roles'],
      passwordIsHashed: realm['bcrypt-hashed-password'],
      cacheSize: realm['cache-size'],
      cacheTtlMs: realm['cache-enabled'] ? realm['cache-ttl'] : 0,
    });
  return {
    fileRealmAuthenticator: file.enabled
      ? new FileRealm(readConfiguredEntries(file['conf-file'], 'users', file.users), (name) =>
          log.warn(`The account ${name} of the file realm has no password and is disabled`, {}),
        )
      : undefined,
    ldapRealmAuthenticator: composeLdapRealm(settings),
    mongoRealmAuthenticator: mongoAccounts
      ? afterFirstAccount(mongoAccounts, firstAccount)
      : undefined,
  };
}
