import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plain } from '../../test/support/ejson.ts';
import { compareValues, typeOrder } from '../bson/compare.ts';
import { type Document, toDocument, toDouble, type Value } from '../bson/value.ts';
import { compileFilter } from './filter.ts';

const name = fc.constantFrom('a', 'b', '0');
const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: 0, max: 3 }),
  fc.integer({ min: 0, max: 3 }).map((value): Value => toDouble(value)),
  fc.constantFrom<Value>('x', 'y', null, true, 2n),
);
const { document, value } = fc.letrec<{ document: Document; value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: leaf, weight: 3 },
    tie('document').map((inner): Value => inner),
    fc.array(tie('value'), { maxLength: 3 }).map((items): Value => items),
  ),
  document: fc
    .uniqueArray(fc.tuple(name, tie('value')), { maxLength: 3, selector: ([key]) => key })
    .map((entries): Document => new Map(entries)),
}));

const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'));

const { filter } = fc.letrec<{ filter: Document }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    {
      arbitrary: fc
        .tuple(path, fc.constantFrom('$eq', '$ne', '$gt', '$gte', '$lt', '$lte'), value)
        .map(([at, operator, operand]) =>
          toDocument({ [at]: toDocument({ [operator]: operand }) }),
        ),
      weight: 4,
    },
    fc
      .tuple(path, fc.constantFrom('$in', '$nin', '$all'), fc.array(value, { maxLength: 3 }))
      .map(([at, operator, operands]) =>
        toDocument({ [at]: toDocument({ [operator]: operands }) }),
      ),
    fc
      .tuple(path, fc.boolean())
      .map(([at, exists]) => toDocument({ [at]: toDocument({ $exists: exists }) })),
    fc
      .tuple(path, fc.integer({ min: 0, max: 2 }))
      .map(([at, size]) => toDocument({ [at]: toDocument({ $size: size }) })),
    fc
      .tuple(
        fc.constantFrom('$and', '$or', '$nor'),
        fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
      )
      .map(([operator, clauses]) => toDocument({ [operator]: clauses })),
    fc
      .tuple(path, tie('filter'))
      .map(([at, inner]) => toDocument({ [at]: toDocument({ $elemMatch: inner }) })),
  ),
}));

/** What a path leads to, written down as simply as the rules can be said. */
function leaves(from: Value, parts: readonly string[], expand: boolean): (Value | undefined)[] {
  const [head = '', ...rest] = parts;
  if (Array.isArray(from)) {
    return from.flatMap((element, index) => {
      const inside = element instanceof Map ? leaves(element, parts, expand) : [];
      if (String(index) !== head) return inside;
      if (rest.length === 0) return [...inside, element];
      const container = element instanceof Map || Array.isArray(element);
      return container ? [...inside, ...leaves(element, rest, expand)] : inside;
    });
  }
  const found = from instanceof Map ? from.get(head) : undefined;
  if (rest.length === 0) return Array.isArray(found) && expand ? [...found, found] : [found];
  const container = found instanceof Map || Array.isArray(found);
  return container ? leaves(found, rest, expand) : [undefined];
}

function holds(operator: string, found: Value | undefined, operand: Value): boolean {
  const isNull = found === undefined || found === null;
  if (operand === null) return isNull && ['$eq', '$gte', '$lte'].includes(operator);
  if (found === undefined || typeOrder(found) !== typeOrder(operand)) return false;
  const order = compareValues(found, operand);
  switch (operator) {
    case '$eq':
      return order === 0;
    case '$gt':
      return order > 0;
    case '$gte':
      return order >= 0;
    case '$lt':
      return order < 0;
    default:
      return order <= 0;
  }
}

function naive(query: Document, stored: Document): boolean {
  return [...query].every(([key, argument]) => {
    if (Array.isArray(argument)) {
      const results = argument.map((clause) => clause instanceof Map && naive(clause, stored));
      if (key === '$and') return results.every(Boolean);
      return key === '$or' ? results.some(Boolean) : !results.some(Boolean);
    }
    const [operator = '', operand = null] = argument instanceof Map ? ([...argument][0] ?? []) : [];
    return naiveLeaf(stored, key, operator, operand);
  });
}

function naiveLeaf(stored: Document, at: string, operator: string, operand: Value): boolean {
  const values = leaves(stored, at.split('.'), true);
  const equals = (wanted: Value) => values.some((found) => holds('$eq', found, wanted));
  const list = Array.isArray(operand) ? operand : [];
  const whole = leaves(stored, at.split('.'), false);
  switch (operator) {
    case '$ne':
      return !equals(operand);
    case '$in':
      return list.some(equals);
    case '$nin':
      return !list.some(equals);
    case '$all':
      return list.length > 0 && list.every(equals);
    case '$exists':
      return values.some((found) => found !== undefined) === operand;
    case '$size':
      return whole.some((found) => Array.isArray(found) && found.length === operand);
    case '$elemMatch':
      return whole.some(
        (found) =>
          Array.isArray(found) &&
          found.some((element) => {
            const inner = Array.isArray(element)
              ? new Map(element.map((item, index) => [String(index), item]))
              : element;
            return inner instanceof Map && operand instanceof Map && naive(operand, inner);
          }),
      );
    default:
      return values.some((found) => holds(operator, found, operand));
  }
}

describe('the compiled filter', () => {
  it('agrees with a naive evaluator', () => {
    fc.assert(
      fc.property(filter, document, (query, stored) => {
        const expected = naive(query, stored);
        const actual = compileFilter(query).matches(stored);
        expect(actual, JSON.stringify([plain(query), plain(stored)])).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds positions only where it matches, and inside the array', () => {
    fc.assert(
      fc.property(filter, document, (query, stored) => {
        const compiled = compileFilter(query);
        if (!compiled.matches(stored)) return;
        const place = compiled.positions(stored)?.get('$');
        expect(place === undefined || (Number.isInteger(place) && place >= 0)).toBe(true);
      }),
    );
  });
});
