import {
  asBuffer,
  endOfName,
  fillScratch,
  invalid,
  type NativeBuffer,
  readInt32,
  readInt64,
  readName,
  readObjectId,
  readString,
  scratchDouble,
} from './bytes.ts';
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
  Timestamp,
  type Value,
} from './value.ts';

const MIN_KEY = new MinKey();
const MAX_KEY = new MaxKey();

/** One pass over a buffer; `at` is the reading position. */
export class Decoder {
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
