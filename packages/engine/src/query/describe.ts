/** Values as MongoDB prints them in its error texts (the shell's older Extended JSON). */

import { decodeDocument } from '../bson/codec.ts';
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
  MaxKey,
  MinKey,
  ObjectId,
  RawDocument,
  Timestamp,
  type Value,
} from '../bson/value.ts';

function describeDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan.0';
  if (!Number.isFinite(value)) return value < 0 ? '-inf.0' : 'inf.0';
  const text = String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

function describeDate(value: DateTime): string {
  const ms = Number(value.epochMs);
  const time = new Date(ms);
  return Number.isNaN(time.getTime()) ? `new Date(${value.epochMs})` : `new Date(${ms})`;
}

export function describeDocument(document: Document): string {
  if (document.size === 0) return '{}';
  const fields = [...document].map(([name, value]) => `${name}: ${describeValue(value)}`);
  return `{ ${fields.join(', ')} }`;
}

/** One value, such as `"text"`, `1.0`, `{ a: 1 }`, `ObjectId('…')`. */
export function describeValue(value: Value | undefined): string {
  if (value === undefined) return 'EOO';
  if (value === null) return 'null';
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0)
      ? String(value)
      : describeDouble(value);
  if (value instanceof Map) return describeDocument(value);
  if (Array.isArray(value)) {
    return value.length === 0 ? '[]' : `[ ${value.map(describeValue).join(', ')} ]`;
  }
  return describeObject(value);
}

function describeObject(
  value: Exclude<Value, null | string | boolean | bigint | number | Document | Value[]>,
): string {
  if (value instanceof Double) return describeDouble(value.value);
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof DateTime) return describeDate(value);
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof RawDocument) return describeDocument(decodeDocument(value.bytes));
  if (value instanceof Binary) return describeBinary(value);
  if (value instanceof Timestamp) return `Timestamp(${value.high >>> 0}, ${value.low >>> 0})`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  if (value instanceof BsonUndefined) return 'undefined';
  if (value instanceof BSONSymbol) return `"${value.value}"`;
  if (value instanceof Code) return value.code;
  if (value instanceof CodeWithScope)
    return `CodeWScope( ${value.code}, ${describeDocument(value.scope)})`;
  if (value instanceof DbPointer) return `DBRef('${value.namespace}',${value.id.toHexString()})`;
  return String(value);
}

function describeBinary(value: Binary): string {
  const bytes = Buffer.from(value.buffer.subarray(0, value.position));
  if (value.sub_type === 4 && bytes.length === 16) {
    const hex = bytes.toString('hex');
    const parts = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ];
    return `UUID("${parts.join('-')}")`;
  }
  return `BinData(${value.sub_type}, ${bytes.toString('hex').toUpperCase()})`;
}
