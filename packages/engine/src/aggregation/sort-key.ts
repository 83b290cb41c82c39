/**
 * Sort patterns and the keys documents sort by (manual, "Comparison/Sort Order"): an array sorts by
 * its least element ascending and by its greatest descending, an empty array before null.
 */
import { type Collator, compareValues } from '../bson/compare.ts';
import { BsonUndefined, type Document, type Value } from '../bson/value.ts';
import { planSort } from '../query/sort.ts';
import { badValue, locationError } from './aggregation-error.ts';
import { describeValue, isNumeric, toJsNumber } from './expression/value-kind.ts';
import { parseFieldPath } from './field-path.ts';

export interface SortPart {
  readonly path: readonly string[];
  readonly direction: 1 | -1;
  /** `{$meta: …}` in place of a direction: the metadata to sort by, descending. */
  readonly meta?: string;
}

export type SortKey = readonly (Value | undefined)[];

const METADATA = new Set(['textScore', 'randVal', 'searchScore', 'geoNearDistance']);

export function parseSortPattern(spec: Document): readonly SortPart[] {
  if (spec.size === 0) {
    throw locationError(15976, '$sort stage must have at least one sort key');
  }
  if (spec.size > 32) throw locationError(13103, 'too many compound keys');
  return [...spec].map(([field, order]) => parsePart(field, order));
}

function parsePart(field: string, order: Value): SortPart {
  if (order instanceof Map) {
    const meta = order.get('$meta');
    if (order.size !== 1 || typeof meta !== 'string') {
      throw locationError(17312, '$meta is the only expression supported by $sort right now');
    }
    if (!METADATA.has(meta)) throw locationError(31138, `Illegal $meta sort: $meta: "${meta}"`);
    return { path: [field], direction: -1, meta };
  }
  if (!isNumeric(order)) {
    throw locationError(
      15974,
      `Illegal key in $sort specification: ${field}: ${describeValue(order)}`,
    );
  }
  const direction = toJsNumber(order);
  if (direction !== 1 && direction !== -1) {
    throw locationError(
      15975,
      '$sort key ordering must be 1 (for ascending) or -1 (for descending)',
    );
  }
  return { path: parseFieldPath(field), direction };
}

/**
 * Reads what documents sort by, as `find` does: parts that enter the same array take their values
 * from the same element of it.
 *
 * @param metaOf - the metadata of a document, for parts that sort by it
 * @throws BadValue, when read, for parts that enter two different arrays
 */
export function sortKeyReader(
  parts: readonly SortPart[],
  collation: Collator | undefined,
  metaOf?: (document: Document, name: string) => Value | undefined,
): (document: Document) => SortKey {
  const [only] = parts;
  if (parts.length === 1 && only?.meta === undefined && only?.path.length === 1) {
    return (document) => [sortKeyOf(only, document, collation)];
  }
  const fields = parts.map(({ path, direction, meta }) => ({
    path: path.join('.'),
    direction,
    ...(meta !== undefined && { meta }),
  }));
  return planSort(fields, { collation, ...(metaOf !== undefined && { metaOf }) }).key;
}

/** What `document` sorts by at one part of a pattern. */
export function sortKeyOf(
  part: SortPart,
  document: Document,
  collation?: Collator,
): Value | undefined {
  const { path } = part;
  const value = document.get(path[0] as string);
  if (path.length === 1) {
    return Array.isArray(value) ? pickElement(value, part.direction, collation) : (value ?? null);
  }
  const candidates: Value[] = [];
  collect(value, path, 1, candidates);
  return pickElement(candidates, part.direction, collation);
}

/** All values an index on the path would hold for this value. */
function collect(
  value: Value | undefined,
  path: readonly string[],
  index: number,
  into: Value[],
): void {
  if (index === path.length) {
    if (Array.isArray(value)) {
      if (value.length === 0) into.push(BsonUndefined.instance);
      for (const item of value) into.push(item);
    } else {
      into.push(value ?? null);
    }
    return;
  }
  const name = path[index] as string;
  if (value instanceof Map) {
    collect(value.get(name), path, index + 1, into);
  } else if (Array.isArray(value)) {
    const position = /^(0|[1-9]\d*)$/.test(name) ? Number(name) : -1;
    if (position >= 0 && position < value.length) {
      collect(value[position], path, index + 1, into);
    }
    for (const item of value) {
      if (item instanceof Map && (position < 0 || item.has(name))) {
        collect(item.get(name), path, index + 1, into);
      } else if (position < 0 && !(item instanceof Map)) {
        into.push(null);
      }
    }
    // only an empty array at the end of the path sorts before null
    if (value.length === 0) into.push(null);
  } else {
    into.push(null);
  }
}

function pickElement(
  values: readonly Value[],
  direction: 1 | -1,
  collation: Collator | undefined,
): Value {
  let best = values[0];
  if (best === undefined) return BsonUndefined.instance;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as Value;
    if (compareValues(value, best, collation) * direction < 0) best = value;
  }
  return best;
}

/** Compares the keys of two documents under one pattern. */
export function compareSortKeys(
  parts: readonly SortPart[],
  left: SortKey,
  right: SortKey,
  collation?: Collator,
): number {
  for (let i = 0; i < parts.length; i++) {
    const a = left[i];
    const b = right[i];
    const order = a === b ? 0 : compareValues(a, b, collation);
    if (order !== 0) return order * (parts[i] as SortPart).direction;
  }
  return 0;
}

/** A comparison of documents by a pattern. */
export function documentOrder(
  parts: readonly SortPart[],
  collation?: Collator,
): (left: Document, right: Document) => number {
  const keyOf = sortKeyReader(parts, collation);
  return (left, right) => compareSortKeys(parts, keyOf(left), keyOf(right), collation);
}

/** The single direction of a `sortBy` that is a number. */
export function parseDirection(value: Value | undefined): 1 | -1 {
  const direction = isNumeric(value) ? toJsNumber(value) : 0;
  if (direction === 1 || direction === -1) return direction;
  throw badValue('The $sort element value must be either 1 or -1');
}
