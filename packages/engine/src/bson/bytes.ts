/** The smallest pieces of BSON: names, strings, numbers and ids, read from bytes at speed. */
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { ObjectId } from './value.ts';

/** Strings up to this (with NUL) are read byte by byte, which beats the call into native code. */
const SHORT_STRING = 9;

/** Node's own string readers: twice as fast as `toString` on short strings, and not in its types. */
export interface NativeBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

export function invalid(message: string): MongoCommandError {
  return new MongoCommandError('InvalidBSON', message);
}

/** The same memory as a Buffer, for its native readers and writers. */
export function asBuffer(bytes: Uint8Array): NativeBuffer {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer as NativeBuffer;
}

// Eight bytes copied one by one and read as a number beat Buffer's readers by three to one.
export const scratchBytes = new Uint8Array(8);
export const scratchDouble = new Float64Array(scratchBytes.buffer);
export const scratchInt64 = new BigInt64Array(scratchBytes.buffer);

export function fillScratch(buffer: Buffer, at: number): void {
  for (let i = 0; i < 8; i++) scratchBytes[i] = buffer[at + i] as number;
}

export function readInt64(buffer: Buffer, at: number): bigint {
  fillScratch(buffer, at);
  return scratchInt64[0] as bigint;
}

/** The library reads and writes ids at an offset, but not in its types; checked here once. */
const ObjectIdAt = ObjectId as unknown as new (bytes: Uint8Array, offset: number) => ObjectId;
export interface ObjectIdWriter extends ObjectId {
  serializeInto(bytes: Uint8Array, offset: number): number;
}
export const IDS_AT_OFFSET = ((): boolean => {
  const bytes = Uint8Array.from({ length: 16 }, (_, index) => index);
  try {
    const id = new ObjectIdAt(bytes, 2);
    const copy = new Uint8Array(14);
    (id as ObjectIdWriter).serializeInto(copy, 2);
    return (
      id.toHexString() === '02030405060708090a0b0c0d' &&
      Buffer.compare(copy.subarray(2), bytes.subarray(2, 14)) === 0
    );
  } catch {
    return false;
  }
})();

export function readObjectId(buffer: Buffer, at: number): ObjectId {
  return IDS_AT_OFFSET ? new ObjectIdAt(buffer, at) : new ObjectId(buffer.subarray(at, at + 12));
}

// Field names repeat from document to document: one copy of each spares the allocation and the
// hashing of every further one.
const NAME_SLOTS = 8192;
const nameTable: string[] = new Array(NAME_SLOTS).fill('');

export function sameAscii(text: string, buffer: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== buffer[start + i]) return false;
  }
  return true;
}

/** Reads the name that starts at `start` and ends before `end` (the NUL). */
export function readName(buffer: NativeBuffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return '';
  if (length > 32) return buffer.utf8Slice(start, end);
  let hash = length;
  for (let i = start; i < end; i++) {
    const byte = buffer[i] as number;
    if (byte > 127) return buffer.utf8Slice(start, end);
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  const slot = (hash ^ (hash >>> 13)) & (NAME_SLOTS - 1);
  const known = nameTable[slot] as string;
  if (sameAscii(known, buffer, start, length)) return known;
  const name = buffer.latin1Slice(start, end);
  nameTable[slot] = name;
  return name;
}

export function endOfName(buffer: Buffer, start: number, limit: number): number {
  let end = start;
  while (end < limit && buffer[end] !== 0) end++;
  if (end >= limit) throw invalid('field name is not terminated');
  return end;
}

export function readInt32(buffer: Buffer, at: number): number {
  return (
    (buffer[at] as number) |
    ((buffer[at + 1] as number) << 8) |
    ((buffer[at + 2] as number) << 16) |
    ((buffer[at + 3] as number) << 24)
  );
}

/** The text of a length-prefixed string whose prefix is at `at`; checks its bounds. */
export function readString(buffer: NativeBuffer, at: number, limit: number): string {
  const size = readInt32(buffer, at);
  const start = at + 4;
  const end = start + size - 1;
  if (size < 1 || end >= limit || buffer[end] !== 0) throw invalid('invalid string length');
  if (size <= SHORT_STRING) {
    let text = '';
    for (let i = start; i < end; i++) {
      const byte = buffer[i] as number;
      if (byte > 127) return buffer.utf8Slice(start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }
  return buffer.utf8Slice(start, end);
}
