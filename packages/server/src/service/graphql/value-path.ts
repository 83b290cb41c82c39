/** Dotted paths in values (graphql.md §5.1). */
import { type BsonValue, isDocument } from '../../model/bson.ts';

/**
 * What is at `path`: of an array, the element that an integer names, else what is at the path in
 * each element. Undefined when there is nothing.
 */
export function lookUpPath(value: BsonValue | undefined, path: string): BsonValue | undefined {
  return descend(value, path.split('.'), 0);
}

function descend(
  value: BsonValue | undefined,
  segments: readonly string[],
  at: number,
): BsonValue | undefined {
  const segment = segments[at];
  if (segment === undefined) return value;
  if (isDocument(value)) return descend(value.get(segment), segments, at + 1);
  if (!Array.isArray(value)) return undefined;
  if (/^\d+$/.test(segment)) return descend(value[Number(segment)], segments, at + 1);
  return value.map((item) => descend(item, segments, at) ?? null);
}
