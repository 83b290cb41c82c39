import { isArrayIndex, splitPath } from '../bson/path.ts';
import { isTrue } from '../bson/truth.ts';
import type { Index } from './index.ts';
import { buildRanges, type IndexScan } from './index-scan.ts';
import { FULL, type IntervalSet, includesNull, point } from './intervals.ts';
import type { Predicate } from './predicates.ts';

/** True when the index has the values of a path. */
function covers(index: Index, path: string): boolean {
  const field = index.fields.find(({ kind }) => kind === 'wildcard');
  // elements of arrays are kept under the array's own path
  if (splitPath(path).some(isArrayIndex)) return false;
  if (field === undefined) return false;
  if (field.path !== '') return path.startsWith(`${field.path}.`) || path === field.path;
  const projection = index.spec.document.get('wildcardProjection');
  if (!(projection instanceof Map)) return path !== '_id' && !path.startsWith('_id.');
  const flat = [...projection].filter(([name]) => name !== '_id');
  const isInclusion = flat.some(([, value]) => isTrue(value));
  const isNamed = flat.some(([name]) => path === name || path.startsWith(`${name}.`));
  return flat.length > 0 && !path.startsWith('_id') && isNamed === isInclusion;
}

/** Conditions that missing values cannot meet, on values that a wildcard index keeps whole. */
function isUsable({ node, bounds, group }: Predicate): boolean {
  if (group !== undefined || includesNull(bounds.set)) return false;
  if (node.kind === 'compare') return !(node.value instanceof Map) && !Array.isArray(node.value);
  if (node.kind === 'in') {
    return node.values.every((value) => !(value instanceof Map) && !Array.isArray(value));
  }
  return node.kind === 'regex';
}

/**
 * The scan of a wildcard index for the first condition it can serve (manual, "Wildcard Indexes"):
 * one path per query, equality and ranges of values that are no documents or arrays.
 */
export function planWildcardScan(
  index: Index,
  predicates: readonly Predicate[],
): IndexScan | undefined {
  if (!index.isReady || index.filter !== undefined || index.fields.length > 1) return undefined;
  const predicate = predicates.find((one) => isUsable(one) && covers(index, one.path));
  if (predicate === undefined) return undefined;
  const bounds: IntervalSet[] = [[point(predicate.path)], predicate.bounds.set];
  const [field] = index.fields;
  const { ranges } = buildRanges(index, bounds, [1, field?.direction ?? 1]);
  return {
    index,
    bounds: [predicate.bounds.set, FULL],
    ranges,
    isExact: false,
    equalFields: 0,
    hasRange: true,
  };
}
