import { describe, expect, it } from 'vitest';
import { type BsonDocument, type BsonValue, documentOf } from '../../model/bson.ts';
import { type Bindings, interpolate, interpolateStages } from './interpolate.ts';
import { lookUpPath } from './value-path.ts';

const bindings: Bindings = {
  args: documentOf({ a: 1, none: null, box: { w: 2 }, 'x.y': 'literal' }),
  parent: documentOf({ key: 'k', list: [{ n: 1 }, { m: 2 }, { n: 3 }] }),
  rootDocument: documentOf({ _id: 'root' }),
  user: documentOf({ tenant: 't' }),
};
const fill = (value: unknown, given: Partial<Bindings> = {}): BsonValue =>
  interpolate(documentOf({ value }).get('value') ?? null, { ...bindings, ...given });

describe('interpolate', () => {
  it.each([
    [{ $arg: 'a' }, 1],
    [{ $arg: 'none' }, null],
    [{ $arg: ['none', 5] }, null],
    [{ $arg: ['other', 5] }, 5],
    [{ $arg: ['other', { $fk: 'key' }] }, 'k'],
    [{ $arg: 'box.w' }, 2],
    [{ $arg: 'x.y' }, 'literal'],
    [{ $arg: 'rootDoc._id' }, 'root'],
    [{ $arg: '@user.tenant' }, 't'],
    [{ $fk: 'list.n' }, [1, null, 3]],
    [{ $fk: 'list.2.n' }, 3],
    [{ $fk: 'list.9.n' }, null],
    [[{ x: { $arg: 'a' } }], [documentOf({ x: 1 })]],
  ])('replaces %j', (value, expected) => {
    expect(fill(value)).toEqual(expected);
  });

  it('leaves an operator beside other names alone', () => {
    expect(fill({ $arg: 'a', b: 1 })).toEqual(documentOf({ $arg: 'a', b: 1 }));
  });

  it('does not look into what it put in', () => {
    const args = documentOf({ a: { $fk: 'key' } });
    expect(fill({ $arg: 'a' }, { args })).toEqual(documentOf({ $fk: 'key' }));
  });

  it.each([
    [{ $arg: 'other' }, 'variable other not bound'],
    [{ $arg: 'box.h' }, 'variable box.h not bound'],
    [{ $arg: 5 }, '$arg must be a name'],
    [{ $fk: 5 }, '$fk must be the path of a field'],
  ])('refuses %j', (value, message) => {
    expect(() => fill(value)).toThrow(message);
  });

  it('knows no root document on fields of Query, and no account in queries', () => {
    expect(() => fill({ $arg: 'rootDoc' }, { rootDocument: undefined })).toThrow('not bound');
    expect(() => fill({ $arg: '@user' }, { user: undefined })).toThrow('not bound');
    expect(fill({ $arg: '@user' }, { user: null })).toBeNull();
    expect(() => fill({ $arg: '@user.tenant' }, { user: null })).toThrow('not bound');
  });
});

describe('interpolateStages', () => {
  const stages = (clause: unknown): BsonDocument[] =>
    interpolateStages([documentOf({ $ifarg: clause })], bindings);

  it('keeps, replaces or leaves out optional stages', () => {
    expect(stages(['a', { $limit: { $arg: 'a' } }])).toEqual([documentOf({ $limit: 1 })]);
    expect(stages([['a', 'other'], { $limit: 1 }])).toEqual([]);
    expect(stages([['a', 'other'], { $limit: 1 }, { $limit: 2 }])).toEqual([
      documentOf({ $limit: 2 }),
    ]);
    expect(() => stages('a')).toThrow('$ifarg');
  });
});

describe('lookUpPath', () => {
  it('has nothing below what is no document', () => {
    expect(lookUpPath('text', 'a')).toBeUndefined();
    expect(lookUpPath(undefined, 'a')).toBeUndefined();
  });
});
