/** Settings of authentication and authorization (security.md; RESTHeart 9 names the keys). */
import { any, bool, choice, int, maybeText, plugin, text, textOrNull, texts } from './key.ts';

const MINUTES = { unit: 'minutes', min: 1 };
const NOT_NEGATIVE_MS = { unit: 'ms', min: 0 };
const CACHE_POLICIES = ['AFTER_WRITE', 'AFTER_READ'] as const;

/** A block of the configuration file whose shape the plugin itself knows. */
type Entry = Readonly<Record<string, unknown>>;

export const SECURITY_SECTIONS = {
  tokenBasicAuthMechanism: plugin(true, "A token in the place of Basic's password", {}),
  basicAuthMechanism: plugin(true, 'HTTP Basic', {
    authenticator: choice(
      ['mongoRealmAuthenticator', 'fileRealmAuthenticator', 'ldapRealmAuthenticator'],
      'mongoRealmAuthenticator',
      'where accounts are looked up',
    ),
  }),
  jwtConfigProvider: plugin(true, 'How tokens are signed and verified', {
    key: maybeText('secret, or certificate in base64 for RS…; unset: a key ring in MongoDB', true),
    algorithm: choice(
      [
        'HS256',
        'HS384',
        'HS512',
        'HMAC256',
        'HMAC384',
        'HMAC512',
        'RS256',
        'RS384',
        'RS512',
        'RSA256',
        'RSA384',
        'RSA512',
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
      ],
      'HS256',
      'signature algorithm',
    ),
    issuer: text('restheart.org', 'claim iss'),
    audience: any<string | readonly string[] | null>(null, 'claim aud, one or several'),
    'key-ring': bool(false, 'sign with the key ring although there is a key, which verifies on'),
    'rotate-after': int(0, 'age at which a key of the ring gets a successor; 0: never', {
      unit: 'hours',
      min: 0,
    }),
  }),
  jwks: plugin(true, 'The public keys of the ring, for others that verify our tokens', {
    uri: text('/.well-known/jwks.json', 'path'),
  }),
  remoteJwks: plugin(false, 'Tokens of another issuer, an OpenID provider for instance', {
    uri: text('', 'where its keys are read (JWKS)'),
    issuer: text('', 'claim iss of its tokens'),
    audience: any<string | readonly string[] | null>(null, 'claim aud, one or several'),
    algorithms: texts(['RS256', 'ES256', 'EdDSA'], 'that are believed'),
    'max-age': int(600_000, 'of kept keys', { unit: 'ms', min: 1000 }),
  }),
  tokenRevocation: plugin(true, 'DELETE /token ends signed tokens on every node', {
    'on-password-change': bool(false, 'a changed password ends all tokens of the account'),
    'on-role-change': bool(false, 'changed roles do'),
    'on-deletion': bool(false, 'the deletion of the account does'),
    'fail-closed': bool(false, 'believe no token while revocations cannot be read'),
  }),
  sharedTokenManager: plugin(
    false,
    'Random tokens that all nodes know, kept in MongoDB as hashes',
    {
      ttl: int(15, 'of a token after its last use', MINUTES),
    },
  ),
  refreshTokens: plugin(false, 'POST /token gives a token for new tokens, good for one use', {
    ttl: int(20_160, 'of a refresh token', MINUTES),
  }),
  apiKeys: plugin(false, 'Keys for programs, with some of the roles of their owner', {
    uri: text('/apikeys', 'path'),
    'max-ttl': int(365, 'of a key', { unit: 'days', min: 1 }),
  }),
  jwtAuthenticationMechanism: plugin(true, 'Bearer tokens', {
    base64Encoded: bool(false, 'the header holds the token encoded once more'),
    usernameClaim: text('sub', 'claim with the user name'),
    rolesClaim: textOrNull('roles', 'claim with the roles; null: fixedRoles alone'),
    fixedRoles: texts([], 'roles of every token'),
    algorithm: any<unknown>(null, 'accepted for compatibility; see jwtConfigProvider'),
    key: any<unknown>(null, 'accepted for compatibility; see jwtConfigProvider'),
    issuer: any<unknown>(null, 'accepted for compatibility; see jwtConfigProvider'),
    audience: any<unknown>(null, 'accepted for compatibility; see jwtConfigProvider'),
  }),
  digestAuthMechanism: plugin(false, 'HTTP Digest; needs clear-text passwords', {
    realm: text('RESTHeart Realm', 'realm of the challenge'),
    domain: text('localhost', 'domain of the challenge'),
    authenticator: choice(
      ['mongoRealmAuthenticator', 'fileRealmAuthenticator'],
      'mongoRealmAuthenticator',
      'where accounts are looked up',
    ),
  }),
  identityAuthMechanism: plugin(false, 'Every request is this account; for development', {
    username: text('admin', 'its name'),
    roles: texts(['admin', 'user'], 'its roles'),
  }),
  fileRealmAuthenticator: plugin(false, 'Accounts in the configuration', {
    'conf-file': maybeText('YAML file with `users`'),
    users: {
      ...any<readonly Entry[] | null>(
        [{ userid: 'admin', password: null, roles: ['admin'] }],
        'accounts: userid, password, roles and any properties',
      ),
      nullIsValue: true,
    },
  }),
  ldapRealmAuthenticator: plugin(
    false,
    'Accounts in a directory; needs the package ldapts (Quorate)',
    {
      url: text('ldap://localhost:389', 'ldap:// or ldaps://, host and port'),
      'start-tls': bool(false, 'encrypt the connection of ldap://'),
      'ca-path': maybeText('PEM file of the authority that signed its certificate'),
      'bind-dn': maybeText('who searches; unset: anonymously'),
      'bind-password': maybeText('its password', true),
      'user-base': text('', 'entry below which accounts are'),
      'user-filter': text('(uid={name})', 'finds the account of a name'),
      'group-base': maybeText('entry below which groups are; unset: no groups'),
      'group-filter': text('(member={dn})', 'finds the groups of an account'),
      'group-attribute': text('cn', 'name of a group'),
      'role-of-group': any<Readonly<Record<string, string>>>(
        {},
        'groups whose role is called differently',
      ),
      'fixed-roles': texts([], 'roles of every account'),
      attributes: texts(['cn', 'mail'], 'that become properties of the account'),
      'timeout-ms': int(5000, 'longest wait for the directory', { unit: 'ms', min: 1 }),
      'cache-ttl': int(30_000, 'how long a login is believed', NOT_NEGATIVE_MS),
    },
  ),
  mongoRealmAuthenticator: plugin(true, 'Accounts in MongoDB', {
    'users-db': text('restheart', 'database'),
    'users-collection': text('users', 'collection'),
    'prop-id': text('_id', 'property with the user name'),
    'prop-password': text('password', 'property with the password'),
    'json-path-roles': text('$.roles', 'where the roles are'),
    'bcrypt-hashed-password': bool(true, 'passwords are stored as bcrypt hashes'),
    'bcrypt-complexity': int(12, "bcrypt's cost", { min: 4, max: 31 }),
    'enforce-minimum-password-strength': bool(false, 'refuse weak passwords'),
    'minimum-password-strength': int(3, 'zxcvbn score', { min: 0, max: 4 }),
    'create-user': bool(true, 'make the first account when there is none'),
    'create-user-document': maybeText(
      'that account as JSON; unset: admin with a generated password, printed once',
      true,
    ),
    'cache-enabled': bool(true, 'keep accounts; their changes are heard of at once'),
    'cache-size': int(1000, 'accounts kept', { min: 1 }),
    'cache-ttl': int(60_000, 'how long', NOT_NEGATIVE_MS),
    'cache-expire-policy': choice(CACHE_POLICIES, 'AFTER_WRITE', 'from when the time counts'),
    'attached-props': texts([], 'request attributes copied into the account'),
  }),
  authCookieSetter: plugin(true, 'Sets the cookie of /token/cookie', {
    name: text('rh_auth', 'of the cookie'),
    domain: text('localhost', 'of the cookie'),
    path: text('/', 'of the cookie'),
    'http-only': bool(true, 'hidden from scripts'),
    'same-site': bool(true, 'send SameSite'),
    'same-site-mode': text('strict', 'strict, lax or none'),
    secure: bool(true, 'over TLS only'),
    ttl: int(15, 'of the cookie', MINUTES),
    'allow-legacy': bool(false, 'also on ?set-auth-cookie'),
  }),
  authCookieHandler: plugin(true, 'Reads the cookie', {}),
  authCookieRemover: plugin(true, 'Removes the cookie', {
    uri: text('/logout', 'path'),
    defaultUri: any<unknown>(null, 'accepted for compatibility; see uri'),
  }),
  fileAclAuthorizer: plugin(false, 'Permissions in the configuration', {
    'conf-file': maybeText('YAML file with `permissions`'),
    permissions: any<readonly Entry[]>(
      [{ role: 'admin', predicate: "path-prefix('/')", priority: 0 }],
      'permissions: role or roles, predicate, priority, mongo',
    ),
  }),
  mongoAclAuthorizer: plugin(true, 'Permissions in MongoDB', {
    'acl-db': text('restheart', 'database'),
    'acl-collection': text('acl', 'collection'),
    'root-role': textOrNull('admin', 'accounts with this role may do everything; null: none'),
    'cache-enabled': bool(true, 'keep permissions; their changes are heard of at once'),
    'cache-size': int(1000, 'accepted for compatibility', { min: 1 }),
    'cache-ttl': int(5000, 'age at which they are read again while changes are not heard of', {
      unit: 'ms',
      min: 0,
    }),
    'cache-expire-policy': choice(CACHE_POLICIES, 'AFTER_WRITE', 'accepted for compatibility'),
  }),
  originVetoer: plugin(false, 'Refuses requests of pages from foreign origins', {
    whitelist: texts(['https://restheart.org', 'http://localhost'], 'origins that may'),
    'whitelist-patterns': texts([], 'origins that may, * is any text'),
    'allow-missing-origin': bool(true, 'requests without Origin pass'),
    'ignore-paths': texts([], 'path templates open to all origins'),
  }),
  fullAuthorizer: plugin(false, 'Allows everything', {
    'authentication-required': bool(true, 'to accounts only'),
  }),
  rndTokenManager: plugin(false, 'Random tokens in memory; a cluster needs sticky sessions', {
    ttl: int(15, 'of a token after its last use', MINUTES),
    'srv-uri': text('/tokens', 'Auth-Token-Location'),
  }),
  jwtTokenManager: plugin(true, 'Signed tokens, good on every node', {
    ttl: int(15, 'of a token', MINUTES),
    'srv-uri': text('/token', 'Auth-Token-Location'),
    'account-properties-claims': texts([], 'properties of the account that become claims'),
  }),
  authTokenService: plugin(true, 'A login for a token', {
    uri: text('/token', 'path'),
    'redirect-url': maybeText('where /token/redirect leads'),
  }),
  oauthAuthorizationServerMetadataService: plugin(false, 'OAuth server metadata', {
    'base-url': maybeText('instead of scheme and host of the request'),
    'authorize-endpoint-uri': text('/authorize', 'path'),
    'token-endpoint-uri': text('/token', 'path'),
    'registration-endpoint-uri': maybeText('path'),
  }),
  oauthAuthorizationService: plugin(false, 'OAuth authorization codes with PKCE', {
    uri: text('/authorize', 'path'),
    'login-url': maybeText('page that asks for the password'),
    'allowed-redirect-uris': texts(['http://localhost:*'], 'where codes may be sent'),
  }),
  oauthProtectedResourceMetadataService: plugin(false, 'OAuth resource metadata', {
    'base-url': maybeText('instead of scheme and host of the request'),
  }),
  oauthClientRegistrationService: plugin(false, 'OAuth client registration', {
    uri: text('/register', 'path'),
  }),
  roles: plugin(true, 'The own roles of an account', { uri: text('/roles', 'path') }),
  bruteForceAttackGuard: plugin(false, 'Slows down guessing of passwords', {
    'max-failed-attempts': int(5, 'of one source, within 10 seconds', { min: 1 }),
    'max-failed-attempts-per-user': int(0, 'at one account from all sources, 0: any number', {
      min: 0,
    }),
    'trust-x-forwarded-for': bool(false, 'the client is named by a proxy'),
    'x-forwarded-for-value-from-last': int(0, 'which value, from the end', { min: 0 }),
    'x-forwarded-for-value-from-last-element': any<number | null>(null, 'the same'),
    shared: bool(true, 'count for all nodes together, through MongoDB'),
  }),
  failedAuthLogger: plugin(false, 'Logs refused logins', {}),
  authzExplain: plugin(true, 'Which rule decides, for the root role', {
    uri: text('/authz', 'path'),
  }),
  rootRoleGuard: plugin(true, 'Nobody gives the root role over the API', {}),
} as const;
