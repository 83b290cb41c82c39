/** BSON bytes to values and back (bsonspec.org, version 1.1), written for the engine's hot paths. */
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { BsonType } from './types.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  Code,
  CodeWithScope,
  DateTime,
  DbPointer,
  Decimal128,
  type Document,
  Double,
  isInt32,
  MaxKey,
  MinKey,
  ObjectId,
  RawDocument,
  Timestamp,
  type Value,
} from './value.ts';

const MIN_KEY = new MinKey();
const MAX_KEY = new MaxKey();

/** Strings up to this (with NUL) are read byte by byte, which beats the call into native code. */
const SHORT_STRING = 9;

/** Node's own string readers: twice as fast as `toString` on short strings, and not in its types. */
interface NativeBuffer extends Buffer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

function invalid(message: string): MongoCommandError {
  return new MongoCommandError('InvalidBSON', message);
}

/** The same memory as a Buffer, for its native readers and writers. */
function asBuffer(bytes: Uint8Array): NativeBuffer {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer as NativeBuffer;
}

// Eight bytes copied one by one and read as a number beat Buffer's readers by three to one.
const scratchBytes = new Uint8Array(8);
const scratchDouble = new Float64Array(scratchBytes.buffer);
const scratchInt64 = new BigInt64Array(scratchBytes.buffer);

function fillScratch(buffer: Buffer, at: number): void {
  for (let i = 0; i < 8; i++) scratchBytes[i] = buffer[at + i] as number;
}

function readInt64(buffer: Buffer, at: number): bigint {
  fillScratch(buffer, at);
  return scratchInt64[0] as bigint;
}

