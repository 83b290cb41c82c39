/** Names of a definition as they are stored: once, names could hold neither `$` nor dots (graphql.md §3). */
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';

/** Names `$x` → `_$x` and, below the root, `a.b` → `a::b`; names at the root keep their dots. */
export function escapeKeys(document: BsonDocument): BsonDocument {
  return new Map([...document].map(([name, value]) => [escapeDollar(name), escapeNested(value)]));
}

/**
 * The body of a PATCH: update operators stay operators, the paths below them stay paths.
 */
export function escapeUpdate(document: BsonDocument): BsonDocument {
  return new Map(
    [...document].map(([name, value]) => [
      name,
      name.startsWith('$') && isDocument(value) ? escapeKeys(value) : escapeNested(value),
    ]),
  );
}

function escapeNested(value: BsonValue): BsonValue {
  return mapNames(value, (name) => escapeDollar(name).replaceAll('.', '::'));
}

function escapeDollar(name: string): string {
  return name.startsWith('$') ? `_${name}` : name;
}

/** The definition as its author wrote it. */
export function unescapeKeys(document: BsonDocument): BsonDocument {
  return mapNames(document, (name) =>
    (name.startsWith('_$') ? name.slice(1) : name).replaceAll('::', '.'),
  ) as BsonDocument;
}

function mapNames(value: BsonValue, rename: (name: string) => string): BsonValue {
  if (Array.isArray(value)) return value.map((item) => mapNames(item, rename));
  if (!isDocument(value)) return value;
  const renamed: BsonDocument = new Map();
  for (const [name, member] of value) renamed.set(rename(name), mapNames(member, rename));
  return renamed;
}
