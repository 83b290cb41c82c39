/**
 * Raw BSON bytes: decode into Maps, encode, and read or cut top-level fields without decoding the
 * rest. Layout: bsonspec.org, version 1.1.
 */
import { serialize } from 'bson';
import type { BsonDocument, BsonValue } from './bson.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  Decimal128,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from './bson.ts';

/** Where a top-level field lies in a raw document. */
export interface RawField {
  readonly type: number;
  /** Offset of the type byte. */
  readonly start: number;
  readonly valueStart: number;
  readonly end: number;
}

/** The document in the given bytes. */
export function decodeDocument(bytes: Uint8Array): BsonDocument {
  const buffer = toBuffer(bytes);
  return readDocument(buffer, 0);
}

/** The BSON bytes of a document. */
export function encodeDocument(document: BsonDocument): Buffer {
  return toBuffer(serialize(document, { ignoreUndefined: false }));
}

/** A Buffer over the same memory. */
export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Finds a top-level field; ASCII names only. */
export function findRawField(bytes: Uint8Array, name: string): RawField | undefined {
  const end = int32(bytes, 0) - 1;
  let p = 4;
  while (p < end) {
    const start = p;
    const type = bytes[p++] as number;
    let same = true;
    let index = 0;
    for (let byte = bytes[p++]; byte !== 0; byte = bytes[p++]) {
      if (byte === undefined) throw damaged();
      if (same && byte !== name.charCodeAt(index)) same = false;
      index++;
    }
    const after = p + valueLength(bytes, p, type);
    if (same && index === name.length) return { type, start, valueStart: p, end: after };
    p = after;
  }
  return undefined;
}

/** The value of a top-level field, or `undefined`. */
export function readRawField(bytes: Uint8Array, name: string): BsonValue | undefined {
  const field = findRawField(bytes, name);
  if (field === undefined) return undefined;
  return readValue(toBuffer(bytes), field.valueStart, field.type);
}

/** The value at a dotted path through documents, such as `metadata._etag`. */
export function readRawPath(bytes: Uint8Array, path: string): BsonValue | undefined {
  const dot = path.indexOf('.');
  if (dot < 0) return readRawField(bytes, path);
  const field = findRawField(bytes, path.slice(0, dot));
  if (field === undefined || field.type !== 0x03) return undefined;
  return readRawPath(bytes.subarray(field.valueStart, field.end), path.slice(dot + 1));
}

/**
 * A string equal for two fields exactly when type and bytes are equal; for telling documents of a
 * batch apart by `_id`.
 */
export function rawFieldKey(bytes: Uint8Array, name: string): string | undefined {
  const field = findRawField(bytes, name);
  if (field === undefined) return undefined;
  return (
    String.fromCharCode(field.type) +
    toBuffer(bytes).toString('latin1', field.valueStart, field.end)
  );
}

/** The same key for a value not yet in a document. */
export function valueKey(value: BsonValue): string {
  if (value instanceof ObjectId) return `\x07${Buffer.from(value.id).toString('latin1')}`;
  return rawFieldKey(encodeDocument(new Map([['v', value]])), 'v') ?? '';
}

/** The document without one top-level field; the same bytes when it has none. */
export function removeRawField(bytes: Uint8Array, name: string): Uint8Array {
  const field = findRawField(bytes, name);
  if (field === undefined) return bytes;
  const result = Buffer.allocUnsafe(bytes.length - (field.end - field.start));
  result.set(bytes.subarray(0, field.start), 0);
  result.set(bytes.subarray(field.end), field.start);
  result.writeInt32LE(result.length, 0);
  return result;
}

/** The names of the top-level fields, in order. */
export function rawFieldNames(bytes: Uint8Array): string[] {
  const buffer = toBuffer(bytes);
  const end = int32(bytes, 0) - 1;
  const names: string[] = [];
  let p = 4;
  while (p < end) {
    const type = bytes[p++] as number;
    const nameEnd = buffer.indexOf(0, p);
    names.push(buffer.toString('utf8', p, nameEnd));
    p = nameEnd + 1 + valueLength(bytes, nameEnd + 1, type);
  }
  return names;
}

function int32(bytes: Uint8Array, p: number): number {
  return (
    (bytes[p] as number) |
    ((bytes[p + 1] as number) << 8) |
    ((bytes[p + 2] as number) << 16) |
    ((bytes[p + 3] as number) << 24)
  );
}

/** BSON that contradicts itself; never what MongoDB stores. */
function damaged(): RangeError {
  return new RangeError('Damaged BSON');
}

function valueLength(bytes: Uint8Array, p: number, type: number): number {
  const length = statedLength(bytes, p, type);
  if (length < 0 || p + length > bytes.length) throw damaged();
  return length;
}

