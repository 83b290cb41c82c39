/** How a filter is answered from one index: bounds by field, and the ranges of keys they make. */

import type { Document, Value } from '../bson/value.ts';
import type { FilterNode } from '../query/filter-node.ts';
import type { SortField } from '../query/sort.ts';
import { type Direction, encodeValue } from '../storage/key-encoding.ts';
import { prefixEnd } from '../storage/key-text.ts';
import { MAX_ORDERED_BYTES } from '../storage/key-writer.ts';
import { keyCollator } from './collation-key.ts';
import type { Index } from './index.ts';
import { hashValue } from './index-keys.ts';
import {
  describeInterval,
  FULL,
  type Interval,
  type IntervalSet,
  includesNull,
  intersect,
  isAllPoints,
  isFull,
  isSubset,
  orientedBytes,
  point,
  union,
} from './intervals.ts';
import { collectPredicates, conjuncts, type Predicate } from './predicates.ts';

/** Keys from `start` up to but without `end`. */
export interface KeyRange {
  readonly start: Buffer;
  readonly end: Buffer;
}

export interface IndexScan {
  readonly index: Index;
  readonly bounds: readonly IntervalSet[];
  /** In ascending order of keys. */
  readonly ranges: readonly KeyRange[];
  /** Each range is the one whole key it starts with. */
  readonly hasPoints?: boolean;
  /** Every key within the ranges belongs to a document that matches the filter. */
  readonly isExact: boolean;
  /** How many leading fields have single values. */
  readonly equalFields: number;
  /** Whether the field after those has a bound too. */
  readonly hasRange: boolean;
  /** Bounds given by `min` and `max` in place of a filter. */
  readonly limits?: { readonly min: Document | undefined; readonly max: Document | undefined };
}

/** Ranges beyond this number are joined into one that is scanned and filtered. */
const MAX_RANGES = 2000;

/** Conditions that may be put on one index field together. */
interface FieldBounds {
  readonly set: IntervalSet;
  /** The conditions the set takes the place of. */
  readonly answered: readonly Predicate[];
  readonly group: FilterNode | undefined;
  readonly isBounded: boolean;
}

const UNBOUNDED: FieldBounds = { set: FULL, answered: [], group: undefined, isBounded: false };

function width(set: IntervalSet): number {
  if (isFull(set)) return 3;
  return isAllPoints(set) ? (set.length === 1 ? 0 : 1) : 2;
}

function combine(predicates: readonly Predicate[], group: FilterNode | undefined): FieldBounds {
  let set: IntervalSet = FULL;
  for (const { bounds } of predicates) set = intersect(set, bounds.set);
  return { set, answered: predicates, group, isBounded: predicates.length > 0 };
}

/**
 * Where a document has one value, all conditions bound it together. Where it may have several, each
 * condition may hold of another: the narrowest counts, or those that one `$elemMatch` puts on the
 * element itself (a field of the element may be an array again).
 */
function fieldBounds(predicates: readonly Predicate[], isMultikey: boolean): FieldBounds {
  if (predicates.length === 0) return UNBOUNDED;
  if (!isMultikey) return combine(predicates, undefined);
  const groups = new Map<FilterNode, Predicate[]>();
  for (const predicate of predicates) {
    const key =
      predicate.group?.kind === 'elemMatch' && predicate.group.onValue
        ? predicate.group
        : predicate.node;
    groups.set(key, [...(groups.get(key) ?? []), predicate]);
  }
  const choices = [...groups.values()].map((group) => combine(group, group[0]?.group));
  return choices.sort((a, b) => width(a.set) - width(b.set))[0] ?? UNBOUNDED;
}

/** A hash says nothing but equality. */
function hashedBounds(bounds: FieldBounds, predicates: readonly Predicate[]): FieldBounds {
  for (const predicate of predicates) {
    const values = equalValues(predicate);
    if (values === undefined) continue;
    const set = union(values.map((value) => point(hashValue(value))));
    return { ...bounds, set, answered: [], isBounded: true };
  }
  return UNBOUNDED;
}

function equalValues({ node }: Predicate): readonly Value[] | undefined {
  if (node.kind === 'compare' && node.op === 'eq' && !Array.isArray(node.value)) {
    return [node.value];
  }
  if (node.kind !== 'in' || node.regexes.length > 0) return undefined;
  return node.values.some(Array.isArray) ? undefined : node.values;
}

const topField = (path: string): string => path.split('.', 1)[0] ?? path;

/**
 * Two fields in one array have their bounds together only from one `$elemMatch`; otherwise the
 * conditions may hold of different elements, and the later field's bounds are left to the filter.
 */
function mayCompound(index: Index, earlier: number, later: number, all: FieldBounds[]): boolean {
  const { multikey } = index.flags;
  if (multikey[earlier] !== true || multikey[later] !== true) return true;
  const a = index.fields[earlier];
  const b = index.fields[later];
  if (a === undefined || b === undefined || topField(a.path) !== topField(b.path)) return true;
  const group = all[earlier]?.group;
  return group !== undefined && group === all[later]?.group;
}

