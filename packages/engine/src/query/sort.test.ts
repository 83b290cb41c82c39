import { describe, expect, it } from 'vitest';
import { doc, plain } from '../../test/support/ejson.ts';
import { parseCollation } from './collation.ts';
import { compileSort, parseSort } from './sort.ts';

type Plain = Readonly<Record<string, unknown>>;

function sorted(documents: readonly Plain[], spec: Plain, collation?: Plain): unknown {
  const compare = compileSort(
    doc(spec),
    collation === undefined ? undefined : parseCollation(doc(collation)),
  );
  return documents
    .map((document) => doc(document))
    .sort(compare)
    .map(plain);
}

describe('a sort', () => {
  it('orders by several fields', () => {
    expect(
      sorted(
        [
          { a: 2, b: 1 },
          { a: 1, b: 1 },
          { a: 1, b: 2 },
        ],
        { a: 1, b: -1 },
      ),
    ).toEqual([
      { a: 1, b: 2 },
      { a: 1, b: 1 },
      { a: 2, b: 1 },
    ]);
  });

  it('takes the least element of an array upwards and the greatest downwards', () => {
    expect(sorted([{ a: [5, 9] }, { a: 7 }], { a: 1 })).toEqual([{ a: [5, 9] }, { a: 7 }]);
    expect(sorted([{ a: 7 }, { a: [5, 9] }], { a: -1 })).toEqual([{ a: [5, 9] }, { a: 7 }]);
    expect(sorted([{ a: [{ b: 3 }, { b: 1 }] }, { a: { b: 2 } }], { 'a.b': 1 })).toEqual([
      { a: [{ b: 3 }, { b: 1 }] },
      { a: { b: 2 } },
    ]);
  });

  it('takes missing for null and puts an empty array below both', () => {
    expect(sorted([{ a: 1 }, { b: 1 }, { a: [] }, { a: null }], { a: 1 })).toEqual([
      { a: [] },
      { b: 1 },
      { a: null },
      { a: 1 },
    ]);
  });

  it('picks the best pair of compound keys in one array', () => {
    const documents = [
      {
        id: 1,
        a: [
          { b: 1, c: 5 },
          { b: 1, c: 2 },
        ],
      },
      { id: 2, a: { b: 1, c: 4 } },
    ];
    expect(sorted(documents, { 'a.b': 1, 'a.c': 1 })).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect(sorted(documents, { 'a.b': 1, 'a.c': -1 })).toMatchObject([{ id: 1 }, { id: 2 }]);
  });

  it('refuses parallel arrays and bad specifications', () => {
    expect(() => sorted([{ a: [1], b: [2] }, { a: 1 }], { a: 1, b: 1 })).toThrow('parallel arrays');
    expect(() => parseSort(doc({ a: 2 }))).toThrow(expect.objectContaining({ code: 15975 }));
    expect(() => parseSort(doc({ a: 'x' }))).toThrow(expect.objectContaining({ code: 15974 }));
  });

  it('follows a collation', () => {
    const names = [{ n: 'b' }, { n: 'C' }, { n: 'a' }];
    expect(sorted(names, { n: 1 })).toEqual([{ n: 'C' }, { n: 'a' }, { n: 'b' }]);
    expect(sorted(names, { n: 1 }, { locale: 'en' })).toEqual([{ n: 'a' }, { n: 'b' }, { n: 'C' }]);
    expect(
      sorted([{ n: 'a10' }, { n: 'a9' }], { n: 1 }, { locale: 'en', numericOrdering: true }),
    ).toEqual([{ n: 'a9' }, { n: 'a10' }]);
  });
});

describe('a collation', () => {
  it('gives equal strings the same key', () => {
    const collation = parseCollation(doc({ locale: 'en', strength: 1 }));
    expect(collation?.compare('Résumé', 'resume')).toBe(0);
    expect(collation?.key('Résumé')).toBe(collation?.key('resume'));
    expect(collation?.key('a')).not.toBe(collation?.key('b'));
  });

  it('is none for the simple locale and refused for an unknown one', () => {
    expect(parseCollation(doc({ locale: 'simple' }))).toBeUndefined();
    expect(() => parseCollation(doc({ locale: 'xx' }))).toThrow("Field 'locale' is invalid");
    expect(() => parseCollation(doc({ strength: 1 }))).toThrow("'collation.locale' is missing");
  });
});
