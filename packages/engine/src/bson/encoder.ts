/** Documents to BSON bytes (bsonspec.org, version 1.1). */
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import {
  IDS_AT_OFFSET,
  type ObjectIdWriter,
  scratchBytes,
  scratchDouble,
  scratchInt64,
} from './bytes.ts';
import { BsonType } from './types.ts';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  BsonUndefined,
  type Code,
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

  /** The bytes of `document` after `space` bytes that are left to the caller. */
  encodeAfter(space: number, document: Document): Buffer {
    this.at = space;
    this.document(document);
    const bytes = Buffer.allocUnsafe(this.at);
    this.buffer.copy(bytes, space, space, this.at);
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

/**
 * The document as BSON behind `space` bytes for a header, which spares a message's copying. For
 * short-lived messages: small ones share their memory.
 */
export function encodeDocumentAfter(space: number, document: Document): Buffer {
  return encoder.encodeAfter(space, document);
}

/** The document as BSON, in a buffer of its own; RawDocument values are copied as they are. */
export function encodeDocument(document: Document): Uint8Array {
  return encoder.encode(document);
}
