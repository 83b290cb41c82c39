/**
 * Raw BSON bytes → JSON text without building objects: the hot path of every read. Writes into one
 * buffer kept between calls; the property tests hold it equal to `writeJson` of the decoded value.
 */
import { Decimal128 } from '../model/bson.ts';
import { damaged, endOfCstring, readInt32, readString, view } from './bson-bytes.ts';
import { ESCAPE, HEX, putAscii, putInt32, putInt64, toInt64 } from './json-bytes.ts';
import type { JsonMode } from './json-mode.ts';
import { escapeText, needsEscape } from './json-string.ts';
import {
  writeBinaryText,
  writeDate,
  writeDouble,
  writeInt64,
  writeRegex,
  writeTimestampParts,
} from './json-writer.ts';

const INITIAL_BYTES = 1 << 17;
/** A buffer that one huge answer made larger than this is not kept. */
const KEPT_BYTES = 1 << 23;
/** Room always left after a check: more than the longest fixed-size value takes. */
const SLACK_BYTES = 192;

let out: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
/** Offset in `out` of the next byte. Functions work on a local copy and store it before calls. */
let at = 0;

const float64 = new Float64Array(1);
const float64Bytes = new Uint8Array(float64.buffer);

/** The JSON text of one BSON document, as UTF-8. */
export function transcodeDocument(bytes: Uint8Array, mode: JsonMode = 'default'): Buffer {
  at = 0;
  writeDocument(bytes, 0, false, mode);
  return take();
}

/** The JSON text of an array of BSON documents, as UTF-8. */
export function transcodeArray(
  documents: readonly Uint8Array[],
  mode: JsonMode = 'default',
): Buffer {
  at = 0;
  out[at++] = 0x5b;
  let first = true;
  for (const document of documents) {
    reserve(SLACK_BYTES);
    if (!first) {
      out[at++] = 0x2c;
      out[at++] = 0x20;
    }
    first = false;
    writeDocument(document, 0, false, mode);
  }
  reserve(1);
  out[at++] = 0x5d;
  return take();
}

function take(): Buffer {
  const text = Buffer.allocUnsafe(at);
  out.copy(text, 0, 0, at);
  if (out.length > KEPT_BYTES) out = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  return text;
}

function reserve(bytes: number): void {
  if (at + bytes <= out.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + bytes));
  out.copy(larger, 0, 0, at);
  out = larger;
}

