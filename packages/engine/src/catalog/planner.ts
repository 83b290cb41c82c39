/** Choosing how a query is answered: which index, in which direction, what is left to check. */

import type { Collator } from '../bson/compare.ts';
import { valuesEqual } from '../bson/compare.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeDocument } from '../query/describe.ts';
import type { FilterNode } from '../query/filter.ts';
import { parseSort, planSort, type SortField } from '../query/sort.ts';
import type { Direction } from '../storage/key-encoding.ts';
import { keyCollator } from './collation-key.ts';
import type { Collection } from './collection.ts';
import type { Index } from './index.ts';
import { sameKeyPattern } from './index-key-pattern.ts';
import { type IndexScan, isComplete, planScan, sortDirection } from './index-scan.ts';
import { planLimits } from './limits-scan.ts';
import type { Access, FindOptions, Plan } from './plan.ts';
import { collectPredicates, conjuncts, isCollationFree, type Predicate } from './predicates.ts';
import { planWildcardScan } from './wildcard-scan.ts';

export { type ExplainOptions, explainPlan } from './explain.ts';
export type { Access, FindOptions, Plan } from './plan.ts';
export { countPlan, ExecutionStats, executePlan, FoundRecord } from './plan-execute.ts';

interface Query {
  readonly collection: Collection;
  readonly options: FindOptions;
  readonly root: FilterNode | undefined;
  readonly predicates: readonly Predicate[];
  readonly sort: readonly SortField[];
}

interface Candidate {
  readonly access: Access & { kind: 'index' };
  readonly sorts: boolean;
  readonly score: number;
}

function plannerError(
  collection: Collection,
  options: FindOptions,
  reason: string,
): MongoCommandError {
  const sort = options.sort === undefined ? '{}' : describeDocument(options.sort);
  return new MongoCommandError(
    'BadValue',
    `error processing query: ns=${collection.namespace}Tree: \nSort: ${sort}\nProj: {}\n planner returned error :: caused by :: ${reason}`,
  );
}

/** The specification a collator was made of; two collators compare alike when these are equal. */
function specOf(collator: Collator | undefined): Value {
  if (collator === undefined || !('spec' in collator)) return null;
  return collator.spec instanceof Map ? (collator.spec as Document) : null;
}

function sameCollation(a: Collator | undefined, b: Collator | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || valuesEqual(specOf(a), specOf(b));
}

/** An index with another collation serves only conditions on values without text. */
function suitsCollation(index: Index, query: Query): boolean {
  if (sameCollation(index.collator, query.options.collation)) return true;
  const own = query.predicates.filter(({ path }) => index.fields.some((f) => f.path === path));
  return (
    own.length > 0 &&
    query.sort.length === 0 &&
    own.every(
      ({ node }) => node.kind === 'compare' && node.op !== 'ne' && isCollationFree(node.value),
    )
  );
}

/** Decides about a filter by `_id` alone without looking at anything else. */
function planById(collection: Collection, options: FindOptions): Plan | undefined {
  const root = options.filter?.root;
  const { idIndex } = collection;
  if (root?.kind !== 'compare' || root.op !== 'eq' || root.path !== '_id') return undefined;
  if (idIndex === undefined || options.hint !== undefined) return undefined;
  if (options.min !== undefined || options.max !== undefined) return undefined;
  const { value } = root;
  if (value === null || Array.isArray(value)) return undefined;
  const isSame = sameCollation(idIndex.collator, options.collation);
  if (idIndex.collator !== undefined && !isCollationFree(value)) return undefined;
  if (!isSame && !isCollationFree(value)) return undefined;
  return {
    collection,
    access: { kind: 'id', index: idIndex, id: value },
    filter: options.filter,
    testsDocuments: false,
    sort: undefined,
    sortSpec: options.sort,
    skip: options.skip ?? 0,
    limit: options.limit ?? 0,
    rejected: [],
    hint: undefined,
  };
}

