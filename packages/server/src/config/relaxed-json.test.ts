import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRelaxedJson } from './relaxed-json.ts';

describe('parseRelaxedJson', () => {
  it.each([
    [`'it"s'`, 'it"s'],
    [`'it\\'s'`, "it's"],
    [`"a\\u0041\\n"`, 'aA\n'],
    [`{a: 1, 'b': [true, null]}`, { a: 1, b: [true, null] }],
    [`"a\\\\'b"`, "a\\'b"],
    [`{"a\\\\": 1, 'b\\\\': 2}`, { 'a\\': 1, 'b\\': 2 }],
    ['1_000', 1000],
    ['-2.5e3', -2500],
    [`{"$numberLong": "7"}`, 7],
    ['[]', []],
  ])('reads %s', (text, value) => {
    expect(parseRelaxedJson(text)).toEqual(value);
  });

  it.each(['', '{', '[1', '"a', 'yes', '1 2', '{a}', "'\\x'", `${'['.repeat(200)}`])(
    'refuses %s',
    (text) => {
      expect(() => parseRelaxedJson(text)).toThrow(SyntaxError);
    },
  );

  it('agrees with JSON.parse on JSON', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4, noUnicodeString: false }), (text) => {
        expect(JSON.stringify(parseRelaxedJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });
});
