/** BSON values → JSON text on one line, `{"a": 1, "b": [1, 2]}`, in the five modes of §2.3. */
import type {
  Binary,
  BSONRegExp,
  BsonDocument,
  BsonValue,
  Code,
  Double,
  Long,
  Timestamp,
} from '../model/bson.ts';
import type { JsonMode } from './json-mode.ts';
import { escapeText, quoteText } from './json-string.ts';
import { formatDouble, formatIsoDate, formatShellDate } from './number-text.ts';

/** The JSON text of a value; a JS number that is no int32 is written as a double. */
export function writeJson(value: BsonValue, mode: JsonMode = 'default'): string {
  switch (typeof value) {
    case 'string':
      return quoteText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (value === (value | 0) && !Object.is(value, -0)) return writeInt32(value, mode);
      return writeDouble(value, mode);
    default:
  }
  if (value === null) return 'null';
  if (value instanceof Map) return writeDocument(value, mode);
  if (Array.isArray(value)) return writeArray(value, mode);
  if (value instanceof Date) return writeDate(value.getTime(), mode);
  switch (value._bsontype) {
    case 'ObjectId':
      return mode === 'shell'
        ? `ObjectId("${value.toHexString()}")`
        : `{"$oid": "${value.toHexString()}"}`;
    case 'Double':
      return writeDouble((value as Double).value, mode);
    case 'Long':
      return writeInt64((value as Long).toString(), mode);
    case 'Decimal128':
      return mode === 'shell'
        ? `NumberDecimal("${value.toString()}")`
        : `{"$numberDecimal": "${value.toString()}"}`;
    case 'Binary':
      return writeBinary(value as Binary, mode);
    case 'Timestamp':
      return writeTimestamp(value as Timestamp, mode);
    case 'BSONRegExp':
      return writeRegex((value as BSONRegExp).pattern, (value as BSONRegExp).options, mode);
    case 'BSONSymbol':
      return `{"$symbol": ${quoteText(value.value)}}`;
    case 'Code':
      return writeCode(value as Code, mode);
    case 'MinKey':
      return mode === 'shell' ? 'MinKey' : '{"$minKey": 1}';
    case 'MaxKey':
      return mode === 'shell' ? 'MaxKey' : '{"$maxKey": 1}';
  }
}

function writeDocument(document: BsonDocument, mode: JsonMode): string {
  let text = '{';
  let separator = '"';
  for (const [name, value] of document) {
    text += `${separator}${escapeText(name)}": ${writeJson(value, mode)}`;
    separator = ', "';
  }
  return `${text}}`;
}

function writeArray(items: readonly BsonValue[], mode: JsonMode): string {
  let text = '[';
  let separator = '';
  for (const item of items) {
    text += separator + writeJson(item, mode);
    separator = ', ';
  }
  return `${text}]`;
}

/** An int32 in the given mode. */
export function writeInt32(value: number, mode: JsonMode): string {
  return mode === 'extended' ? `{"$numberInt": "${value}"}` : String(value);
}

/** An int64, given by its digits. */
export function writeInt64(digits: string, mode: JsonMode): string {
  switch (mode) {
    case 'strict':
    case 'extended':
      return `{"$numberLong": "${digits}"}`;
    case 'shell':
      return Number(digits) === (Number(digits) | 0)
        ? `NumberLong(${digits})`
        : `NumberLong("${digits}")`;
    default:
      return digits;
  }
}

/** A double; NaN and the infinities are objects where plain JSON has no word for them. */
export function writeDouble(value: number, mode: JsonMode): string {
  const text = formatDouble(value);
  switch (mode) {
    case 'strict':
    case 'shell':
      return text;
    case 'extended':
      return `{"$numberDouble": "${text}"}`;
    default:
      return Number.isFinite(value) ? text : `{"$numberDouble": "${text}"}`;
  }
}

/** A date; by default its epoch milliseconds, with the space before the brace clients see. */
export function writeDate(epochMs: bigint | number, mode: JsonMode): string {
  switch (mode) {
    case 'default':
      return `{"$date": ${epochMs} }`;
    case 'strict':
      return `{"$date": ${epochMs}}`;
    case 'shell':
      return formatShellDate(epochMs);
    case 'relaxed': {
      const iso = formatIsoDate(Number(epochMs));
      if (iso !== undefined) return `{"$date": "${iso}"}`;
      return `{"$date": {"$numberLong": "${epochMs}"}}`;
    }
    case 'extended':
      return `{"$date": {"$numberLong": "${epochMs}"}}`;
  }
}

function writeBinary(value: Binary, mode: JsonMode): string {
  return writeBinaryText(value.toString('base64'), value.sub_type, mode);
}

/** Binary data, given as base64. */
export function writeBinaryText(base64: string, subType: number, mode: JsonMode): string {
  const type = subType.toString(16).padStart(2, '0');
  switch (mode) {
    case 'strict':
      return `{"$binary": "${base64}", "$type": "${type}"}`;
    case 'shell':
      return `new BinData(${subType}, "${base64}")`;
    default:
      return `{"$binary": {"base64": "${base64}", "subType": "${type}"}}`;
  }
}

function writeTimestamp(value: Timestamp, mode: JsonMode): string {
  return writeTimestampParts(value.getHighBitsUnsigned(), value.getLowBitsUnsigned(), mode);
}

/** A timestamp: seconds and increment, both unsigned. */
export function writeTimestampParts(t: number, i: number, mode: JsonMode): string {
  return mode === 'shell' ? `Timestamp(${t}, ${i})` : `{"$timestamp": {"t": ${t}, "i": ${i}}}`;
}

/** A regular expression; `/…/` only in shell mode. */
export function writeRegex(pattern: string, options: string, mode: JsonMode): string {
  switch (mode) {
    case 'strict':
      return `{"$regex": ${quoteText(pattern)}, "$options": ${quoteText(options)}}`;
    case 'shell':
      return `/${pattern === '' ? '(?:)' : pattern.replaceAll('/', '\\/')}/${options}`;
    default:
      return `{"$regularExpression": {"pattern": ${quoteText(pattern)}, "options": ${quoteText(options)}}}`;
  }
}

function writeCode(value: Code, mode: JsonMode): string {
  const code = `{"$code": ${quoteText(value.code)}`;
  if (!value.scope) return `${code}}`;
  const scope = value.scope;
  const document = scope instanceof Map ? scope : new Map(Object.entries(scope));
  return `${code}, "$scope": ${writeDocument(document as BsonDocument, mode)}}`;
}
