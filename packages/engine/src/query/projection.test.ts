import { describe, expect, it } from 'vitest';
import { doc, plain } from '../../test/support/ejson.ts';
import type { CompileExpression } from './filter.ts';
import { compileFilter } from './filter.ts';
import { compileProjection } from './projection.ts';

type Plain = Readonly<Record<string, unknown>>;

/** Enough of an evaluator for these tests: "$field" and literals. */
const compileExpression: CompileExpression = (spec) => (document) =>
  typeof spec === 'string' && spec.startsWith('$') ? document.get(spec.slice(1)) : spec;

function project(document: Plain, spec: Plain, query?: Plain): unknown {
  const stored = doc(document);
  const positions = query === undefined ? undefined : compileFilter(doc(query)).positions(stored);
  return plain(compileProjection(doc(spec), { compileExpression }).apply(stored, positions));
}

describe('a projection', () => {
  const cases: readonly (readonly [Plain, Plain, Plain])[] = [
    [{ _id: 1, a: 1, b: 2 }, {}, { _id: 1, a: 1, b: 2 }],
    [{ _id: 1, a: 1, b: 2 }, { a: 1 }, { _id: 1, a: 1 }],
    [{ _id: 1, a: 1, b: 2 }, { a: 1, _id: 0 }, { a: 1 }],
    [{ _id: 1, a: 1, b: 2 }, { a: 0 }, { _id: 1, b: 2 }],
    [{ _id: 1, a: 1, b: 2 }, { _id: 0 }, { a: 1, b: 2 }],
    [{ _id: 1, a: 1, b: 2 }, { _id: 1 }, { _id: 1 }],
    [
      { _id: 1, a: 1, b: 2 },
      { a: 0, _id: 1 },
      { _id: 1, b: 2 },
    ],
    [{ _id: 1, a: { b: 1, c: 2 } }, { 'a.b': 1 }, { _id: 1, a: { b: 1 } }],
    [{ _id: 1, a: { b: 1, c: 2 } }, { a: { b: 1 } }, { _id: 1, a: { b: 1 } }],
    [
      { _id: 1, a: [{ b: 1, c: 2 }, 5, [{ b: 3 }]] },
      { 'a.b': 1 },
      { _id: 1, a: [{ b: 1 }, [{ b: 3 }]] },
    ],
    [{ _id: 1, a: 5 }, { 'a.b': 1 }, { _id: 1 }],
    [{ _id: 1, a: [{ b: 1, c: 2 }, 5] }, { 'a.b': 0 }, { _id: 1, a: [{ c: 2 }, 5] }],
    [{ _id: 1, a: [1, 2, 3], b: 1 }, { a: { $slice: 2 } }, { _id: 1, a: [1, 2], b: 1 }],
    [
      { _id: 1, a: [1, 2, 3], b: 1 },
      { a: { $slice: -1 }, b: 1 },
      { _id: 1, a: [3], b: 1 },
    ],
    [{ _id: 1, a: [1, 2, 3] }, { a: { $slice: [1, 1] } }, { _id: 1, a: [2] }],
    [
      { _id: 1, a: [{ x: 1 }, { x: 2 }], b: 1 },
      { a: { $elemMatch: { x: 2 } } },
      { _id: 1, a: [{ x: 2 }] },
    ],
    [{ _id: 1, a: [1], b: 1 }, { a: { $elemMatch: { $gt: 5 } } }, { _id: 1 }],
    [
      { _id: 1, a: 1 },
      { c: '$a', d: 'x' },
      { _id: 1, c: 1, d: 'x' },
    ],
    [
      { _id: 1, a: { b: 1, c: 3 }, z: 9 },
      { 'a.b': 1, 'a.n': '$z' },
      { _id: 1, a: { b: 1, n: 9 } },
    ],
  ];
  it.each(cases)('of %j by %j gives %j', (document, spec, expected) => {
    expect(project(document, spec)).toEqual(expected);
  });

  it('gives the element the query matched for the positional operator', () => {
    expect(project({ _id: 1, a: [1, 2, 3], b: 1 }, { 'a.$': 1 }, { a: { $gt: 1 } })).toEqual({
      _id: 1,
      a: [2],
    });
  });

  const errors: readonly (readonly [Plain, number])[] = [
    [{ a: 1, b: 0 }, 31254],
    [{ a: 0, b: 1 }, 31253],
    [{ a: 1, 'a.b': 1 }, 31249],
    [{ 'a.b': 1, a: 1 }, 31250],
    [{ 'a.$': 1, 'b.$': 1 }, 31276],
    [{ a: 0, b: '$c' }, 31252],
    [{ a: { $slice: 'x' } }, 28667],
    [{ a: {} }, 51270],
  ];
  it.each(errors)('%j is refused with code %i', (spec, code) => {
    expect(() => compileProjection(doc(spec), { compileExpression })).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