/** Writes the document or array that begins at `start`. */
function writeDocument(src: Uint8Array, start: number, isArray: boolean, mode: JsonMode): void {
  const end = start + readInt32(src, start) - 1;
  if (end >= src.length || end < start + 4) throw damaged();
  reserve(SLACK_BYTES);
  let o: Uint8Array = out;
  let q = at;
  let p = start + 4;
  let limit = out.length - SLACK_BYTES;
  o[q++] = isArray ? 0x5b : 0x7b;
  let first = true;
  while (p < end) {
    const type = src[p++] as number;
    if (q > limit) {
      at = q;
      reserve(SLACK_BYTES * 2);
      o = out;
      limit = out.length - SLACK_BYTES;
    }
    if (first) {
      first = false;
    } else {
      o[q++] = 0x2c;
      o[q++] = 0x20;
    }
    if (isArray) {
      while (src[p++] !== 0) if (p > end) throw damaged();
    } else {
      o[q++] = 0x22;
      const nameStart = p;
      const outStart = q;
      for (;;) {
        const byte = src[p++] as number;
        if (ESCAPE[byte] !== 0 || q > limit) {
          if (byte === 0) break;
          let nameEnd = p;
          while (src[nameEnd] !== 0) if (nameEnd++ > end) throw damaged();
          at = outStart;
          writeEscaped(src, nameStart, nameEnd);
          reserve(SLACK_BYTES);
          o = out;
          q = at;
          limit = out.length - SLACK_BYTES;
          p = nameEnd + 1;
          break;
        }
        o[q++] = byte;
      }
      o[q++] = 0x22;
      o[q++] = 0x3a;
      o[q++] = 0x20;
    }
    switch (type) {
      case 0x02: {
        const length = readInt32(src, p) - 1;
        p += 4;
        const stop = p + length;
        if (length < 0 || stop >= end) throw damaged();
        if (q + length > limit) {
          at = q;
          reserve(length + SLACK_BYTES * 2);
          o = out;
          limit = out.length - SLACK_BYTES;
        }
        o[q++] = 0x22;
        const stringStart = p;
        const outStart = q;
        while (p < stop) {
          const byte = src[p++] as number;
          if (ESCAPE[byte] !== 0) {
            at = outStart;
            writeEscaped(src, stringStart, stop);
            reserve(SLACK_BYTES);
            o = out;
            q = at;
            limit = out.length - SLACK_BYTES;
            break;
          }
          o[q++] = byte;
        }
        o[q++] = 0x22;
        p = stop + 1;
        break;
      }
      case 0x10: {
        const value = readInt32(src, p);
        p += 4;
        if (mode === 'extended') {
          q = putAscii(o, q, `{"$numberInt": "${value}"}`);
        } else {
          q = putInt32(o, q, value);
        }
        break;
      }
      case 0x01:
        for (let byte = 0; byte < 8; byte++) float64Bytes[byte] = src[p + byte] as number;
        p += 8;
        q = putAscii(o, q, writeDouble(float64[0] as number, mode));
        break;
      case 0x12: {
        const low = readInt32(src, p) >>> 0;
        const high = readInt32(src, p + 4);
        p += 8;
        if (mode === 'default' || mode === 'relaxed') {
          q = putInt64(o, q, high, low);
        } else {
          q = putAscii(o, q, writeInt64(String(toInt64(high, low)), mode));
        }
        break;
      }
      case 0x09: {
        const low = readInt32(src, p) >>> 0;
        const high = readInt32(src, p + 4);
        p += 8;
        if (mode === 'default') {
          // {"$date": n }
          o[q++] = 0x7b;
          o[q++] = 0x22;
          o[q++] = 0x24;
          o[q++] = 0x64;
          o[q++] = 0x61;
          o[q++] = 0x74;
          o[q++] = 0x65;
          o[q++] = 0x22;
          o[q++] = 0x3a;
          o[q++] = 0x20;
          q = putInt64(o, q, high, low);
          o[q++] = 0x20;
          o[q++] = 0x7d;
        } else {
          q = putAscii(o, q, writeDate(toInt64(high, low), mode));
        }
        break;
      }
      case 0x07:
        if (mode === 'shell') {
          q = putAscii(o, q, 'ObjectId("');
        } else {
          // {"$oid": "
          o[q++] = 0x7b;
          o[q++] = 0x22;
          o[q++] = 0x24;
          o[q++] = 0x6f;
          o[q++] = 0x69;
          o[q++] = 0x64;
          o[q++] = 0x22;
          o[q++] = 0x3a;
          o[q++] = 0x20;
          o[q++] = 0x22;
        }
        for (let byte = 0; byte < 12; byte++) {
          const pair = (src[p++] as number) << 1;
          o[q++] = HEX[pair] as number;
          o[q++] = HEX[pair + 1] as number;
        }
        o[q++] = 0x22;
        o[q++] = mode === 'shell' ? 0x29 : 0x7d;
        break;
      case 0x03:
      case 0x04:
        at = q;
        writeDocument(src, p, type === 0x04, mode);
        p += readInt32(src, p);
        o = out;
        q = at;
        limit = out.length - SLACK_BYTES;
        break;
      case 0x08:
        q = putAscii(o, q, src[p++] === 0 ? 'false' : 'true');
        break;
      case 0x0a:
        q = putAscii(o, q, 'null');
        break;
      default:
        at = q;
        p = writeRare(src, p, type, mode);
        o = out;
        q = at;
        limit = out.length - SLACK_BYTES;
    }
  }
  o[q++] = isArray ? 0x5d : 0x7d;
  at = q;
  // the closing bytes of nested documents come out of the slack, so it has to be renewed
  reserve(SLACK_BYTES);
}

