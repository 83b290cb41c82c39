import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptsCompression, chooseCoding } from './accept-encoding.ts';

describe('chooseCoding', () => {
  it.each([
    [undefined, 'none'],
    ['', 'none'],
    ['gzip', 'gzip'],
    ['deflate', 'deflate'],
    ['deflate, gzip', 'gzip'],
    ['gzip;q=0.5, deflate;q=0.8', 'deflate'],
    ['gzip;q=0, deflate', 'deflate'],
    ['gzip;q=0', 'none'],
    ['identity', 'identity'],
    ['*', 'identity'],
    ['gzip;q=0, *', 'identity'],
    ['br', 'none'],
    ['br, gzip;q=0.1', 'gzip'],
    ['GZIP', 'gzip'],
    ['gzip; q=0.5, identity', 'identity'],
    ['identity;q=0', 'none'],
    ['gzip;q=abc', 'gzip'],
  ])('answers %s with %s', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });

  it('chooses nothing that was not named with a quality above zero', () => {
    const item = fc.tuple(
      fc.constantFrom('gzip', 'deflate', 'identity', '*', 'br'),
      fc.constantFrom('', ';q=0', ';q=0.3', ';q=1', '; Q=0.7'),
    );
    fc.assert(
      fc.property(fc.uniqueArray(item, { selector: (pair) => pair[0] }), (items) => {
        const chosen = chooseCoding(items.map((pair) => pair.join('')).join(', '));
        const names = chosen === 'identity' ? ['identity', '*'] : [chosen];
        const isNamed = items.some(([name, q]) => names.includes(name) && q !== ';q=0');
        expect(chosen === 'none' || isNamed).toBe(true);
      }),
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        chooseCoding(header);
        acceptsCompression(header);
      }),
    );
  });
});
