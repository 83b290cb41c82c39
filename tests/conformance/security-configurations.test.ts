/** What the security settings change, one server for each configuration (security.md §1 to §10). */
import { createHash, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_OPENSSL, makeCertificate } from '../support/certificate.ts';
import { basic, bearer, claimsOf, signJwt, TEST_KEY } from '../support/jwt.ts';
import { headerValues } from '../support/raw-http.ts';
import {
  ADMIN,
  ask,
  checkReply,
  MONGO_SECURITY,
  type SecurityRow,
} from '../support/security-rows.ts';
import { ALL_DATABASES, dropDatabases, openTarget, type Target } from '../support/target.ts';

/** One request; `as` is an `Authorization` value. */
type RequestRow = Pick<
  SecurityRow,
  'name' | 'request' | 'headers' | 'form' | 'replyHeaders' | 'text' | 'body' | 'bodyHas'
> & { readonly as?: string; readonly status: number };

interface Configuration {
  readonly name: string;
  readonly security: string;
  /** Instead of all databases mounted on `/`. */
  readonly configuration?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly rows: readonly RequestRow[];
  /** Further tests that need several steps. */
  readonly more?: (baseUrl: () => string) => void;
}

const ann = basic('ann', 'pa');
const bob = basic('bob', 'pb');
const CHALLENGE = 'Basic realm="RESTHeart Realm"';
const TOKEN_CHALLENGE = 'Basic realm="RESTHeart"';
const json = (reply: { body: Buffer }) => JSON.parse(reply.body.toString());

/** Accounts and rules in the configuration; sections of one name must not be repeated, so they are parts. */
const FILE_REALM = `fileRealmAuthenticator:
  enabled: true
  users:
    - userid: ann
      password: pa
      roles: [reader, writer]
      team: red
      nested: {deep: [7, 8]}
    - userid: bob
      password: pb
      roles: [writer]
    - userid: off
      password: null
      roles: [reader]
    - userid: root
      password: pr
      roles: [admin]
basicAuthMechanism:
  authenticator: fileRealmAuthenticator
mongoRealmAuthenticator:
  enabled: false
`;
const ACL_OFF = 'mongoAclAuthorizer:\n  enabled: false\n';
const FULL = `${ACL_OFF}fullAuthorizer:\n  enabled: true\n  authentication-required: true\n`;
const FULL_OPEN = `${ACL_OFF}fullAuthorizer:\n  enabled: true\n  authentication-required: false\n`;
const KEY = `jwtConfigProvider:\n  key: ${TEST_KEY}\n`;
const P = '/confdb';

