import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryDocument } from '../../test/support/arbitrary-values.ts';
import { doc, plain } from '../../test/support/ejson.ts';
import { valuesIdentical } from '../bson/compare.ts';
import { DateTime, type Document, ObjectId, Timestamp, type Value } from '../bson/value.ts';
import { compileFilter } from './filter.ts';
import { buildUpsertDocument } from './update/upsert.ts';
import { compileUpdate, diffDocuments, noChanges, type UpdateChanges } from './update.ts';

type Plain = Readonly<Record<string, unknown>>;

const clock = { now: new DateTime(1000), timestamp: new Timestamp({ t: 5, i: 6 }) };

function apply(
  document: Plain,
  update: Plain,
  options: { query?: Plain; arrayFilters?: readonly Plain[]; isInsert?: boolean } = {},
): unknown {
  const before = doc(document);
  const positions =
    options.query === undefined ? undefined : compileFilter(doc(options.query)).positions(before);
  const compiled = compileUpdate(doc(update), {
    arrayFilters: options.arrayFilters?.map((filter) => doc(filter)),
  });
  const copy = doc(document);
  const after = compiled.apply(before, { ...clock, positions, isInsert: options.isInsert });
  expect(valuesIdentical(before, copy)).toBe(true);
  return plain(after);
}

