import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareValues, hashableKey } from '../bson/compare.ts';
import { DateTime, type Document, Double, type Value } from '../bson/value.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { compilePipeline } from './pipeline.ts';
import { toValue } from './plain-value.ts';
import { TopEntries } from './top-entries.ts';

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.integer({ min: -5, max: 5 }).map((n) => BigInt(n)),
  fc.integer({ min: -5, max: 5 }).map((n) => new Double(n)),
  fc.constantFrom('', 'a', 'b', null, true),
);
const document: fc.Arbitrary<Document> = fc
  .record({ a: fc.oneof(scalar, fc.array(scalar, { maxLength: 3 })), b: scalar })
  .map(
    ({ a, b }) =>
      new Map<string, Value>([
        ['a', a],
        ['b', b],
      ]),
  );
const documents = fc.array(document, { maxLength: 30 });

function run(stages: readonly object[], input: readonly Document[]): Document[] {
  const pipeline = compilePipeline(stages.map(toValue), {
    database: 'test',
    collection: 'c',
    now: new DateTime(0),
    find: () => [],
  });
  const withPauses = input.flatMap((item): (Document | Pause)[] => [PAUSE, item]);
  return [...pipeline.run(withPauses)].filter((item): item is Document => item !== PAUSE);
}

describe('pipelines of any documents', () => {
  it('keep as first documents what sorting all gives first', () => {
    fc.assert(
      fc.property(documents, fc.nat(5), fc.integer({ min: 1, max: 8 }), (input, skip, limit) => {
        const sorted = run([{ $sort: { a: 1, b: -1 } }], input);
        const first = run([{ $sort: { a: 1, b: -1 } }, { $skip: skip }, { $limit: limit }], input);
        expect(first).toEqual(sorted.slice(skip, skip + limit));
      }),
    );
  });

  it('group each document once, under the key it equals', () => {
    fc.assert(
      fc.property(documents, (input) => {
        const groups = run([{ $group: { _id: '$b', all: { $push: '$$ROOT' } } }], input);
        const keys = groups.map((group) => hashableKey(group.get('_id')));
        expect(new Set(keys).size).toBe(keys.length);
        for (const group of groups) {
          for (const member of group.get('all') as Document[]) {
            expect(compareValues(member.get('b'), group.get('_id'))).toBe(0);
          }
        }
        expect(groups.flatMap((group) => group.get('all') as Document[])).toHaveLength(
          input.length,
        );
      }),
    );
  });

  it('filter the same before and after a stage that leaves the field alone', () => {
    fc.assert(
      fc.property(documents, scalar, (input, value) => {
        const match = { $match: { b: { $gte: value } } };
        const add = { $addFields: { c: { $ifNull: ['$b', 0] } } };
        expect(run([add, match], input)).toEqual(run([match, add], input));
      }),
    );
  });
});

describe('TopEntries', () => {
  it('holds the least of all entries in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 10 }), (numbers, size) => {
        const top = new TopEntries<number>(size, (a, b) => a - b);
        for (const number of numbers) top.add(number);
        expect(top.sorted()).toEqual(numbers.toSorted((a, b) => a - b).slice(0, size));
      }),
    );
  });
});
