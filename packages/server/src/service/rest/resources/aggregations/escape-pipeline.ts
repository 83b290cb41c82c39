/** The form in which pipelines are stored as collection properties, whose names once could hold no `$` and no dot. */

import { type BsonDocument, type BsonValue, isDocument } from '../../../../model/bson.ts';

/** Names `$x` → `_$x`, `a.b` → `a::b`; texts in arrays that begin with `$` get `_` too (rest-resources.md §6.1). */
export function escapeStages(value: BsonValue): BsonValue {
  if (Array.isArray(value)) {
    return value.map((item) =>
      typeof item === 'string' ? escapeDollar(item) : escapeStages(item),
    );
  }
  return isDocument(value)
    ? mapMembers(value, (name) => escapeDollar(name).replaceAll('.', '::'), escapeStages)
    : value;
}

function escapeDollar(text: string): string {
  return text.startsWith('$') ? `_${text}` : text;
}

/** The pipeline as the database executes it: the reverse for names and for every text that begins with `_$`. */
export function unescapeStages(value: BsonValue): BsonValue {
  if (typeof value === 'string') return unescapeDollar(value);
  if (Array.isArray(value)) return value.map(unescapeStages);
  return isDocument(value)
    ? mapMembers(value, (name) => unescapeDollar(name).replaceAll('::', '.'), unescapeStages)
    : value;
}

function unescapeDollar(text: string): string {
  return text.startsWith('_$') ? text.slice(1) : text;
}

function mapMembers(
  document: BsonDocument,
  rename: (name: string) => string,
  convert: (value: BsonValue) => BsonValue,
): BsonDocument {
  const result: BsonDocument = new Map();
  for (const [name, member] of document) result.set(rename(name), convert(member));
  return result;
}

/** Collection properties with `aggrs` as a client should see them in `_meta`. */
export function unescapeAggregations(properties: BsonDocument): BsonDocument {
  return withAggregations(properties, unescapeStages);
}

/**
 * A body of PUT or PATCH of a collection with its `aggrs` in the stored form; in PATCH bodies `$set` and paths such as
 * `aggrs.0.stages` are looked into as well.
 */
export function escapeAggregations(body: BsonDocument): BsonDocument {
  const escaped = withAggregations(body, escapeStages);
  if (![...escaped.keys()].some((name) => name.startsWith('$'))) return escaped;
  return new Map(
    [...escaped].map(([name, operand]) =>
      name.startsWith('$') && isDocument(operand)
        ? [name, withAggregations(operand, escapeStages)]
        : [name, operand],
    ),
  );
}

function withAggregations(
  document: BsonDocument,
  convert: (value: BsonValue) => BsonValue,
): BsonDocument {
  if (![...document.keys()].some(isAggregationsPath)) return document;
  return new Map(
    [...document].map(([name, value]) => [name, isAggregationsPath(name) ? convert(value) : value]),
  );
}

function isAggregationsPath(name: string): boolean {
  return name === 'aggrs' || name.startsWith('aggrs.');
}
