/**
 * JSON string literals as the MongoDB Java driver's writer gives them: besides what RFC 8259 asks
 * for, it escapes marks, modifier letters, controls, format characters, unassigned code points and
 * everything beyond the basic plane (as two escaped surrogates).
 */

const NEEDS_ESCAPE = /["\\\p{C}\p{Mn}\p{Mc}\p{Lm}\p{Zl}\p{Zp}\u{10000}-\u{10FFFF}]/u;
const ESCAPED = /["\\\p{C}\p{Mn}\p{Mc}\p{Lm}\p{Zl}\p{Zp}\u{10000}-\u{10FFFF}]/gu;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};
const PLAIN_ASCII = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** Whether text has characters that a string literal has to escape. */
export function needsEscape(text: string): boolean {
  return NEEDS_ESCAPE.test(text);
}

/** The inside of a string literal. */
export function escapeText(text: string): string {
  if (PLAIN_ASCII.test(text) || !NEEDS_ESCAPE.test(text)) return text;
  return text.replace(ESCAPED, (character) => SHORT[character] ?? escapeUnits(character));
}

/** A string literal with its quotes. */
export function quoteText(text: string): string {
  return `"${escapeText(text)}"`;
}

function escapeUnits(character: string): string {
  let escaped = '';
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`;
  }
  return escaped;
}
