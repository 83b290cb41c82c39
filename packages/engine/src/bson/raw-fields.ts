import { asBuffer, endOfName, invalid, readInt32, readName, sameAscii } from './bytes.ts';
import { Decoder } from './decoder.ts';
import { BsonType } from './types.ts';
import type { Document, Value } from './value.ts';

/** Where the value of `type` that starts at `at` ends; throws when that is past `limit`. */
export function endOfValue(buffer: Buffer, type: number, at: number, limit: number): number {
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