function boundsOf(index: Index, predicates: readonly Predicate[]): FieldBounds[] {
  const all: FieldBounds[] = [];
  index.fields.forEach((field, i) => {
    const own = predicates.filter(({ path }) => path === field.path);
    const found = fieldBounds(own, index.flags.multikey[i] === true);
    all.push(field.kind === 'hashed' ? hashedBounds(found, own) : found);
    for (let earlier = 0; earlier < i; earlier++) {
      if (all[earlier]?.isBounded === true && !mayCompound(index, earlier, i, all)) {
        all[i] = UNBOUNDED;
      }
    }
  });
  return all;
}

/** Keys are cut at some length; a longer bound is cut too and takes in all that shares the cut. */
function cutStart(bytes: Buffer, prefixLength: number): Buffer {
  return bytes.subarray(0, prefixLength + MAX_ORDERED_BYTES);
}

function cutEnd(bytes: Buffer, prefixLength: number): Buffer {
  const limit = prefixLength + MAX_ORDERED_BYTES;
  return bytes.length <= limit ? bytes : Buffer.from(prefixEnd(bytes.subarray(0, limit)) ?? bytes);
}

interface BuiltRanges {
  readonly ranges: KeyRange[];
  /** Fields whose bounds the ranges express fully. */
  readonly fields: number;
  readonly wasCut: boolean;
  /** Each range is the one whole key it starts with. */
  readonly arePoints: boolean;
}

function oriented(set: IntervalSet, direction: Direction): readonly Interval[] {
  return direction === 1 ? set : [...set].reverse();
}

/** All combinations of the single values of the leading fields, then the ranges of the next. */
export function buildRanges(
  index: Index,
  bounds: readonly IntervalSet[],
  directions: readonly Direction[] = index.fields.map(({ direction }) => direction),
): BuiltRanges {
  const base = index.space.prefix;
  let prefixes: Buffer[] = [base];
  let field = 0;
  for (; field < bounds.length; field++) {
    const set = bounds[field] as IntervalSet;
    if (!isAllPoints(set) || prefixes.length * set.length > MAX_RANGES) break;
    const values = pointKeys(set, directions[field] ?? 1);
    prefixes = prefixes.flatMap((prefix) => values.map((value) => Buffer.concat([prefix, value])));
  }
  const last = bounds[field];
  const ranges: KeyRange[] = [];
  let fields = field;
  for (const prefix of prefixes) {
    const end = Buffer.from(prefixEnd(prefix) as Uint8Array);
    if (last === undefined || isFull(last)) {
      ranges.push({ start: prefix, end });
      continue;
    }
    const intervals = oriented(last, directions[field] ?? 1);
    for (const interval of intervals) {
      const own = orientedBytes(interval, directions[field] ?? 1);
      ranges.push({
        start: Buffer.concat([prefix, own.start]),
        end: own.end === undefined ? end : Buffer.concat([prefix, own.end]),
      });
    }
  }
  if (last !== undefined) fields++;
  if (ranges.length > MAX_RANGES) {
    const first = ranges[0] as KeyRange;
    const end = ranges.at(-1) as KeyRange;
    const joined = [{ start: first.start, end: end.end }];
    return { ranges: joined, fields: 0, wasCut: true, arePoints: false };
  }
  const limit = base.length + MAX_ORDERED_BYTES;
  const wasCut = ranges.some(({ start, end }) => start.length > limit || end.length > limit);
  return {
    ranges: ranges.map(({ start, end }) => ({
      start: cutStart(start, base.length),
      end: cutEnd(end, base.length),
    })),
    fields,
    wasCut,
    arePoints: field === bounds.length && !wasCut,
  };
}

function pointKeys(set: IntervalSet, direction: Direction): Buffer[] {
  return oriented(set, direction).map(({ low }) => {
    const key = Buffer.from(low);
    if (direction === -1) for (let i = 0; i < key.length; i++) key[i] = ~(key[i] as number);
    return key;
  });
}

/** True when the filter leaves out every document that a partial index leaves out. */
function impliesPartial(index: Index, predicates: readonly Predicate[]): boolean {
  if (index.filter === undefined) return true;
  return implies(index.filter.root, predicates, index);
}

function implies(node: FilterNode, predicates: readonly Predicate[], index: Index): boolean {
  if (node.kind === 'and') {
    return node.children.every((child) => implies(child, predicates, index));
  }
  if (node.kind === 'or') {
    return node.children.some((child) => implies(child, predicates, index));
  }
  if (node.kind === 'always') return node.value;
  if (node.kind === 'exists') {
    return predicates.some(
      (own) =>
        own.path === node.path &&
        ((own.node.kind === 'exists' && own.node.exists) || !includesNull(own.bounds.set)),
    );
  }
  const [wanted] = collectPredicates([node], keyCollator(index.collator));
  if (wanted === undefined || !wanted.bounds.exact) {
    return predicates.some((own) => own.node === node || sameNode(own.node, node));
  }
  return predicates.some(
    (own) => own.path === wanted.path && isSubset(own.bounds.set, wanted.bounds.set),
  );
}

