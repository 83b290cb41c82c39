import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isQuorateError } from '../../errors/quorate-error.ts';
import type { BsonValue } from '../../model/bson.ts';
import type { AuthorizationExchange } from './exchange-attribute.ts';
import { compilePredicate } from './predicate.ts';
import { formatPredicate, type PredicateNode, parsePredicate } from './predicate-parser.ts';

const toValue = (json: unknown): BsonValue => {
  if (Array.isArray(json)) return json.map(toValue);
  if (typeof json === 'object' && json !== null) {
    return new Map(Object.entries(json).map(([name, value]) => [name, toValue(value)]));
  }
  return json as BsonValue;
};
const parseJson = (text: string): BsonValue => toValue(JSON.parse(text));

interface Sample {
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly user?: unknown;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

function exchange(sample: Sample): AuthorizationExchange {
  const user = sample.user === undefined ? undefined : toValue(sample.user);
  return {
    method: sample.method ?? 'GET',
    path: sample.path ?? '/',
    rawPath: '/db/coll',
    rawQuery: new URLSearchParams(sample.query ?? {}).toString(),
    userName: user instanceof Map ? String(user.get('_id')) : undefined,
    secure: false,
    httpVersion: '1.1',
    host: 'localhost:8080',
    remoteAddress: '127.0.0.1',
    localAddress: '127.0.0.1',
    localPort: 8080,
    receivedAtMs: 0,
    authenticationRequired: true,
    header: (name) => sample.headers?.[name],
    cookie: () => undefined,
    queryNames: () => Object.keys(sample.query ?? {}),
    queryValue: (name) => sample.query?.[name],
    userProperty: (path) => {
      let value: BsonValue | undefined = user;
      for (const name of path.split('.'))
        value = value instanceof Map ? value.get(name) : undefined;
      return value;
    },
    body: sample.body === undefined ? undefined : toValue(sample.body),
    hasBsonBody: true,
  };
}

const test = (text: string, sample: Sample) =>
  compilePredicate(text, { parseJson }).test(exchange(sample));

describe('predicates', () => {
  const holds: readonly (readonly [string, Sample])[] = [
    ['true', {}],
    ['not false', {}],
    ['path-prefix(/a)', { path: '/a/x' }],
    ['path-prefix[/a]', { path: '/a' }],
    ['path-prefix(path="/a")', { path: '/a/' }],
    ['path-prefix[path={"/x", "/a"}]', { path: '/a/b' }],
    ['path(/a)', { path: '/a/' }],
    ['path(a)', { path: '/a' }],
    ['path-suffix(.json)', { path: '/x.json' }],
    ['path-template("/a/{x}") and equals(${x}, 1)', { path: '/a/1' }],
    ['path-template("/a/{x}")', { path: '/a/1/' }],
    ['path-template("/a/{x}/*")', { path: '/a/1/' }],
    [
      'path-template(value="/u/{id}") and equals(@user._id, ${id})',
      { path: '/u/bob', user: { _id: 'bob' } },
    ],
    ['path-prefix(/a) and equals(${remaining}, /b)', { path: '/a/b' }],
    ['method(GET, HEAD)', {}],
    ['method[value={GET, POST}]', { method: 'POST' }],
    ['regex("^/a/\\d+$")', { path: '/a/12' }],
    ['regex(pattern="/a/(.*)", full-match=true) and equals(${1}, z)', { path: '/a/z' }],
    ['regex(pattern="b", value=%{i,X-Kind})', { headers: { 'x-kind': 'abc' } }],
    ['equals(%u, bob)', { user: { _id: 'bob' } }],
    ['equals(%m, GET) and equals(%R, "/a")', { path: '/a' }],
    ['equals(%{q,c}, "5")', { query: { c: '5' } }],
    ['contains(value=%{q,c}, search={b, zz})', { query: { c: 'abc' } }],
    ['exists(%{i,Origin})', { headers: { origin: 'x' } }],
    ['in(value=@user.team, array={a, b})', { user: { _id: 'x', team: 'b' } }],
    ['in(value=%u, array=@user.friends)', { user: { _id: 'x', friends: ['x', 'y'] } }],
    ['qparams-contain(a, b)', { query: { a: '1', b: '2', c: '3' } }],
    ['qparams-blacklist(filter)', { query: { keys: '1' } }],
    ['qparams-whitelist(a, b)', { query: { a: '1' } }],
    ['qparams-whitelist()', {}],
    ['qparams-size(2)', { query: { a: '1', b: '2' } }],
    ['false or true and true', {}],
    ['not false and true', {}],
    ['(false or true) and not (true and false)', {}],
    ['bson-request-contains(a, b.c)', { body: { a: 1, b: { c: 2 } } }],
    ['bson-request-contains(b.c)', { body: { 'b.c': 2 } }],
    ['bson-request-contains(n)', { body: { $inc: { n: 1 } } }],
    ['bson-request-contains(a)', { body: [{ a: 1 }, { a: 2 }] }],
    ['bson-request-whitelist(a)', { body: { a: { b: 1 } } }],
    ['bson-request-whitelist(a)', { body: { $set: { 'a.b': 1 } } }],
    ['bson-request-whitelist()', { body: {} }],
    ['bson-request-whitelist(a)', {}],
    ['bson-request-blacklist(secret)', { body: { a: 1 } }],
    ['bson-request-blacklist(secret)', {}],
    ['bson-request-prop-equals(key=n, value=1)', { body: { n: 1 } }],
    ['bson-request-prop-equals(key=s, value=\'"x"\')', { body: { s: 'x' } }],
    [
      'bson-request-prop-equals(key=owner, value=@user._id)',
      { body: { owner: 'bob' }, user: { _id: 'bob' } },
    ],
    ['bson-request-array-contains(key=tags, values={\'"a"\'})', { body: { tags: ['a', 'b'] } }],
    ['bson-request-array-is-subset(key=tags, values={\'"a"\', \'"b"\'})', { body: { tags: [] } }],
    ['equals(@user._id, x) or equals(@user.sub, x)', { user: { sub: 'x' } }],
    ['equals(@request.body.owner, bob)', { body: { owner: 'bob' } }],
  ];
  for (const [text, sample] of holds) {
    it(`${text} holds for ${JSON.stringify(sample)}`, () => expect(test(text, sample)).toBe(true));
  }

  const fails: readonly (readonly [string, Sample])[] = [
    ['path-prefix(/a)', { path: '/ax' }],
    ['path-template("/a/{x}")', { path: '/a/1/2' }],
    ['path-template("/a/{x}/*")', { path: '/a/1' }],
    ['equals(@user.none, @user.none)', { user: { _id: 'bob' } }],
    ['equals(@user.none, null)', { user: { _id: 'bob' } }],
    ['in(value=%u, array=@user.friends)', { user: { _id: 'x', friends: [] } }],
    ['qparams-whitelist(a)', { query: { b: '1' } }],
    ['bson-request-contains(a)', { body: [{ a: 1 }, { b: 2 }] }],
    ['bson-request-contains(a)', { body: [] }],
    ['bson-request-contains(a)', {}],
    ['bson-request-whitelist(a)', { body: { a: 1, b: 2 } }],
    ['bson-request-whitelist(a)', { body: { $rename: { a: 'b' } } }],
    ['bson-request-whitelist(a)', { body: [{ $replaceWith: { b: 1 } }] }],
    ['bson-request-whitelist(a)', { body: [{ $unset: ['a', 'b'] }] }],
    ['bson-request-blacklist(secret)', { body: { $set: { 'secret.x': 1 } } }],
    ['bson-request-blacklist(secret.x)', { body: { secret: 1 } }],
    ['bson-request-blacklist(roles)', { body: { $push: { roles: 'admin' } } }],
    ['bson-request-prop-equals(key=n, value=1)', { body: { n: '1' } }],
    ['equals(@user._id, "a, b")', { user: { _id: 'a' } }],
    ['max-content-size(value=10)', {}],
  ];
  for (const [text, sample] of fails) {
    it(`${text} does not hold for ${JSON.stringify(sample)}`, () =>
      expect(test(text, sample)).toBe(false));
  }

  it('treats a property of the account as text, whatever it contains', () => {
    for (const name of ["x') or true", 'a, b', '%u', '${x}', '"', '@user._id']) {
      expect(test('equals(@user._id, other)', { user: { _id: name } })).toBe(false);
      expect(test('equals(@user._id, @user.copy)', { user: { _id: name, copy: name } })).toBe(true);
    }
  });

  const invalid: readonly (readonly [string, number])[] = [
    ['', 1],
    ['path-prefix(/a', 15],
    ['nothing(/a)', 1],
    ['path-prefix()', 1],
    ['path(/a) and', 13],
    ['path-template(/a/{id})', 18],
    ['equals("a)', 8],
    ['less-than(1, 2)', 1],
    ['regex("(")', 1],
    ['method(value=GET, verb=PUT)', 1],
  ];
  for (const [text, column] of invalid) {
    it(`refuses ${text || 'an empty text'} at column ${column}`, () => {
      try {
        compilePredicate(text, { parseJson });
        expect.unreachable();
      } catch (error) {
        expect(isQuorateError(error) && error.details?.['column']).toBe(column);
      }
    });
  }

  it('parses what it formats to the same tree', () => {
    const word = fc
      .stringMatching(/^[a-z][a-z-]{0,8}$/)
      .filter((name) => !['and', 'or', 'not', 'true', 'false'].includes(name));
    const argument = fc.oneof(
      fc.string().map((text) => ({ kind: 'text' as const, text })),
      fc
        .array(fc.string().map((text) => ({ kind: 'text' as const, text })))
        .map((items) => ({ kind: 'array' as const, items })),
      word.map((path) => ({ kind: 'variable' as const, root: 'user' as const, path })),
    );
    const { node } = fc.letrec<{ node: PredicateNode }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        fc.boolean().map((value) => ({ kind: 'constant' as const, value })),
        fc.record({
          kind: fc.constant('call' as const),
          name: word,
          positional: fc.array(argument, { maxLength: 3 }),
          named: fc
            .dictionary(word, argument, { maxKeys: 2 })
            .map((o) => new Map(Object.entries(o))),
          column: fc.constant(1),
        }),
        tie('node').map((child) => ({ kind: 'not' as const, child })),
        fc
          .tuple(
            fc.constantFrom('and' as const, 'or' as const),
            fc.array(tie('node'), { minLength: 2, maxLength: 3 }),
          )
          .map(([kind, children]) => ({ kind, children })),
      ),
    }));
    fc.assert(
      fc.property(node, (tree) => {
        const text = formatPredicate(tree);
        expect(formatPredicate(parsePredicate(text))).toBe(text);
      }),
    );
  });

  it('answers any text with a tree or an error of its own', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[a-z@%${}()[\]"', =-]{0,40}$/)),
        (text) => {
          try {
            compilePredicate(text, { parseJson });
          } catch (error) {
            if (!isQuorateError(error)) throw error;
          }
        },
      ),
    );
  });
});
