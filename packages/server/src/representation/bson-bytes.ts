/** BSON's small pieces from bytes. */

/** The int32 at an offset. */
export function readInt32(src: Uint8Array, p: number): number {
  return (
    (src[p] as number) |
    ((src[p + 1] as number) << 8) |
    ((src[p + 2] as number) << 16) |
    ((src[p + 3] as number) << 24)
  );
}

/** BSON that contradicts itself; never what MongoDB stores, so nothing but memory safety matters. */
export function damaged(): RangeError {
  return new RangeError('Damaged BSON');
}

/** Part of the bytes, not copied. */
export function view(src: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(src.buffer, src.byteOffset + start, end - start);
}

/** The string whose length stands at an offset. */
export function readString(src: Uint8Array, start: number): string {
  const length = readInt32(src, start);
  if (length < 1 || start + 4 + length > src.length) throw damaged();
  return view(src, start + 4, start + 3 + readInt32(src, start)).toString('utf8');
}

/** Where the text that begins at an offset has its NUL. */
export function endOfCstring(src: Uint8Array, start: number): number {
  let end = start;
  while (src[end] !== 0) if (end++ > src.length) throw damaged();
  return end;
}