/** The library reads and writes ids at an offset, but not in its types; checked here once. */
const ObjectIdAt = ObjectId as unknown as new (bytes: Uint8Array, offset: number) => ObjectId;
interface ObjectIdWriter extends ObjectId {
  serializeInto(bytes: Uint8Array, offset: number): number;
}
const IDS_AT_OFFSET = ((): boolean => {
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

function readObjectId(buffer: Buffer, at: number): ObjectId {
  return IDS_AT_OFFSET ? new ObjectIdAt(buffer, at) : new ObjectId(buffer.subarray(at, at + 12));
}

// ---------------------------------------------------------------- field names

// Field names repeat from document to document: one copy of each spares the allocation and the
// hashing of every further one.
const NAME_SLOTS = 8192;
const nameTable: string[] = new Array(NAME_SLOTS).fill('');

function sameAscii(text: string, buffer: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    if (text.charCodeAt(i) !== buffer[start + i]) return false;
  }
  return true;
}

/** Reads the name that starts at `start` and ends before `end` (the NUL). */
function readName(buffer: NativeBuffer, start: number, end: number): string {
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

function endOfName(buffer: Buffer, start: number, limit: number): number {
  let end = start;
  while (end < limit && buffer[end] !== 0) end++;
  if (end >= limit) throw invalid('field name is not terminated');
  return end;
}

// ---------------------------------------------------------------- decoding

function readInt32(buffer: Buffer, at: number): number {
  return (
    (buffer[at] as number) |
    ((buffer[at + 1] as number) << 8) |
    ((buffer[at + 2] as number) << 16) |
    ((buffer[at + 3] as number) << 24)
  );
}

/** The text of a length-prefixed string whose prefix is at `at`; checks its bounds. */
function readString(buffer: NativeBuffer, at: number, limit: number): string {
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

/** One pass over a buffer; `at` is the reading position. */
class Decoder {
  private readonly buffer: NativeBuffer;
  private readonly limit: number;
  private at: number;

  constructor(buffer: NativeBuffer, at: number) {
    this.buffer = buffer;
    this.limit = buffer.length;
    this.at = at;
  }

  /** Takes the size of the container at the reading position and gives where its end byte is. */
  private enter(): number {
    const start = this.at;
    if (start + 5 > this.limit) throw invalid('incomplete BSON document');
    const size = readInt32(this.buffer, start);
    const last = start + size - 1;
    if (size < 5 || last >= this.limit || this.buffer[last] !== 0) {
      throw invalid('invalid BSON document length');
    }
    this.at = start + 4;
    return last;
  }

  private leave(last: number): void {
    if (this.at !== last) throw invalid('BSON document ends at the wrong place');
    this.at = last + 1;
  }

  document(): Document {
    const last = this.enter();
    const { buffer } = this;
    const result: Document = new Map();
    while (this.at < last) {
      const type = buffer[this.at] as number;
      const nameStart = this.at + 1;
      const nameEnd = endOfName(buffer, nameStart, last);
      const name = readName(buffer, nameStart, nameEnd);
      this.at = nameEnd + 1;
      result.set(name, this.value(type, last));
    }
    this.leave(last);
    return result;
  }

  private array(): Value[] {
    const last = this.enter();
    const { buffer } = this;
    const result: Value[] = [];
    while (this.at < last) {
      const type = buffer[this.at] as number;
      this.at = endOfName(buffer, this.at + 1, last) + 1;
      result.push(this.value(type, last));
    }
    this.leave(last);
    return result;
  }

  private take(size: number, limit: number): number {
    const at = this.at;
    if (at + size > limit) throw invalid('BSON value reaches past its document');
    this.at = at + size;
    return at;
  }

  private string(limit: number): string {
    if (this.at + 5 > limit) throw invalid('incomplete BSON string');
    const text = readString(this.buffer, this.at, limit);
    this.at += 4 + readInt32(this.buffer, this.at);
    return text;
  }

  private cstring(limit: number): string {
    const start = this.at;
    const end = endOfName(this.buffer, start, limit);
    this.at = end + 1;
    return this.buffer.utf8Slice(start, end);
  }

  private double(limit: number): Value {
    fillScratch(this.buffer, this.take(8, limit));
    const value = scratchDouble[0] as number;
    return isInt32(value) ? new Double(value) : value;
  }

  private binary(limit: number): Binary {
    const at = this.take(5, limit);
    const size = readInt32(this.buffer, at);
    if (size < 0) throw invalid('negative binary length');
    const subtype = this.buffer[at + 4] as number;
    const start = this.take(size, limit);
    // The old generic subtype repeats the length inside; the library's type leaves that out.
    const inner =
      subtype === 2 && size >= 4 && readInt32(this.buffer, start) === size - 4 ? start + 4 : start;
    return new Binary(Uint8Array.prototype.slice.call(this.buffer, inner, start + size), subtype);
  }

  private codeWithScope(limit: number): CodeWithScope {
    const end = this.at + readInt32(this.buffer, this.take(4, limit));
    if (end > limit) throw invalid('code with scope reaches past its document');
    const code = this.string(end);
    const scope = this.document();
    if (this.at !== end) throw invalid('code with scope ends at the wrong place');
    return new CodeWithScope(code, scope);
  }

  private regex(limit: number): BSONRegExp {
    const pattern = this.cstring(limit);
    const options = this.cstring(limit);
    // The library refuses options MongoDB stores without a word.
    return new BSONRegExp(pattern, options.replace(/[^ilmsux]/g, ''));
  }

  private value(type: number, limit: number): Value {
    const { buffer } = this;
    switch (type) {
      case BsonType.double:
        return this.double(limit);
      case BsonType.string:
        return this.string(limit);
      case BsonType.object:
        return this.document();
      case BsonType.array:
        return this.array();
      case BsonType.binData:
        return this.binary(limit);
      case BsonType.undefined:
        return BsonUndefined.instance;
      case BsonType.objectId:
        return readObjectId(buffer, this.take(12, limit));
      case BsonType.bool: {
        const byte = buffer[this.take(1, limit)] as number;
        if (byte > 1) throw invalid('invalid boolean');
        return byte === 1;
      }
      case BsonType.date:
        return new DateTime(readInt64(buffer, this.take(8, limit)));
      case BsonType.null:
        return null;
      case BsonType.regex:
        return this.regex(limit);
      case BsonType.dbPointer: {
        const namespace = this.string(limit);
        const at = this.take(12, limit);
        return new DbPointer(namespace, readObjectId(buffer, at));
      }
      case BsonType.javascript:
        return new Code(this.string(limit));
      case BsonType.symbol:
        return new BSONSymbol(this.string(limit));
      case BsonType.javascriptWithScope:
        return this.codeWithScope(limit);
      case BsonType.int:
        return readInt32(buffer, this.take(4, limit));
      case BsonType.timestamp: {
        const at = this.take(8, limit);
        return Timestamp.fromBits(readInt32(buffer, at) >>> 0, readInt32(buffer, at + 4) >>> 0);
      }
      case BsonType.long:
        return readInt64(buffer, this.take(8, limit));
      case BsonType.decimal: {
        const at = this.take(16, limit);
        return new Decimal128(Uint8Array.prototype.slice.call(buffer, at, at + 16));
      }
      case BsonType.minKey:
        return MIN_KEY;
      case BsonType.maxKey:
        return MAX_KEY;
      default:
        throw invalid(`unknown BSON type ${type}`);
    }
  }

  /** The value at the reading position, for readers that skipped to it. */
  single(type: number, limit: number): Value {
    return this.value(type, limit);
  }
}

/**
 * The document that starts at `offset`. Invalid UTF-8 reads as U+FFFD; of a repeated field the last
 * value wins.
 *
 * @throws InvalidBSON when the structure is damaged
 */
export function decodeDocument(bytes: Uint8Array, offset = 0): Document {
  return new Decoder(asBuffer(bytes), offset).document();
}

// ---------------------------------------------------------------- reading without decoding

/** Where the value of `type` that starts at `at` ends; throws when that is past `limit`. */
function endOfValue(buffer: Buffer, type: number, at: number, limit: number): number {
  let end: number;
  switch (type) {
    case BsonType.undefined:
    case BsonType.null:
    case BsonType.minKey:
    case BsonType.maxKey:
      return at;
    case BsonType.bool:
      end = at + 1;
      break;
    case BsonType.int:
      end = at + 4;
      break;
    case BsonType.double:
    case BsonType.date:
    case BsonType.timestamp:
    case BsonType.long:
      end = at + 8;
      break;
    case BsonType.objectId:
      end = at + 12;
      break;
    case BsonType.decimal:
      end = at + 16;
      break;
    case BsonType.regex:
      return endOfName(buffer, endOfName(buffer, at, limit) + 1, limit) + 1;
    default: {
      if (at + 4 > limit) throw invalid('incomplete BSON value');
      const size = readInt32(buffer, at);
      if (size < 0) throw invalid('negative BSON length');
      switch (type) {
        case BsonType.string:
        case BsonType.javascript:
        case BsonType.symbol:
          end = at + 4 + size;
          break;
        case BsonType.object:
        case BsonType.array:
        case BsonType.javascriptWithScope:
          end = at + size;
          break;
        case BsonType.binData:
          end = at + 5 + size;
          break;
        case BsonType.dbPointer:
          end = at + 4 + size + 12;
          break;
        default:
          throw invalid(`unknown BSON type ${type}`);
      }
    }
  }
  if (end > limit) throw invalid('BSON value reaches past its document');
  return end;
}

/** A field of an encoded document that has not been decoded. */
export interface RawField {
  readonly name: string;
  readonly type: number;
  /** First byte of the value, after type and name. */
  readonly start: number;
  /** First byte after the value. */
  readonly end: number;
}

/** The fields of an encoded document in order, undecoded. */
export function* rawTopLevelFields(bytes: Uint8Array): Generator<RawField> {
  const buffer = asBuffer(bytes);
  const last = readInt32(buffer, 0) - 1;
  if (last < 4 || last >= buffer.length) throw invalid('invalid BSON document length');
  let at = 4;
  while (at < last) {
    const type = buffer[at] as number;
    const nameEnd = endOfName(buffer, at + 1, last);
    const start = nameEnd + 1;
    const end = endOfValue(buffer, type, start, last);
    yield { name: readName(buffer, at + 1, nameEnd), type, start, end };
    at = end;
  }
}

/** Decodes one field that `rawTopLevelFields` found. */
export function decodeRawField(bytes: Uint8Array, field: RawField): Value {
  return new Decoder(asBuffer(bytes), field.start).single(field.type, field.end);
}

/** The document reduced to some top-level fields, the others not decoded. */
export function decodeFields(bytes: Uint8Array, names: ReadonlySet<string>): Document {
  const document: Document = new Map();
  if (names.size === 0) return document;
  const buffer = asBuffer(bytes);
  const last = readInt32(buffer, 0) - 1;
  if (last < 4 || last >= buffer.length) throw invalid('invalid BSON document length');
  let at = 4;
  while (at < last) {
    const type = buffer[at] as number;
    const nameEnd = endOfName(buffer, at + 1, last);
    const name = readName(buffer, at + 1, nameEnd);
    const end = endOfValue(buffer, type, nameEnd + 1, last);
    if (names.has(name)) document.set(name, new Decoder(buffer, nameEnd + 1).single(type, end));
    at = end;
  }
  return document;
}

/**
 * The value of one top-level field (the first of that name), without decoding the others;
 * `undefined` when the document has no such field.
 */
export function readTopLevelField(bytes: Uint8Array, name: string): Value | undefined {
  const buffer = asBuffer(bytes);
  const last = readInt32(buffer, 0) - 1;
  if (last < 4 || last >= buffer.length) throw invalid('invalid BSON document length');
  const length = name.length;
  let at = 4;
  while (at < last) {
    const type = buffer[at] as number;
    const nameStart = at + 1;
    const nameEnd = endOfName(buffer, nameStart, last);
    if (
      nameEnd - nameStart === length
        ? sameAscii(name, buffer, nameStart, length)
        : nameEnd - nameStart > length && readName(buffer, nameStart, nameEnd) === name
    ) {
      return new Decoder(buffer, nameEnd + 1).single(type, last);
    }
    at = endOfValue(buffer, type, nameEnd + 1, last);
  }
  return undefined;
}

// ---------------------------------------------------------------- validation

/** How deep the server lets BSON nest in a message (MongoDB's maxBSONDepth default). */
export const MAX_BSON_DEPTH = 200;

function validateContainer(buffer: Buffer, at: number, limit: number, depth: number): void {
  if (depth < 0) throw new MongoCommandError('Overflow', 'BSONObj exceeds maximum nested depth');
  const size = at + 4 > limit ? 0 : readInt32(buffer, at);
  const last = at + size - 1;
  if (size < 5 || last >= limit || buffer[last] !== 0) {
    throw invalid('invalid BSON document length');
  }
  let next = at + 4;
  while (next < last) {
    const type = buffer[next] as number;
    const start = endOfName(buffer, next + 1, last) + 1;
    const end = endOfValue(buffer, type, start, last);
    validateValue(buffer, type, start, end, depth);
    next = end;
  }
  if (next !== last) throw invalid('BSON document ends at the wrong place');
}

function validateValue(
  buffer: Buffer,
  type: number,
  start: number,
  end: number,
  depth: number,
): void {
  switch (type) {
    case BsonType.object:
    case BsonType.array:
      validateContainer(buffer, start, end, depth - 1);
      return;
    case BsonType.string:
    case BsonType.javascript:
    case BsonType.symbol:
      if (end - start < 5 || buffer[end - 1] !== 0) throw invalid('invalid string length');
      return;
    case BsonType.dbPointer:
      if (end - start < 17 || buffer[end - 13] !== 0) throw invalid('invalid string length');
      return;
    case BsonType.bool:
      if ((buffer[start] as number) > 1) throw invalid('invalid boolean');
      return;
    case BsonType.javascriptWithScope: {
      if (end - start < 14) throw invalid('invalid code with scope');
      const scopeStart = endOfValue(buffer, BsonType.string, start + 4, end);
      if (scopeStart < start + 9 || buffer[scopeStart - 1] !== 0) {
        throw invalid('invalid string length');
      }
      validateContainer(buffer, scopeStart, end, depth - 1);
      return;
    }
    default:
  }
}

/**
 * Checks the structure of one whole document that came from outside: lengths, terminators, types
 * and depth. UTF-8 is not checked (the server's default, too).
 *
 * @throws InvalidBSON, or Overflow when it nests deeper than `maxDepth`
 */
export function validateBson(bytes: Uint8Array, maxDepth: number = MAX_BSON_DEPTH): void {
  const buffer = asBuffer(bytes);
  if (buffer.length < 5 || readInt32(buffer, 0) !== buffer.length) {
    throw invalid('invalid BSON document length');
  }
  validateContainer(buffer, 0, buffer.length, maxDepth);
}

// ---------------------------------------------------------------- encoding

const ARRAY_NAMES: string[] = Array.from({ length: 1024 }, (_, index) => String(index));

/** Above this the shared output buffer is given back after use. */
const KEPT_BUFFER = 4 * 1024 * 1024;

class Encoder {
  private buffer: Buffer;
  private at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafeSlow(size);
  }

  /** Encodes `document` and gives a copy of its bytes. */
  encode(document: Document): Buffer {
    this.at = 0;
    this.document(document);
    const bytes = Buffer.allocUnsafeSlow(this.at);
    this.buffer.copy(bytes, 0, 0, this.at);
    if (this.buffer.length > KEPT_BUFFER) this.buffer = Buffer.allocUnsafeSlow(65536);
    return bytes;
  }

  private reserve(size: number): void {
    const needed = this.at + size;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  private int32(value: number): void {
    this.reserve(4);
    this.patchInt32(this.at, value);
    this.at += 4;
  }

  private patchInt32(at: number, value: number): void {
    const { buffer } = this;
    buffer[at] = value;
    buffer[at + 1] = value >> 8;
    buffer[at + 2] = value >> 16;
    buffer[at + 3] = value >> 24;
  }

  /** The text's UTF-8 bytes, with nothing before or after. */
  private text(text: string): void {
    const { length } = text;
    this.reserve(length * 3 + 1);
    const { buffer } = this;
    if (length <= 48) {
      let at = this.at;
      for (let i = 0; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127) {
          this.at += buffer.write(text, this.at, 'utf8');
          return;
        }
        buffer[at++] = unit;
      }
      this.at = at;
      return;
    }
    this.at += buffer.write(text, this.at, 'utf8');
  }

  private cstring(text: string): void {
    const { length } = text;
    if (length <= 32) {
      this.reserve(length + 1);
      const { buffer } = this;
      let at = this.at;
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 127 || unit === 0) break;
        buffer[at++] = unit;
      }
      if (i === length) {
        buffer[at++] = 0;
        this.at = at;
        return;
      }
    }
    if (text.includes('\0')) {
      throw new MongoCommandError('BadValue', 'field names and patterns cannot hold a null byte');
    }
    this.text(text);
    this.buffer[this.at++] = 0;
  }

  private string(text: string): void {
    const sizeAt = this.at;
    this.int32(0);
    this.text(text);
    this.buffer[this.at++] = 0;
    this.patchInt32(sizeAt, this.at - sizeAt - 4);
  }

  private bytes(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  private document(document: Document): void {
    const start = this.at;
    this.reserve(5);
    this.at += 4;
    for (const [name, value] of document) this.field(name, value);
    this.close(start);
  }

  private array(values: readonly Value[]): void {
    const start = this.at;
    this.reserve(5);
    this.at += 4;
    for (let index = 0; index < values.length; index++) {
      this.field(ARRAY_NAMES[index] ?? String(index), values[index] as Value);
    }
    this.close(start);
  }

  private close(start: number): void {
    this.reserve(1);
    this.buffer[this.at++] = 0;
    this.patchInt32(start, this.at - start);
  }

  /** Type byte and name. */
  private head(type: number, name: string): void {
    this.reserve(1);
    this.buffer[this.at++] = type;
    this.cstring(name);
  }

  private scratch(): void {
    this.reserve(8);
    const { buffer, at } = this;
    for (let i = 0; i < 8; i++) buffer[at + i] = scratchBytes[i] as number;
    this.at = at + 8;
  }

  private double(value: number): void {
    scratchDouble[0] = value;
    this.scratch();
  }

  private int64(value: bigint): void {
    scratchInt64[0] = value;
    this.scratch();
  }

  private field(name: string, value: Value): void {
    switch (typeof value) {
      case 'string':
        this.head(BsonType.string, name);
        this.string(value);
        return;
      case 'number':
        if (isInt32(value)) {
          this.head(BsonType.int, name);
          this.int32(value);
        } else {
          this.head(BsonType.double, name);
          this.double(value);
        }
        return;
      case 'boolean':
        this.head(BsonType.bool, name);
        this.reserve(1);
        this.buffer[this.at++] = value ? 1 : 0;
        return;
      case 'bigint':
        this.head(BsonType.long, name);
        this.int64(value);
        return;
      default:
        this.object(name, value);
    }
  }

  private object(name: string, value: Exclude<Value, string | number | boolean | bigint>): void {
    if (value === null) {
      this.head(BsonType.null, name);
    } else if (value instanceof Map) {
      this.head(BsonType.object, name);
      this.document(value);
    } else if (Array.isArray(value)) {
      this.head(BsonType.array, name);
      this.array(value);
    } else if (value instanceof ObjectId) {
      this.head(BsonType.objectId, name);
      this.objectId(value);
    } else if (value instanceof DateTime) {
      this.head(BsonType.date, name);
      this.int64(value.epochMs);
    } else if (value instanceof Double) {
      this.head(BsonType.double, name);
      this.double(value.value);
    } else if (value instanceof RawDocument) {
      this.head(BsonType.object, name);
      this.bytes(value.bytes);
    } else if (value instanceof Timestamp) {
      this.head(BsonType.timestamp, name);
      this.int32(value.low);
      this.int32(value.high);
    } else if (value instanceof Decimal128) {
      this.head(BsonType.decimal, name);
      this.bytes(value.bytes);
    } else if (value instanceof Binary) {
      this.binary(name, value);
    } else {
      this.rareObject(name, value);
    }
  }

  private objectId(value: ObjectId): void {
    if (!IDS_AT_OFFSET) {
      this.bytes(value.id);
      return;
    }
    this.reserve(12);
    (value as ObjectIdWriter).serializeInto(this.buffer, this.at);
    this.at += 12;
  }

  private binary(name: string, value: Binary): void {
    this.head(BsonType.binData, name);
    const size = value.position;
    const old = value.sub_type === 2;
    this.int32(old ? size + 4 : size);
    this.reserve(1);
    this.buffer[this.at++] = value.sub_type;
    if (old) this.int32(size);
    this.bytes(value.buffer.subarray(0, size));
  }

  private rareObject(
    name: string,
    value:
      | BSONRegExp
      | Code
      | CodeWithScope
      | BSONSymbol
      | DbPointer
      | MinKey
      | MaxKey
      | BsonUndefined,
  ): void {
    if (value instanceof BSONRegExp) {
      this.head(BsonType.regex, name);
      this.cstring(value.pattern);
      this.cstring(value.options);
    } else if (value instanceof MinKey) {
      this.head(BsonType.minKey, name);
    } else if (value instanceof MaxKey) {
      this.head(BsonType.maxKey, name);
    } else if (value instanceof BsonUndefined) {
      this.head(BsonType.undefined, name);
    } else if (value instanceof BSONSymbol) {
      this.head(BsonType.symbol, name);
      this.string(value.value);
    } else if (value instanceof CodeWithScope) {
      this.head(BsonType.javascriptWithScope, name);
      const start = this.at;
      this.int32(0);
      this.string(value.code);
      this.document(value.scope);
      this.patchInt32(start, this.at - start);
    } else if (value instanceof DbPointer) {
      this.head(BsonType.dbPointer, name);
      this.string(value.namespace);
      this.objectId(value.id);
    } else {
      this.head(BsonType.javascript, name);
      this.string(value.code);
    }
  }
}

const encoder = new Encoder(65536);

/** The document as BSON, in a buffer of its own; RawDocument values are copied as they are. */
export function encodeDocument(document: Document): Uint8Array {
  return encoder.encode(document);
}
