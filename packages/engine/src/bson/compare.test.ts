import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryNumber, arbitraryValue } from '../../test/support/arbitrary-values.ts';
import { compareStrings, compareValues, hashableKey, valuesEqual } from './compare.ts';
import {
  BsonUndefined,
  Decimal128,
  MaxKey,
  MinKey,
  toDocument,
  toDouble,
  type Value,
} from './value.ts';

describe('compareValues', () => {
  it('is a total order', () => {
    fc.assert(
      fc.property(arbitraryValue, arbitraryValue, arbitraryValue, (a, b, c) => {
        expect(compareValues(a, a)).toBe(0);
        expect(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a))).toBe(0);
        if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) {
          expect(compareValues(a, c)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('orders numbers of all types in one line', () => {
    fc.assert(
      fc.property(arbitraryNumber, arbitraryNumber, arbitraryNumber, (a, b, c) => {
        expect(Math.sign(compareValues(a, b)) + Math.sign(compareValues(b, a))).toBe(0);
        if (compareValues(a, b) <= 0 && compareValues(b, c) <= 0) {
          expect(compareValues(a, c)).toBeLessThanOrEqual(0);
        }
        expect(hashableKey(a) === hashableKey(b)).toBe(compareValues(a, b) === 0);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives equal values, and no others, the same key', () => {
    fc.assert(
      fc.property(arbitraryValue, arbitraryValue, (a, b) => {
        expect(hashableKey(a) === hashableKey(b)).toBe(valuesEqual(a, b));
      }),
      { numRuns: 500 },
    );
  });

  it('puts the types in the order of the manual', () => {
    const values: (Value | undefined)[] = [
      new MinKey(),
      undefined,
      null,
      1,
      'a',
      toDocument({ a: 1 }),
      [1],
      true,
      new MaxKey(),
    ];
    for (let i = 1; i < values.length; i++) {
      expect(compareValues(values[i - 1], values[i])).toBe(-1);
    }
    expect(compareValues(undefined, BsonUndefined.instance)).toBe(0);
  });

  it('compares a double with a decimal by their exact values', () => {
    expect(valuesEqual(toDouble(1), Decimal128.fromString('1.00'))).toBe(true);
    expect(compareValues(0.1, Decimal128.fromString('0.1'))).toBe(1);
    expect(compareValues(9007199254740993n, 9007199254740992)).toBe(1);
    expect(compareValues(Number.NaN, Decimal128.fromString('-Infinity'))).toBe(-1);
    expect(compareValues(Number.NaN, Decimal128.fromString('NaN'))).toBe(0);
  });

  it('orders strings by code point', () => {
    expect(compareStrings('\u{ffff}', '\u{1f600}')).toBe(-1);
    expect(compareStrings('a', 'ab')).toBe(-1);
  });
});