function makePlan(
  query: Query,
  access: Access,
  traits: { readonly isExact: boolean; readonly sorts: boolean },
  rejected: readonly Access[] = [],
): Plan {
  const { options, collection, sort } = query;
  const needsSort = sort.length > 0 && !traits.sorts;
  const metaOf = options.metaOf === undefined ? {} : { metaOf: options.metaOf };
  return {
    collection,
    access,
    filter: options.filter,
    testsDocuments: query.root !== undefined && !traits.isExact,
    sort: needsSort ? planSort(sort, { collation: options.collation, ...metaOf }) : undefined,
    sortSpec: options.sort,
    skip: options.skip ?? 0,
    limit: options.limit ?? 0,
    rejected,
    hint: options.hint,
  };
}

/** @throws BadValue for anything beside `{$natural: 1}` and `{$natural: -1}` */
function naturalDirection(value: Value | undefined): Direction | undefined {
  if (!(value instanceof Map) || !value.has('$natural')) return undefined;
  if (value.size > 1) {
    throw new MongoCommandError(
      'BadValue',
      `Cannot include '$natural' in compound sort: ${describeDocument(value)}`,
    );
  }
  const direction = Number(String(value.get('$natural')));
  if (direction === 1 || direction === -1) return direction;
  throw new MongoCommandError(
    'BadValue',
    '$natural sort cannot be set to a value other than -1 or 1.',
  );
}

function scanIndex(index: Index, query: Query): IndexScan {
  if (index.kind === 'wildcard') {
    const scan = planWildcardScan(index, query.predicates);
    if (scan !== undefined) return scan;
    throw new MongoCommandError(
      'NoQueryExecutionPlans',
      `error processing query: ns=${query.collection.namespace} No query solutions`,
    );
  }
  return planScan(index, query.root, query.predicates);
}

function directed(scan: IndexScan, query: Query): { direction: Direction; sorts: boolean } {
  if (query.sort.length === 0) return { direction: 1, sorts: true };
  const direction = sortDirection(scan, query.sort);
  return { direction: direction ?? 1, sorts: direction !== undefined };
}

/** The index a hint means. */
function hintedIndex(collection: Collection, options: FindOptions): Index {
  const { hint } = options;
  const usable = collection.indexes.filter(({ isReady, hidden }) => isReady && !hidden);
  const found =
    typeof hint === 'string'
      ? usable.find(({ name }) => name === hint)
      : hint instanceof Map
        ? usable.find(({ keyPattern }) => sameKeyPattern(keyPattern, hint))
        : undefined;
  if (found !== undefined) return found;
  throw plannerError(collection, options, 'hint provided does not correspond to an existing index');
}

function planHinted(query: Query): Plan {
  const { collection, options } = query;
  const index = hintedIndex(collection, options);
  if (!index.hasEntries)
    return makePlan(query, collectionScan(1), { isExact: false, sorts: false });
  if (index.filter !== undefined && !isComplete(index, query.predicates)) {
    throw new MongoCommandError(
      'NoQueryExecutionPlans',
      `error processing query: ns=${collection.namespace} No query solutions`,
    );
  }
  const scan = scanIndex(index, query);
  const { direction, sorts } = directed(scan, query);
  const isSuitable = suitsCollation(index, query) || query.predicates.length === 0;
  const used = isSuitable ? scan : planScan(index, query.root, []);
  const isExact = isSuitable && scan.isExact;
  return makePlan(query, { kind: 'index', scan: used, direction }, { isExact, sorts });
}

function planMinMax(query: Query): Plan {
  const { collection, options } = query;
  const { min, max } = options;
  if (options.hint === undefined) {
    throw new MongoCommandError(
      'Location51173',
      'When using min()/max() a hint of which index to use must be provided',
    );
  }
  const index = hintedIndex(collection, options);
  const pattern = min ?? max ?? new Map<string, Value>();
  const paths = [...pattern.keys()];
  const own = index.fields.map(({ path }) => path);
  if (paths.length !== own.length || paths.some((path, i) => path !== own[i])) {
    throw new MongoCommandError('Location51174', 'The index chosen is not compatible with min/max');
  }
  const scan = planLimits(index, min, max);
  const { direction, sorts } = directed(scan, query);
  return makePlan(query, { kind: 'index', scan, direction }, { isExact: false, sorts });
}

function collectionScan(direction: Direction): Access {
  return { kind: 'collection', direction };
}

