import { describe, expect, it } from 'vitest';
import { compileRegex, literalPrefix } from './regex.ts';

describe('compileRegex', () => {
  it.each([
    ['^a.c$', '', 'abc', true],
    ['^a.c$', '', 'a\nc', false],
    ['^a.c$', 's', 'a\nc', true],
    ['c$', '', 'abc\n', true],
    ['^b', 'm', 'a\nb', true],
    ['^b', '', 'a\nb', false],
    ['(?i)ABC', '', 'xabc', true],
    ['a b # comment', 'x', 'ab', true],
    ['[[:digit:]]+', '', 'x7', true],
    ['\\Aab\\z', '', 'ab', true],
    ['(?P<n>a)\\k<n>', '', 'aa', true],
    ['\\Qa.b\\E', '', 'a.b', true],
    ['\\Qa.b\\E', '', 'axb', false],
    ['a\\-b\\_c', '', 'a-b_c', true],
    ['^\\x{1F600}$', '', '\u{1f600}', true],
    ['é', 'i', 'É', true],
    ['^.$', '', '\u{1f600}', true],
    ['a/b', '', 'a/b', true],
    ['^[\\w.-]+$', '', 'a-b.c', true],
    ['\\.', '', '.', true],
  ])('%s with flags "%s" on %j gives %s', (pattern, options, text, expected) => {
    expect(compileRegex(pattern, options).test(text)).toBe(expected);
  });

  it.each([
    ['^abc', '', { prefix: 'abc', exact: true }],
    ['^abc.*', '', { prefix: 'abc', exact: true }],
    ['^ab?c', '', { prefix: 'a', exact: false }],
    ['^ab+', '', { prefix: 'ab', exact: false }],
    ['^a\\.b', '', { prefix: 'a.b', exact: true }],
    ['^a|b', '', undefined],
    ['^abc', 'i', undefined],
    ['abc', '', undefined],
  ])('finds the literal start of %s with flags "%s"', (pattern, options, expected) => {
    expect(literalPrefix(compileRegex(pattern, options))).toEqual(expected);
  });
});