/** Writes the types seldom met; gives the offset after the value. */
function writeRare(src: Uint8Array, start: number, type: number, mode: JsonMode): number {
  switch (type) {
    case 0x05: {
      const length = readInt32(src, start);
      const subType = src[start + 4] as number;
      const end = start + 5 + length;
      if (length < (subType === 2 ? 4 : 0) || end > src.length) throw damaged();
      // subtype 2 repeats the length inside
      const dataStart = subType === 2 ? start + 9 : start + 5;
      writeText(writeBinaryText(view(src, dataStart, end).toString('base64'), subType, mode));
      return end;
    }
    case 0x06:
      writeText(mode === 'shell' ? 'undefined' : '{"$undefined": true}');
      return start;
    case 0x0b: {
      const patternEnd = endOfCstring(src, start);
      const optionsEnd = endOfCstring(src, patternEnd + 1);
      const pattern = view(src, start, patternEnd).toString('utf8');
      const options = view(src, patternEnd + 1, optionsEnd).toString('utf8');
      writeText(writeRegex(pattern, options, mode));
      return optionsEnd + 1;
    }
    case 0x0c: {
      const idStart = start + 4 + readInt32(src, start);
      const namespace = escapeText(readString(src, start));
      const hex = view(src, idStart, idStart + 12).toString('hex');
      const id = mode === 'shell' ? `ObjectId("${hex}")` : `{"$oid": "${hex}"}`;
      const pointer = `{"$ref": "${namespace}", "$id": ${id}}`;
      writeText(mode === 'extended' ? `{"$dbPointer": ${pointer}}` : pointer);
      return idStart + 12;
    }
    case 0x0d:
      writeText(`{"$code": "${escapeText(readString(src, start))}"}`);
      return start + 4 + readInt32(src, start);
    case 0x0e:
      writeText(`{"$symbol": "${escapeText(readString(src, start))}"}`);
      return start + 4 + readInt32(src, start);
    case 0x0f:
      writeText(`{"$code": "${escapeText(readString(src, start + 4))}", "$scope": `);
      writeDocument(src, start + 8 + readInt32(src, start + 4), false, mode);
      writeText('}');
      return start + readInt32(src, start);
    case 0x11:
      writeText(
        writeTimestampParts(readInt32(src, start + 4) >>> 0, readInt32(src, start) >>> 0, mode),
      );
      return start + 8;
    case 0x13: {
      const text = new Decimal128(
        Uint8Array.prototype.slice.call(src, start, start + 16),
      ).toString();
      writeText(mode === 'shell' ? `NumberDecimal("${text}")` : `{"$numberDecimal": "${text}"}`);
      return start + 16;
    }
    case 0xff:
      writeText(mode === 'shell' ? 'MinKey' : '{"$minKey": 1}');
      return start;
    case 0x7f:
      writeText(mode === 'shell' ? 'MaxKey' : '{"$maxKey": 1}');
      return start;
    default:
      throw new RangeError(`Unknown BSON type ${type}`);
  }
}

/** Writes text that is already JSON, and renews the slack. */
function writeText(text: string): void {
  reserve(text.length * 3 + SLACK_BYTES);
  at += out.write(text, at, 'utf8');
}

/** Writes the inside of a string literal from UTF-8 bytes of which some need an escape. */
function writeEscaped(src: Uint8Array, start: number, end: number): void {
  reserve((end - start) * 6 + SLACK_BYTES);
  const o = out;
  let q = at;
  for (let p = start; p < end; p++) {
    const byte = src[p] as number;
    const letter = ESCAPE[byte] as number;
    if (letter === 0) {
      o[q++] = byte;
    } else if (letter === 2) {
      at = q;
      writeNonAscii(src, p, end);
      return;
    } else if (letter === 1) {
      o[q++] = 0x5c;
      o[q++] = 0x75;
      o[q++] = 0x30;
      o[q++] = 0x30;
      o[q++] = HEX[byte << 1] as number;
      o[q++] = HEX[(byte << 1) + 1] as number;
    } else {
      o[q++] = 0x5c;
      o[q++] = letter;
    }
  }
  at = q;
}

/** As {@link writeEscaped}, with room already reserved; broken UTF-8 becomes U+FFFD. */
function writeNonAscii(src: Uint8Array, start: number, end: number): void {
  const bytes = view(src, start, end);
  const text = bytes.toString('utf8');
  if (!needsEscape(text) && !text.includes('\ufffd')) {
    out.set(bytes, at);
    at += end - start;
    return;
  }
  at += out.write(escapeText(text), at, 'utf8');
}