function sameNode(a: FilterNode, b: FilterNode): boolean {
  if (a.kind === 'type' && b.kind === 'type') {
    return a.path === b.path && [...a.types].every((type) => b.types.has(type));
  }
  return a.kind === 'compare' && b.kind === 'compare' && a.path === b.path && a.op === b.op
    ? Buffer.compare(encodeValue(a.value, 1), encodeValue(b.value, 1)) === 0
    : false;
}

/** Sparse indexes leave out documents that have none of the fields. */
function excludesMissing(predicates: readonly Predicate[], index: Index): boolean {
  return predicates.some(
    ({ path, bounds, node }) =>
      index.fields.some((field) => field.path === path) &&
      (!includesNull(bounds.set) || (node.kind === 'exists' && node.exists)),
  );
}

/** True when the index has a key for every document that may match. */
export function isComplete(index: Index, predicates: readonly Predicate[]): boolean {
  if (!index.isReady || !index.hasEntries || index.kind === 'wildcard') return false;
  if (!impliesPartial(index, predicates)) return false;
  return !index.sparse || excludesMissing(predicates, index);
}

/** The scan of an index that answers a filter; without any bound it goes through all keys. */
export function planScan(
  index: Index,
  filterRoot: FilterNode | undefined,
  predicates: readonly Predicate[],
): IndexScan {
  const fields = boundsOf(index, predicates);
  const bounds = fields.map(({ set }) => set);
  const built = buildRanges(index, bounds);
  let equalFields = 0;
  while (equalFields < fields.length && isBoundedPoint(fields[equalFields])) equalFields++;
  const answered = new Set<FilterNode>();
  for (const field of fields.slice(0, built.fields)) {
    for (const { node, bounds: own } of field.answered) if (own.exact) answered.add(node);
  }
  const all = filterRoot === undefined ? [] : conjuncts(filterRoot);
  return {
    index,
    bounds,
    ranges: built.ranges,
    hasPoints: built.arePoints,
    isExact:
      index.collator === undefined && !built.wasCut && all.every((node) => answered.has(node)),
    equalFields,
    hasRange: fields[equalFields]?.isBounded === true,
  };
}

function isBoundedPoint(field: FieldBounds | undefined): boolean {
  return field?.isBounded === true && isAllPoints(field.set);
}

/**
 * The direction in which a scan has to go to give documents in the order of `sort`; undefined when
 * it cannot.
 */
export function sortDirection(scan: IndexScan, sort: readonly SortField[]): Direction | undefined {
  const { index, bounds } = scan;
  if (index.collator !== undefined || index.flags.truncated || index.kind === 'hashed') {
    return undefined;
  }
  let direction: Direction | undefined;
  let at = 0;
  for (const wanted of sort) {
    if (wanted.meta !== undefined) return undefined;
    if (isConstant(scan, wanted.path)) continue;
    while (at < index.fields.length && index.fields[at]?.path !== wanted.path) {
      if (!isSinglePoint(scan, at)) return undefined;
      at++;
    }
    const field = index.fields[at];
    if (field === undefined) return undefined;
    const needed: Direction = field.direction === wanted.direction ? 1 : -1;
    if (direction !== undefined && direction !== needed) return undefined;
    // an array sorts by its least or greatest element, which only the whole range is sure to have
    if (index.flags.multikey[at] === true && !isFull(bounds[at] ?? FULL)) return undefined;
    direction = needed;
    at++;
  }
  return direction ?? 1;
}

function isSinglePoint(scan: IndexScan, field: number): boolean {
  const set = scan.bounds[field];
  return set?.length === 1 && set[0]?.isPoint === true && scan.index.flags.multikey[field] !== true;
}

function isConstant(scan: IndexScan, path: string): boolean {
  const field = scan.index.fields.findIndex((one) => one.path === path);
  return field !== -1 && field < scan.equalFields && isSinglePoint(scan, field);
}

/** Bounds as explain shows them: `{ a: ["[1, 1]"] }`. */
export function describeBounds(scan: IndexScan, direction: Direction): Document {
  const shown: Document = new Map();
  scan.index.fields.forEach((field, i) => {
    const own: Direction = field.direction === direction ? 1 : -1;
    const set = oriented(scan.bounds[i] ?? FULL, own);
    shown.set(
      field.kind === 'wildcard' ? '$_path' : field.path,
      set.map((interval) => describeInterval(interval, own)),
    );
  });
  return shown;
}