const CONFIGURATIONS: Configuration[] = [
  {
    name: 'accounts in the configuration, rules in a file beside it (§7.1, §8.2)',
    security: `${FILE_REALM}${ACL_OFF}${KEY}fileAclAuthorizer:
  enabled: true
  conf-file: acl.yml
`,
    files: {
      'acl.yml': `permissions:
  - role: reader
    predicate: path-prefix('/confdb') and method(GET)
    priority: 5
    mongo:
      allowManagementRequests: true
  - roles: [writer, other]
    predicate: path-prefix[path="/confdb"]
    priority: 10
    mongo:
      allowManagementRequests: true
  - role: writer
    roles: [reader]
    predicate: path-prefix('/both')
  - role: admin
    predicate: path-prefix('/')
    priority: 0
    mongo:
      allowManagementRequests: true
  - role: writer
    predicate: path-prefix('/broken')
    mongo:
      readFilter: "{ this is no JSON"
  - role: reader
    predicate: path-prefix('/filtered')
    mongo:
      readFilter: >
        {"team": "@user.team", "_$or": [{"n": 1}, {"n": "@user.nested.deep.1"}]}
      projectResponse: '{"secret": 0}'
  - role: writer
    predicate: path('/filtered') and method(POST)
    mongo:
      mergeRequest: '{"team": "@user.team", "by": "@user.userid"}'
  - role: $unauthenticated
    predicate: path-prefix('/open')
`,
    },
    rows: [
      { name: 'a role of the file', as: ann, request: `GET ${P}`, status: 404 },
      { name: 'one of several roles', as: bob, request: `PUT ${P}`, status: 201 },
      { name: 'the same for the other account now', as: ann, request: `GET ${P}`, status: 200 },
      { name: 'a wrong password', as: basic('ann', 'x'), request: `GET ${P}`, status: 401 },
      {
        name: 'an account without password',
        as: basic('off', 'null'),
        request: `GET ${P}`,
        status: 401,
      },
      { name: 'an empty password for it', as: basic('off', ''), request: `GET ${P}`, status: 401 },
      {
        name: 'role and roles together are no permission',
        as: ann,
        request: 'GET /both',
        status: 403,
      },
      {
        name: 'a filter that is no JSON makes no permission',
        as: bob,
        request: 'GET /broken',
        status: 403,
      },
      {
        name: 'no root role passes by the rules',
        as: basic('root', 'pr'),
        request: 'PUT /filtered',
        status: 201,
      },
      {
        name: 'nor by a missing flag',
        as: basic('root', 'pr'),
        request: 'DELETE /filtered/c/*?filter={"x":1}',
        status: 403,
      },
      { name: 'an open path, asked by nobody', request: 'GET /open', status: 404 },
      { name: 'an open path, asked by an account', as: ann, request: 'GET /open', status: 403 },
      {
        name: 'nobody elsewhere',
        request: `GET ${P}`,
        status: 401,
        replyHeaders: { 'WWW-Authenticate': CHALLENGE },
      },
      {
        name: 'the own roles',
        as: ann,
        request: 'GET /roles/ann',
        status: 200,
        body: { authenticated: true, roles: ['reader', 'writer'] },
      },
      {
        name: 'a token of an account of the file has no authDb',
        as: ann,
        request: 'GET /token',
        status: 200,
        bodyHas: { username: 'ann', roles: ['reader', 'writer'], token_type: 'Bearer' },
      },
    ],
    more: (baseUrl) => {
      it('a filter and a merge written as JSON text, with properties of the account', async () => {
        const rows = [
          '[{"_id":1,"n":1,"team":"red","secret":1},{"_id":2,"n":8,"team":"red"},{"_id":3,"n":8,"team":"blue"},{"_id":4,"n":7,"team":"red"}]',
        ];
        await ask(baseUrl(), 'PUT /filtered/c', { Authorization: basic('root', 'pr') });
        for (const row of rows) {
          const reply = await ask(baseUrl(), `POST /filtered/c ${row}`, {
            Authorization: basic('root', 'pr'),
          });
          expect(reply.status, reply.body.toString()).toBe(200);
        }
        const page = await ask(baseUrl(), 'GET /filtered/c?sort=_id', { Authorization: ann });
        expect(json(page)).toEqual(
          [
            { _id: 1, n: 1, team: 'red' },
            { _id: 2, n: 8, team: 'red' },
          ].map((d) => expect.objectContaining(d)),
        );
        expect(page.body.toString()).not.toContain('secret');
      });
      it('claims of a token from the file realm', async () => {
        const token = json(await ask(baseUrl(), 'GET /token', { Authorization: ann }))
          .access_token as string;
        const [head, payload] = token
          .split('.')
          .slice(0, 2)
          .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
        expect(head).toEqual({ alg: 'HS256', typ: 'JWT' });
        expect(Object.keys(payload).sort()).toEqual(['exp', 'iss', 'jti', 'roles', 'sub']);
        expect(payload.jti).toMatch(/^[0-9a-f-]{36}$/);
      });
    },
  },
  {
    name: 'no mechanism at all: everybody is nobody (§1.2)',
    security: `${ACL_OFF}${FILE_REALM.replace('basicAuthMechanism:', 'basicAuthMechanism:\n  enabled: false')}tokenBasicAuthMechanism:
  enabled: false
jwtAuthenticationMechanism:
  enabled: false
fileAclAuthorizer:
  enabled: true
  permissions:
    - role: $unauthenticated
      predicate: path-prefix('/open')
`,
    rows: [
      { name: 'an open path', as: ann, request: 'GET /open', status: 404 },
      {
        name: 'another path',
        as: ann,
        request: `GET ${P}`,
        status: 401,
        replyHeaders: { 'WWW-Authenticate': null },
      },
    ],
  },
  {
    name: 'no authorizer: everything that is secured is forbidden (§8.1)',
    security: `${FILE_REALM}${ACL_OFF}`,
    rows: [
      {
        name: 'for nobody',
        request: `GET ${P}`,
        status: 403,
        replyHeaders: { 'WWW-Authenticate': null },
      },
      { name: 'for accounts', as: ann, request: `GET ${P}`, status: 403 },
      { name: 'ping is open', request: 'GET /ping', status: 200 },
      { name: 'tokens too', as: ann, request: 'GET /token', status: 200 },
      { name: 'OPTIONS is open', request: `OPTIONS ${P}`, status: 200 },
    ],
  },
  {
    name: 'everything for every account, other switches of secured (§1.1)',
    security: `${FILE_REALM}${FULL}${KEY}ping:
  secured: true
database-probe:
  secure: true
authCookieRemover:
  secure: true
metrics:
  secured: false
roles:
  secured: true
authTokenService:
  redirect-url: null
`,
    rows: [
      {
        name: 'nobody',
        request: `GET ${P}`,
        status: 401,
        replyHeaders: { 'WWW-Authenticate': CHALLENGE },
      },
      { name: 'an account', as: bob, request: `PUT ${P}`, status: 201 },
      { name: 'ping, secured', request: 'GET /ping', status: 401 },
      { name: 'ping for accounts', as: bob, request: 'GET /ping', status: 200 },
      { name: 'secure is an older name', request: 'GET /health/db', status: 401 },
      { name: 'secure of the cookie remover', request: 'POST /logout', status: 401 },
      { name: 'the cookie remover for accounts', as: bob, request: 'POST /logout', status: 200 },
      { name: 'metrics, not secured', request: 'GET /metrics', status: 200 },
      {
        name: 'a redirect without target',
        as: bob,
        request: 'GET /token/redirect',
        status: 400,
        body: {
          error: 'invalid_request',
          error_description: 'no redirect-url configured for /token/redirect',
        },
      },
      {
        name: 'a code without OAuth: no code',
        request: 'POST /token',
        form: 'grant_type=authorization_code',
        status: 400,
        body: { error: 'invalid_request', error_description: 'code is required' },
      },
      {
        name: 'a code without OAuth: no verifier',
        request: 'POST /token',
        form: 'grant_type=authorization_code&code=x',
        status: 400,
        body: { error: 'invalid_request', error_description: 'code_verifier is required' },
      },
      {
        name: 'a code without OAuth: no such code',
        request: 'POST /token',
        form: 'grant_type=authorization_code&code=x&code_verifier=y',
        status: 400,
        body: {
          error: 'invalid_grant',
          error_description: 'authorization code is invalid or expired',
        },
      },
      {
        name: 'a header wins over a code',
        as: bob,
        request: 'POST /token',
        form: 'grant_type=authorization_code',
        status: 200,
        bodyHas: { username: 'bob' },
      },
      {
        name: 'no OAuth: /authorize is not bound to a service',
        as: bob,
        request: 'GET /authorize',
        status: 404,
      },
    ],
  },
  {
    name: 'the MongoDB service for everybody (§1.1)',
    security: `${FILE_REALM}mongo:
  secured: false
  mongo-mounts:
    - what: "*"
      where: /
`,
    configuration: '',
    rows: [
      { name: 'nobody', request: `PUT ${P}`, status: 201 },
      { name: 'wrong credentials', as: basic('ann', 'x'), request: `PUT ${P}/c`, status: 201 },
      { name: 'what asks for a flag', request: `DELETE ${P}/c/*?filter={"a":1}`, status: 200 },
      { name: 'a vetoer', request: `GET ${P}/c?filter={"$where":"1"}`, status: 403, text: '' },
      { name: 'another service', request: 'GET /metrics', status: 401 },
    ],
  },
  {
    name: 'tokens: other claims, fixed roles, audiences, HS512 (§2.2)',
    security: `${FILE_REALM}${FULL}jwtConfigProvider:
  key: ${TEST_KEY}
  algorithm: HMAC512
  issuer: me
  audience: [one, two]
jwtAuthenticationMechanism:
  usernameClaim: user
  rolesClaim: groups
  fixedRoles: [extra]
jwtTokenManager:
  account-properties-claims: [team, /nested/deep, missing, /nested/none]
`,
    rows: [
      {
        name: 'all of it right',
        as: `Bearer ${signJwt({ iss: 'me', aud: ['two', 'one', 'x'], user: 'eve', groups: ['g'] }, { alg: 'HS512' })}`,
        request: 'GET /roles/eve',
        status: 200,
        body: { authenticated: true, roles: ['g', 'extra'] },
      },
      {
        name: 'groups null',
        as: `Bearer ${signJwt({ iss: 'me', aud: ['two', 'one'], user: 'eve', groups: null }, { alg: 'HS512' })}`,
        request: 'GET /roles/eve',
        status: 200,
        body: { authenticated: true, roles: ['extra'] },
      },
      {
        name: 'one audience only',
        as: `Bearer ${signJwt({ iss: 'me', aud: 'one', user: 'eve', groups: ['g'] }, { alg: 'HS512' })}`,
        request: 'GET /roles/eve',
        status: 401,
      },
      {
        name: 'no audience',
        as: `Bearer ${signJwt({ iss: 'me', user: 'eve', groups: ['g'] }, { alg: 'HS512' })}`,
        request: 'GET /roles/eve',
        status: 401,
      },
      {
        name: 'another algorithm',
        as: `Bearer ${signJwt({ iss: 'me', aud: ['two', 'one'], user: 'eve', groups: ['g'] })}`,
        request: 'GET /roles/eve',
        status: 401,
      },
      {
        name: 'the usual name claim',
        as: `Bearer ${signJwt({ iss: 'me', aud: ['two', 'one'], sub: 'eve', groups: ['g'] }, { alg: 'HS512' })}`,
        request: 'GET /roles/eve',
        status: 401,
      },
    ],
    more: (baseUrl) => {
      it('an own token is good again, with properties as claims', async () => {
        const token = json(await ask(baseUrl(), 'GET /token', { Authorization: ann }))
          .access_token as string;
        const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
        expect(payload).toMatchObject({
          iss: 'me',
          aud: ['one', 'two'],
          team: 'red',
          nested: { deep: [7, 8] },
        });
        expect(payload.nested).toEqual({ deep: [7, 8] });
        const reply = await ask(baseUrl(), 'GET /roles/ann', { Authorization: `Bearer ${token}` });
        expect(reply.status).toBe(200);
        expect(json(reply).roles).toEqual(['reader', 'writer', 'extra']);
        const again = json(await ask(baseUrl(), 'GET /token', { Authorization: ann })).access_token;
        expect(again).toBe(token);
        const renewed = json(
          await ask(baseUrl(), 'GET /token?renew', { Authorization: ann }),
        ).access_token;
        expect(renewed).not.toBe(token);
        expect(
          (await ask(baseUrl(), 'GET /roles/ann', { Authorization: `Bearer ${token}` })).status,
        ).toBe(200);
        expect(
          json(await ask(baseUrl(), 'GET /token', { Authorization: `Bearer ${renewed}` }))
            .access_token,
        ).toBe(renewed);
      });
    },
  },
  {
    name: 'tokens: encoded once more, roles from the configuration alone (§2.2)',
    security: `${FILE_REALM}${FULL}${KEY}jwtAuthenticationMechanism:
  base64Encoded: true
  rolesClaim: null
  fixedRoles: [only]
`,
    rows: [
      {
        name: 'encoded',
        as: `Bearer ${Buffer.from(signJwt(claimsOf('eve', ['x']))).toString('base64url')}`,
        request: 'GET /roles/eve',
        status: 200,
        body: { authenticated: true, roles: ['only'] },
      },
      { name: 'plain', as: bearer('eve', ['x']), request: 'GET /roles/eve', status: 401 },
    ],
  },
  {
    name: 'digest beside basic (§2.3)',
    security: `${FILE_REALM}${FULL}${KEY}digestAuthMechanism:
  enabled: true
  authenticator: fileRealmAuthenticator
`,
    rows: [
      {
        name: 'both challenges, basic first',
        request: `GET ${P}`,
        status: 401,
        replyHeaders: {
          'WWW-Authenticate':
            /^Basic realm="RESTHeart Realm"\nDigest realm="RESTHeart Realm",domain="localhost",nonce="[^"]+",opaque="00000000000000000000000000000000",algorithm=MD5,qop="auth"$/,
        },
      },
      {
        name: 'no challenge at all',
        request: `GET ${P}?noauthchallenge`,
        status: 401,
        replyHeaders: { 'WWW-Authenticate': null },
      },
    ],
    more: (baseUrl) => {
      it('a digest is let in once for each count, and the answer proves itself', async () => {
        const nonce = await challengeNonce(baseUrl());
        const path = '/roles/ann?a=b%20c';
        const sent = digestHeader({ nonce, uri: path, method: 'GET', nc: '00000001' });
        const reply = await ask(baseUrl(), `GET ${path}`, { Authorization: sent.header });
        expect(reply.status).toBe(200);
        const [info = ''] = headerValues(reply, 'Authentication-Info', true);
        expect(info).toMatch(
          /^nextnonce="[^"]+",qop="auth",rspauth="[0-9a-f]{32}",cnonce="0a4f113b",nc=00000001$/,
        );
        expect(info).toContain(`rspauth="${sent.rspauth}"`);
        const replay = await ask(baseUrl(), `GET ${path}`, { Authorization: sent.header });
        expect(replay.status).toBe(401);
        expect(headerValues(replay, 'WWW-Authenticate').join()).toMatch(
          /opaque="0{32}",stale=true,algorithm=MD5/,
        );
        const second = digestHeader({ nonce, uri: path, method: 'GET', nc: '00000002' });
        expect((await ask(baseUrl(), `GET ${path}`, { Authorization: second.header })).status).toBe(
          200,
        );
        const other = digestHeader({ nonce, uri: '/roles/ann', method: 'GET', nc: '00000003' });
        expect((await ask(baseUrl(), `GET ${path}`, { Authorization: other.header })).status).toBe(
          401,
        );
        const wrong = digestHeader({
          nonce,
          uri: path,
          method: 'GET',
          nc: '00000004',
          password: 'x',
        });
        expect((await ask(baseUrl(), `GET ${path}`, { Authorization: wrong.header })).status).toBe(
          401,
        );
        const made = digestHeader({ nonce: 'bm9uY2U', uri: path, method: 'GET', nc: '00000001' });
        expect((await ask(baseUrl(), `GET ${path}`, { Authorization: made.header })).status).toBe(
          401,
        );
      });
    },
  },
  {
    name: 'everybody is one account (§2.4)',
    security: `${FILE_REALM}${KEY}mongoAclAuthorizer:
  root-role: boss
identityAuthMechanism:
  enabled: true
  username: dev
  roles: [boss, x]
`,
    rows: [
      {
        name: 'nobody is that account',
        request: 'GET /roles/dev',
        status: 200,
        body: { authenticated: true, roles: ['boss', 'x'] },
      },
      { name: 'it has the root role', request: `PUT ${P}`, status: 201 },
      { name: 'it has a token', request: 'GET /token', status: 200, bodyHas: { username: 'dev' } },
    ],
  },
  {
    name: 'cookies of another kind (§2.5)',
    security: `${FILE_REALM}${FULL}${KEY}authCookieSetter:
  name: sid
  domain: example.org
  path: /app
  http-only: false
  same-site: true
  same-site-mode: lax
  secure: false
  ttl: 30
  allow-legacy: true
authCookieRemover:
  uri: /bye
`,
    rows: [
      {
        name: 'all attributes as configured',
        as: ann,
        request: 'POST /token/cookie',
        status: 200,
        replyHeaders: {
          'Set-Cookie':
            /^sid=Bearer_[^;]+; Domain=example.org; Path=\/app; SameSite=Lax; Max-Age=1800$/,
        },
      },
      {
        name: 'the older way, on the token path',
        as: ann,
        request: 'GET /token?set-auth-cookie',
        status: 200,
        replyHeaders: { 'Set-Cookie': /^sid=Bearer_/ },
      },
      {
        name: 'the older way, elsewhere',
        as: ann,
        request: 'GET /roles/ann?set-auth-cookie',
        status: 200,
        replyHeaders: { 'Set-Cookie': null },
      },
      {
        name: 'no cookie without asking',
        as: ann,
        request: 'GET /token',
        status: 200,
        replyHeaders: { 'Set-Cookie': null },
      },
      {
        name: 'the configured name is read',
        headers: { Cookie: `sid=Basic_${Buffer.from('ann:pa').toString('base64')}` },
        request: 'GET /roles/ann',
        status: 200,
      },
      {
        name: 'the usual name is not',
        headers: { Cookie: `rh_auth=Basic_${Buffer.from('ann:pa').toString('base64')}` },
        request: 'GET /roles/ann',
        status: 401,
      },
      {
        name: 'the remover elsewhere',
        request: 'POST /bye',
        status: 200,
        text: '',
        replyHeaders: {
          'Set-Cookie': 'sid=; Path=/app; Domain=example.org; Secure; HttpOnly; SameSite=Strict',
        },
      },
      { name: 'and not at its usual path', as: ann, request: 'POST /logout', status: 404 },
    ],
  },
  {
    name: 'no cookies (§2.5)',
    security: `${FILE_REALM}${FULL}${KEY}authCookieSetter:
  enabled: false
authCookieHandler:
  enabled: false
`,
    rows: [
      {
        name: 'none is set',
        as: ann,
        request: 'POST /token/cookie',
        status: 200,
        replyHeaders: { 'Set-Cookie': null },
        body: { authenticated: true, username: 'ann', roles: ['reader', 'writer'] },
      },
      {
        name: 'none is read',
        headers: { Cookie: `rh_auth=Basic_${Buffer.from('ann:pa').toString('base64')}` },
        request: 'GET /roles/ann',
        status: 401,
      },
    ],
  },
  {
    name: 'random tokens (§3)',
    security: `${FILE_REALM}${FULL}${KEY}jwtTokenManager:
  enabled: false
rndTokenManager:
  enabled: true
  ttl: 20
  srv-uri: /mytokens
`,
    rows: [
      {
        name: 'the cookie holds name and token',
        as: ann,
        request: 'POST /token/cookie',
        status: 200,
        replyHeaders: {
          'Set-Cookie':
            /^rh_auth=Basic_[A-Za-z0-9+/=]+; Domain=localhost; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=900$/,
        },
      },
      {
        name: 'signed tokens of others are believed on',
        as: bearer('eve', []),
        request: 'GET /roles/eve',
        status: 200,
      },
    ],
    more: (baseUrl) => {
      it('are passwords of their own account, until they are deleted', async () => {
        const reply = await ask(baseUrl(), 'GET /token', { Authorization: ann });
        expect(json(reply)).toMatchObject({ token_type: 'Basic-Password', username: 'ann' });
        expect(json(reply).expires_in).toBeGreaterThan(1190);
        expect(json(reply).expires_in).toBeLessThanOrEqual(1200);
        const token = json(reply).access_token as string;
        expect(token).toMatch(/^[0-9a-z]{40,52}$/);
        expect(headerValues(reply, 'Auth-Token-Location', true)).toEqual(['/mytokens/ann']);
        const own = basic('ann', token);
        expect((await ask(baseUrl(), 'GET /roles/ann', { Authorization: own })).status).toBe(200);
        expect(
          (await ask(baseUrl(), 'GET /roles/ann', { Authorization: `Bearer ${token}` })).status,
        ).toBe(401);
        expect(
          (await ask(baseUrl(), 'GET /roles/bob', { Authorization: basic('bob', token) })).status,
        ).toBe(401);
        expect(
          json(await ask(baseUrl(), 'GET /token?renew', { Authorization: ann })).access_token,
        ).toBe(token);
        const end = await ask(baseUrl(), 'DELETE /token', { Authorization: own });
        expect(end.status).toBe(204);
        for (const name of ['Auth-Token', 'Auth-Token-Valid-Until', 'Auth-Token-Location'])
          expect(headerValues(end, name)).toEqual([]);
        expect((await ask(baseUrl(), 'GET /roles/ann', { Authorization: own })).status).toBe(401);
        expect((await ask(baseUrl(), 'GET /roles/ann', { Authorization: ann })).status).toBe(200);
      });
    },
  },
  {
    name: 'random tokens that no mechanism takes: no cookies (§2.5)',
    security: `${FILE_REALM}${FULL}${KEY}jwtTokenManager:
  enabled: false
rndTokenManager:
  enabled: true
tokenBasicAuthMechanism:
  enabled: false
`,
    rows: [
      {
        name: 'none is set',
        as: ann,
        request: 'POST /token/cookie',
        status: 200,
        replyHeaders: { 'Set-Cookie': null },
      },
      {
        name: 'none is read',
        headers: { Cookie: `rh_auth=Basic_${Buffer.from('ann:pa').toString('base64')}` },
        request: 'GET /roles/ann',
        status: 401,
      },
      { name: 'none is removed', as: ann, request: 'POST /logout', status: 404 },
    ],
  },
  {
    name: 'no token manager (§4)',
    security: `${FILE_REALM}${FULL}${KEY}jwtTokenManager:
  enabled: false
`,
    rows: [
      { name: '/token', as: ann, request: 'GET /token', status: 500 },
      {
        name: 'cookies are not read',
        headers: { Cookie: `rh_auth=Basic_${Buffer.from('ann:pa').toString('base64')}` },
        request: 'GET /roles/ann',
        status: 401,
      },
      {
        name: 'signed tokens of others are believed on',
        as: bearer('eve', []),
        request: 'GET /roles/eve',
        status: 200,
      },
    ],
  },
  {
    name: 'the JWT mechanism off: a token is a password (§2.5, §3)',
    security: `${FILE_REALM}${FULL}${KEY}jwtAuthenticationMechanism:
  enabled: false
`,
    rows: [
      {
        name: 'the cookie is a Basic one',
        as: ann,
        request: 'POST /token/cookie',
        status: 200,
        replyHeaders: { 'Set-Cookie': /^rh_auth=Basic_/ },
      },
      {
        name: 'Bearer is not understood',
        as: bearer('ann', ['x']),
        request: 'GET /roles/ann',
        status: 401,
      },
      {
        name: 'as a password it is',
        as: basic('ann', signJwt(claimsOf('ann', ['x']))),
        request: 'GET /roles/ann',
        status: 200,
        body: { authenticated: true, roles: ['x'] },
      },
    ],
  },
  {
    name: 'origins (§9)',
    security: `${FILE_REALM}${FULL}${KEY}originVetoer:
  enabled: true
  whitelist: [https://a.com, http://LOCALHOST/]
  whitelist-patterns: ['http://localhost:*', 'https://*.b.com']
  allow-missing-origin: false
  ignore-paths: ['/open/{x}', /ping2]
`,
    rows: [
      {
        name: 'listed',
        as: ann,
        headers: { Origin: 'https://a.com' },
        request: 'GET /roles/ann',
        status: 200,
      },
      {
        name: 'listed, another case and a slash',
        as: ann,
        headers: { Origin: 'HTTPS://A.com/' },
        request: 'GET /roles/ann',
        status: 200,
      },
      {
        name: 'one that begins like a listed one',
        as: ann,
        headers: { Origin: 'https://a.com.evil' },
        request: 'GET /roles/ann',
        status: 403,
      },
      {
        name: 'another port',
        as: ann,
        headers: { Origin: 'https://a.com:444' },
        request: 'GET /roles/ann',
        status: 403,
      },
      {
        name: 'a pattern',
        as: ann,
        headers: { Origin: 'http://localhost:3000' },
        request: 'GET /roles/ann',
        status: 200,
      },
      {
        name: 'a pattern in the middle',
        as: ann,
        headers: { Origin: 'https://x.b.com' },
        request: 'GET /roles/ann',
        status: 200,
      },
      {
        name: 'not the pattern',
        as: ann,
        headers: { Origin: 'https://b.com' },
        request: 'GET /roles/ann',
        status: 403,
      },
      { name: 'none', as: ann, request: 'GET /roles/ann', status: 403 },
      {
        name: 'null',
        as: ann,
        headers: { Origin: 'null' },
        request: 'GET /roles/ann',
        status: 403,
      },
      {
        name: 'a preflight of a foreign one',
        headers: { Origin: 'https://evil', 'Access-Control-Request-Method': 'GET' },
        request: 'OPTIONS /x',
        status: 200,
      },
      {
        name: 'a plain OPTIONS of a foreign one',
        headers: { Origin: 'https://evil' },
        request: 'OPTIONS /x',
        status: 403,
      },
      {
        name: 'ping too',
        headers: { Origin: 'https://evil' },
        request: 'GET /ping',
        status: 403,
        text: '',
      },
      {
        name: 'tokens too',
        as: ann,
        headers: { Origin: 'https://evil' },
        request: 'GET /token',
        status: 403,
      },
      {
        name: 'nobody hears 401 first',
        headers: { Origin: 'https://evil' },
        request: 'GET /x',
        status: 401,
      },
      {
        name: 'a path that is ignored',
        as: ann,
        headers: { Origin: 'https://evil' },
        request: 'GET /open/1',
        status: 404,
      },
      {
        name: 'beside it',
        as: ann,
        headers: { Origin: 'https://evil' },
        request: 'GET /open/1/2',
        status: 403,
      },
    ],
  },
  {
    name: 'operators (§9)',
    security: `${FILE_REALM}${FULL}filterOperatorsBlacklist:
  blacklist: [$regex, $expr]
`,
    rows: [
      {
        name: 'a configured one',
        as: ann,
        request: 'GET /confdb/c?filter={"a":{"$regex":"x"}}',
        status: 403,
        text: '',
      },
      {
        name: 'inside an array',
        as: ann,
        request: 'GET /confdb/c?filter={"$or":[{"a":1},{"$expr":true}]}',
        status: 403,
      },
      {
        name: 'one that is not listed',
        as: ann,
        request: 'GET /confdb/c?filter={"a":{"$gt":1}}',
        status: 404,
      },
    ],
  },
  {
    name: 'failed logins behind a proxy (§10)',
    security: `${FILE_REALM}${FULL}bruteForceAttackGuard:
  enabled: true
  max-failed-attempts: 3
  trust-x-forwarded-for: true
  x-forwarded-for-value-from-last-element: 1
`,
    rows: [],
    more: (baseUrl) => {
      it('counts by the configured value of the header', async () => {
        const at = (source: string, authorization: string, request = `GET ${P}`) =>
          ask(baseUrl(), request, { Authorization: authorization, 'X-Forwarded-For': source });
        const wrong = basic('ann', 'x');
        for (let i = 0; i < 3; i += 1)
          expect((await at('1.1.1.1, 9.9.9.9', wrong)).status).toBe(401);
        // the last value is the proxy's neighbour and does not count
        const blocked = await at('1.1.1.1, 8.8.8.8', ann);
        expect(blocked.status).toBe(429);
        expect(json(blocked)).toMatchObject({
          'http status code': 429,
          message: 'Too many failed authentication attempts. Please try again later.',
        });
        const service = await at('1.1.1.1, 8.8.8.8', ann, 'GET /roles/ann');
        expect(service.status).toBe(429);
        expect(service.body.toString()).toBe(
          '{"msg":"Too many failed authentication attempts. Please try again later."}',
        );
        expect((await at('1.1.1.1, 8.8.8.8', ann, 'GET /ping')).status).toBe(429);
        expect((await at('1.1.1.1, 8.8.8.8', wrong)).status).toBe(401);
        expect((await at('2.2.2.2, 9.9.9.9', ann, 'GET /roles/ann')).status).toBe(200);
        // an index beyond the list is its first value
        expect((await at('1.1.1.1', ann)).status).toBe(429);
        for (let i = 0; i < 3; i += 1)
          expect((await ask(baseUrl(), `GET ${P}`, { Authorization: wrong })).status).toBe(401);
        expect((await ask(baseUrl(), 'GET /roles/ann', { Authorization: ann })).status).toBe(429);
        for (let i = 0; i < 3; i += 1)
          expect((await at('3.3.3.3, x', bob, 'GET /roles/ann')).status).toBe(403);
        expect((await at('3.3.3.3, x', bob, 'GET /roles/bob')).status).toBe(200);
        for (let i = 0; i < 4; i += 1) await at('4.4.4.4, x', wrong, 'GET /token');
        expect((await at('4.4.4.4, x', ann, 'GET /token')).status).toBe(429);
      });
    },
  },
  {
    name: 'failed logins at one account from many sources',
    security: `${FILE_REALM}${FULL}bruteForceAttackGuard:
  enabled: true
  max-failed-attempts: 3
  max-failed-attempts-per-user: 4
  trust-x-forwarded-for: true
`,
    rows: [],
    more: (baseUrl) => {
      it('ends the logins of that account everywhere, and of no other', async () => {
        const from = (source: string, authorization: string) =>
          ask(baseUrl(), `GET ${P}`, { Authorization: authorization, 'X-Forwarded-For': source });
        for (let i = 1; i < 4; i += 1)
          expect((await from(`1.1.1.${i}`, basic('ann', 'x'))).status).toBe(401);
        expect((await from('2.2.2.2', ann)).status).toBe(404);
        expect((await from('1.1.1.4', basic('ann', 'x'))).status).toBe(401);
        expect((await from('2.2.2.2', ann)).status).toBe(429);
        expect((await from('2.2.2.2', basic('ann', 'x'))).status).toBe(401);
        expect((await from('2.2.2.2', bob)).status).toBe(404);
      });
    },
  },
  {
    name: 'strong passwords, no root role (§7.3)',
    security:
      MONGO_SECURITY.replace(
        '  bcrypt-complexity: 4\n',
        '  bcrypt-complexity: 4\n  enforce-minimum-password-strength: true\n',
      ) +
      `mongoAclAuthorizer:
  root-role: null
fileAclAuthorizer:
  enabled: true
  permissions:
    - role: admin
      predicate: "true"
      mongo: {allowManagementRequests: true, allowBulkPatch: true, allowBulkDelete: true, allowWriteMode: true}
`,
    rows: [
      {
        name: 'a weak password',
        as: ADMIN,
        request: 'POST /restheart/users {"_id":"weak","password":"1234","roles":["x"]}',
        status: 400,
        bodyHas: {
          'http status code': 400,
          'http status description': 'Bad Request',
          message: 'Password is too weak',
          warning: expect.any(String),
          suggestions: expect.any(Array),
        },
      },
      {
        name: 'a weak password in an array stops all of it',
        as: ADMIN,
        request:
          'POST /restheart/users [{"_id":"s1","password":"gorse ladder cobalt 81"},{"_id":"s2","password":"qwerty"},{"_id":"s3","password":"1"}]',
        status: 400,
        bodyHas: { message: 'Password is too weak in user document at index 1' },
      },
      { name: 'and none was written', as: ADMIN, request: 'GET /restheart/users/s1', status: 404 },
      {
        name: 'a strong one',
        as: ADMIN,
        request:
          'POST /restheart/users {"_id":"strong","password":"gorse ladder cobalt 81","roles":["admin"]}',
        status: 201,
      },
      {
        name: 'it logs in, and has the role nobody guards',
        as: basic('strong', 'gorse ladder cobalt 81'),
        request: 'GET /roles/strong',
        status: 200,
        body: { authenticated: true, roles: ['admin'] },
      },
      {
        name: 'a weak one by PATCH',
        as: ADMIN,
        request: 'PATCH /restheart/users/strong {"password":"abc"}',
        status: 400,
      },
      {
        name: 'a weak one by PUT',
        as: ADMIN,
        request: 'PUT /restheart/users/weak?wm=upsert {"password":"abc"}',
        status: 400,
      },
      {
        name: 'the password of the manuals through a proxy of this machine',
        as: ADMIN,
        headers: { 'X-Forwarded-For': '127.0.0.1' },
        request: 'GET /roles/admin',
        status: 200,
      },
      {
        name: 'the password of the manuals from elsewhere, where it is configured',
        as: ADMIN,
        headers: { 'X-Forwarded-For': '10.9.8.7' },
        request: 'GET /roles/admin',
        status: 200,
      },
      { name: 'the first account may stay', as: ADMIN, request: 'GET /roles/admin', status: 200 },
    ],
  },
  {
    name: 'accounts of another shape (§7.2)',
    security: `mongoRealmAuthenticator:
  users-db: people
  users-collection: persons
  prop-id: mail.address
  prop-password: pwd
  json-path-roles: $.access.groups
  bcrypt-hashed-password: false
  create-user-document: '{"_id":1,"mail":{"address":"root@x.org"},"pwd":"pw","access":{"groups":["admin"]}}'
${KEY}`,
    rows: [
      {
        name: 'the first account',
        as: basic('root@x.org', 'pw'),
        request: 'GET /roles/root@x.org',
        status: 200,
        body: { authenticated: true, roles: ['admin'] },
      },
      {
        name: 'another one',
        as: basic('root@x.org', 'pw'),
        request:
          'POST /people/persons {"_id":"two","mail":{"address":"z@x.org"},"pwd":"zz","access":{"groups":["g"]}}',
        status: 201,
      },
      {
        name: 'it logs in by clear text',
        as: basic('z@x.org', 'zz'),
        request: 'GET /roles/z@x.org',
        status: 200,
        body: { authenticated: true, roles: ['g'] },
      },
      {
        name: 'its password is not shown',
        as: basic('root@x.org', 'pw'),
        request: 'GET /people/persons/two',
        status: 200,
        text: /^(?!.*pwd).*$/,
      },
      {
        name: 'nobody gets the root role at that path',
        as: basic('root@x.org', 'pw'),
        request: 'PATCH /people/persons/two {"access":{"groups":["admin"]}}',
        status: 403,
      },
      {
        name: 'nobody gets the root role at that path, dotted',
        as: basic('root@x.org', 'pw'),
        request: 'PATCH /people/persons/two {"access.groups":["admin"]}',
        status: 403,
      },
    ],
  },
  {
    name: 'OAuth (§4.2, §5)',
    security: `${FILE_REALM}${FULL}${KEY}oauthAuthorizationService:
  enabled: true
  login-url: https://login.example/in?x=1
  allowed-redirect-uris: ['http://localhost:*', 'https://app.example/cb']
oauthAuthorizationServerMetadataService:
  enabled: true
  registration-endpoint-uri: /register
oauthProtectedResourceMetadataService:
  enabled: true
oauthClientRegistrationService:
  enabled: true
`,
    rows: [
      {
        name: 'no response type',
        request: 'GET /authorize',
        status: 400,
        bodyHas: { error: 'unsupported_response_type' },
      },
      {
        name: 'no redirect_uri',
        request: 'GET /authorize?response_type=code',
        status: 400,
        body: { error: 'invalid_request', error_description: 'redirect_uri is required' },
      },
      {
        name: 'a foreign redirect_uri',
        request: 'GET /authorize?response_type=code&redirect_uri=https://evil.example',
        status: 400,
        body: {
          error: 'invalid_request',
          error_description: 'redirect_uri is not in the allowed list',
        },
      },
      {
        name: 'one that begins like an allowed one',
        request: 'GET /authorize?response_type=code&redirect_uri=https://app.example/cbx',
        status: 400,
      },
      {
        name: 'no challenge',
        request: 'GET /authorize?response_type=code&redirect_uri=https://app.example/cb',
        status: 400,
        body: {
          error: 'invalid_request',
          error_description: 'code_challenge is required (PKCE S256)',
        },
      },
      {
        name: 'a plain challenge',
        request:
          'GET /authorize?response_type=code&redirect_uri=https://app.example/cb&code_challenge=x&code_challenge_method=plain',
        status: 400,
      },
      {
        name: 'all there: to the login page, sorted',
        request:
          'GET /authorize?state=s%20t&response_type=code&redirect_uri=https://app.example/cb/1&code_challenge=x&code_challenge_method=S256',
        status: 302,
        replyHeaders: {
          Location:
            'https://login.example/in?x=1&code_challenge=x&code_challenge_method=S256&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%2F1&response_type=code&state=s+t',
        },
      },
      {
        name: 'nobody',
        request:
          'POST /authorize?redirect_uri=http://localhost:1/cb&code_challenge=x&code_challenge_method=S256',
        status: 401,
        text: '',
        replyHeaders: { 'WWW-Authenticate': TOKEN_CHALLENGE },
      },
      {
        name: 'nobody, silently',
        request: 'POST /authorize?noauthchallenge',
        status: 401,
        replyHeaders: { 'WWW-Authenticate': null },
      },
      {
        name: 'a wrong form',
        request: 'POST /authorize?state=q&code_challenge=x',
        form: 'username=ann&password=x',
        status: 302,
        replyHeaders: {
          Location:
            'https://login.example/in?x=1&error=invalid_credentials&code_challenge=x&state=q',
        },
      },
      {
        name: 'half a form',
        request: 'POST /authorize?state=q',
        form: 'username=ann',
        status: 302,
        replyHeaders: {
          Location: 'https://login.example/in?x=1&error=invalid_credentials&state=q',
        },
      },
      {
        name: 'no redirect_uri after login',
        as: ann,
        request: 'POST /authorize?code_challenge=x&code_challenge_method=S256',
        status: 400,
      },
      {
        name: 'no challenge after login',
        as: ann,
        request: 'POST /authorize?redirect_uri=http://localhost:1/cb&state=s',
        status: 302,
        replyHeaders: {
          Location:
            /^http:\/\/localhost:1\/cb\?error=invalid_request&error_description=[^&]+&state=s$/,
        },
      },
      { name: 'another method', request: 'PUT /authorize', status: 405 },
      { name: 'OPTIONS', request: 'OPTIONS /authorize', status: 200 },
      {
        name: 'metadata of the server',
        headers: { Host: 'h.example' },
        request: 'GET /.well-known/oauth-authorization-server',
        status: 200,
        text: '{"issuer":"http://h.example","authorization_endpoint":"http://h.example/authorize","token_endpoint":"http://h.example/token","response_types_supported":["code"],"grant_types_supported":["authorization_code","password","client_credentials"],"code_challenge_methods_supported":["S256"],"token_endpoint_auth_methods_supported":["none","client_secret_basic","client_secret_post"],"registration_endpoint":"http://h.example/register"}',
      },
      {
        name: 'metadata, another method',
        request: 'POST /.well-known/oauth-authorization-server',
        status: 405,
      },
      {
        name: 'metadata of a resource',
        headers: { Host: 'h.example' },
        request: 'GET /.well-known/oauth-protected-resource/db/c',
        status: 200,
        text: '{"resource":"http://h.example/db/c","authorization_servers":["http://h.example"]}',
      },
      {
        name: 'behind a proxy',
        headers: {
          Host: 'h.example',
          'X-Forwarded-Proto': 'https',
          'X-Forwarded-Host': 'p.example',
        },
        request: 'GET /.well-known/oauth-protected-resource',
        status: 200,
        text: '{"resource":"https://p.example","authorization_servers":["https://p.example"]}',
      },
      {
        name: 'half of a proxy',
        headers: { Host: 'h.example', 'X-Forwarded-Host': 'p.example' },
        request: 'GET /.well-known/oauth-protected-resource',
        status: 200,
        bodyHas: { resource: 'http://h.example' },
      },
      {
        name: 'a client',
        request: 'POST /register {"redirect_uris":["http://localhost:1/cb"],"client_name":"n"}',
        status: 201,
        body: {
          client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
          client_id_issued_at: expect.any(Number),
          redirect_uris: ['http://localhost:1/cb'],
          token_endpoint_auth_method: 'none',
          grant_types: ['authorization_code'],
          response_types: ['code'],
          client_name: 'n',
        },
      },
      {
        name: 'a client with a method',
        request:
          'POST /register {"redirect_uris":["http://localhost:1/cb"],"token_endpoint_auth_method":"client_secret_post"}',
        status: 201,
        bodyHas: { token_endpoint_auth_method: 'client_secret_post' },
      },
      {
        name: 'a client without URIs',
        request: 'POST /register {}',
        status: 400,
        body: { error: 'invalid_client_metadata', error_description: 'redirect_uris is required' },
      },
      {
        name: 'a client with a text',
        request: 'POST /register {"redirect_uris":"x"}',
        status: 400,
        bodyHas: { error: 'invalid_client_metadata' },
      },
      { name: 'a client that is no JSON', request: 'POST /register {', status: 400 },
      { name: 'GET of clients', request: 'GET /register', status: 405 },
    ],
    more: (baseUrl) => {
      const verifier = 'v'.repeat(50);
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const query = `redirect_uri=${encodeURIComponent('http://localhost:1/cb?a=1')}&code_challenge=${challenge}&code_challenge_method=S256&state=s%20t&client_id=c1`;
      const codeOf = async (form?: string): Promise<string> => {
        const reply = await ask(
          baseUrl(),
          `POST /authorize?${query}`,
          form === undefined ? { Authorization: ann } : {},
          form,
        );
        expect(reply.status).toBe(302);
        const location = new URL(headerValues(reply, 'Location', true)[0] ?? '');
        expect(location.searchParams.get('state')).toBe('s t');
        expect(location.searchParams.get('a')).toBe('1');
        return location.searchParams.get('code') ?? '';
      };
      const exchange = (fields: Record<string, string>) =>
        ask(
          baseUrl(),
          'POST /token',
          {},
          new URLSearchParams({ grant_type: 'authorization_code', ...fields }).toString(),
        );
      it('a code for a token, once', async () => {
        const code = await codeOf();
        const [, payload = ''] = code.split('.');
        expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
          iss: 'restheart.org',
          sub: 'ann',
          cc: challenge,
          ccm: 'S256',
          ruri: 'http://localhost:1/cb?a=1',
          cid: 'c1',
        });
        const wrong = await exchange({ code, code_verifier: 'x' });
        expect(wrong.status).toBe(400);
        expect(json(wrong)).toEqual({
          error: 'invalid_grant',
          error_description: 'code_verifier does not match code_challenge',
        });
        const reply = await exchange({ code, code_verifier: verifier });
        expect(reply.status).toBe(200);
        expect(Object.keys(json(reply))).toEqual(['access_token', 'token_type', 'expires_in']);
        expect(headerValues(reply, 'Cache-Control', true)).toEqual(['no-store']);
        const token = json(reply).access_token as string;
        expect(
          (await ask(baseUrl(), 'GET /roles/ann', { Authorization: `Bearer ${token}` })).status,
        ).toBe(200);
        expect((await exchange({ code, code_verifier: verifier })).status).toBe(400);
        expect(
          (await ask(baseUrl(), 'GET /roles/ann', { Authorization: `Bearer ${code}` })).status,
        ).toBe(401);
      });
      it('a code by a form, whose client cannot be exchanged for another', async () => {
        const code = await codeOf('username=ann&password=pa&grant_type=nonsense');
        expect((await exchange({ code, code_verifier: verifier, client_id: 'c2' })).status).toBe(
          400,
        );
        expect((await exchange({ code, code_verifier: verifier, client_id: 'c1' })).status).toBe(
          200,
        );
      });
      it('a token is no code', async () => {
        const token = json(await ask(baseUrl(), 'GET /token', { Authorization: ann }))
          .access_token as string;
        expect(json(await exchange({ code: token, code_verifier: verifier }))).toMatchObject({
          error: 'invalid_grant',
        });
      });
    },
  },
  {
    name: 'OAuth without a login page, with base URLs (§5)',
    security: `${FILE_REALM}${FULL_OPEN}${KEY}oauthAuthorizationService:
  enabled: true
oauthAuthorizationServerMetadataService:
  enabled: true
  base-url: https://base.example
oauthProtectedResourceMetadataService:
  enabled: true
  base-url: https://base.example
`,
    rows: [
      { name: 'GET', request: 'GET /authorize', status: 500, bodyHas: { error: 'server_error' } },
      {
        name: 'a wrong form',
        request: 'POST /authorize',
        form: 'username=ann&password=x',
        status: 401,
        replyHeaders: { 'WWW-Authenticate': TOKEN_CHALLENGE },
      },
      {
        name: 'metadata',
        request: 'GET /.well-known/oauth-authorization-server',
        status: 200,
        text: /^\{"issuer":"https:\/\/base.example"(?!.*registration_endpoint)/,
      },
      {
        name: 'metadata of a resource',
        headers: { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'p.example' },
        request: 'GET /.well-known/oauth-protected-resource/x',
        status: 200,
        bodyHas: { resource: 'https://base.example/x' },
      },
      { name: 'everybody may do everything', request: `PUT ${P}`, status: 201 },
      {
        name: 'with wrong credentials too',
        as: basic('ann', 'x'),
        request: `GET ${P}`,
        status: 200,
      },
      { name: 'roles of others are vetoed', request: 'GET /roles/ann', status: 403 },
    ],
  },
];

