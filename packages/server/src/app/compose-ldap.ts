/** The realm of a directory, as the configuration wants it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { LdapRealm } from '../auth/ldap-realm.ts';
import type { Settings } from '../config/schema.ts';
import { QuorateError } from '../errors/quorate-error.ts';

/**
 * Undefined where it is switched off.
 *
 * @throws ERR_CONFIG_INVALID when its library is not installed, or a file cannot be read
 */
export function composeLdapRealm(settings: Settings): LdapRealm | undefined {
  const ldap = settings.ldapRealmAuthenticator;
  if (!ldap.enabled) return undefined;
  requireLibrary();
  const [dn, password] = [ldap['bind-dn'], ldap['bind-password']];
  return new LdapRealm({
    url: ldap.url,
    startTls: ldap['start-tls'],
    ca: readAuthority(ldap['ca-path']),
    searcher: dn === null ? undefined : { dn, password: password ?? '' },
    userBase: ldap['user-base'],
    userFilter: ldap['user-filter'],
    groupBase: ldap['group-base'] ?? undefined,
    groupFilter: ldap['group-filter'],
    groupAttribute: ldap['group-attribute'],
    roleOfGroup: new Map(Object.entries(ldap['role-of-group'])),
    fixedRoles: ldap['fixed-roles'],
    attributes: ldap.attributes,
    timeoutMs: ldap['timeout-ms'],
    cacheTtlMs: ldap['cache-ttl'],
    load: () => import('ldapts'),
  });
}

function requireLibrary(): void {
  try {
    createRequire(import.meta.url).resolve('ldapts');
  } catch (cause) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: '/ldapRealmAuthenticator/enabled: the package ldapts is not installed',
      hint: 'npm install ldapts@8',
      cause,
    });
  }
}

function readAuthority(path: string | null): Buffer | undefined {
  if (path === null) return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new QuorateError('ERR_CONFIG_INVALID', {
      message: `/ldapRealmAuthenticator/ca-path: ${path} cannot be read`,
      cause,
    });
  }
}
