/** Engine values from plain JavaScript ones, so that test tables read like the manual's examples. */
import { DateTime, type Document, Double, isInt32, type Value } from '../bson/value.ts';

export type Plain = unknown;

/** Objects become documents, dates become DateTime; engine values stay as they are. */
export function toValue(plain: Plain): Value {
  if (Array.isArray(plain)) return plain.map(toValue);
  if (plain instanceof Date) return new DateTime(plain.getTime());
  if (
    plain !== null &&
    typeof plain === 'object' &&
    Object.getPrototypeOf(plain) === Object.prototype
  ) {
    return toDocumentOf(plain);
  }
  return plain as Value;
}

export function toDocumentOf(plain: object): Document {
  const document: Document = new Map();
  for (const [name, value] of Object.entries(plain)) {
    if (value !== undefined) document.set(name, toValue(value));
  }
  return document;
}

/** The reverse, for readable failures: a whole double shows as `{ $double }`. */
export function toPlain(value: Value | undefined): Plain {
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, field]) => [name, toPlain(field)]));
  }
  if (value instanceof DateTime) return new Date(Number(value.epochMs));
  if (value instanceof Double && isInt32(value.value)) return { $double: value.value };
  return value;
}
