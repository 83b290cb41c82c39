/** Extended JSON text to the engine's values, for readable tests. */
import { EJSON, serialize } from 'bson';
import { decodeDocument } from '../../src/bson/codec.ts';
import type { Document, Value } from '../../src/bson/value.ts';

/** A document from Extended JSON text or from an object of plain values. */
export function doc(source: string | Readonly<Record<string, unknown>>): Document {
  const object = typeof source === 'string' ? EJSON.parse(source, { relaxed: false }) : source;
  return decodeDocument(serialize(object, { ignoreUndefined: true }));
}

/** One value from plain values, such as `[1, { a: 2 }]`. */
export function val(source: unknown): Value {
  return doc({ value: source }).get('value') ?? null;
}

/** Plain JavaScript values of a document, for comparison by eye; numbers lose their types. */
export function plain(value: Value | undefined): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return Number(value);
  if (value !== null && typeof value === 'object' && 'value' in value) return value.value;
  return value;
}
