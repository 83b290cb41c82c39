import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countParameters, decodeEscapes, decodeQueryText, parseQuery } from './query-string.ts';

describe('parseQuery', () => {
  it('decodes plus and escapes as a space', () => {
    expect(parseQuery('a=x+y%20z').get('a')).toBe('x y z');
  });

  it('keeps every value of a repeated name in order', () => {
    const query = parseQuery('keys=1&page=2&keys=3');
    expect(query.getAll('keys')).toEqual(['1', '3']);
    expect(query.get('keys')).toBe('1');
    expect(query.names()).toEqual(['keys', 'page']);
  });

  it('reads a name without a value as the empty string', () => {
    const query = parseQuery('np&count=');
    expect(query.get('np')).toBe('');
    expect(query.get('count')).toBe('');
    expect(query.get('page')).toBeUndefined();
  });

  it('splits at the first equals sign only', () => {
    expect(parseQuery('filter={"a":"b=c"}').get('filter')).toBe('{"a":"b=c"}');
  });

  it('leaves malformed escapes as they were sent', () => {
    expect(parseQuery('a=100%&b=%zz&c=%E4%&d=%').get('a')).toBe('100%');
    expect(decodeQueryText('%zz%41')).toBe('%zzA');
  });

  it('reads unescaped UTF-8 bytes, which Node hands over as latin1', () => {
    expect(decodeQueryText(Buffer.from('città').toString('latin1'))).toBe('città');
  });

  it('has no inherited names', () => {
    expect(parseQuery('a=1').get('__proto__')).toBeUndefined();
    expect(parseQuery('__proto__=1').get('__proto__')).toBe('1');
  });

  it('gives back what URLSearchParams wrote', () => {
    const pairs = fc.array(fc.tuple(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string()));
    fc.assert(
      fc.property(pairs, (written) => {
        const query = parseQuery(new URLSearchParams(written).toString());
        for (const [name] of written) {
          const values = written.filter((pair) => pair[0] === name).map((pair) => pair[1]);
          expect(query.getAll(name)).toEqual(values);
        }
        expect(query.size).toBe(written.length);
      }),
    );
  });

  it('never throws, and never has more parameters than were counted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parseQuery(text).size).toBeLessThanOrEqual(countParameters(text));
      }),
    );
  });
});

describe('decodeEscapes', () => {
  it('keeps a plus sign, as paths want it', () => {
    expect(decodeEscapes('a+b%20c')).toBe('a+b c');
  });
});
