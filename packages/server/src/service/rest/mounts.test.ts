import { describe, expect, it } from 'vitest';
import { createMountTable, joinPath, type MountEntry, splitPath, toRequestPath } from './mounts.ts';

function mongoPathOf(
  entries: readonly MountEntry[],
  path: string,
  { uri = '/', host = 'localhost:8080' } = {},
): string | undefined {
  const match = createMountTable(uri, entries)(splitPath(path), host);
  return match && joinPath(match.tokens);
}

const DEFAULT = [{ what: '/restheart', where: '/' }];
const ALL = [{ what: '*', where: '/' }];

describe('plain mounts', () => {
  it.each([
    [DEFAULT, '/', '/restheart'],
    [DEFAULT, '/coll/id', '/restheart/coll/id'],
    [DEFAULT, '/coll/', '/restheart/coll'],
    [ALL, '/', '/'],
    [ALL, '/db/coll', '/db/coll'],
    [[{ what: 'db', where: '/x' }], '/x/c', '/db/c'],
    [[{ what: '/db/c/doc', where: '/one' }], '/one', '/db/c/doc'],
    [[{ what: '*', where: '/api' }], '/api/db/c', '/db/c'],
    [[{ what: '*', where: '/api' }], '/apis/db', undefined],
    [[{ what: '*', where: '/api' }], '/other', undefined],
  ] as const)('maps with %j the path %s to %s', (entries, path, expected) => {
    expect(mongoPathOf(entries, path)).toBe(expected);
  });

  it('prefers the longest where', () => {
    const mounts = [
      { what: '*', where: '/' },
      { what: '/db/c', where: '/x/y' },
      { what: '/db', where: '/x' },
    ];
    expect(mongoPathOf(mounts, '/x/y/1')).toBe('/db/c/1');
    expect(mongoPathOf(mounts, '/x/z')).toBe('/db/z');
    expect(mongoPathOf(mounts, '/z')).toBe('/z');
  });

  it('prepends the uri of the service', () => {
    expect(mongoPathOf(DEFAULT, '/api/c', { uri: '/api' })).toBe('/restheart/c');
    expect(mongoPathOf(DEFAULT, '/c', { uri: '/api' })).toBeUndefined();
  });

  it('never rewrites sessions', () => {
    expect(mongoPathOf(DEFAULT, '/_sessions/abc')).toBe('/_sessions/abc');
  });

  it('keeps empty inner segments', () => {
    expect(createMountTable('/', ALL)(splitPath('//db//coll'), '')?.tokens).toEqual([
      '',
      'db',
      '',
      'coll',
    ]);
  });
});

describe('templates', () => {
  const tenants = [{ what: '/{tenant}', where: '/{tenant}/api/*' }];

  it('fills path parameters', () => {
    expect(mongoPathOf(tenants, '/acme/api/c/1')).toBe('/acme/c/1');
    expect(mongoPathOf(tenants, '/acme/other')).toBeUndefined();
  });

  it('fills parts of the host', () => {
    const byHost = [{ what: '/{host[0]}', where: '/' }];
    expect(mongoPathOf(byHost, '/c', { host: 'acme.example.com:80' })).toBe('/acme/c');
    expect(mongoPathOf([{ what: '/{host}', where: '/*' }], '/c', { host: 'acme' })).toBe('/acme/c');
  });

  it('puts the rest of the path where {*} stands', () => {
    const mounts = [{ what: '/db/{*}', where: '/{x}/*' }];
    expect(mongoPathOf(mounts, '/a/c/1')).toBe('/db/c/1');
  });

  it('mounts nothing when plain paths and templates are mixed', () => {
    expect(mongoPathOf([...tenants, ...DEFAULT], '/acme/api/c')).toBeUndefined();
    expect(mongoPathOf([...tenants, ...DEFAULT], '/c')).toBeUndefined();
  });
});

describe('splitPath', () => {
  it('decodes after the split, so that ids may hold slashes', () => {
    expect(splitPath('/db/c/a%2Fb')).toEqual(['db', 'c', 'a/b']);
  });
  it('decodes once and keeps a plus', () => {
    expect(splitPath('/a%2520b/c+d/e%20f')).toEqual(['a%20b', 'c+d', 'e f']);
  });
  it('refuses malformed escapes', () => {
    for (const path of ['/%', '/%zz', '/%ff', '/a/%C3%28']) {
      expect(() => splitPath(path)).toThrow(/percent-encoded/);
    }
  });
});

describe('toRequestPath', () => {
  it.each([
    ['/db/c', '/x', '/db/c/1', '/x/1'],
    ['/db', '/x', '/db', '/x'],
    ['*', '/', '/db/c', '/db/c'],
    ['*', '/api', '/db/c', '/api/db/c'],
    ['/restheart', '/', '/restheart/c', '/c'],
    ['/restheart', '/', '/restheart', '/'],
    ['/restheart', '/', '/other/c', undefined],
  ])('with %s at %s maps %s to %s', (what, where, path, expected) => {
    expect(toRequestPath({ what, where }, path)).toBe(expected);
  });
});
