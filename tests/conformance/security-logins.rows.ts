/** Who asks: 401 and 403, mechanisms, tokens, cookies, /roles (security.md §1, §2, §3, §4, §6). */
import { basic, bearer, claimsOf, signJwt } from '../support/jwt.ts';
import { ADMIN, type SecurityTable } from '../support/security-rows.ts';

const MONGO_CHALLENGE = 'Basic realm="RESTHeart Realm"';
const TOKEN_CHALLENGE = 'Basic realm="RESTHeart"';
const P = '/{db}/{c}';
const NO_CHALLENGE = { 'WWW-Authenticate': null };
const anyText = {
  asymmetricMatch: (v: unknown) => typeof v === 'string',
  toString: () => 'a text',
};
const someSeconds = {
  asymmetricMatch: (v: unknown) => typeof v === 'number' && v > 890 && v < 900,
  toString: () => 'nearly 900',
};

const GUARD: SecurityTable = [
  {
    name: 'nobody gets 401 with an empty body',
    request: `GET ${P}`,
    status: 401,
    text: '',
    replyHeaders: {
      'WWW-Authenticate': MONGO_CHALLENGE,
      'Content-Length': '0',
      Date: null,
      'X-Powered-By': null,
      'Access-Control-Allow-Origin': '*',
    },
  },
  {
    name: 'CORS headers name the origin on a 401',
    request: `GET ${P}`,
    headers: { Origin: 'http://a.b' },
    status: 401,
    replyHeaders: { 'Access-Control-Allow-Origin': 'http://a.b' },
  },
  {
    name: 'a wrong password gets 401',
    as: basic('admin', 'wrong'),
    request: `GET ${P}`,
    status: 401,
    text: '',
  },
  {
    name: 'an unknown account gets 401',
    as: basic('nobody', 'secret'),
    request: `GET ${P}`,
    status: 401,
  },
  { name: 'the right password is let in', as: 'admin', request: `GET ${P}`, status: 200 },
  {
    name: 'an account with no permission gets 403 without challenge',
    accounts: [{}],
    as: 'password',
    request: `GET ${P}`,
    status: 403,
    text: '',
    replyHeaders: { ...NO_CHALLENGE, 'Content-Length': '0', Date: null, 'X-Powered-By': null },
  },
  {
    name: 'No-Auth-Challenge takes the challenge away',
    request: `GET ${P}`,
    headers: { 'No-Auth-Challenge': 'true' },
    status: 401,
    replyHeaders: NO_CHALLENGE,
  },
  {
    name: 'an empty No-Auth-Challenge does too',
    request: `GET ${P}`,
    headers: { 'No-Auth-Challenge': '' },
    status: 401,
    replyHeaders: NO_CHALLENGE,
  },
  {
    name: '?noauthchallenge takes the challenge away',
    request: `GET ${P}?noauthchallenge`,
    status: 401,
    replyHeaders: NO_CHALLENGE,
  },
  {
    name: '?noauthchallenge=false too',
    request: `GET ${P}?noauthchallenge=false`,
    status: 401,
    replyHeaders: NO_CHALLENGE,
  },
  { name: 'OPTIONS asks nobody', request: `OPTIONS ${P}`, status: 200 },
  { name: 'a broken body of nobody gets 401', request: `POST ${P} {broken`, status: 401, text: '' },
  {
    name: 'a broken body of the administrator gets 400',
    as: 'admin',
    request: `POST ${P} {broken`,
    status: 400,
  },
  { name: 'TRACE gets 405 before anything else', request: `TRACE ${P}`, status: 405, text: '' },
  {
    name: 'wrong credentials leave a public path public',
    acl: [{ predicate: `path('${P}')`, roles: ['$unauthenticated'] }],
    as: basic('admin', 'wrong'),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'a public path needs no credentials',
    acl: [{ predicate: `path('${P}')`, roles: ['$unauthenticated'] }],
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'an account does not inherit what is public',
    acl: [{ predicate: `path('${P}')`, roles: ['$unauthenticated'] }],
    as: 'user',
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'beside a public path the rest stays closed',
    acl: [{ predicate: `path('${P}')`, roles: ['$unauthenticated'] }],
    request: `GET ${P}/1`,
    status: 401,
  },
  {
    name: 'a public path with a missing flag asks for credentials',
    acl: [{ predicate: `path('${P}')`, roles: ['$unauthenticated'] }],
    request: `PUT ${P}`,
    status: 401,
  },
  {
    name: 'the filter of a public path counts',
    acl: [
      { predicate: `path('${P}')`, roles: ['$unauthenticated'], mongo: { readFilter: { a: 1 } } },
    ],
    given: [`POST ${P} [{"_id":"1","a":1},{"_id":"2"}]`],
    request: `GET ${P}?keys={"_id":1}`,
    status: 200,
    body: [{ _id: '1' }],
  },
  { name: 'the metrics are closed', request: 'GET /metrics', status: 401 },
  { name: 'ping is open', request: 'GET /ping', status: 200 },
  {
    name: 'ping ignores bad credentials',
    as: basic('admin', 'wrong'),
    request: 'GET /ping',
    status: 200,
  },
  { name: 'the health of the database is open', request: 'GET /health/db', status: 200 },
  {
    name: 'the filter of operators stands before a public path',
    acl: [{ predicate: `path('${P}')`, roles: ['$unauthenticated'] }],
    request: `GET ${P}?filter={"$where":"1"}`,
    status: 403,
    text: '',
  },
].map((row) => ({ chapter: '§1', ...row }));

