/** Document ids between URIs and BSON (rest-documents.md §1.4). */

import { QuorateError } from '../../errors/quorate-error.ts';
import {
  type BsonValue,
  Double,
  isDocument,
  isInt64,
  type Long,
  MaxKey,
  MinKey,
  ObjectId,
} from '../../model/bson.ts';
import { parseJson } from '../../representation/json-reader.ts';
import { formatDouble } from '../../representation/number-text.ts';
import type { IdType } from './rest-request.ts';

const ID_TYPES: readonly IdType[] = [
  'OID',
  'STRING_OID',
  'STRING',
  'NUMBER',
  'DATE',
  'MINKEY',
  'MAXKEY',
  'NULL',
  'BOOLEAN',
];
const OID = /^[0-9a-fA-F]{24}$/;

/** Value of the `id_type` parameter in any case; undefined when it is not one. */
export function parseIdType(text: string): IdType | undefined {
  const upper = text.toUpperCase();
  return ID_TYPES.find((type) => type === upper);
}

/** The refusal of an unknown `id_type`. */
export function illegalIdType(): QuorateError {
  return new QuorateError('ERR_REQUEST_ID_TYPE', {
    message: `illegal id_type parameter; must be [${ID_TYPES.join(', ')}]`,
  });
}

/** True for a string that STRING_OID takes for an ObjectId. */
export function looksLikeObjectId(text: string): boolean {
  return text.length === 24 && OID.test(text);
}

/** Magic tokens, whatever `id_type` says; undefined for any other token. */
function parseMagicToken(token: string): BsonValue | undefined {
  if (token.charCodeAt(0) !== 0x5f) return undefined;
  switch (token.toLowerCase()) {
    case '_maxkey':
      return new MaxKey();
    case '_minkey':
      return new MinKey();
    case '_null':
      return null;
    case '_true':
      return true;
    case '_false':
      return false;
    default:
      return undefined;
  }
}

/**
 * The id that a decoded URI token means.
 *
 * @throws ERR_REQUEST_ID with 400, or with 500 where the reference answers so
 */
export function parseDocumentId(token: string, idType: IdType): BsonValue {
  const magic = parseMagicToken(token);
  if (magic !== undefined) return magic;
  switch (idType) {
    case 'STRING_OID':
      return looksLikeObjectId(token) ? new ObjectId(token) : token;
    case 'OID':
      if (looksLikeObjectId(token)) return new ObjectId(token);
      throw wrongId(idType, `${token} is not a valid OID`);
    case 'STRING':
      return token;
    case 'NUMBER':
      return parseNumberId(token);
    case 'DATE':
      return parseDateId(token);
    case 'MINKEY':
      return new MinKey();
    case 'MAXKEY':
      return new MaxKey();
    case 'NULL':
    case 'BOOLEAN':
      return null;
  }
}

function wrongId(idType: IdType, exceptionMessage: string): QuorateError {
  return new QuorateError('ERR_REQUEST_ID', {
    message: `wrong document id format: not a valid ${idType}`,
    exception: 'org.restheart.exchange.UnsupportedDocumentIdException',
    exceptionMessage,
  });
}

/** Text that is no JSON at all gives 500 in the reference, and clients see the same here (rest-documents.md §1.4). */
function parseJsonId(token: string): BsonValue {
  try {
    return parseJson(token);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_ID', {
      status: 500,
      message: 'Error handling the request, see log for more information',
      exception: 'org.bson.json.JsonParseException',
      exceptionMessage: 'invalid json',
      cause,
    });
  }
}

function isNumber(value: BsonValue): boolean {
  return typeof value === 'number' || isInt64(value) || value instanceof Double;
}

function parseNumberId(token: string): BsonValue {
  const value = parseJsonId(token);
  if (isNumber(value)) return value;
  throw wrongId('NUMBER', `${token} is not a valid NUMBER`);
}

function parseDateId(token: string): BsonValue {
  const date = toDate(parseJsonId(token));
  // beyond the years that a Date can hold there is nothing to find
  if (date !== undefined && !Number.isNaN(date.getTime())) return date;
  throw wrongId('DATE', `${token} is not a valid DATE`);
}

function toDate(value: BsonValue): Date | undefined {
  if (value instanceof Date) return value;
  if (typeof value === 'number') return new Date(value);
  return isInt64(value) ? new Date(value.toNumber()) : undefined;
}

/** Text of a number as Java prints it in a URI, which is read back as the same type. */
function formatNumber(value: number | Long | Double): string {
  if (typeof value === 'number') return String(value);
  return isInt64(value) ? value.toString() : formatDouble(value.value);
}

/** The suffix that names an id below its collection, without the slash; undefined for types that no URI can name. */
export function formatIdForUri(id: BsonValue | undefined): string | undefined {
  if (id === undefined || id === null) return '_null';
  if (typeof id === 'string') return id;
  if (typeof id === 'boolean') return id ? '_true' : '_false';
  if (id instanceof ObjectId) return id.toHexString();
  if (typeof id === 'number' || isInt64(id) || id instanceof Double) {
    return `${formatNumber(id)}?id_type=NUMBER`;
  }
  if (id instanceof Date) return `${id.getTime()}?id_type=DATE`;
  if (id instanceof MinKey) return '_MinKey';
  if (id instanceof MaxKey) return '_MaxKey';
  return undefined;
}

/** Suffix of `Location` and bulk `links`, which name what they cannot name by a fixed text. */
export function formatIdForLink(id: BsonValue | undefined): string {
  return formatIdForUri(id) ?? '_? (unsuppored _id type)';
}

/** An id as the texts of 404 answers show it (rest-documents.md §4.4). */
export function formatIdForMessage(id: BsonValue | undefined): string {
  if (id === undefined || id === null) return 'null';
  if (typeof id === 'string') return `'${id}'`;
  if (id instanceof ObjectId) return id.toHexString();
  if (isInt64(id)) return id.toString();
  if (id instanceof Double) return formatNumber(id);
  if (id instanceof Date) return `{'$date':${id.getTime()}}`;
  if (id instanceof MinKey) return `{'$minKey':1}`;
  if (id instanceof MaxKey) return `{'$maxKey':1}`;
  return isDocument(id) ? 'object' : String(id);
}

/** Equality of ids by type and value, as `_id` of a body is compared with the URI's (rest-documents.md §5.2). */
export function isSameId(a: BsonValue | undefined, b: BsonValue | undefined): boolean {
  if (a === b) return true;
  if (a instanceof ObjectId) return b instanceof ObjectId && a.equals(b);
  if (isInt64(a)) return isInt64(b) && a.equals(b);
  if (a instanceof Double) return b instanceof Double && Object.is(a.value, b.value);
  if (a instanceof Date) return b instanceof Date && a.getTime() === b.getTime();
  if (a instanceof MinKey) return b instanceof MinKey;
  if (a instanceof MaxKey) return b instanceof MaxKey;
  return false;
}
