import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseByteRange } from './byte-range.ts';

describe('parseByteRange', () => {
  it.each([
    ['bytes=0-3', 10, { first: 0, last: 3 }],
    ['bytes=5-', 10, { first: 5, last: 9 }],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=0-99', 10, { first: 0, last: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=3-2', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['lines=0-1', 10, undefined],
    ['bytes=-', 10, undefined],
  ] as const)('%s of %d bytes', (header, size, expected) => {
    expect(parseByteRange(header, size)).toEqual(expected);
  });

  it('never gives a byte that the file does not have', () => {
    const numbers = fc.oneof(fc.constant(''), fc.bigInt({ min: 0n, max: 10n ** 25n }).map(String));
    const headers = fc.oneof(
      fc.string(),
      fc.tuple(numbers, numbers).map(([from, to]) => `bytes=${from}-${to}`),
    );
    fc.assert(
      fc.property(headers, fc.nat(1000), (header, size) => {
        const range = parseByteRange(header, size);
        if (range === undefined || range === 'unsatisfiable') return;
        expect(range.first).toBeGreaterThanOrEqual(0);
        expect(range.first).toBeLessThanOrEqual(range.last);
        expect(range.last).toBeLessThan(size);
      }),
    );
  });
});
