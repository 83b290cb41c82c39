/** Collects the bytes of a key, escaped and inverted where the direction asks for it. */

import { createHash } from 'node:crypto';

/** Longer keys are cut here and end in a hash of the whole; LMDB takes keys up to 1,978 bytes. */
export const MAX_ORDERED_BYTES = 1800;
const HASH_BYTES = 16;

/** A buffer that grows, used again for one key after another. */
export class KeyWriter {
  #buffer = Buffer.allocUnsafe(4096);
  length = 0;

  reserve(bytes: number): Buffer {
    const needed = this.length + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.length);
      this.#buffer = grown;
    }
    return this.#buffer;
  }

  byte(value: number): void {
    const buffer = this.reserve(1);
    buffer[this.length++] = value;
  }

  bytes(source: Uint8Array): void {
    const buffer = this.reserve(source.length);
    buffer.set(source, this.length);
    this.length += source.length;
  }

  uint32(value: number): void {
    const buffer = this.reserve(4);
    this.length = buffer.writeUInt32BE(value >>> 0, this.length);
  }

  double(value: number): void {
    const buffer = this.reserve(8);
    this.length = buffer.writeDoubleBE(value, this.length);
  }

  /** UTF-8, whose bytes have the order of the code points; NUL is escaped so that it can end. */
  string(text: string): void {
    const buffer = this.reserve(text.length * 3 + 2);
    const start = this.length;
    let end = start;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit === 0 || unit > 127) {
        this.#longString(text);
        return;
      }
      buffer[end++] = unit;
    }
    this.length = end;
    this.#endString();
  }

  #longString(text: string): void {
    const buffer = this.reserve(text.length * 3);
    const start = this.length;
    const end = start + buffer.write(text, start, 'utf8');
    if (!buffer.subarray(start, end).includes(0)) {
      this.length = end;
    } else {
      for (const byte of Buffer.from(text, 'utf8')) {
        this.byte(byte);
        if (byte === 0) this.byte(0xff);
      }
    }
    this.#endString();
  }

  #endString(): void {
    const buffer = this.reserve(2);
    buffer[this.length++] = 0;
    buffer[this.length++] = 1;
  }

  invert(from: number): void {
    const buffer = this.reserve(0);
    for (let i = from; i < this.length; i++) buffer[i] = ~(buffer[i] as number);
  }

  copy(from = 0): Buffer {
    return Buffer.from(this.reserve(0).subarray(from, this.length));
  }

  /** The key, or where it is too long its beginning with a hash of all of it. */
  finish(): Buffer {
    if (this.length <= MAX_ORDERED_BYTES) return this.copy();
    const all = this.reserve(0).subarray(0, this.length);
    const hash = createHash('sha256').update(all).digest();
    return Buffer.concat([all.subarray(0, MAX_ORDERED_BYTES), hash.subarray(0, HASH_BYTES)]);
  }
}
