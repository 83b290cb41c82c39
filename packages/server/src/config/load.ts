/**
 * Where settings come from, weakest first: the defaults, the configuration file (argument, else `RESTHEART_CONF_FILE`),
 * the environment variables `MONGODB_URI`, `PORT`, `HOST`, `QUORATE_DATA`, the override file (`-o`, else `RHO_FILE`), the
 * environment variable `RHO`, the flags of the command line.
 */

import { checkSettings } from './check.ts';
import { isSecretName, maskSecrets } from './mask-secrets.ts';
import {
  type Assignment,
  applyAssignment,
  type Overrides,
  parseOverrides,
  toAssignment,
} from './override.ts';
import { type ConfigFile, readConfigFile, readOverrideFile } from './read-file.ts';
import {
  type Key,
  LIST_DEFAULTS,
  SECTIONS,
  type Section,
  type SectionName,
  type Settings,
} from './schema.ts';
import { besideConfigFile, checkSecurity } from './security-checks.ts';

/** What the command line and the environment say. */
export interface ConfigSources {
  readonly configFile?: string | undefined;
  readonly overrideFile?: string | undefined;
  readonly isStandalone?: boolean | undefined;
  readonly flags?: {
    readonly host?: string | undefined;
    readonly port?: string | undefined;
    readonly data?: string | undefined;
    readonly mongodbUri?: string | undefined;
  };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A line for the log about how the configuration came about. */
export interface ConfigNotice {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

export interface LoadedConfig {
  readonly settings: Settings;
  /** Everything that was given, after overrides: sections of plugins included. */
  readonly root: Readonly<Record<string, unknown>>;
  readonly notices: readonly ConfigNotice[];
  readonly configFile: string | undefined;
  readonly overrideFile: string | undefined;
  readonly isStandalone: boolean;
}

/** Sections that the built-in configuration of `-s` switches off: everything that needs MongoDB (operations.md §1.3). */
const MONGO_SECTIONS = [
  'mongo',
  'graphql',
  'database-probe',
  'csvLoader',
  'cacheInvalidator',
  'batch',
  'dataApi',
  'openApi',
  'mongoRealmAuthenticator',
  'mongoAclAuthorizer',
];

/** The rest of that configuration: accounts and permissions come from files. */
const STANDALONE_VALUES: readonly (readonly [path: string, value: unknown])[] = [
  ['/core/name', 'default-no-mongodb'],
  ['/basicAuthMechanism/authenticator', 'fileRealmAuthenticator'],
  ['/digestAuthMechanism/authenticator', 'fileRealmAuthenticator'],
  ['/fileRealmAuthenticator/enabled', true],
  ['/fileAclAuthorizer/enabled', true],
];

/**
 * Loads, overrides and checks the configuration.
 *
 * @throws ERR_CONFIG_* naming the key and the origin of its value
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { environment } = sources;
  const notices: ConfigNotice[] = [];
  const origins = new Map<string, string>();
  const configFile = sources.configFile ?? nonEmpty(environment['RESTHEART_CONF_FILE']);
  const overrideFile = sources.overrideFile ?? nonEmpty(environment['RHO_FILE']);
  const file: ConfigFile =
    configFile === undefined ? { root: {}, lines: new Map() } : readConfigFile(configFile);
  const root = structuredClone(file.root);

  const apply = (overrides: Overrides, origin: string, title?: string): void => {
    if (title !== undefined) notices.push({ level: 'info', text: title });
    for (const { text, reason } of overrides.skipped)
      notices.push({ level: 'warn', text: `Skipped override ${describePath(text)}: ${reason}` });
    for (const assignment of overrides.assignments) {
      if (configFile === undefined) seedDefault(root, assignment);
      applyAssignment(root, assignment);
      origins.set(assignment.path, origin);
      if (title !== undefined)
        notices.push({ level: 'info', text: `\t${assignment.path} -> ${show(assignment)}` });
    }
  };

  // a configuration file takes the place of every built-in configuration
  if (sources.isStandalone === true && configFile === undefined) {
    const off = MONGO_SECTIONS.map((name) => [`/${name}/enabled`, false] as const);
    const assignments = [...off, ...STANDALONE_VALUES].map(([path, value]) =>
      toAssignment(path, value),
    );
    apply({ assignments, skipped: [] }, 'option --standalone');
  }
  apply(ownVariables(environment), 'environment');
  if (overrideFile !== undefined) {
    const title = `Overriding configuration from file: ${overrideFile}`;
    apply(readOverrideFile(overrideFile), `override file ${overrideFile}`, title);
  }
  const rho = nonEmpty(environment['RHO']);
  if (rho !== undefined) {
    const title = 'Overriding configuration from environment variable RHO';
    apply(parseOverrides(rho), 'environment variable RHO', title);
  }
  apply(flagAssignments(sources), 'command line');

  const originOf = (path: string): string =>
    findOrigin(path, origins) ?? fileOrigin(path, file, configFile) ?? 'default';
  const { settings: checked, warnings } = checkSettings(root, originOf);
  checkSecurity(checked, originOf);
  const settings = besideConfigFile(checked, configFile);
  notices.push(...warnings.map((text) => ({ level: 'warn' as const, text })));
  return {
    settings,
    root,
    notices,
    configFile,
    overrideFile,
    isStandalone: sources.isStandalone === true,
  };
}

/**
 * Without a configuration file the defaults are what is overridden: a list or block of them is put in place before a part of it
 * is changed (`/fileRealmAuthenticator/users[userid='admin']/password`, `/mongo/etag-check-policy/doc`).
 */
function seedDefault(root: Record<string, unknown>, { steps }: Assignment): void {
  const [section, key] = steps;
  if (section === undefined) return;
  const list = LIST_DEFAULTS.get(section.name);
  if (list !== undefined && section.selectors.length > 0) {
    root[section.name] ??= structuredClone(list);
    return;
  }
  if (key === undefined || (steps.length === 2 && key.selectors.length === 0)) return;
  const fallback = findKey(section.name, key.name)?.fallback;
  if (typeof fallback !== 'object' || fallback === null) return;
  root[section.name] ??= {};
  const block = root[section.name];
  if (typeof block === 'object' && block !== null && !Array.isArray(block))
    (block as Record<string, unknown>)[key.name] ??= structuredClone(fallback);
}

function findKey(sectionName: string, keyName: string): Key<unknown> | undefined {
  const section: Section | undefined = Object.hasOwn(SECTIONS, sectionName)
    ? SECTIONS[sectionName as SectionName]
    : undefined;
  return section !== undefined && Object.hasOwn(section.keys, keyName)
    ? section.keys[keyName]
    : undefined;
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value;
}

/** Variables and the settings they stand for. */
const VARIABLES = [
  ['MONGODB_URI', '/mclient/connection-string'],
  ['PORT', '/http-listener/port'],
  ['HOST', '/http-listener/host'],
  ['QUORATE_DATA', '/quorate/data'],
] as const;

function ownVariables(environment: ConfigSources['environment']): Overrides {
  const assignments: Assignment[] = [];
  for (const [name, path] of VARIABLES) {
    const value = nonEmpty(environment[name]);
    if (value !== undefined) assignments.push(toAssignment(path, asNumberIfPort(path, value)));
  }
  return { assignments, skipped: [] };
}

function flagAssignments(sources: ConfigSources): Overrides {
  const flags = sources.flags ?? {};
  const pairs = [
    ['/mclient/connection-string', flags.mongodbUri],
    ['/http-listener/port', flags.port],
    ['/http-listener/host', flags.host],
    ['/quorate/data', flags.data],
  ] as const;
  const assignments = pairs
    .filter(([, value]) => value !== undefined)
    .map(([path, value]) => toAssignment(path, asNumberIfPort(path, value ?? '')));
  return { assignments, skipped: [] };
}

/** A text that is no number stays: the check then names it. */
function asNumberIfPort(path: string, value: string): string | number {
  return path.endsWith('/port') && /^\d+$/.test(value) ? Number(value) : value;
}

/** The longest assigned path that is the path itself, or holds it. */
function findOrigin(path: string, origins: ReadonlyMap<string, string>): string | undefined {
  for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const origin = origins.get(at);
    if (origin !== undefined) return origin;
  }
  // a section that exists only because something inside it was assigned
  for (const [assigned, origin] of origins) if (assigned.startsWith(`${path}/`)) return origin;
  return undefined;
}

function fileOrigin(
  path: string,
  file: ConfigFile,
  configFile: string | undefined,
): string | undefined {
  const line = file.lines.get(path);
  return line === undefined ? undefined : `${configFile ?? 'configuration file'}, line ${line}`;
}

/** The value of an applied override as it may be logged: objects show no more than their masked secrets. */
function show({ path, steps, value }: Assignment): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const isSecret = findKey(steps[0]?.name ?? '', steps[1]?.name ?? '')?.isSecret === true;
  if (isSecret || isSecretName(path)) return '**********';
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const secrets = Object.entries(value).filter(([key]) => isSecretName(key));
    return JSON.stringify(Object.fromEntries(secrets.map(([key]) => [key, '**********'])));
  }
  return JSON.stringify(maskSecrets(value, name));
}

/** A skipped entry without its value, which may be a secret. */
function describePath(text: string): string {
  return text.split('->')[0]?.trim() ?? '';
}
