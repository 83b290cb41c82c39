import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAssignment, parseOverrides } from './override.ts';

function apply(text: string, root: Record<string, unknown> = {}): Record<string, unknown> {
  for (const assignment of parseOverrides(text).assignments) applyAssignment(root, assignment);
  return root;
}

describe('parseOverrides', () => {
  it('reads several assignments, with white space and newlines anywhere', () => {
    expect(apply(' /a/b -> 1 ;\n/c->\n"x" ; /d -> null;')).toEqual({
      a: { b: 1 },
      c: 'x',
      d: null,
    });
  });

  it('reads the example of the specification', () => {
    const rho = `/mclient/connection-string->"mongodb://db1,db2/?replicaSet=rs0";/http-listener/host->"0.0.0.0";/mongo/mongo-mounts[1]->{"what":"*","where":"/"}`;
    expect(apply(rho)).toEqual({
      mclient: { 'connection-string': 'mongodb://db1,db2/?replicaSet=rs0' },
      'http-listener': { host: '0.0.0.0' },
      mongo: { 'mongo-mounts': [{ what: '*', where: '/' }] },
    });
  });

  it('keeps semicolons and arrows inside quotes', () => {
    expect(apply(`/a->'x;y -> z';/b->"it's; so"`)).toEqual({ a: 'x;y -> z', b: "it's; so" });
  });

  it('counts elements from 1 and fills the gap before a later one', () => {
    expect(apply('/a[2]->"y"', { a: ['x'] })).toEqual({ a: ['x', 'y'] });
    expect(apply('/a[3]/b->true')).toEqual({ a: [null, null, { b: true }] });
  });

  it('selects an element by one of its members, or makes it', () => {
    const root = { users: [{ userid: 'admin' }, { userid: 'bob', roles: [] }] };
    expect(apply(`/users[userid='bob']/password->"x"`, structuredClone(root))).toEqual({
      users: [{ userid: 'admin' }, { userid: 'bob', roles: [], password: 'x' }],
    });
    expect(apply(`/users[userid='eve']/roles->["a"]`, structuredClone(root))['users']).toEqual([
      ...root.users,
      { userid: 'eve', roles: ['a'] },
    ]);
  });

  it('replaces a whole subtree by an object', () => {
    expect(apply('/a->{"z":1}', { a: { b: 1, c: 2 } })).toEqual({ a: { z: 1 } });
  });

  it('skips what is malformed and applies the rest', () => {
    const { assignments, skipped } = parseOverrides(
      '/a 1;b->2;/c->{;/d[0]->1;/e->5;/__proto__/x->1',
    );
    expect(assignments.map((assignment) => assignment.path)).toEqual(['/e']);
    expect(skipped.map((entry) => entry.text)).toEqual([
      '/a 1',
      'b->2',
      '/c->{',
      '/d[0]->1',
      '/__proto__/x->1',
    ]);
  });

  it('passes over comment lines of .conf files', () => {
    expect(apply('# a; comment -> here\n/a->1;\n  # another\n/b->2')).toEqual({ a: 1, b: 2 });
  });

  it('gives back any JSON value that was written', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = `/section/key->${JSON.stringify(value)};/after->1`;
        const root = apply(text);
        expect(JSON.stringify(root)).toBe(
          JSON.stringify({ section: { key: JSON.parse(JSON.stringify(value)) }, after: 1 }),
        );
      }),
    );
  });

  it('gives back any JSON value that was written with single quotes', () => {
    const print = (value: unknown): string => {
      if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
      if (typeof value === 'object' && value !== null)
        return `{${Object.entries(value)
          .map(([name, member]) => `${print(name)}:${print(member)}`)
          .join(',')}}`;
      if (typeof value !== 'string') return JSON.stringify(value);
      return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
    };
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const plain = JSON.parse(JSON.stringify(value)) as unknown;
        expect(JSON.stringify(apply(`/a->${print(plain)};/b->1`))).toBe(
          JSON.stringify({ a: plain, b: 1 }),
        );
      }),
    );
  });

  it('selects an element by any text', () => {
    fc.assert(
      fc.property(fc.string(), (id) => {
        const root = { users: [{ userid: id }] };
        const text = `/users[userid=${JSON.stringify(id)}]/a->1`;
        expect(apply(text, root)).toEqual({ users: [{ userid: id, a: 1 }] });
      }),
    );
  });

  it('keeps lines with # inside a string of several lines', () => {
    expect(apply('/a->"x\n# y";\n# z\n/b->1')).toEqual({ a: 'x\n# y', b: 1 });
  });

  it('never throws, and leaves Object.prototype alone', () => {
    const pieces = fc.constantFrom('/', 'a', '[1]', "[k='v']", '->', '"', "'", '{', '}', ';', '1');
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        apply(parts.join(''));
      }),
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});
