/** Logins against a real directory: Debian's slapd, started here with a configuration of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_OPENSSL, makeCertificate } from '../support/certificate.ts';
import { basic } from '../support/jwt.ts';
import { ask } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const SLAPD = ['/usr/sbin/slapd', '/usr/libexec/slapd'].find((path) => existsSync(path));
const runs = SLAPD !== undefined && HAS_OPENSSL;
const why = runs ? '' : ': skipped, slapd or openssl is not installed';

const LDIF = `dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example
dc: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit
ou: groups

dn: cn=searcher,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: searcher
userPassword: search-pw

dn: uid=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann Lee
sn: Lee
mail: ann@example.org
mail: a.lee@example.org
userPassword: ann-pw

dn: uid=bob(2),ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob(2)
cn: Bob
sn: B
userPassword: bob-pw

dn: uid=twin,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
cn: Twin
sn: T
userPassword: twin-pw

dn: cn=twin,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: twin
cn: twin
sn: T
userPassword: twin-pw

dn: cn=readers,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: readers
member: uid=ann,ou=people,dc=example,dc=org
member: uid=bob(2),ou=people,dc=example,dc=org

dn: cn=Domain Admins,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: Domain Admins
member: uid=ann,ou=people,dc=example,dc=org
`;

let folder = '';
let directory: ChildProcess | undefined;
let url = '';
let authority = '';

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function startDirectory(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'quorate-ldap-'));
  mkdirSync(join(folder, 'data'));
  const { key, cert } = makeCertificate(folder, 'directory');
  authority = cert;
  const schemas = ['core', 'cosine', 'inetorgperson'].map(
    (name) => `include /etc/ldap/schema/${name}.schema`,
  );
  const config = join(folder, 'slapd.conf');
  writeFileSync(
    config,
    [
      ...schemas,
      'modulepath /usr/lib/ldap',
      'moduleload back_mdb',
      `pidfile ${join(folder, 'pid')}`,
      `TLSCertificateFile ${cert}`,
      `TLSCertificateKeyFile ${key}`,
      'database mdb',
      'suffix "dc=example,dc=org"',
      'rootdn "cn=root,dc=example,dc=org"',
      `directory ${join(folder, 'data')}`,
      'access to attrs=userPassword by anonymous auth by * none',
      'access to * by dn.exact="cn=searcher,dc=example,dc=org" read by * none',
      '',
    ].join('\n'),
  );
  writeFileSync(join(folder, 'data.ldif'), LDIF);
  const added = spawnSync(SLAPD ?? '', [
    '-T',
    'add',
    '-f',
    config,
    '-l',
    join(folder, 'data.ldif'),
  ]);
  if (added.status !== 0) throw new Error(added.stderr.toString());
  url = `ldap://127.0.0.1:${await freePort()}`;
  const child = spawn(SLAPD ?? '', ['-f', config, '-h', url, '-d', '0'], { stdio: 'ignore' });
  directory = child;
}

function settingsOf(more = ''): string {
  return `basicAuthMechanism:
  authenticator: ldapRealmAuthenticator
mongoRealmAuthenticator:
  enabled: false
mongoAclAuthorizer:
  enabled: false
fileAclAuthorizer:
  enabled: true
  permissions:
    - role: readers
      predicate: path-prefix('/who') and equals(@user.mail, nobody)
    - role: boss
      predicate: path-prefix('/boss') and in(value=a.lee@example.org, array=@user.mail)
ldapRealmAuthenticator:
  enabled: true
  url: ${url}
  bind-dn: cn=searcher,dc=example,dc=org
  bind-password: search-pw
  user-base: ou=people,dc=example,dc=org
  group-base: ou=groups,dc=example,dc=org
  role-of-group: {Domain Admins: boss}
  fixed-roles: [everybody]
${more}`;
}

describe.skipIf(!runs)(`a directory as realm${why}`, () => {
  let target: Target;
  beforeAll(async () => {
    await startDirectory();
    target = await openTarget(ALL_DATABASES, settingsOf());
    // until it listens, the answer is 503
    for (let tries = 0; tries < 100; tries += 1) {
      if ((await login('ann', 'ann-pw')).status === 200) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error('slapd does not answer');
  });
  afterAll(async () => {
    await target?.close();
    directory?.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const login = (name: string, password: string, path = `/roles/${name}`) =>
    ask(target.baseUrl, `GET ${encodeURI(path)}`, { Authorization: basic(name, password) });

  it('lets in who knows the password, with groups as roles', async () => {
    const reply = await login('ann', 'ann-pw');
    expect(JSON.parse(reply.body.toString()).roles.sort()).toEqual([
      'boss',
      'everybody',
      'readers',
    ]);
    expect((await login('bob(2)', 'bob-pw')).status).toBe(200);
  });

  it('gives attributes to the rules', async () => {
    expect((await login('ann', 'ann-pw', '/boss')).status).toBe(404);
    expect((await login('bob(2)', 'bob-pw', '/boss')).status).toBe(403);
  });

  it('gives tokens', async () => {
    const reply = await login('ann', 'ann-pw', '/token');
    const { access_token: token } = JSON.parse(reply.body.toString());
    const again = await ask(target.baseUrl, 'GET /roles/ann', { Authorization: `Bearer ${token}` });
    expect(again.status).toBe(200);
  });

  it('lets in nobody else', async () => {
    const attempts = [
      ['ann', 'wrong'],
      ['ann', ''],
      ['', 'ann-pw'],
      ['nobody', 'ann-pw'],
      ['*', 'ann-pw'],
      ['ann)(uid=*', 'ann-pw'],
      ['a*', 'ann-pw'],
      ['twin', 'twin-pw'],
      ['searcher', 'search-pw'],
    ] as const;
    for (const [name, password] of attempts) {
      expect((await login(name, password, '/token')).status, name).toBe(401);
    }
  });

  it('speaks StartTLS, and with nobody whose certificate is not known', async () => {
    const asked = async (more: string) => {
      const other = await openTarget(ALL_DATABASES, settingsOf(more));
      try {
        const headers = { Authorization: basic('ann', 'ann-pw') };
        return await ask(other.baseUrl, 'GET /roles/ann', headers);
      } finally {
        await other.close();
      }
    };
    const good = await asked(`  start-tls: true\n  ca-path: ${authority}\n`);
    expect(good.status, good.body.toString()).toBe(200);
    expect((await asked('  start-tls: true\n')).status).toBe(503);
  });

  it('answers 503 and not 401 while the directory is away', async () => {
    directory?.kill();
    await new Promise((resolve) => directory?.once('exit', resolve));
    expect((await login('ann', 'another', '/boss')).status).toBe(503);
    // what was right a moment ago is believed on for a while
    expect((await login('ann', 'ann-pw')).status).toBe(200);
  });
});