async function challengeNonce(baseUrl: string): Promise<string> {
  const reply = await ask(baseUrl, 'GET /roles/ann');
  return /nonce="([^"]+)"/.exec(headerValues(reply, 'WWW-Authenticate').join())?.[1] ?? '';
}

/** RFC 7616 §3.4 with MD5 and qop auth. */
function digestHeader({
  nonce,
  uri,
  method,
  nc,
  password = 'pa',
}: {
  nonce: string;
  uri: string;
  method: string;
  nc: string;
  password?: string;
}) {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  const ha1 = md5(`ann:RESTHeart Realm:${password}`);
  const of = (verb: string) => md5(`${ha1}:${nonce}:${nc}:0a4f113b:auth:${md5(`${verb}:${uri}`)}`);
  const header = `Digest username="ann", realm="RESTHeart Realm", nonce="${nonce}", uri="${uri}", qop=auth, nc=${nc}, cnonce="0a4f113b", response="${of(method)}", opaque="${'0'.repeat(32)}"`;
  return { header, rspauth: of('') };
}

for (const entry of CONFIGURATIONS) {
  const { name, security, configuration = ALL_DATABASES, files = {}, rows, more } = entry;
  describe(name, () => {
    let target: Target;
    beforeAll(async () => {
      await dropDatabases('confdb', 'open');
      target = await openTarget(configuration, security, files);
    });
    afterAll(() => target?.close());
    for (const row of rows) {
      it(row.name, async () => {
        const headers = { ...(row.as && { Authorization: row.as }), ...row.headers };
        const reply = await ask(target.baseUrl, row.request, headers, row.form);
        expect(reply.status, reply.body.toString()).toBe(row.status);
        checkReply(row, reply);
      });
    }
    more?.(() => target.baseUrl);
  });
}

