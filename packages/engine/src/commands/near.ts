import { setMetadata } from '../aggregation/metadata.ts';
import type { Namespace, Source } from '../aggregation/pipeline-context.ts';
import { collectPath, splitPath } from '../bson/path.ts';
import { type Document, isDocument, toDocument, toDouble, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import type { Plan } from '../catalog/plan.ts';
import { executePlan, type FoundRecord } from '../catalog/plan-execute.ts';
import { planFind } from '../catalog/planner.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { compileFilter, type FilterNode } from '../query/filter.ts';
import type { ReadView } from '../storage/store.ts';
import type { CommandContext } from './context.ts';
import { isTrue, toNumber } from './field-types.ts';
import type { QueryEnvironment } from './query-environment.ts';

type NearNode = FilterNode & { readonly kind: 'geo' };

/** The `$near` or `$nearSphere` of a filter, whose results come in the order of distance. */
export function findNear(node: FilterNode): NearNode | undefined {
  if (node.kind === 'geo') return node.query.distance === undefined ? undefined : node;
  if (node.kind !== 'and') return undefined;
  for (const child of node.children) {
    const found = findNear(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

interface Nearby {
  readonly record: FoundRecord;
  readonly distance: number;
}

/**
 * The documents of a plan by distance, nearest first. Geo indexes are declarations here: every
 * document is looked at, so that only figures and not answers differ from an index.
 *
 * @throws NoQueryExecutionPlans without a geo index, as MongoDB
 */
export function* nearestRecords(
  view: ReadView,
  plan: Plan,
  near: NearNode,
): Generator<Nearby | Pause> {
  if (!geoPaths(plan.collection).includes(near.path)) {
    throw new MongoCommandError(
      'NoQueryExecutionPlans',
      `error processing query: ns=${plan.collection.namespace} planner returned error :: caused by :: unable to find index for $geoNear query`,
    );
  }
  const found: Nearby[] = [];
  for (const record of executePlan(view, { ...plan, skip: 0, limit: 0 })) {
    if (record === PAUSE) {
      yield PAUSE;
      continue;
    }
    const distance = distanceOf(record.document(), near);
    if (distance !== undefined) found.push({ record, distance });
  }
  found.sort((a, b) => a.distance - b.distance);
  const end = plan.limit > 0 ? plan.skip + plan.limit : undefined;
  yield* found.slice(plan.skip, end);
}

function distanceOf(document: Document, near: NearNode): number | undefined {
  let least: number | undefined;
  for (const value of collectPath(document, splitPath(near.path), false)) {
    const distance = near.query.distance?.(value);
    if (distance !== undefined && (least === undefined || distance < least)) least = distance;
  }
  return least;
}

/** The fields that geo indexes are on, 2dsphere ones first. */
function geoPaths(collection: Collection): string[] {
  const paths = (type: string): string[] =>
    collection.indexes.flatMap(({ keyPattern }) =>
      [...keyPattern].filter(([, value]) => value === type).map(([path]) => path),
    );
  return [...paths('2dsphere'), ...paths('2d')];
}

/** `$geoNear` (manual). */
export function* geoNear(
  context: CommandContext,
  namespace: Namespace,
  spec: Document,
  environment: QueryEnvironment,
): Source {
  const { catalog } = context.services;
  const collection = catalog.find(context.view, namespace.database, namespace.collection);
  if (collection === undefined) return;
  const path = geoNearPath(collection, spec);
  const query = spec.get('query');
  const conditions: Value[] = [toDocument({ [path]: nearCondition(spec) })];
  if (isDocument(query) && query.size > 0) conditions.push(query);
  const filter = compileFilter(toDocument({ $and: conditions }), environment.filterOptions);
  const near = findNear(filter.root);
  if (near === undefined) return;
  const plan = planFind(collection, { filter, collation: environment.collation });
  const multiplier = toNumber(spec.get('distanceMultiplier')) ?? 1;
  const distanceField = spec.get('distanceField');
  const locationField = spec.get('includeLocs');
  for (const item of nearestRecords(context.view, plan, near)) {
    if (item === PAUSE) {
      yield PAUSE;
      continue;
    }
    const distance = toDouble(item.distance * multiplier);
    let document = item.record.document();
    const [location = null] = collectPath(document, splitPath(path), false);
    if (typeof locationField === 'string') document = withField(document, locationField, location);
    if (typeof distanceField === 'string') document = withField(document, distanceField, distance);
    setMetadata(document, { geoNearDistance: distance, geoNearPoint: location ?? null });
    yield document;
  }
}

/** @throws IndexNotFound, BadValue when it is not clear which index is meant */
function geoNearPath(collection: Collection, spec: Document): string {
  const key = spec.get('key');
  if (typeof key === 'string') return key;
  const paths = [...new Set(geoPaths(collection))];
  const [path] = paths;
  if (path === undefined) {
    throw new MongoCommandError(
      'IndexNotFound',
      '$geoNear requires a 2d or 2dsphere index, but none were found',
    );
  }
  if (paths.length > 1) {
    throw new MongoCommandError(
      'IndexNotFound',
      "There is more than one geo index; the 'key' option of $geoNear must say which one to use",
    );
  }
  return path;
}

function nearCondition(spec: Document): Document {
  const near = spec.get('near') ?? null;
  const limits = {
    $maxDistance: spec.get('maxDistance'),
    $minDistance: spec.get('minDistance'),
  };
  if (isDocument(near) && near.has('type')) {
    return toDocument({ $near: toDocument({ $geometry: near, ...limits }) });
  }
  const operator = isTrue(spec.get('spherical')) ? '$nearSphere' : '$near';
  return toDocument({ [operator]: near, ...limits });
}

/** A copy with a value at a dotted path. */
function withField(document: Document, path: string, value: Value | undefined): Document {
  const [first = '', ...rest] = path.split('.');
  const copy: Document = new Map(document);
  if (rest.length === 0) {
    copy.set(first, value ?? null);
  } else {
    const inner = document.get(first);
    copy.set(first, withField(isDocument(inner) ? inner : new Map(), rest.join('.'), value));
  }
  return copy;
}

/** The records a plan finds: in the order of distance where its filter asks for it. */
export function recordsOf(view: ReadView, plan: Plan): Iterable<FoundRecord | Pause> {
  const near = plan.filter === undefined ? undefined : findNear(plan.filter.root);
  // an explicit sort replaces the order of distance
  const isSorted = plan.sortSpec !== undefined && plan.sortSpec.size > 0;
  return near === undefined || isSorted ? executePlan(view, plan) : byDistance(view, plan, near);
}

function* byDistance(view: ReadView, plan: Plan, near: NearNode): Generator<FoundRecord | Pause> {
  for (const item of nearestRecords(view, plan, near)) yield item === PAUSE ? PAUSE : item.record;
}
