/** What a query says of a single path, as sets of keys. */
import type { Collator } from '../bson/compare.ts';
import { typeOrder } from '../bson/compare.ts';
import { BsonType } from '../bson/types.ts';
import {
  BsonUndefined,
  Decimal128,
  Double,
  MaxKey,
  MinKey,
  RawDocument,
  type Value,
} from '../bson/value.ts';
import type { CompareNode, FilterNode, InNode, RegexNode, TypeNode } from '../query/filter-node.ts';
import { type CompiledRegex, literalPrefix, toBsonRegex } from '../query/regex.ts';
import { KeyTag } from '../storage/key-encoding.ts';
import {
  EMPTY,
  FULL,
  type Interval,
  type IntervalSet,
  point,
  range,
  stringsWithPrefix,
  typeRange,
  union,
} from './intervals.ts';

export interface Bounds {
  readonly set: IntervalSet;
  /** True when a document with a key in the set matches for certain. */
  readonly exact: boolean;
}

/** A condition on one path. */
export interface Predicate {
  readonly path: string;
  readonly node: FilterNode;
  readonly bounds: Bounds;
  /** The `$elemMatch` it stands in, whose conditions hold of one array element together. */
  readonly group: FilterNode | undefined;
}

/** Strings under a collation have keys without order, and maybe shared by unequal strings. */
function involvesCollation(value: Value, collator: Collator | undefined): boolean {
  if (collator === undefined) return false;
  return (
    typeof value === 'string' ||
    value instanceof Map ||
    value instanceof RawDocument ||
    Array.isArray(value)
  );
}

function isNaNValue(value: Value): boolean {
  if (typeof value === 'number') return Number.isNaN(value);
  if (value instanceof Double) return Number.isNaN(value.value);
  return value instanceof Decimal128 && value.toString() === 'NaN';
}

/** Of an array, keys hold the elements; nested arrays are kept whole. */
function equalityIntervals(value: Value, collator: Collator | undefined): Interval[] {
  if (!Array.isArray(value)) return [point(value, collator)];
  const first = value.length === 0 ? BsonUndefined.instance : value[0];
  return [point(first, collator), point(value, collator)];
}

function equalityBounds(value: Value, collator: Collator | undefined): Bounds {
  const exact = value !== null && !Array.isArray(value) && !involvesCollation(value, collator);
  return { set: union(equalityIntervals(value, collator)), exact };
}

function compareBounds(node: CompareNode, collator: Collator | undefined): Bounds | undefined {
  const { op, value } = node;
  if (op === 'ne') return undefined;
  if (op === 'eq') return equalityBounds(value, collator);
  const orEqual = op === 'gte' || op === 'lte';
  if (value === null || isNaNValue(value)) {
    return orEqual ? { set: [point(value)], exact: value !== null } : { set: EMPTY, exact: true };
  }
  if (value instanceof MinKey || value instanceof MaxKey) return { set: FULL, exact: false };
  if (Array.isArray(value) || involvesCollation(value, collator)) {
    return { set: FULL, exact: false };
  }
  return { set: [range(op, value)], exact: true };
}

function regexBounds(regex: CompiledRegex, collator: Collator | undefined): Bounds {
  const literal = collator === undefined ? literalPrefix(regex) : undefined;
  const strings =
    literal === undefined
      ? typeRange(KeyTag.string, KeyTag.string)
      : stringsWithPrefix(literal.prefix);
  return {
    set: union([strings, point(toBsonRegex(regex))]),
    exact: literal?.exact === true,
  };
}

function inBounds(node: InNode, collator: Collator | undefined): Bounds | undefined {
  if (node.kind === 'nin') return undefined;
  const intervals: Interval[] = [];
  let exact = true;
  for (const value of node.values) {
    const one = equalityBounds(value, collator);
    intervals.push(...one.set);
    exact &&= one.exact;
  }
  for (const regex of node.regexes) {
    const one = regexBounds(regex, collator);
    intervals.push(...one.set);
    exact &&= one.exact;
  }
  return { set: union(intervals), exact };
}