describe('an update', () => {
  const cases: readonly (readonly [Plain, Plain, Plain])[] = [
    [{ a: 1 }, { $set: { b: 2 } }, { a: 1, b: 2 }],
    [{ a: 1 }, { $set: { 'b.c.d': 2 } }, { a: 1, b: { c: { d: 2 } } }],
    [{ a: [1] }, { $set: { 'a.3': 2 } }, { a: [1, null, null, 2] }],
    [{ a: [1] }, { $set: { 'a.1': null } }, { a: [1, null] }],
    [{ a: [{ b: 1 }] }, { $set: { 'a.0.b': 2, 'a.1.c': 3 } }, { a: [{ b: 2 }, { c: 3 }] }],
    [{ a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 }],
    [{ a: [1, 2] }, { $unset: { 'a.0': 1 } }, { a: [null, 2] }],
    [{ a: 1 }, { $unset: { 'a.b.c': 1 } }, { a: 1 }],
    [{ a: 1 }, { $inc: { a: 2, b: 3 } }, { a: 3, b: 3 }],
    [{ a: 2 }, { $mul: { a: 3, b: 3 } }, { a: 6, b: 0 }],
    [{ a: 2, b: 5 }, { $min: { a: 1, b: 9, c: 4 } }, { a: 1, b: 5, c: 4 }],
    [{ a: 2, b: 5 }, { $max: { a: 1, b: 9 } }, { a: 2, b: 9 }],
    [{ a: 1, c: 1 }, { $rename: { a: 'b.x' } }, { c: 1, b: { x: 1 } }],
    [{ c: 1 }, { $rename: { a: 'b' } }, { c: 1 }],
    [{ a: 5 }, { $bit: { a: { and: 4, or: 2 } } }, { a: 6 }],
    [{ a: 1 }, { $setOnInsert: { b: 1 } }, { a: 1 }],
    [{ a: [1] }, { $push: { a: 2, b: 3 } }, { a: [1, 2], b: [3] }],
    [{ a: [3] }, { $push: { a: { $each: [1, 2], $sort: -1, $slice: 2 } } }, { a: [3, 2] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: 0 } } }, { a: [9, 1, 2] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 9, 2] }],
    [
      { a: [{ x: 2 }] },
      { $push: { a: { $each: [{ x: 1 }], $sort: { x: 1 } } } },
      { a: [{ x: 1 }, { x: 2 }] },
    ],
    [{ a: [1] }, { $push: { a: [2] } }, { a: [1, [2]] }],
    [{ a: [1] }, { $addToSet: { a: { $each: [1, 2, 2] } } }, { a: [1, 2] }],
    [{ a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] }],
    [{ a: [1, 2, 3] }, { $pop: { a: -1, zz: 1 } }, { a: [2, 3] }],
    [{ a: [1, 2, 3, 2] }, { $pull: { a: 2 } }, { a: [1, 3] }],
    [{ a: [1, 2, 3] }, { $pull: { a: { $gte: 2 } } }, { a: [1] }],
    [{ a: [{ b: 1, c: 1 }, { b: 2 }] }, { $pull: { a: { b: 1 } } }, { a: [{ b: 2 }] }],
    [{ a: ['x', 'y'] }, { $pull: { a: /x/ } }, { a: ['y'] }],
    [{ a: [1, 2, 1, 3] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    [{ a: [{ b: 1 }, { b: 2 }] }, { $inc: { 'a.$[].b': 1 } }, { a: [{ b: 2 }, { b: 3 }] }],
    [{ a: 1 }, { $set: { z: 1, b: 2, 10: 1, 9: 2 } }, { a: 1, 9: 2, 10: 1, b: 2, z: 1 }],
    [{ _id: 1, a: 1 }, { b: 2 }, { _id: 1, b: 2 }],
    [{ a: 1 }, { $set: {} }, { a: 1 }],
  ];
  it.each(cases)('of %j by %j gives %j', (document, update, expected) => {
    expect(apply(document, update)).toEqual(expected);
  });

  it('adds new fields in lexicographic, numbers in numeric order', () => {
    const after = compileUpdate(doc({ $set: { z: 1, 'm.10': 1, 'm.9': 1, b: 1 } })).apply(
      doc({ a: 1 }),
      clock,
    );
    expect([...after.keys()]).toEqual(['a', 'b', 'm', 'z']);
    expect([...(after.get('m') as Document).keys()]).toEqual(['9', '10']);
  });

  it('resolves the positional operators', () => {
    expect(apply({ a: [1, 2] }, { $set: { 'a.$': 9 } }, { query: { a: 2 } })).toEqual({
      a: [1, 9],
    });
    expect(
      apply(
        { a: [{ b: 1 }, { b: 5 }] },
        { $set: { 'a.$[e].c': 1 } },
        { arrayFilters: [{ 'e.b': { $gt: 3 } }] },
      ),
    ).toEqual({ a: [{ b: 1 }, { b: 5, c: 1 }] });
    expect(
      apply(
        { a: [{ b: [1, 2] }, { b: [2] }] },
        { $inc: { 'a.$[].b.$[x]': 10 } },
        { arrayFilters: [{ x: 2 }] },
      ),
    ).toEqual({ a: [{ b: [1, 12] }, { b: [12] }] });
  });

  it('gives the very same document back when nothing changes', () => {
    for (const update of [
      { $set: { a: 1 } },
      { $inc: { a: 0 } },
      { $unset: { x: 1 } },
      { $pull: { l: 9 } },
      { $addToSet: { l: 1 } },
      { $max: { a: 0 } },
      { _id: 1, a: 1, l: [1] },
    ]) {
      const before = doc({ _id: 1, a: 1, l: [1] });
      expect(compileUpdate(doc(update)).apply(before, clock)).toBe(before);
    }
  });

  it('takes the time from its context', () => {
    const after = compileUpdate(
      doc({ $currentDate: { a: true, b: { $type: 'timestamp' } } }),
    ).apply(new Map(), clock);
    expect(after.get('a')).toBe(clock.now);
    expect(after.get('b')).toBe(clock.timestamp);
  });

  const errors: readonly (readonly [Plain, Plain, number, string])[] = [
    [{}, { $foo: { a: 1 } }, 9, 'Unknown modifier: $foo. Expected a valid update modifier'],
    [{}, { $set: 1 }, 9, 'Modifiers operate on fields but we found type int instead.'],
    [{}, { $set: { a: 1 }, b: 2 }, 9, 'Unknown modifier: b.'],
    [{}, { b: 1, $set: { a: 1 } }, 52, "The dollar ($) prefixed field '$set'"],
    [
      {},
      { $set: { a: 1, 'a.b': 2 } },
      40,
      "Updating the path 'a.b' would create a conflict at 'a'",
    ],
    [
      {},
      { $set: { a: 1 }, $inc: { a: 2 } },
      40,
      "Updating the path 'a' would create a conflict at 'a'",
    ],
    [
      { _id: 1 },
      { $set: { _id: 2 } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [
      { _id: 1 },
      { _id: 2 },
      66,
      "the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
    [{ a: [1] }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: [ 1 ]}"],
    [
      { _id: 1, a: 'x' },
      { $inc: { a: 1 } },
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string",
    ],
    [{}, { $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}'],
    [
      { a: 1 },
      { $push: { a: 1 } },
      2,
      "The field 'a' must be an array but is of type int in document",
    ],
    [
      { a: 1 },
      { $addToSet: { a: 1 } },
      2,
      "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int",
    ],
    [{ a: 1 }, { $pull: { a: 1 } }, 2, 'Cannot apply $pull to a non-array value'],
    [{ a: 1 }, { $pop: { a: 1 } }, 14, "Path 'a' contains an element of non-array type 'int'"],
    [{}, { $pop: { a: 3 } }, 9, '$pop expects 1 or -1, found: 3'],
    [{}, { $rename: { a: 'a' } }, 2, 'The source and target field for $rename must differ'],
    [{}, { $set: { 'a..b': 1 } }, 56, "The update path 'a..b' contains an empty field name"],
    [
      { a: [1] },
      { $set: { 'a.$': 1 } },
      2,
      'The positional operator did not find the match needed from the query.',
    ],
    [
      { a: [1] },
      { $set: { 'a.$[x]': 1 } },
      2,
      "No array filter found for identifier 'x' in path 'a.$[x]'",
    ],
    [{ a: 1 }, { $set: { 'a.$[]': 1 } }, 2, 'Cannot apply array updates to non-array element a: 1'],
    [
      {},
      { $set: { 'a.$[]': 1 } },
      2,
      "The path 'a' must exist in the document in order to apply array updates.",
    ],
    [
      { a: 1.5 },
      { $bit: { a: { and: 1 } } },
      2,
      'Cannot apply $bit to a value of non-integral type',
    ],
  ];
  it.each(errors)('of %j by %j is refused with code %i: %s', (document, update, code, message) => {
    expect(() => apply(document, update)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it('refuses array filters that are wrong or unused', () => {
    const compile = (update: Plain, ...filters: Plain[]) =>
      compileUpdate(doc(update), { arrayFilters: filters.map((filter) => doc(filter)) });
    expect(() => compile({ $set: { a: 1 } }, { x: 1 })).toThrow(
      "The array filter for identifier 'x' was not used in the update { $set: { a: 1 } }",
    );
    expect(() => compile({ $set: { 'a.$[x]': 1 } }, { x: 1 }, { x: 2 })).toThrow(
      'Found multiple array filters with the same top-level field name x',
    );
    expect(() => compile({ $set: { 'a.$[x]': 1 } }, { x: 1, y: 2 })).toThrow(
      "Expected a single top-level field name, found 'x' and 'y'",
    );
  });
});

describe('an upsert', () => {
  function upsert(filter: Plain, update: Plain): Document {
    return buildUpsertDocument(compileFilter(doc(filter)), compileUpdate(doc(update)), clock);
  }

  it('starts from the equality conditions of the filter', () => {
    expect(
      plain(
        upsert({ _id: 1, 'a.b': 2, c: { $gt: 1 }, $and: [{ d: { $eq: 4 } }] }, { $set: { e: 5 } }),
      ),
    ).toEqual({ _id: 1, a: { b: 2 }, d: 4, e: 5 });
    expect(plain(upsert({ _id: 7, a: 1 }, { b: 2 }))).toEqual({ _id: 7, b: 2 });
    expect(plain(upsert({ _id: 7 }, { $setOnInsert: { b: 2 } }))).toEqual({ _id: 7, b: 2 });
  });

  it('makes an _id, in front, when there is none', () => {
    const made = upsert({ a: 1 }, { $set: { b: 1 } });
    expect([...made.keys()]).toEqual(['_id', 'a', 'b']);
    expect(made.get('_id')).toBeInstanceOf(ObjectId);
    expect([...upsert({ a: 1 }, { $set: { _id: 3 } }).keys()]).toEqual(['_id', 'a']);
    expect([...upsert({ c: 1, a: 1, b: 1 }, { $set: { d: 1 } }).keys()].join()).toBe('_id,a,b,c,d');
  });

  it('refuses contradictions', () => {
    expect(() => upsert({ a: 1, 'a.b': 2 }, { $set: { c: 1 } })).toThrow(
      expect.objectContaining({ code: 54 }),
    );
    expect(() => upsert({ _id: 1 }, { $set: { _id: 2 } })).toThrow(
      expect.objectContaining({ code: 66 }),
    );
  });
});

/** Applies an updateDescription the way a reader of change streams would. */
function applyChanges(before: Document, changes: UpdateChanges): Document {
  const after = structuredCopy(before) as Document;
  const at = (path: string) => {
    const parts = path.split('.');
    let container: Value = after;
    for (const part of parts.slice(0, -1)) {
      container = (
        container instanceof Map ? container.get(part) : (container as Value[])[Number(part)]
      ) as Value;
    }
    return { container, last: parts.at(-1) ?? '' };
  };
  for (const { field, newSize } of changes.truncatedArrays) {
    const { container, last } = at(field);
    const array =
      container instanceof Map ? container.get(last) : (container as Value[])[Number(last)];
    (array as Value[]).length = newSize;
  }
  for (const field of changes.removedFields) {
    const { container, last } = at(field);
    (container as Document).delete(last);
  }
  for (const [field, value] of changes.updatedFields) {
    const { container, last } = at(field);
    if (container instanceof Map) container.set(last, value);
    else (container as Value[])[Number(last)] = value;
  }
  return after;
}

function structuredCopy(value: Value): Value {
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [k, structuredCopy(v)]));
  return Array.isArray(value) ? value.map(structuredCopy) : value;
}

function sortedFields(value: Value): Value {
  if (value instanceof Map) {
    return new Map(
      [...value]
        .map(([k, v]): [string, Value] => [k, sortedFields(v)])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }
  return Array.isArray(value) ? value.map(sortedFields) : value;
}

describe('diffDocuments', () => {
  it('gives changes that turn the one document into the other', () => {
    const dotless = arbitraryDocument.filter(
      (document) => !JSON.stringify(namesOf(document)).includes('.'),
    );
    fc.assert(
      fc.property(dotless, dotless, (before, after) => {
        const result = applyChanges(before, diffDocuments(before, after));
        expect(valuesIdentical(sortedFields(result), sortedFields(after))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('reports nested fields, removals and shortened arrays by their paths', () => {
    const changes = diffDocuments(
      doc({ a: { b: 1, c: 2 }, l: [1, 2, 3], x: 1 }),
      doc({ a: { b: 5, c: 2 }, l: [1, 9], y: 1 }),
    );
    expect(plain(changes.updatedFields)).toEqual({ 'a.b': 5, 'l.1': 9, y: 1 });
    expect(changes.removedFields).toEqual(['x']);
    expect(changes.truncatedArrays).toEqual([{ field: 'l', newSize: 2 }]);
  });
});

function namesOf(value: Value): unknown {
  if (value instanceof Map) return [...value].map(([name, member]) => [name, namesOf(member)]);
  return Array.isArray(value) ? value.map(namesOf) : null;
}

describe('the changes an update reports', () => {
  it('are those of its operators', () => {
    const changes = noChanges();
    compileUpdate(
      doc({ $set: { 'a.b': 2, 'n.m': 1 }, $unset: { x: 1 }, $push: { l: 3 }, $inc: { k: 0 } }),
    ).apply(doc({ a: { b: 1 }, x: 1, l: [1], k: 1 }), { ...clock, changes });
    expect(plain(changes.updatedFields)).toEqual({ 'a.b': 2, 'l.1': 3, n: { m: 1 } });
    expect(changes.removedFields).toEqual(['x']);
  });
});