function statedLength(bytes: Uint8Array, p: number, type: number): number {
  switch (type) {
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x02:
    case 0x0d:
    case 0x0e:
      return 4 + int32(bytes, p);
    case 0x03:
    case 0x04:
    case 0x0f:
      return int32(bytes, p);
    case 0x05:
      return 5 + int32(bytes, p);
    case 0x06:
    case 0x0a:
    case 0x7f:
    case 0xff:
      return 0;
    case 0x07:
      return 12;
    case 0x08:
      return 1;
    case 0x0b: {
      let end = p;
      while (bytes[end] !== 0) if (end++ > bytes.length) throw damaged();
      end++;
      while (bytes[end] !== 0) if (end++ > bytes.length) throw damaged();
      return end + 1 - p;
    }
    case 0x0c:
      return 16 + int32(bytes, p);
    case 0x10:
      return 4;
    case 0x13:
      return 16;
    default:
      throw new RangeError(`Unknown BSON type ${type}`);
  }
}

function readDocument(buffer: Buffer, start: number): BsonDocument {
  const document: BsonDocument = new Map();
  const end = start + int32(buffer, start) - 1;
  if (end >= buffer.length || end < start + 4) throw damaged();
  let p = start + 4;
  while (p < end) {
    const type = buffer[p++] as number;
    let nameEnd = p;
    while (buffer[nameEnd] !== 0) if (nameEnd++ > end) throw damaged();
    const name = buffer.toString('utf8', p, nameEnd);
    p = nameEnd + 1;
    const length = valueLength(buffer, p, type);
    document.set(name, readValue(buffer, p, type));
    p += length;
  }
  return document;
}

function readArray(buffer: Buffer, start: number): BsonValue[] {
  const items: BsonValue[] = [];
  const end = start + int32(buffer, start) - 1;
  if (end >= buffer.length || end < start + 4) throw damaged();
  let p = start + 4;
  while (p < end) {
    const type = buffer[p++] as number;
    while (buffer[p++] !== 0) if (p > end) throw damaged();
    const length = valueLength(buffer, p, type);
    items.push(readValue(buffer, p, type));
    p += length;
  }
  return items;
}

function readValue(buffer: Buffer, p: number, type: number): BsonValue {
  switch (type) {
    case 0x01:
      return new Double(buffer.readDoubleLE(p));
    case 0x02:
      return readString(buffer, p);
    case 0x03:
      return readDocument(buffer, p);
    case 0x04:
      return readArray(buffer, p);
    case 0x05:
      return readBinary(buffer, p);
    case 0x06:
    case 0x0a:
      return null;
    case 0x07:
      return new ObjectId(Uint8Array.prototype.slice.call(buffer, p, p + 12));
    case 0x08:
      return buffer[p] !== 0;
    case 0x09:
      return new Date(int32(buffer, p + 4) * 0x1_0000_0000 + (int32(buffer, p) >>> 0));
    case 0x0b: {
      const patternEnd = buffer.indexOf(0, p);
      const optionsEnd = buffer.indexOf(0, patternEnd + 1);
      return new BSONRegExp(
        buffer.toString('utf8', p, patternEnd),
        buffer.toString('utf8', patternEnd + 1, optionsEnd),
      );
    }
    case 0x0c: {
      const idStart = p + 4 + int32(buffer, p);
      return new Map<string, BsonValue>([
        ['$ref', readString(buffer, p)],
        ['$id', new ObjectId(Uint8Array.prototype.slice.call(buffer, idStart, idStart + 12))],
      ]);
    }
    case 0x0d:
      return new Code(readString(buffer, p));
    case 0x0e:
      return new BSONSymbol(readString(buffer, p));
    case 0x0f: {
      const scopeStart = p + 8 + int32(buffer, p + 4);
      return new Code(readString(buffer, p + 4), readDocument(buffer, scopeStart));
    }
    case 0x10:
      return int32(buffer, p);
    case 0x11:
      return new Timestamp({ t: int32(buffer, p + 4) >>> 0, i: int32(buffer, p) >>> 0 });
    case 0x12:
      return new Long(int32(buffer, p), int32(buffer, p + 4));
    case 0x13:
      return new Decimal128(Uint8Array.prototype.slice.call(buffer, p, p + 16));
    case 0x7f:
      return new MaxKey();
    case 0xff:
      return new MinKey();
    default:
      throw new RangeError(`Unknown BSON type ${type}`);
  }
}

function readString(buffer: Buffer, p: number): string {
  return buffer.toString('utf8', p + 4, p + 3 + int32(buffer, p));
}

/** Subtype 2 repeats the length inside its data. */
function readBinary(buffer: Buffer, p: number): Binary {
  const length = int32(buffer, p);
  const subType = buffer[p + 4] as number;
  const start = subType === Binary.SUBTYPE_BYTE_ARRAY ? p + 9 : p + 5;
  return new Binary(Uint8Array.prototype.slice.call(buffer, start, p + 5 + length), subType);
}
