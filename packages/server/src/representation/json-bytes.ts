/** JSON's small pieces as bytes: escapes, hexadecimal digits, numbers. Room for them is the caller's matter. */

/** 0: copied as it is; 1: `\u00xx`; 2: beyond ASCII; else the letter after the backslash. */
export const ESCAPE = new Uint8Array(256);
for (let code = 0; code < 256; code++) {
  if (code < 0x20 || code === 0x7f) ESCAPE[code] = 1;
  if (code >= 0x80) ESCAPE[code] = 2;
}
for (const [code, letter] of [
  [0x22, '"'],
  [0x5c, '\\'],
  [0x08, 'b'],
  [0x0c, 'f'],
  [0x0a, 'n'],
  [0x0d, 'r'],
  [0x09, 't'],
] as const) {
  ESCAPE[code] = letter.charCodeAt(0);
}

/** Two digits for each byte. */
export const HEX = new Uint8Array(512);
for (let byte = 0; byte < 256; byte++) {
  HEX.set(Buffer.from(byte.toString(16).padStart(2, '0')), byte * 2);
}

/** Writes text of single bytes; like all of these, gives the offset after it. */
export function putAscii(o: Uint8Array, start: number, text: string): number {
  const { length } = text;
  for (let index = 0; index < length; index++) o[start + index] = text.charCodeAt(index);
  return start + length;
}

/** Writes an int32. */
export function putInt32(o: Uint8Array, start: number, value: number): number {
  let q = start;
  if (value < 0) {
    o[q++] = 0x2d;
    return putDigits(o, q, -value);
  }
  if (value < 10) {
    o[q++] = 0x30 + value;
    return q;
  }
  return putDigits(o, q, value);
}

/** A whole number from 0 to 2⁵³. */
function putDigits(o: Uint8Array, start: number, value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  const end = start + digits;
  let q = end - 1;
  let rest = value;
  while (rest > 0x7fff_ffff) {
    const quotient = Math.floor(rest / 10);
    o[q--] = 0x30 + (rest - quotient * 10);
    rest = quotient;
  }
  for (let small = rest | 0; q >= start; q--) {
    const quotient = (small / 10) | 0;
    o[q] = 0x30 + (small - quotient * 10);
    small = quotient;
  }
  return end;
}

/** Writes an int64 from its halves. */
export function putInt64(o: Uint8Array, start: number, high: number, low: number): number {
  if (high >= -0x20_0000 && high < 0x20_0000) {
    const value = high * 0x1_0000_0000 + low;
    if (value >= 0) return putDigits(o, start, value);
    o[start] = 0x2d;
    return putDigits(o, start + 1, -value);
  }
  return putAscii(o, start, String(toInt64(high, low)));
}

/** An int64 from its halves; a bigint where a number is not exact. */
export function toInt64(high: number, low: number): bigint | number {
  if (high >= -0x20_0000 && high < 0x20_0000) return high * 0x1_0000_0000 + low;
  return (BigInt(high) << 32n) | BigInt(low);
}
