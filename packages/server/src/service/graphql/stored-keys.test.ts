import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import { escapeKeys, escapeUpdate, unescapeKeys } from './stored-keys.ts';

// `_$` at the start of a name and `::` within stand for `$` and a dot: they cannot be told apart
const name = fc
  .string({ maxLength: 6 })
  .filter((text) => !text.startsWith('_$') && !text.includes(':'));

const { document } = fc.letrec<{ value: BsonValue; document: BsonDocument }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.integer({ min: -5, max: 5 }),
    fc.array(tie('value'), { maxLength: 3 }),
    tie('document'),
  ),
  document: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 4 })
    .map((entries) => new Map(entries)),
}));

describe('stored names', () => {
  it('become what they were', () => {
    fc.assert(
      fc.property(document, (given) => {
        expect(unescapeKeys(escapeKeys(given))).toEqual(given);
      }),
    );
  });

  it('hold neither $ in front nor dots below the root', () => {
    const check = (value: BsonValue, isRoot: boolean): void => {
      if (Array.isArray(value)) for (const item of value) check(item, false);
      if (!(value instanceof Map)) return;
      for (const [key, member] of value) {
        expect(key.startsWith('$')).toBe(false);
        if (!isRoot) expect(key).not.toContain('.');
        check(member, false);
      }
    };
    fc.assert(fc.property(document, (given) => check(escapeKeys(given), true)));
  });

  it('leave operators and paths of an update as they are', () => {
    const update: BsonDocument = new Map<string, BsonValue>([
      ['$set', new Map([['a.b', new Map([['$arg', 'x']])]])],
      ['c.d', new Map([['e.f', 1]])],
    ]);
    expect(escapeUpdate(update)).toEqual(
      new Map<string, BsonValue>([
        ['$set', new Map([['a.b', new Map([['_$arg', 'x']])]])],
        ['c.d', new Map([['e::f', 1]])],
      ]),
    );
  });
});
