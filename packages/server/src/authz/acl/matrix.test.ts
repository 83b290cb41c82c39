/** The whole of the rules against a naive evaluator of their meaning (security.md §8.3, §8.6). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BsonDocument, type BsonValue, documentOf } from '../../model/bson.ts';
import { parseJson } from '../../representation/json-reader.ts';
import type { AuthorizationExchange } from './exchange-attribute.ts';
import { type Permission, toPermission } from './permission.ts';
import { RankedPermissions } from './select-permission.ts';

const ROLES = ['a', 'b', 'c', '$unauthenticated'] as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const SEGMENTS = ['x', 'y', 'z', 'xy', '1'] as const;

/** One rule in a form that both sides understand: text for ours, meaning for the naive one. */
interface Condition {
  readonly text: string;
  readonly holds: (request: Request) => boolean;
}

interface Request {
  readonly method: string;
  readonly segments: readonly string[];
}

const segments = fc.array(fc.constantFrom(...SEGMENTS), { minLength: 1, maxLength: 5 });
const isPrefix = (prefix: readonly string[], whole: readonly string[]) =>
  prefix.length <= whole.length && prefix.every((segment, i) => segment === whole[i]);
const isSame = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && isPrefix(a, b);

const simple: fc.Arbitrary<Condition> = fc.oneof(
  segments.map((path) => ({
    text: `path('/${path.join('/')}')`,
    holds: (request: Request) => isSame(path, request.segments),
  })),
  fc.tuple(segments, segments).map(([one, two]) => ({
    text: `path-prefix('/${one.join('/')}', ${two.join('/')})`,
    holds: (request: Request) => isPrefix(one, request.segments) || isPrefix(two, request.segments),
  })),
  fc.tuple(segments, fc.nat(4)).map(([path, at]) => {
    const template = path.map((segment, i) => (i === at ? '{v}' : segment));
    return {
      text: `path-template('/${template.join('/')}')`,
      holds: ({ segments: given }: Request) =>
        given.length === path.length &&
        given.every((segment, i) => i === at || segment === path[i]),
    };
  }),
  fc.subarray([...METHODS], { minLength: 1 }).map((methods) => ({
    text: `method(${methods.join(', ')})`,
    holds: ({ method }: Request) => methods.some((one) => one === method),
  })),
  fc.boolean().map((value) => ({ text: String(value), holds: () => value })),
);

const condition: fc.Arbitrary<Condition> = fc.letrec<{ node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    simple,
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => ({
      text: `(${a.text} and ${b.text})`,
      holds: (request: Request) => a.holds(request) && b.holds(request),
    })),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => ({
      text: `(${a.text} or ${b.text})`,
      holds: (request: Request) => a.holds(request) || b.holds(request),
    })),
    tie('node').map((child) => ({
      text: `not (${child.text})`,
      holds: (request: Request) => !child.holds(request),
    })),
  ),
})).node;

interface Rule {
  readonly condition: Condition;
  readonly roles: readonly string[];
  readonly priority: number | undefined;
  readonly owner: string;
  readonly allowBulkPatch: boolean;
}

const rule: fc.Arbitrary<Rule> = fc.record({
  condition,
  roles: fc.subarray([...ROLES], { minLength: 1 }),
  priority: fc.option(fc.integer({ min: -2, max: 2 }), { nil: undefined }),
  owner: fc.constantFrom('p', 'q', 'r'),
  allowBulkPatch: fc.boolean(),
});

const DOCUMENTS: readonly BsonDocument[] = ['p', 'q', 'r'].map((owner) => documentOf({ owner }));

function compile(rules: readonly Rule[]): Permission[] {
  return rules.map(({ condition: { text }, roles, priority, owner, allowBulkPatch }, i) =>
    toPermission(
      new Map<string, BsonValue>([
        ['_id', String(i)],
        ['roles', [...roles]],
        ['predicate', text],
        ['priority', priority ?? null],
        ['mongo', documentOf({ readFilter: { owner }, allowBulkPatch })],
      ]),
      { parseJson },
    ),
  );
}

/** What the specification says, without index, ranking or compilation. */
function judgeNaively(
  rules: readonly Rule[],
  order: 'mongo' | 'file',
  roles: readonly string[],
  request: Request,
  needsBulkPatch: boolean,
): Rule | undefined {
  for (const role of roles) {
    let best: { readonly rule: Rule; readonly at: number } | undefined;
    for (const [at, one] of rules.entries()) {
      if (!one.roles.includes(role) || !one.condition.holds(request)) continue;
      if (needsBulkPatch && !one.allowBulkPatch) continue;
      if (best === undefined || isBefore(one, at, best.rule, best.at, order))
        best = { rule: one, at };
    }
    if (best) return best.rule;
  }
  return undefined;
}

function isBefore(a: Rule, atA: number, b: Rule, atB: number, order: 'mongo' | 'file'): boolean {
  if (a.priority === b.priority) return atA > atB;
  if (a.priority === undefined) return false;
  if (b.priority === undefined) return true;
  return order === 'mongo' ? a.priority > b.priority : a.priority < b.priority;
}

function exchangeOf({ method, segments: given }: Request): AuthorizationExchange {
  return { method, path: `/${given.join('/')}` } as AuthorizationExchange;
}

describe('the rules', () => {
  it('let through exactly what they say, with the filter of the rule that decides', () => {
    let cases = 0;
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 12 }),
        fc.constantFrom('mongo' as const, 'file' as const),
        fc.array(
          fc.record({
            method: fc.constantFrom(...METHODS),
            segments,
            roles: fc.shuffledSubarray([...ROLES]),
            bulkPatch: fc.boolean(),
          }),
          { minLength: 10, maxLength: 10 },
        ),
        (rules, order, requests) => {
          const ranked = new RankedPermissions(compile(rules), order);
          for (const { roles, bulkPatch, ...request } of requests) {
            cases += 1;
            const flags = { management: false, bulkPatch, bulkDelete: false, writeMode: false };
            const found = ranked.select(roles, exchangeOf(request), flags, true);
            const expected = judgeNaively(rules, order, roles, request, bulkPatch);
            if (found === undefined || found === 'needs body') {
              expect(expected).toBeUndefined();
              continue;
            }
            const owner = found.mongo.readFilter?.get('owner');
            const visible = DOCUMENTS.filter((document) => document.get('owner') === owner);
            expect(visible).toEqual(
              DOCUMENTS.filter((document) => document.get('owner') === expected?.owner),
            );
            expect(found.id).toBe(String(rules.indexOf(expected as Rule)));
          }
        },
      ),
      { numRuns: 5500 },
    );
    expect(cases).toBeGreaterThanOrEqual(50_000);
  }, 60_000);
});