/** First and last key byte of the values of a BSON type; arrays are not kept whole in keys. */
const TYPE_TAGS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [BsonType.double, [KeyTag.nan, KeyTag.infinity]],
  [BsonType.int, [KeyTag.nan, KeyTag.infinity]],
  [BsonType.long, [KeyTag.nan, KeyTag.infinity]],
  [BsonType.decimal, [KeyTag.nan, KeyTag.infinity]],
  [BsonType.string, [KeyTag.string, KeyTag.string]],
  [BsonType.object, [KeyTag.object, KeyTag.object]],
  [BsonType.binData, [KeyTag.binData, KeyTag.binData]],
  [BsonType.objectId, [KeyTag.objectId, KeyTag.objectId]],
  [BsonType.bool, [KeyTag.false, KeyTag.true]],
  [BsonType.date, [KeyTag.date, KeyTag.date]],
  [BsonType.null, [KeyTag.null, KeyTag.null]],
  [BsonType.timestamp, [KeyTag.timestamp, KeyTag.timestamp]],
]);

function typeBounds(node: TypeNode): Bounds | undefined {
  const intervals: Interval[] = [];
  for (const type of node.types) {
    const tags = TYPE_TAGS.get(type);
    if (tags === undefined) return undefined;
    // NaN is not within the numbers' bracket
    if (tags[0] === KeyTag.nan) intervals.push(point(Number.NaN));
    intervals.push(typeRange(tags[0] === KeyTag.nan ? KeyTag.zero : tags[0], tags[1]));
  }
  return { set: union(intervals), exact: false };
}

function regexNodeBounds(node: RegexNode, collator: Collator | undefined): Bounds {
  return regexBounds(node.regex, collator);
}

/** The keys a document must have one of to match a node about one path. */
export function nodeBounds(node: FilterNode, collator: Collator | undefined): Bounds | undefined {
  switch (node.kind) {
    case 'compare':
      return compareBounds(node, collator);
    case 'in':
    case 'nin':
      return inBounds(node, collator);
    case 'regex':
      return regexNodeBounds(node, collator);
    case 'exists':
      return node.exists ? { set: FULL, exact: false } : { set: [point(null)], exact: false };
    case 'type':
      return typeBounds(node);
    case 'mod':
      return {
        set: [typeRange(KeyTag.zero, KeyTag.zero)],
        exact: false,
      };
    default:
      return undefined;
  }
}

/** The parts of a filter that must all hold. */
export function conjuncts(node: FilterNode): readonly FilterNode[] {
  if (node.kind === 'and') return node.children.flatMap(conjuncts);
  return node.kind === 'always' && node.value ? [] : [node];
}

/** Conditions on single paths among the conjuncts, those inside `$elemMatch` and `$all` included. */
export function collectPredicates(
  nodes: readonly FilterNode[],
  collator: Collator | undefined,
): Predicate[] {
  return nodes.flatMap((node) => predicatesOf(node, '', undefined, collator));
}

function predicatesOf(
  node: FilterNode,
  above: string,
  group: FilterNode | undefined,
  collator: Collator | undefined,
): Predicate[] {
  if (node.kind === 'elemMatch') {
    const path = joinPath(above, node.path);
    return conjuncts(node.child).flatMap((child) => predicatesOf(child, path, node, collator));
  }
  if (node.kind === 'all') {
    // one is enough to narrow the scan; the conditions may hold of different elements
    const [first] = node.children;
    if (first === undefined) return [];
    return predicatesOf(first, above, group ?? node, collator);
  }
  const bounds = nodeBounds(node, collator);
  if (bounds === undefined || !('path' in node)) return [];
  return [
    {
      path: joinPath(above, node.path),
      node,
      group,
      bounds: group === undefined ? bounds : { set: bounds.set, exact: false },
    },
  ];
}

function joinPath(above: string, path: string): string {
  if (above === '') return path;
  return path === '' ? above : `${above}.${path}`;
}

/** True for values whose keys do not depend on a collation. */
export function isCollationFree(value: Value): boolean {
  const order = typeOrder(value);
  return order !== typeOrder('') && order !== typeOrder(new Map()) && order !== typeOrder([]);
}
