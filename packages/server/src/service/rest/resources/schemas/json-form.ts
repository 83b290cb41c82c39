/** The JSON form in which validation sees BSON values (rest-resources.md §4.2). */

import {
  type BsonDocument,
  type BsonValue,
  Double,
  isDocument,
  isInt64,
  Long,
  ObjectId,
} from '../../../../model/bson.ts';
import { writeJson } from '../../../../representation/json-writer.ts';
import { formatDouble } from '../../../../representation/number-text.ts';

/** Plain JSON: integers as numbers or Longs, decimals as Doubles, objects as Maps. */
export type JsonForm = null | boolean | number | Long | Double | string | JsonForm[] | JsonObject;
export type JsonObject = Map<string, JsonForm>;

/** BSON leaf types become the objects of the default JSON mode, such as `{"$oid": …}`. */
export function toJsonForm(value: BsonValue): JsonForm {
  if (value === null) return null;
  switch (typeof value) {
    case 'boolean':
    case 'string':
    case 'number':
      return value;
    default:
  }
  if (isDocument(value)) return toJsonObject(value);
  if (Array.isArray(value)) return value.map(toJsonForm);
  if (isInt64(value)) return value;
  if (value instanceof Double && Number.isFinite(value.value)) return value;
  if (value instanceof ObjectId) return new Map([['$oid', value.toHexString()]]);
  if (value instanceof Date) return new Map([['$date', toInteger(value.getTime())]]);
  return fromParsed(JSON.parse(writeJson(value)));
}

/** As `toJsonForm`, for the documents that requests carry. */
export function toJsonObject(document: BsonDocument): JsonObject {
  const object: JsonObject = new Map();
  for (const [name, member] of document) object.set(name, toJsonForm(member));
  return object;
}

function toInteger(value: number): number | Long {
  return value === (value | 0) ? value : Long.fromNumber(value);
}

function fromParsed(value: unknown): JsonForm {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number')
    return Number.isInteger(value) ? toInteger(value) : new Double(value);
  if (Array.isArray(value)) return value.map(fromParsed);
  return new Map(
    Object.entries(value as Record<string, unknown>).map(([name, member]) => [
      name,
      fromParsed(member),
    ]),
  );
}

/** The class name by which the reference calls the type of a value. */
export function typeNameOf(value: JsonForm): string {
  if (value === null) return 'Null';
  switch (typeof value) {
    case 'boolean':
      return 'Boolean';
    case 'string':
      return 'String';
    case 'number':
      return 'Integer';
    default:
  }
  if (isInt64(value)) return 'Long';
  if (value instanceof Double) return 'BigDecimal';
  return Array.isArray(value) ? 'JSONArray' : 'JSONObject';
}

/** The number in a numeric value; undefined for every other type. */
export function numberIn(value: JsonForm): number | undefined {
  if (typeof value === 'number') return value;
  if (isInt64(value)) return value.toNumber();
  return value instanceof Double ? value.value : undefined;
}

/** Minified text of a value; strings bare at the top, as Java prints an object in a message. */
export function describe(value: JsonForm): string {
  return typeof value === 'string' ? value : minify(value);
}

/** JSON without white space. */
export function minify(value: JsonForm): string {
  if (Array.isArray(value)) return `[${value.map(minify).join(',')}]`;
  if (value instanceof Map) {
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${minify(member)}`).join(',')}}`;
  }
  if (isInt64(value)) return value.toString();
  if (value instanceof Double) return formatDouble(value.value);
  return JSON.stringify(value);
}

/** Equality of JSON values: numbers by value, objects whatever the order of their members. */
export function isEqualJson(a: JsonForm, b: JsonForm): boolean {
  if (a === b) return true;
  const left = numberIn(a);
  if (left !== undefined) {
    if (isInt64(a) && isInt64(b)) return a.equals(b);
    return left === numberIn(b);
  }
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, index) => isEqualJson(item, b[index] as JsonForm))
    );
  }
  if (!(a instanceof Map && b instanceof Map) || a.size !== b.size) return false;
  for (const [name, member] of a) {
    const other = b.get(name);
    if (other === undefined || !isEqualJson(member, other)) return false;
  }
  return true;
}

/**
 * Names in the order in which a Java HashMap yields them: the reference keeps the members of objects in such maps,
 * and the order of its messages follows from it.
 */
export function inHashOrder(names: readonly string[]): string[] {
  let capacity = 16;
  while (names.length > capacity * 0.75) capacity *= 2;
  const bucketOf = (name: string) => {
    const hash = hashOf(name);
    return (hash ^ (hash >>> 16)) & (capacity - 1);
  };
  return [...names].sort((a, b) => bucketOf(a) - bucketOf(b));
}

/** `String.hashCode` of Java. */
function hashOf(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  }
  return hash;
}
