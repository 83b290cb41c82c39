import type { Table } from './store.ts';

/** A Buffer over the same memory. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A key as a string that can be a Map's key; one character per byte, in the order of the bytes. */
export function keyText(key: Uint8Array): string {
  return toBuffer(key).toString('latin1');
}

/** A key with its table as one string. */
export function tableKeyText(table: Table, key: Uint8Array): string {
  return `${table}:${keyText(key)}`;
}

/** The least key that is greater than all keys that start with `prefix`; undefined if none is. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  for (let i = prefix.length - 1; i >= 0; i--) {
    const byte = prefix[i] as number;
    if (byte < 0xff) {
      const end = Buffer.from(prefix.subarray(0, i + 1));
      end[i] = byte + 1;
      return end;
    }
  }
  return undefined;
}
