import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseByteRange } from './byte-range.ts';

describe('parseByteRange', () => {
  it.each([
    ['bytes=0-3', 10, { start: 0, end: 4 }],
    ['bytes=5-', 10, { start: 5, end: 10 }],
    ['bytes= -3', 10, { start: 7, end: 10 }],
    ['bytes=0-99', 10, { start: 0, end: 10 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=3-2', 10, undefined],
    ['bytes=0-1,3-4', 10, undefined],
    ['lines=0-1', 10, undefined],
    [undefined, 10, undefined],
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
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.start).toBeLessThan(range.end);
        expect(range.end).toBeLessThanOrEqual(size);
      }),
    );
  });
});
