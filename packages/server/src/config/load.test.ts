import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isQuorateError } from '../errors/quorate-error.ts';
import { type ConfigSources, loadConfig } from './load.ts';
import { printConfiguration, printTemplate } from './print.ts';
import { parseConfigText } from './read-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function load(environment: Record<string, string>, more: Partial<ConfigSources> = {}) {
  return loadConfig({ environment, ...more });
}

function refusal(run: () => unknown): { code: string; message: string; hint?: string | undefined } {
  try {
    run();
  } catch (error) {
    if (isQuorateError(error)) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('loadConfig', () => {
  it('takes the defaults when nothing is given', () => {
    const { settings, notices } = load({});
    expect(settings['http-listener']).toMatchObject({ host: 'localhost', port: 8080 });
    expect(settings.mclient['connection-string']).toBeNull();
    expect(notices).toEqual([]);
  });

  it('lets later sources win: file, variables, override file, RHO, flags', () => {
    const configFile = file('a.yml', 'http-listener:\n  port: 1\ncore:\n  name: file\n');
    const port = (environment: Record<string, string>, more: Partial<ConfigSources> = {}) =>
      load(environment, { configFile, ...more }).settings['http-listener'].port;
    const overrideFile = file('o.conf', '/http-listener/port -> 3');
    expect(port({})).toBe(1);
    expect(port({ PORT: '2' })).toBe(2);
    expect(port({ PORT: '2' }, { overrideFile })).toBe(3);
    expect(port({ PORT: '2', RHO: '/http-listener/port->4' }, { overrideFile })).toBe(4);
    const flags = { port: '5' };
    expect(port({ PORT: '2', RHO: '/http-listener/port->4' }, { overrideFile, flags })).toBe(5);
  });

  it('reads numbers with underscores and the words yes and no, as YAML 1.1 has them', () => {
    const text = 'mongo:\n  max-pagesize: 2_000\n  enabled: no\nping:\n  msg: n\n';
    const { settings } = load({}, { configFile: file('n.yml', text) });
    expect(settings.mongo).toMatchObject({ 'max-pagesize': 2000, enabled: false });
    expect(settings.ping.msg).toBe('n');
  });

  it('reads override files in JSON with comments and in YAML, by path', () => {
    const json = file('o.jsonc', '{ // why\n "/core/name": "x" /* y */ }');
    const yaml = file('o.yml', '/core/name: y\n');
    expect(load({ RHO_FILE: json }).settings.core.name).toBe('x');
    expect(load({ RHO_FILE: yaml }).settings.core.name).toBe('y');
  });

  it('refuses an unknown key, with its origin and the nearest one', () => {
    const configFile = file('k.yml', 'core:\n  name: a\nhttp-listener:\n  prot: 1\n');
    const error = refusal(() => load({}, { configFile }));
    expect(error.code).toBe('ERR_CONFIG_UNKNOWN_KEY');
    expect(error.message).toBe(`Unknown key /http-listener/prot (${configFile}, line 4)`);
    expect(error.hint).toBe('The nearest valid key is /http-listener/port');
  });

  it('warns of a key that is far from every known one, as those of other versions are', () => {
    const configFile = file('v.yml', 'jwtTokenManager:\n  ttl: 5\n  issuer: me\n  key: hidden\n');
    const { settings, notices } = load({}, { configFile });
    expect(settings.jwtTokenManager.ttl).toBe(5);
    expect(notices).toEqual(
      [3, 4].map((line) => ({
        level: 'warn',
        text: `Unknown key /jwtTokenManager/${line === 3 ? 'issuer' : 'key'} (${configFile}, line ${line}) is ignored`,
      })),
    );
  });

  it.each([
    [
      '/http-listener/port->"x"',
      '/http-listener/port must be a whole number from 0 to 65535, not "x"',
    ],
    ['/http-listener/port->70000', 'must be a whole number from 0 to 65535, not 70000'],
    ['/ping/enabled->"yes"', '/ping/enabled must be true or false'],
    ['/mongo/default-representation-format->"HALL"', '(nearest: HAL)'],
    ['/metrics->5', 'metrics must be a block of keys'],
    ['/logging/tracing-headers->"x"', 'must be a list of texts'],
  ])('refuses %s', (rho, message) => {
    const error = refusal(() => load({ RHO: rho }));
    expect(error.code).toBe('ERR_CONFIG_INVALID');
    expect(error.message).toContain(message);
    expect(error.message).toContain('environment variable RHO');
  });

  it('takes INFO for a wrong log level, with a warning', () => {
    const { settings, notices } = load({ RHO: '/logging/log-level->"INFOO"' });
    expect(settings.logging['log-level']).toBe('INFO');
    expect(notices.at(-1)).toMatchObject({ level: 'warn' });
    expect(notices.at(-1)?.text).toContain('(nearest: INFO)');
  });

  it('takes choices in any case', () => {
    const rho = '/logging/log-level->"debug";/mongo/default-representation-format->"Hal"';
    const { settings } = load({ RHO: rho });
    expect(settings.logging['log-level']).toBe('DEBUG');
    expect(settings.mongo['default-representation-format']).toBe('HAL');
  });

  it('warns of keys that RESTHeart accepts and nothing reads', () => {
    const { notices } = load({
      RHO: '/mongo/aggregationSecurity/enabled->true;/jwtTokenManager/uri->"/x"',
    });
    const warnings = notices.filter(({ level }) => level === 'warn').map(({ text }) => text);
    expect(warnings).toEqual([
      expect.stringContaining('use the section aggregationSecurity'),
      expect.stringContaining('/jwtTokenManager/uri'),
    ]);
  });

  it('overrides parts of the defaults where there is no configuration file', () => {
    const { settings, root } = load({
      RHO: [
        `/fileRealmAuthenticator/users[userid='admin']/password->'x'`,
        `/fileAclAuthorizer/permissions[1]/priority->7`,
        `/mongo/mongo-mounts[2]->{"what":"/a","where":"/b"}`,
        `/mongo/etag-check-policy/doc->"REQUIRED"`,
        `/static-resources[1]/where->"/ui"`,
        `/requestsMetricsCollector/exclude[3]->"/x"`,
      ].join(';'),
    });
    expect(settings.fileRealmAuthenticator.users).toEqual([
      { userid: 'admin', password: 'x', roles: ['admin'] },
    ]);
    expect(settings.fileAclAuthorizer.permissions).toEqual([
      { role: 'admin', predicate: "path-prefix('/')", priority: 7 },
    ]);
    expect(settings.mongo['mongo-mounts']).toEqual([
      { what: '/restheart', where: '/' },
      { what: '/a', where: '/b' },
    ]);
    expect(settings.mongo['etag-check-policy']).toEqual({
      db: 'REQUIRED_FOR_DELETE',
      coll: 'REQUIRED_FOR_DELETE',
      doc: 'REQUIRED',
    });
    expect(settings.requestsMetricsCollector.exclude).toEqual(['/metrics', '/metrics/*', '/x']);
    expect(root['static-resources']).toMatchObject([{ what: 'static/metrics', where: '/ui' }]);
    // the defaults themselves stay what they are
    expect(load({}).settings.mongo['mongo-mounts']).toHaveLength(1);
  });

  it('makes lists anew where a configuration file does not have them', () => {
    const configFile = file('m.yml', 'core:\n  name: a\n');
    const { settings } = load({ RHO: `/mongo/mongo-mounts[1]/what->"*"` }, { configFile });
    expect(settings.mongo['mongo-mounts']).toEqual([{ what: '*' }]);
  });

  it('switches off what needs MongoDB with -s, unless there is a configuration file', () => {
    const { settings } = load({}, { isStandalone: true });
    expect(settings.core.name).toBe('default-no-mongodb');
    expect(settings.mongo.enabled).toBe(false);
    expect(settings.mongoRealmAuthenticator.enabled).toBe(false);
    expect(settings.mongoAclAuthorizer.enabled).toBe(false);
    expect(settings.fileRealmAuthenticator.enabled).toBe(true);
    expect(settings.fileAclAuthorizer.enabled).toBe(true);
    expect(settings.basicAuthMechanism.authenticator).toBe('fileRealmAuthenticator');
    const configFile = file('n.yml', 'core:\n  name: a\n');
    expect(load({}, { configFile, isStandalone: true }).settings.mongo.enabled).toBe(true);
  });

  it('names unknown sections and missing features in warnings, and starts', () => {
    const { notices } = load({
      RHO: '/ping2/a->1;/oauthService/uri->"/o";/fullAuthorizer/enabled->false',
    });
    const warnings = notices.filter((notice) => notice.level === 'warn');
    expect(warnings.map((notice) => notice.text.split(' (')[0])).toEqual([
      'Unknown section ping2',
      'Section oauthService',
    ]);
  });

  it('masks secrets in what it logs and prints', () => {
    const config = load({
      RHO: '/mongoRealmAuthenticator/create-user-document->"{\\\\"_id\\\\":\\\\"hidden6\\\\"}";/mclient/connection-string->"mongodb://u:hidden1@h/";/jwtConfigProvider/key->"hidden2";/x->{"password":"hidden3","a":"hidden4"}',
      MONGODB_URI: 'mongodb://a:hidden5@h/',
    });
    const shown =
      JSON.stringify(config.notices) + printConfiguration(config).replace('hidden4', '');
    expect(shown).toContain('mongodb://u:**********@h/');
    expect(shown).not.toContain('hidden');
  });

  it('refuses missing files, other file types and broken YAML by name', () => {
    expect(refusal(() => load({}, { configFile: '/no/such.yml' })).message).toContain(
      'no such file',
    );
    expect(refusal(() => load({ RHO_FILE: file('o.txt', '') })).message).toContain('ends in');
    expect(refusal(() => load({}, { configFile: file('b.yml', 'a: [1') })).code).toBe(
      'ERR_CONFIG_FILE',
    );
  });

  it('prints a template that loads without a warning', () => {
    const configFile = file('t.yml', printTemplate());
    const { settings, notices } = load({}, { configFile });
    expect(notices).toEqual([]);
    expect(settings).toEqual(load({}).settings);
  });

  it('prints an effective configuration that starts with --- and is YAML', () => {
    const text = printConfiguration(load({ RHO: '/own/a->[1,{"b":2}]' }));
    expect(text.startsWith('---\n')).toBe(true);
    expect(parseConfigText(text, 'printed').root).toMatchObject({ own: { a: [1, { b: 2 }] } });
  });
});