const b64 = (text: string) => Buffer.from(text).toString('base64');
const BASIC: SecurityTable = [
  {
    name: 'the scheme in lower case',
    as: `basic ${b64('admin:secret')}`,
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'the scheme in upper case',
    as: `BASIC ${b64('admin:secret')}`,
    request: `GET ${P}`,
    status: 200,
  },
  { name: 'a value that is no Base64', as: 'Basic %%%', request: `GET ${P}`, status: 401 },
  {
    name: 'a value without a colon',
    as: `Basic ${b64('admin')}`,
    request: `GET ${P}`,
    status: 401,
  },
  { name: 'an empty password', as: basic('admin', ''), request: `GET ${P}`, status: 401 },
  { name: 'an empty name', as: basic('', 'secret'), request: `GET ${P}`, status: 401 },
  { name: 'nothing after the scheme', as: 'Basic', request: `GET ${P}`, status: 401 },
  { name: 'an unknown scheme', as: 'Negotiate abc', request: `GET ${P}`, status: 401 },
  {
    name: 'a password with colons',
    accounts: [{ password: 'a:b:c', roles: ['admin2'] }],
    as: 'basic:{u}:a:b:c',
    request: 'GET /roles/{u}',
    status: 200,
  },
  {
    name: 'a password beyond ASCII',
    accounts: [{ password: 'pässwörd€' }],
    as: 'basic:{u}:pässwörd€',
    request: 'GET /roles/{u}',
    status: 200,
  },
  {
    name: 'an account whose roles are no array',
    given: [`POST /restheart/users {"_id":"{u}","password":"pass-{u}","roles":"x"}`],
    as: 'password',
    request: 'GET /roles/{u}',
    status: 401,
  },
  {
    name: 'an account without roles',
    given: [`POST /restheart/users {"_id":"{u}","password":"pass-{u}"}`],
    as: 'password',
    request: 'GET /roles/{u}',
    status: 200,
    body: { authenticated: true, roles: [] },
  },
  {
    name: 'roles that are no texts are skipped',
    given: [`POST /restheart/users {"_id":"{u}","password":"pass-{u}","roles":["a",1,null,"b"]}`],
    as: 'password',
    request: 'GET /roles/{u}',
    status: 200,
    body: { authenticated: true, roles: ['a', 'b'] },
  },
  {
    name: 'an account whose password is no text',
    given: [`POST /restheart/users {"_id":"{u}","password":5,"roles":["x"]}`],
    as: 'basic:{u}:5',
    request: 'GET /roles/{u}',
    status: 401,
  },
  {
    name: 'the stored hash is no password',
    accounts: [{ password: 'x' }],
    as: 'basic:{u}:$2a$04$',
    request: 'GET /roles/{u}',
    status: 401,
  },
].map((row) => ({ chapter: '§2.1', ...row }));