function scoreOf(scan: IndexScan, sorts: boolean, query: Query): number {
  let score = 0;
  for (let i = 0; i < scan.equalFields; i++) score += (scan.bounds[i]?.length ?? 1) === 1 ? 10 : 9;
  if (scan.hasRange) score += 4;
  if (scan.index.unique && scan.equalFields === scan.index.fields.length) score += 30;
  if (scan.isExact) score += 1.5;
  if (query.sort.length > 0 && sorts) score += (query.options.limit ?? 0) > 0 ? 8 : 5;
  // of equals the index with fewer fields has the smaller keys
  return score - scan.index.fields.length * 0.1;
}

/** The indexes that narrow the search or spare the sort, best first. */
function candidates(query: Query): Candidate[] {
  const found: Candidate[] = [];
  for (const index of query.collection.indexes) {
    if (index.hidden || !index.isReady || !index.hasEntries) continue;
    if (!suitsCollation(index, query)) continue;
    const scan = usableScan(index, query);
    if (scan === undefined) continue;
    const { direction, sorts } = directed(scan, query);
    const isBounded = scan.equalFields > 0 || scan.hasRange;
    if (!isBounded && !(query.sort.length > 0 && sorts)) continue;
    found.push({
      access: { kind: 'index', scan, direction },
      sorts,
      score: scoreOf(scan, sorts, query),
    });
  }
  return found.sort((a, b) => b.score - a.score);
}

function usableScan(index: Index, query: Query): IndexScan | undefined {
  if (index.kind === 'wildcard') return planWildcardScan(index, query.predicates);
  if (!isComplete(index, query.predicates)) return undefined;
  return planScan(index, query.root, query.predicates);
}

/** An `$or` whose every branch has an index of its own. */
function planOr(query: Query): Plan | undefined {
  const nodes = query.root === undefined ? [] : conjuncts(query.root);
  const or = nodes.find((node) => node.kind === 'or');
  if (or === undefined || or.kind !== 'or') return undefined;
  const others = nodes.filter((node) => node !== or);
  const branches: IndexScan[] = [];
  for (const child of or.children) {
    const root: FilterNode = { kind: 'and', children: [...others, child] };
    const branch = { ...query, root, predicates: predicatesOf(root, query.options), sort: [] };
    const [best] = candidates(branch);
    if (best === undefined) return undefined;
    branches.push(best.access.scan);
  }
  const isExact = others.length === 0 && branches.every((branch) => branch.isExact);
  return makePlan(query, { kind: 'or', branches }, { isExact, sorts: false });
}

function predicatesOf(root: FilterNode | undefined, options: FindOptions): Predicate[] {
  return root === undefined
    ? []
    : collectPredicates(conjuncts(root), keyCollator(options.collation));
}

/**
 * Plans a query.
 *
 * @throws BadValue for a hint that names no index, and as `parseSort`
 */
export function planFind(collection: Collection, options: FindOptions): Plan {
  const byId = planById(collection, options);
  if (byId !== undefined) return byId;
  const natural = naturalDirection(options.hint) ?? naturalDirection(options.sort);
  const isNaturalSort = naturalDirection(options.sort) !== undefined;
  const sort = options.sort === undefined || isNaturalSort ? [] : parseSort(options.sort);
  const given = options.filter?.root;
  const root = given?.kind === 'always' && given.value ? undefined : given;
  const query: Query = { collection, options, root, sort, predicates: predicatesOf(root, options) };
  if (root?.kind === 'always')
    return makePlan(query, { kind: 'nothing' }, { isExact: true, sorts: true });
  if (options.min !== undefined || options.max !== undefined) return planMinMax(query);
  if (natural !== undefined) {
    return makePlan(query, collectionScan(natural), { isExact: false, sorts: sort.length === 0 });
  }
  if (options.hint !== undefined && options.hint !== null) return planHinted(query);
  return planFreely(query);
}

function planFreely(query: Query): Plan {
  const [best, ...others] = candidates(query);
  const isBounded =
    best !== undefined && (best.access.scan.equalFields > 0 || best.access.scan.hasRange);
  const or = isBounded ? undefined : planOr(query);
  if (or !== undefined) return or;
  if (best === undefined) {
    return makePlan(query, collectionScan(1), { isExact: false, sorts: false });
  }
  return makePlan(
    query,
    best.access,
    { isExact: best.access.scan.isExact, sorts: best.sorts },
    others.map(({ access }) => access),
  );
}
