import { describe, expect, it } from 'vitest';
import { doc } from '../../test/support/ejson.ts';
import { BsonUndefined, MaxKey, MinKey, toDocument } from '../bson/value.ts';
import { compileFilter } from './filter.ts';

type Plain = Readonly<Record<string, unknown>>;

function matches(filter: Plain, document: Plain): boolean {
  return compileFilter(doc(filter)).matches(doc(document));
}

describe('a query', () => {
  const yes: readonly (readonly [Plain, Plain])[] = [
    [{}, { a: 1 }],
    [{ a: 1 }, { a: 1 }],
    [{ a: 1 }, { a: [3, 1] }],
    [{ a: [1, 2] }, { a: [1, 2] }],
    [{ a: [1, 2] }, { a: [[1, 2], 3] }],
    [{ 'a.b': 1 }, { a: [{ b: 2 }, { b: 1 }] }],
    [{ 'a.0': 1 }, { a: [1, 2] }],
    [{ 'a.1.b': 1 }, { a: [5, { b: 1 }] }],
    [{ 'a.b.c': 1 }, { a: [{ b: [{ c: 1 }] }] }],
    [{ a: null }, {}],
    [{ a: null }, { a: null }],
    [{ 'a.b': null }, { a: 4 }],
    [{ 'a.b': null }, { a: [{}] }],
    [{ a: { $ne: 1 } }, {}],
    [{ a: { $gte: null } }, {}],
    [{ a: { $gt: 1, $lt: 3 } }, { a: 2 }],
    [{ a: { $gt: 4, $lt: 3 } }, { a: [2, 5] }],
    [{ a: { $in: [1, /^x/] } }, { a: 'xyz' }],
    [{ a: { $in: [null] } }, {}],
    [{ a: { $nin: [1] } }, { a: [2] }],
    [{ $or: [{ a: 1 }, { b: 2 }] }, { b: 2 }],
    [{ $nor: [{ a: 1 }, { b: 2 }] }, { b: 3 }],
    [{ a: { $not: { $gt: 5 } } }, {}],
    [{ a: { $not: /x/ } }, { a: 'y' }],
    [{ a: { $exists: true } }, { a: [] }],
    [{ 'a.b': { $exists: false } }, { a: [1] }],
    [{ a: { $type: 'number' } }, { a: ['x', 1.5] }],
    [{ a: { $type: 'array' } }, { a: [] }],
    [{ a: { $type: [2, 'null'] } }, { a: null }],
    [{ a: { $mod: [4, 1] } }, { a: 5.7 }],
    [{ a: { $regex: 'AB', $options: 'i' } }, { a: 'xaby' }],
    [{ a: { $all: [1, 2] } }, { a: [2, 1, 0] }],
    [{ a: { $all: [[1, 2]] } }, { a: [1, 2] }],
    [
      { a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { b: 2 } }] } },
      { a: [{ b: 1 }, { b: 2 }] },
    ],
    [{ a: { $elemMatch: { $gt: 1, $lt: 3 } } }, { a: [0, 2] }],
    [{ a: { $elemMatch: { b: 1, c: 2 } } }, { a: [{ b: 1 }, { b: 1, c: 2 }] }],
    [{ a: { $elemMatch: { $or: [{ b: 1 }, { b: 2 }] } } }, { a: [{ b: 2 }] }],
    [{ a: { $elemMatch: { 0: 1 } } }, { a: [[1]] }],
    [{ a: { $size: 2 } }, { a: [1, [2]] }],
    [{ a: { $bitsAllSet: [0, 2] } }, { a: 5 }],
    [{ a: { $bitsAnyClear: 6 } }, { a: 4 }],
    [{ a: { $bitsAllSet: [70] } }, { a: -1 }],
    [{ a: { $bitsAllClear: [1] } }, { a: 5 }],
    [{ a: { b: 1, $gt: 2 } }, { a: { b: 1, $gt: 2 } }],
    [{ a: { $eq: { b: 1 } } }, { a: { b: 1 } }],
    [{ $comment: 'x', a: 1 }, { a: 1 }],
    [{ $alwaysTrue: 1 }, {}],
    [{ a: Number.NaN }, { a: Number.NaN }],
    [{ a: { $lt: 'b' } }, { a: 'a' }],
    [{ a: { $gte: { b: 1 } } }, { a: { b: 2 } }],
  ];
  it.each(yes)('%j matches %j', (filter, document) => {
    expect(matches(filter, document)).toBe(true);
  });

  const no: readonly (readonly [Plain, Plain])[] = [
    [{ a: 1 }, { a: '1' }],
    [{ a: { b: 1, c: 2 } }, { a: { c: 2, b: 1 } }],
    [{ 'a.b': null }, { a: [] }],
    [{ 'a.b': null }, { a: [1, 2] }],
    [{ 'a.1': 2 }, { a: [5, [2, 4]] }],
    [{ a: { $ne: 1 } }, { a: [1, 2] }],
    [{ a: { $gt: 1 } }, { a: 'z' }],
    [{ a: { $gt: null } }, { a: 1 }],
    [{ a: { $in: [] } }, {}],
    [{ a: { $nin: [1, null] } }, {}],
    [{ a: { $exists: true } }, {}],
    [{ a: { $type: 'undefined' } }, {}],
    [{ a: { $mod: [2, 1] } }, { a: 'x' }],
    [{ a: { $all: [] } }, { a: [] }],
    [{ a: { $elemMatch: { $gt: 1 } } }, { a: 5 }],
    [{ a: { $elemMatch: { b: 1, c: 2 } } }, { a: [{ b: 1 }, { c: 2 }] }],
    [{ a: { $size: 1 } }, { a: 1 }],
    [{ a: { $lt: 3 } }, { a: Number.NaN }],
    [{ a: { $gte: Number.NaN } }, { a: 3 }],
    [{ a: { $bitsAllSet: 1 } }, { a: 1.5 }],
    [{ $alwaysFalse: 1 }, {}],
  ];
  it.each(no)('%j does not match %j', (filter, document) => {
    expect(matches(filter, document)).toBe(false);
  });

  const errors: readonly (readonly [Plain, number, string])[] = [
    [{ $foo: 1 }, 2, 'unknown top level operator: $foo'],
    [{ a: { $foo: 1 } }, 2, 'unknown operator: $foo'],
    [{ $or: [] }, 2, '$and/$or/$nor must be a nonempty array'],
    [{ $or: 1 }, 2, '$or must be an array'],
    [{ $and: [1] }, 2, '$or/$and/$nor entries need to be full objects'],
    [{ a: { $in: 1 } }, 2, '$in needs an array'],
    [{ a: { $not: {} } }, 2, '$not cannot be empty'],
    [
      { a: { $size: -1 } },
      9,
      'Failed to parse $size. Expected a non-negative number in: $size: -1',
    ],
    [{ a: { $mod: [0, 1] } }, 2, 'divisor cannot be 0'],
    [{ a: { $type: 'foo' } }, 2, 'Unknown type name alias: foo'],
    [{ a: { $regex: '[' } }, 51091, 'Regular expression is invalid'],
    [{ a: { $regex: 'a', $options: 'q' } }, 51108, 'invalid flag in regex options: q'],
    [{ a: { $ne: /a/ } }, 2, "Can't have regex as arg to $ne."],
    [{ $where: 'true' }, 2, '$where'],
  ];
  it.each(errors)('%j is refused with code %i: %s', (filter, code, message) => {
    expect(() => compileFilter(doc(filter))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('holds BSON undefined apart from null, as MongoDB does since 8.0', () => {
    const stored = toDocument({ a: BsonUndefined.instance });
    expect(compileFilter(doc({ a: null })).matches(stored)).toBe(false);
    expect(compileFilter(doc({ a: { $exists: true } })).matches(stored)).toBe(true);
  });

  it('compares across types with MinKey and MaxKey only', () => {
    const above = compileFilter(toDocument({ a: toDocument({ $gt: new MinKey() }) }));
    const below = compileFilter(toDocument({ a: toDocument({ $lt: new MaxKey() }) }));
    for (const value of [1, 'x', [1], { b: 1 }]) {
      expect(above.matches(doc({ a: value }))).toBe(true);
      expect(below.matches(doc({ a: value }))).toBe(true);
    }
  });

  it('knows the array place a match came from', () => {
    const place = (filter: Plain, document: Plain) =>
      compileFilter(doc(filter)).positions(doc(document))?.get('$');
    expect(place({ a: 2 }, { a: [1, 2] })).toBe(1);
    expect(place({ 'a.b': { $gt: 1 } }, { a: [{ b: 1 }, { b: 1 }, { b: 2 }] })).toBe(2);
    expect(place({ a: { $elemMatch: { b: 2 } } }, { a: [{ b: 1 }, { b: 2 }] })).toBe(1);
    expect(place({ a: 2, b: 1 }, { a: 2, b: 1 })).toBeUndefined();
  });
});
