import type { Collator } from '../bson/compare.ts';

/** Letters that collations hold equal to others at some strength, beyond Unicode's decompositions. */
const EXPANSIONS: ReadonlyMap<string, string> = new Map([
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['ł', 'l'],
  ['þ', 'th'],
  ['ħ', 'h'],
  ['ı', 'i'],
  ['ŋ', 'n'],
  ['ŧ', 't'],
  ['ĸ', 'k'],
]);

const IGNORABLE = /[\p{M}\p{C}\p{P}\p{S}\p{Z}\s]+/gu;
const DIGIT = /\p{Nd}/gu;
const KATAKANA = /[\u30a1-\u30f6]/g;

function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  // the ten digits of a script follow each other
  while (code - zero < 9 && /^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String((code - zero) % 10);
}

/**
 * A text that all strings have in common which any collation may hold equal; others may have it
 * too. `Intl` gives no sort keys, so this stands for them in index keys: what a scan finds is
 * compared again with the collation itself.
 */
export function collationKey(text: string): string {
  // the frequent case needs none of the rules below
  if (/^[a-z]*$/.test(text)) return text;
  return text
    .normalize('NFKD')
    .replace(IGNORABLE, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(IGNORABLE, '')
    .replace(/[^\0-\x7f]/gu, (letter) => EXPANSIONS.get(letter) ?? letter)
    .replace(KATAKANA, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0x60))
    .replace(DIGIT, asciiDigit)
    .replace(/(?<!\d)0+(?=\d)/g, '');
}

/** A collator for index keys in the place of a query's. */
export function keyCollator(collator: Collator | undefined): Collator | undefined {
  if (collator === undefined) return undefined;
  return { compare: (a, b) => collator.compare(a, b), key: collationKey };
}
