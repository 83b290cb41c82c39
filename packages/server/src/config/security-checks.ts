/** What has to hold between keys of the security sections, and where their files are. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { QuorateError } from '../errors/quorate-error.ts';
import type { OriginOf } from './check.ts';
import type { Settings } from './schema.ts';

/**
 * @throws ERR_CONFIG_INVALID when tokens could have no roles, a realm no accounts, or workers tokens of their own
 */
export function checkSecurity(settings: Settings, originOf: OriginOf): void {
  requireRoles(settings, originOf);
  requireUsers(settings, originOf);
  refuseLocalTokens(settings, originOf);
}

/** Each worker is a node: what one of them keeps in memory the others do not know (cluster.md, part C). */
function refuseLocalTokens({ quorate, rndTokenManager }: Settings, originOf: OriginOf): void {
  if (quorate.workers <= 1 || !rndTokenManager.enabled) return;
  throw new QuorateError('ERR_CONFIG_INVALID', {
    message: `rndTokenManager keeps tokens in the memory of one process, and /quorate/workers is ${quorate.workers} (${originOf('/quorate/workers')})`,
    hint: 'Use sharedTokenManager or jwtTokenManager, or one worker',
  });
}

/** Tokens have to say, or the configuration, which roles they give (security.md §2.2). */
function requireRoles({ jwtAuthenticationMechanism: jwt }: Settings, originOf: OriginOf): void {
  if (!jwt.enabled || jwt.rolesClaim !== null || jwt.fixedRoles.length > 0) return;
  const path = '/jwtAuthenticationMechanism/rolesClaim';
  throw new QuorateError('ERR_CONFIG_INVALID', {
    message: `${path} is null and there are no fixedRoles (${originOf(path)})`,
    hint: 'Name the claim that holds the roles, or list fixedRoles',
  });
}

function requireUsers({ fileRealmAuthenticator: realm }: Settings, originOf: OriginOf): void {
  if (!realm.enabled || realm.users !== null || realm['conf-file'] !== null) return;
  const path = '/fileRealmAuthenticator/users';
  throw new QuorateError('ERR_CONFIG_INVALID', {
    message: `${path} is null and there is no conf-file (${originOf(path)})`,
    hint: 'List users, or name a conf-file that does',
  });
}

/** The settings with files of accounts and rules looked for beside the configuration file first (security.md §7.1). */
export function besideConfigFile(settings: Settings, configFile: string | undefined): Settings {
  const locate = <T extends { readonly 'conf-file': string | null }>(section: T): T => {
    const file = section['conf-file'];
    if (file === null || configFile === undefined || isAbsolute(file)) return section;
    const beside = join(dirname(configFile), file);
    return existsSync(beside) ? { ...section, 'conf-file': beside } : section;
  };
  return {
    ...settings,
    fileRealmAuthenticator: locate(settings.fileRealmAuthenticator),
    fileAclAuthorizer: locate(settings.fileAclAuthorizer),
  };
}