describe.skipIf(!HAS_OPENSSL)(
  `tokens verified by a certificate (§2.2)${HAS_OPENSSL ? '' : ': skipped, openssl is not installed'}`,
  () => {
    it('are believed, and none are given out', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'quorate-rsa-'));
      const { key, pem } = makeCertificate(folder, 'signer', 1, 'rsa');
      const certificate = pem.replace(/-----[^-]+-----|\s/g, '');
      const privateKey = createPrivateKey(readFileSync(key));
      const target = await openTarget(
        ALL_DATABASES,
        `${FILE_REALM}${FULL}jwtConfigProvider:\n  algorithm: RSA256\n  key: ${certificate}\n`,
      );
      try {
        const signed = signJwt(claimsOf('eve', ['x']), { alg: 'RS256', key: privateKey });
        const headers = { Authorization: `Bearer ${signed}` };
        const reply = await ask(target.baseUrl, 'GET /roles/eve', headers);
        expect(reply.status).toBe(200);
        expect(json(reply)).toEqual({ authenticated: true, roles: ['x'] });
        // the certificate is public: it is no HMAC secret
        const forged = signJwt(claimsOf('eve', ['x']), { key: certificate });
        const bad = { Authorization: `Bearer ${forged}` };
        expect((await ask(target.baseUrl, 'GET /roles/eve', bad)).status).toBe(401);
        const token = await ask(target.baseUrl, 'GET /token', { Authorization: ann });
        expect(token.status).toBe(500);
        expect(json(token)).toEqual({ msg: 'no token manager is enabled' });
      } finally {
        await target.close();
        rmSync(folder, { recursive: true, force: true });
      }
    });
  },
);