const ROLES = (r: readonly string[] = ['admin']) => r;
const now = Math.floor(Date.now() / 1000);
const jwt = (claims: Record<string, unknown>, options = {}) => `Bearer ${signJwt(claims, options)}`;
const good = claimsOf('bob', ROLES());
const without = (name: string) =>
  Object.fromEntries(Object.entries(good).filter(([k]) => k !== name));

const JWTS: SecurityTable = [
  { name: 'a good token', as: jwt(good), request: `GET ${P}`, status: 200 },
  {
    name: 'the scheme in lower case',
    as: jwt(good).replace('Bearer', 'bearer'),
    request: `GET ${P}`,
    status: 401,
  },
  { name: 'a token without exp', as: jwt(without('exp')), request: `GET ${P}`, status: 200 },
  {
    name: 'a token that has expired',
    as: jwt({ ...good, exp: now - 1 }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token issued in the future',
    as: jwt({ ...good, iat: now + 60 }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token issued just now',
    as: jwt({ ...good, iat: now - 1 }),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'a token that is not valid yet',
    as: jwt({ ...good, nbf: now + 60 }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token of another issuer',
    as: jwt({ ...good, iss: 'evil.org' }),
    request: `GET ${P}`,
    status: 401,
  },
  { name: 'a token without issuer', as: jwt(without('iss')), request: `GET ${P}`, status: 401 },
  { name: 'a token without name', as: jwt(without('sub')), request: `GET ${P}`, status: 401 },
  {
    name: 'a name that is no text',
    as: jwt({ ...good, sub: 5 }),
    request: `GET ${P}`,
    status: 401,
  },
  { name: 'a token without roles', as: jwt(without('roles')), request: `GET ${P}`, status: 401 },
  {
    name: 'roles that are a text',
    as: jwt({ ...good, roles: 'admin' }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'roles that are numbers',
    as: jwt({ ...good, roles: [1] }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'roles null are no roles',
    as: jwt({ ...good, roles: null }),
    request: 'GET /roles/bob',
    status: 200,
    body: { authenticated: true, roles: [] },
  },
  {
    name: 'a token signed with another key',
    as: jwt(good, { key: 'another-key-of-at-least-32-characters!' }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token with alg none',
    as: jwt(good, { alg: 'none' }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token with another algorithm',
    as: jwt(good, { alg: 'HS512' }),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token whose name is in no realm',
    as: bearer('ghost', ['x']),
    request: 'GET /roles/ghost',
    status: 200,
  },
  {
    name: 'a token in the place of the password',
    as: basic('bob', signJwt(good)),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'the token of another in the place of the password',
    as: basic('alice', signJwt(good)),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a token in the place of the password, scheme in lower case',
    as: basic('bob', signJwt(good)).replace('Basic', 'basic'),
    request: `GET ${P}`,
    status: 401,
  },
  { name: 'garbage', as: 'Bearer a.b.c', request: `GET ${P}`, status: 401 },
  { name: 'nothing', as: 'Bearer ', request: `GET ${P}`, status: 401 },
].map((row) => ({ chapter: '§2.2', ...row }));

const cookie = (value: string) => ({ Cookie: value });
const token = signJwt(good);
const COOKIES: SecurityTable = [
  {
    name: 'a Bearer cookie',
    headers: cookie(`rh_auth=Bearer_${token}`),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'a Basic cookie',
    headers: cookie(`rh_auth=Basic_${b64('admin:secret')}`),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'a Basic cookie with a token',
    headers: cookie(`rh_auth=Basic_${b64(`bob:${token}`)}`),
    request: `GET ${P}`,
    status: 200,
  },
  { name: 'a bad cookie', headers: cookie('rh_auth=Bearer_x'), request: `GET ${P}`, status: 401 },
  { name: 'an empty cookie', headers: cookie('rh_auth='), request: `GET ${P}`, status: 401 },
  {
    name: 'another cookie',
    headers: cookie(`other=Bearer_${token}`),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a header wins over the cookie',
    as: basic('admin', 'wrong'),
    headers: cookie(`rh_auth=Bearer_${token}`),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'a whole Set-Cookie value sent back',
    headers: cookie(
      `rh_auth=Bearer_${token}; Domain=localhost; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=900`,
    ),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'the last of several',
    headers: cookie(`rh_auth=Bearer_x; rh_auth=Bearer_${token}`),
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'the last of several, when it is bad',
    headers: cookie(`rh_auth=Bearer_${token}; rh_auth=Bearer_x`),
    request: `GET ${P}`,
    status: 401,
  },
  {
    name: 'unknown members are skipped',
    headers: cookie(`a; b=c; ;=; rh_auth=Bearer_${token};d`),
    request: `GET ${P}`,
    status: 200,
  },
].map((row) => ({ chapter: '§2.5', ...row }));

const TOKEN_HEADERS = {
  'Auth-Token': /^[\w-]+\.[\w-]+\.[\w-]+$/,
  'Auth-Token-Valid-Until': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  'Auth-Token-Location': '/token',
};
const NO_STORE = { 'Cache-Control': 'no-store', Pragma: 'no-cache' };
const NO_TOKEN = {
  'Auth-Token': null,
  'Auth-Token-Valid-Until': null,
  'Auth-Token-Location': null,
};
const BODY_A = {
  access_token: anyText,
  token_type: 'Bearer',
  expires_in: someSeconds,
  username: 'admin',
  roles: ['admin'],
};
const BODY_B = { authenticated: true, username: 'admin', roles: ['admin'] };
const C401 = {
  status: 401,
  text: '',
  replyHeaders: { 'WWW-Authenticate': TOKEN_CHALLENGE, ...NO_TOKEN },
};
const SET_COOKIE =
  /^rh_auth=Bearer_[\w.-]+; Domain=localhost; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=900$/;

const TOKENS: SecurityTable = [
  { name: 'GET /token without credentials', request: 'GET /token', ...C401 },
  { name: 'POST /token without credentials', request: 'POST /token', ...C401 },
  { name: 'POST /token/cookie without credentials', request: 'POST /token/cookie', ...C401 },
  { name: 'GET /token/redirect without credentials', request: 'GET /token/redirect', ...C401 },
  { name: 'DELETE /token without credentials', request: 'DELETE /token', ...C401 },
  { name: '/token/other without credentials', request: 'GET /token/other', ...C401 },
  {
    name: 'GET /token with a wrong password',
    as: basic('admin', 'x'),
    request: 'GET /token',
    ...C401,
  },
  {
    name: 'GET /token without challenge',
    request: 'GET /token',
    headers: { 'No-Auth-Challenge': '1' },
    status: 401,
    replyHeaders: NO_CHALLENGE,
  },
  {
    name: 'GET /token',
    as: 'admin',
    request: 'GET /token',
    status: 200,
    body: BODY_A,
    replyHeaders: {
      ...TOKEN_HEADERS,
      'Cache-Control': null,
      'Set-Cookie': null,
      'Content-Type': 'application/json; charset=UTF-8',
    },
  },
  {
    name: 'POST /token',
    as: 'admin',
    request: 'POST /token',
    status: 200,
    body: BODY_A,
    replyHeaders: { ...TOKEN_HEADERS, ...NO_STORE, 'Set-Cookie': null },
  },
  {
    name: 'POST /token/cookie',
    as: 'admin',
    request: 'POST /token/cookie',
    status: 200,
    body: BODY_B,
    replyHeaders: { ...TOKEN_HEADERS, ...NO_STORE, 'Set-Cookie': SET_COOKIE },
  },
  {
    name: 'GET /token/redirect',
    as: 'admin',
    request: 'GET /token/redirect',
    status: 307,
    body: BODY_A,
    replyHeaders: {
      ...TOKEN_HEADERS,
      ...NO_STORE,
      Location:
        /^https:\/\/app\.example\/in#access_token=[\w.-]+&token_type=Bearer&expires_in=89\d$/,
    },
  },
  {
    name: 'the target of the redirect is not taken from the request',
    as: 'admin',
    request: 'GET /token/redirect?redirect-url=http://evil',
    status: 307,
    replyHeaders: { Location: /^https:\/\/app\.example\// },
  },
  {
    name: 'DELETE /token',
    as: 'admin',
    request: 'DELETE /token',
    status: 204,
    text: '',
    replyHeaders: NO_TOKEN,
  },
  { name: '/token/other', as: 'admin', request: 'GET /token/other', status: 404 },
  { name: '/tokens is no token endpoint', as: 'admin', request: 'GET /tokens/admin', status: 404 },
  ...[
    'PUT /token',
    'PATCH /token',
    'GET /token/cookie',
    'DELETE /token/cookie',
    'POST /token/redirect',
    'DELETE /token/redirect',
    'PUT /token/cookie',
  ].flatMap((request) => [
    {
      name: `${request} with credentials`,
      as: 'admin',
      request,
      status: 405,
      text: '',
      replyHeaders: TOKEN_HEADERS,
    },
    { name: `${request} without credentials`, request, status: 405 },
  ]),
  {
    name: 'the 405 of /token/cookie sets the cookie',
    as: 'admin',
    request: 'GET /token/cookie',
    status: 405,
    replyHeaders: { 'Set-Cookie': SET_COOKIE },
  },
  ...['/token', '/token/cookie', '/token/redirect'].map((path) => ({
    name: `OPTIONS ${path}`,
    request: `OPTIONS ${path}`,
    status: 200,
    text: '',
    replyHeaders: {
      'Access-Control-Expose-Headers': 'Auth-Token, Auth-Token-Valid-Until, Auth-Token-Location',
    },
  })),
  {
    name: 'tokens appear nowhere else',
    as: 'admin',
    request: `GET ${P}`,
    status: 200,
    replyHeaders: NO_TOKEN,
  },
  {
    name: 'renew elsewhere does nothing',
    as: 'admin',
    request: `GET ${P}?renew-auth-token`,
    status: 200,
    replyHeaders: NO_TOKEN,
  },
  {
    name: 'GET /token by a token',
    as: jwt(claimsOf('bob', ['x'])),
    request: 'GET /token',
    status: 200,
    bodyHas: { username: 'bob', roles: ['x'] },
  },
  {
    name: 'GET /token by the password of an account',
    accounts: [{ roles: ['a', 'b'] }],
    as: 'password',
    request: 'GET /token',
    status: 200,
    bodyHas: { username: '{u}', roles: ['a', 'b'] },
  },
].map((row) => ({ chapter: '§4', ...row }));

const FORM_A = 'grant_type=password&username=admin&password=secret';
const FORMS: SecurityTable = [
  {
    name: 'a password grant',
    request: 'POST /token',
    form: FORM_A,
    status: 200,
    body: BODY_A,
    replyHeaders: NO_STORE,
  },
  {
    name: 'a password grant for a cookie',
    request: 'POST /token/cookie',
    form: FORM_A,
    status: 200,
    body: BODY_B,
    replyHeaders: { 'Set-Cookie': SET_COOKIE },
  },
  {
    name: 'a password grant with a charset',
    request: 'POST /token',
    form: FORM_A,
    headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' },
    status: 200,
  },
  {
    name: 'client credentials',
    request: 'POST /token',
    form: 'grant_type=client_credentials&client_id=admin&client_secret=secret',
    status: 200,
    body: BODY_A,
  },
  {
    name: 'a wrong password',
    request: 'POST /token',
    form: 'grant_type=password&username=admin&password=x',
    ...C401,
  },
  {
    name: 'wrong client credentials',
    request: 'POST /token',
    form: 'grant_type=client_credentials&client_id=admin&client_secret=x',
    ...C401,
  },
  {
    name: 'no grant',
    request: 'POST /token',
    form: 'username=admin&password=secret',
    status: 400,
    text: '',
  },
  {
    name: 'an unknown grant',
    request: 'POST /token',
    form: 'grant_type=magic&username=admin&password=secret',
    status: 400,
    text: '',
  },
  {
    name: 'no username',
    request: 'POST /token',
    form: 'grant_type=password&password=secret',
    status: 400,
    text: '',
  },
  {
    name: 'no password',
    request: 'POST /token',
    form: 'grant_type=password&username=admin',
    status: 400,
    text: '',
  },
  {
    name: 'no secret',
    request: 'POST /token',
    form: 'grant_type=client_credentials&client_id=admin',
    status: 400,
    text: '',
  },
  { name: 'an empty form', request: 'POST /token', form: '', status: 400 },
  {
    name: 'escaped credentials',
    accounts: [{ password: 'a&b=c+d e%' }],
    request: 'POST /token',
    form: 'grant_type=password&username={u}&password=a%26b%3Dc%2Bd+e%25',
    status: 200,
  },
  {
    name: 'a header wins over the form',
    as: ADMIN,
    request: 'POST /token',
    form: 'grant_type=password&username=x&password=y',
    status: 200,
    bodyHas: { username: 'admin' },
  },
  {
    name: 'a wrong header wins over the form',
    as: basic('admin', 'x'),
    request: 'POST /token',
    form: FORM_A,
    status: 401,
  },
  {
    name: 'JSON is no form',
    request: 'POST /token {"grant_type":"password","username":"admin","password":"secret"}',
    status: 401,
  },
  {
    name: 'a code without verifier',
    request: 'POST /token',
    form: 'grant_type=authorization_code&code=x',
    status: 400,
    bodyHas: { error: 'invalid_request' },
  },
  {
    name: 'a code that is none',
    request: 'POST /token',
    form: 'grant_type=authorization_code&code=x&code_verifier=y',
    status: 400,
    bodyHas: { error: 'invalid_grant' },
  },
  {
    name: 'a code for a cookie',
    request: 'POST /token/cookie',
    form: 'grant_type=authorization_code&code=x&code_verifier=y',
    status: 401,
  },
].map((row) => ({ chapter: '§4.1', ...row }));

const ROLE_ROWS: SecurityTable = [
  {
    name: 'the own roles',
    as: 'admin',
    request: 'GET /roles/admin',
    status: 200,
    body: { authenticated: true, roles: ['admin'] },
    replyHeaders: { 'Content-Type': 'application/json; charset=UTF-8' },
  },
  {
    name: 'the own roles need no permission',
    as: 'user',
    request: 'GET /roles/{u}',
    status: 200,
    body: { authenticated: true, roles: ['{r}'] },
  },
  { name: 'the roles of another', as: 'user', request: 'GET /roles/admin', status: 403 },
  {
    name: 'the roles of another, for the root role',
    as: 'admin',
    request: 'GET /roles/other',
    status: 403,
  },
  { name: 'all roles', as: 'admin', request: 'GET /roles', status: 403 },
  { name: 'roles for nobody', request: 'GET /roles/admin', status: 401 },
  { name: 'another method', as: 'admin', request: 'POST /roles/admin', status: 405 },
  {
    name: 'another method without permission',
    as: 'user',
    request: 'POST /roles/{u}',
    status: 403,
  },
  { name: 'OPTIONS', request: 'OPTIONS /roles/admin', status: 200 },
  {
    name: 'set-auth-cookie sets none',
    as: 'admin',
    request: 'GET /roles/admin?set-auth-cookie',
    status: 200,
    replyHeaders: { 'Set-Cookie': null },
  },
  { name: 'no spelling of another path', as: 'user', request: 'GET /roles/%61dmin', status: 403 },
].map((row) => ({ chapter: '§6', ...row }));

const LOGOUT: SecurityTable = [
  {
    name: 'POST /logout',
    request: 'POST /logout',
    status: 200,
    text: '',
    replyHeaders: {
      'Set-Cookie': 'rh_auth=; Path=/; Domain=localhost; Secure; HttpOnly; SameSite=Strict',
    },
  },
  { name: 'OPTIONS /logout', request: 'OPTIONS /logout', status: 200 },
  { name: 'GET /logout', request: 'GET /logout', status: 405 },
  { name: 'DELETE /logout', request: 'DELETE /logout', status: 405 },
].map((row) => ({ chapter: '§2.5', ...row }));

const U = '/restheart/users';
const FORBIDDEN = /Forbidden\. The request has been logged\./;
const USERS: SecurityTable = [
  {
    name: 'a password is hashed on POST',
    as: 'admin',
    request: `POST ${U} {"_id":"{u}","password":"pw","roles":["{r}"]}`,
    status: 201,
    after: [
      { request: `GET ${U}/{u}`, body: { _id: '{u}', roles: ['{r}'], _etag: { $oid: anyText } } },
    ],
  },
  {
    name: 'no page shows passwords',
    accounts: [{}],
    as: 'admin',
    request: `GET ${U}?filter={"_id":"{u}"}`,
    status: 200,
    text: /^(?!.*password)/,
  },
  {
    name: 'no projection shows passwords',
    accounts: [{}],
    as: 'admin',
    request: `GET ${U}/{u}?keys={"password":1}`,
    status: 200,
    text: /^(?!.*password)/,
  },
  {
    name: 'no HAL page shows passwords',
    accounts: [{}],
    as: 'admin',
    request: `GET ${U}?rep=HAL&filter={"_id":"{u}"}`,
    status: 200,
    text: /^(?!.*"password")/,
  },
  {
    name: 'no filter may name passwords',
    as: 'admin',
    request: `GET ${U}?filter={"password":{"$regex":"^."}}`,
    status: 403,
    bodyHas: { message: 'Using filters on the password property is forbidden' },
  },
  {
    name: 'not inside $or',
    as: 'admin',
    request: `GET ${U}?filter={"$or":[{"password":"x"}]}`,
    status: 403,
  },
  {
    name: 'not inside $expr',
    as: 'admin',
    request: `GET ${U}?filter={"$expr":{"$eq":["$password","x"]}}`,
    status: 403,
  },
  ...['{"p":"$password"}', '{"p":{"$getField":"password"}}', '{"p":{"q":"$$ROOT"}}'].map(
    (keys) => ({
      name: `no projection shows passwords by ${keys}`,
      accounts: [{}],
      as: 'admin',
      request: `GET ${U}/{u}?keys=${keys}`,
      status: 403,
      bodyHas: { message: 'Using keys on the password property is forbidden' },
    }),
  ),
  {
    name: 'no aggregation shows passwords',
    accounts: [{}],
    given: [`PATCH ${U} {"aggrs":[{"uri":"all","stages":[{"$match":{}}]}]}`],
    as: 'admin',
    request: `GET ${U}/_aggrs/all`,
    status: 200,
    text: /^(?!.*"password")/,
  },
  ...['"$getField":"password"', '"$type":"$$ROOT"', '"$size":{"$objectToArray":"$$CURRENT"}'].map(
    (expression) => ({
      name: `no filter compares passwords by ${expression}`,
      as: 'admin',
      request: `GET ${U}?filter={"$expr":{${expression}}}`,
      status: 403,
    }),
  ),
  {
    name: 'not by the size',
    as: 'admin',
    request: `GET ${U}/_size?filter={"password":"x"}`,
    status: 403,
  },
  {
    name: 'not by a bulk PATCH',
    as: 'admin',
    request: `PATCH ${U}/*?filter={"password":{"$gt":"a"}} {"x":1}`,
    status: 403,
  },
  {
    name: 'not by a bulk DELETE',
    as: 'admin',
    request: `DELETE ${U}/*?filter={"password":"zzzz"}`,
    status: 403,
  },
  {
    name: 'nobody gives the root role by POST',
    as: 'admin',
    request: `POST ${U} {"_id":"{u}","password":"pw","roles":["x","admin"]}`,
    status: 403,
    text: FORBIDDEN,
    after: [{ request: `GET ${U}/{u}`, status: 404 }],
  },
  {
    name: 'nobody gives the root role by POST of an array',
    as: 'admin',
    request: `POST ${U} [{"_id":"{u}","password":"pw","roles":["admin"]}]`,
    status: 403,
  },
  {
    name: 'nobody gives the root role by PUT',
    as: 'admin',
    request: `PUT ${U}/{u}?wm=upsert {"password":"pw","roles":["admin"]}`,
    status: 403,
  },
  ...[
    '{"roles":["admin"]}',
    '{"$set":{"roles":["admin"]}}',
    '{"$push":{"roles":"admin"}}',
    '{"$addToSet":{"roles":{"$each":["admin"]}}}',
    '{"roles.0":"admin"}',
    '{"$set":{"roles.5":"admin"}}',
    '[{"$set":{"roles":["admin"]}}]',
    '[{"$set":{"roles":{"$concatArrays":["$roles",["admin"]]}}}]',
    '[{"$replaceWith":{"roles":["admin"]}}]',
    '{"$rename":{"other":"roles"}}',
    '{"$setOnInsert":{"roles":["admin"]}}',
  ].map((body) => ({
    name: `nobody gives the root role by PATCH ${body}`,
    accounts: [{ other: ['admin'] }],
    as: 'admin',
    request: `PATCH ${U}/{u} ${body}`,
    status: 403,
    after: [{ request: `GET ${U}/{u}`, bodyHas: { roles: ['{r}'] } }],
  })),
  ...['{"password.x":1}', '{"$set":{"password.x":1}}', '{"$max":{"password.0":1}}'].map((body) => ({
    name: `no error shows passwords by PATCH ${body}`,
    accounts: [{}],
    as: 'admin',
    request: `PATCH ${U}/{u} ${body}`,
    status: 403,
    text: FORBIDDEN,
  })),
  {
    name: 'nobody gives the root role by a bulk PATCH',
    accounts: [{}],
    as: 'admin',
    request: `PATCH ${U}/*?filter={"_id":"{u}"} {"roles":["admin"]}`,
    status: 403,
  },
  {
    name: 'nobody gives the root role by an import',
    as: 'admin',
    headers: { 'Content-Type': 'application/x-ndjson' },
    request: `POST ${U} {"_id":"{u}","roles":["admin"]}`,
    status: 403,
  },
  {
    name: 'nobody gives the root role by CSV',
    as: 'admin',
    headers: { 'Content-Type': 'text/csv' },
    request: 'POST /csv?db=restheart&coll=users _id,roles\nx,admin',
    status: 403,
  },
  {
    name: 'other roles may be given',
    accounts: [{}],
    as: 'admin',
    request: `PATCH ${U}/{u} {"roles":["z"]}`,
    status: 200,
    after: [{ request: `GET ${U}/{u}`, bodyHas: { roles: ['z'] } }],
  },
].map((row) => ({ chapter: '§7.3', ...row }));

export const LOGIN_ROWS: SecurityTable = [
  ...GUARD,
  ...BASIC,
  ...JWTS,
  ...COOKIES,
  ...TOKENS,
  ...FORMS,
  ...ROLE_ROWS,
  ...LOGOUT,
  ...USERS,
];