describe('settings that cannot be', () => {
  const refused = async (security: string, reason: RegExp) => {
    await expect(openTarget(ALL_DATABASES, security)).rejects.toThrow(reason);
  };
  it('no roles of tokens at all', () =>
    refused(`${FULL}jwtAuthenticationMechanism:\n  rolesClaim: null\n`, /rolesClaim/));
  it('a token that lives no minute', () => refused(`${FULL}jwtTokenManager:\n  ttl: 0\n`, /ttl/));
  it('an operator without $', () =>
    refused(`${FULL}filterOperatorsBlacklist:\n  blacklist: [where]\n`, /blacklist/));
  it('random tokens in the memory of one of several workers', () =>
    refused(
      `${FULL}rndTokenManager:\n  enabled: true\nquorate:\n  workers: 2\n`,
      /rndTokenManager keeps tokens in the memory of one process/,
    ));
  it('an unknown way to expire', () =>
    refused(
      `${FULL}mongoRealmAuthenticator:\n  cache-expire-policy: NEVER\n`,
      /cache-expire-policy/,
    ));
  it('a file realm without accounts', () =>
    refused(`${FULL}fileRealmAuthenticator:\n  enabled: true\n  users: null\n`, /users/));
  it('a file realm whose file is missing', () =>
    refused(
      `${FULL}fileRealmAuthenticator:\n  enabled: true\n  conf-file: none.yml\n`,
      /none\.yml/,
    ));
});
