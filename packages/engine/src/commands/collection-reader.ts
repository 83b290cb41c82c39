import { setMetadata } from '../aggregation/metadata.ts';
import { compilePipeline, type Pipeline } from '../aggregation/pipeline.ts';
import type {
  Namespace,
  PipelineContext,
  PipelineFindOptions,
  Source,
} from '../aggregation/pipeline-context.ts';
import { decodeDocument, decodeFields } from '../bson/codec.ts';
import {
  DateTime,
  type Document,
  isDocument,
  RawDocument,
  toDocument,
  type Value,
} from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import type { FindOptions } from '../catalog/plan.ts';
import { countPlan } from '../catalog/plan-execute.ts';
import { planFind } from '../catalog/planner.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { runSliced, SLICE_MS } from '../lib/sliced.ts';
import { compileFilter, type Filter } from '../query/filter.ts';
import type { CommandContext } from './context.ts';
import { findCount, runCount } from './count-pipeline.ts';
import { listOperations } from './current-op.ts';
import { isTrue } from './field-types.ts';
import { geoNear, recordsOf } from './near.ts';
import type { QueryEnvironment } from './query-environment.ts';
import { findServed, type ServedCollection, type ServedRead } from './served-collection.ts';
import { collectionStats, indexStats } from './statistics.ts';

/** MongoDB's limit of views upon views. */
const MAX_VIEW_DEPTH = 20;

/** What a name stands for once views are followed: a collection (if there is one) and stages. */
export interface ResolvedNamespace {
  readonly namespace: Namespace;
  readonly collection: Collection | undefined;
  /** The pipelines of the views on the way, innermost first. */
  readonly pipeline: readonly Value[];
  readonly isView: boolean;
  /** The collation that the collection or view was made with. */
  readonly collation: Document | undefined;
  /** Set for what is served and not stored, such as the log. */
  readonly served: ServedCollection | undefined;
}

/** @throws ViewDepthLimitExceeded */
export function resolveNamespace(context: CommandContext, namespace: Namespace): ResolvedNamespace {
  const { catalog } = context.services;
  let name = namespace.collection;
  let pipeline: Value[] = [];
  let collation: Document | undefined;
  for (let depth = 0; depth <= MAX_VIEW_DEPTH; depth++) {
    const collection = catalog.find(context.view, namespace.database, name);
    const own = collection?.options.get('collation');
    if (depth === 0 && isDocument(own)) collation = own;
    if (collection?.type !== 'view') {
      return {
        namespace: { database: namespace.database, collection: name },
        collection,
        pipeline,
        isView: depth > 0,
        collation,
        served: collection === undefined ? findServed(namespace.database, name) : undefined,
      };
    }
    const stages = collection.options.get('pipeline');
    pipeline = [...(Array.isArray(stages) ? stages : []), ...pipeline];
    name = String(collection.options.get('viewOn'));
  }
  throw new MongoCommandError(
    'ViewDepthLimitExceeded',
    `View depth too deep or a cycle in views, starting at ${namespace.database}.${namespace.collection}`,
  );
}

/** What a collection shall be read for. */
export interface ReadRequest {
  readonly filter: Filter;
  readonly sort?: Document | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
  readonly hint?: Value | undefined;
  /** Limits of an index's keys, with a hint. */
  readonly min?: Document | undefined;
  readonly max?: Document | undefined;
}

function planOptions(request: ReadRequest, environment: QueryEnvironment): FindOptions {
  // field by field: a spread took 3 % of a point find's time (November 2026, 2 cores)
  return {
    filter: request.filter,
    sort: request.sort,
    skip: request.skip,
    limit: request.limit,
    hint: request.hint,
    min: request.min,
    max: request.max,
    collation: environment.collation,
    metaOf: environment.text.metaOf,
  };
}

/** The stored documents of a collection, by the best plan; nothing when there is no collection. */
export function* readStored(
  context: CommandContext,
  collection: Collection | undefined,
  environment: QueryEnvironment,
  request: ReadRequest,
): Generator<RawDocument | Pause> {
  if (collection === undefined) return;
  const plan = planFind(collection, planOptions(request, environment));
  for (const record of recordsOf(context.view, plan)) {
    yield record === PAUSE ? PAUSE : new RawDocument(record.bytes);
  }
}

/**
 * As `readStored`, decoded.
 *
 * @param fields - the top-level fields that are read, when others need not be decoded
 */
export function* readDocuments(
  context: CommandContext,
  collection: Collection | undefined,
  environment: QueryEnvironment,
  request: ReadRequest,
  fields?: ReadonlySet<string>,
): Generator<Document | Pause> {
  if (collection === undefined) return;
  const plan = planFind(collection, planOptions(request, environment));
  for (const record of recordsOf(context.view, plan)) {
    if (record === PAUSE) {
      yield PAUSE;
    } else if (environment.text.isUsed) {
      const document = record.document();
      setMetadata(document, { textScore: environment.text.metaOf(document, 'textScore') ?? null });
      yield document;
    } else {
      yield fields === undefined ? record.document() : decodeFields(record.bytes, fields);
    }
  }
}

/** How a pipeline reads its collection. */
export interface PipelineReadOptions {
  readonly environment: QueryEnvironment;
  readonly hint?: Value | undefined;
  /** What of a served collection is read. */
  readonly served?: ServedRead;
}

/** A pipeline bound to the collection it reads. */
export interface BoundPipeline {
  readonly pipeline: Pipeline;
  readonly resolved: ResolvedNamespace | undefined;
  run(): Iterable<Document | RawDocument | Pause>;
}

/**
 * Compiles a pipeline over a collection or view, its leading stages given to the planner.
 *
 * @param collection - absent for `aggregate: 1`
 */
export function bindPipeline(
  context: CommandContext,
  collection: string | undefined,
  stages: readonly Value[],
  options: PipelineReadOptions,
): BoundPipeline {
  const { environment } = options;
  const resolved =
    collection === undefined
      ? undefined
      : resolveNamespace(context, { database: context.database, collection });
  // its figures are those of the view itself, as far as it has any
  const isAboutView = resolved?.isView === true && startsWith(stages, '$collStats');
  const all = isAboutView ? stages : [...(resolved?.pipeline ?? []), ...stages];
  const source = isAboutView ? collection : (resolved?.namespace.collection ?? collection);
  const pipeline = compilePipeline(all, pipelineContext(context, source, environment));
  return {
    pipeline,
    resolved,
    run: () => runPipeline(context, pipeline, resolved, options),
  };
}

function startsWith(stages: readonly Value[], name: string): boolean {
  const [first] = stages;
  return isDocument(first) && first.has(name);
}

/** What of a pipeline's beginning the planner takes over. */
export function leadingRequest(
  pipeline: Pipeline,
  options: { readonly environment: QueryEnvironment; readonly hint?: Value | undefined },
): ReadRequest {
  const { leading } = pipeline;
  return {
    filter: compileFilter(leading.filter ?? new Map(), options.environment.filterOptions),
    sort: leading.sort,
    skip: leading.skip,
    limit: leading.limit,
    hint: options.hint,
  };
}

function runPipeline(
  context: CommandContext,
  pipeline: Pipeline,
  resolved: Pick<ResolvedNamespace, 'collection' | 'served'> | undefined,
  options: PipelineReadOptions,
): Iterable<Document | RawDocument | Pause> {
  if (!pipeline.readsCollection) return pipeline.run([]);
  const { collection, served } = resolved ?? {};
  if (served !== undefined) {
    const read = options.served ?? { filter: pipeline.leading.filter };
    return pipeline.run(served.read(context.services, read));
  }
  const { leading } = pipeline;
  const { environment } = options;
  const request = leadingRequest(pipeline, options);
  if (leading.consumedStages === pipeline.stages.length) {
    // nothing looks into the documents: they go out as they are stored
    return readStored(context, collection, environment, request);
  }
  const shape = findCount(pipeline);
  if (shape !== undefined) {
    return runCount(context, collection, environment, { ...request, shape });
  }
  return pipeline.run(
    readDocuments(context, collection, environment, request, leading.fields),
    leading.consumedStages,
  );
}

/** The server as a pipeline sees it. */
export function pipelineContext(
  context: CommandContext,
  collection: string | undefined,
  environment: QueryEnvironment,
): PipelineContext {
  return {
    database: context.database,
    collection,
    variables: environment.variables,
    now: environment.now,
    clusterTime: environment.runtime.clusterTime,
    userRoles: environment.runtime.userRoles,
    collation: environment.collation,
    allowDiskUse: isTrue(context.args.get('allowDiskUse')),
    find: (namespace, filter, options) =>
      findForPipeline(context, namespace, filter, options, environment),
    hasIndexOn: (namespace, field) => hasIndexOn(context, namespace, field),
    collStats: (namespace, spec) => collectionStats(context, namespace, spec),
    indexStats: (namespace) => indexStats(context, namespace),
    currentOp: (spec) => listOperations(context.services, isTrue(spec.get('idleConnections'))),
    listSessions: () => listSessions(context),
    planCacheStats: () => [],
    geoNear: (namespace, spec) => geoNear(context, namespace, spec, environment),
  };
}

/** A view is read by its own pipeline: what indexes it has is not known here. */
function hasIndexOn(context: CommandContext, namespace: Namespace, field: string): boolean {
  const { collection, isView } = resolveNamespace(context, namespace);
  if (isView || collection === undefined) return false;
  return collection.indexes.some(
    ({ fields, filter, sparse, hidden }) =>
      fields[0]?.path === field && filter === undefined && !sparse && !hidden,
  );
}

function listSessions(context: CommandContext): Document[] {
  return [...context.services.sessions.all()].map((session) =>
    toDocument({ _id: session.lsid, lastUse: new DateTime(session.lastUsedAtMs) }),
  );
}

/** Reads a collection or view for a stage such as `$lookup`. */
function findForPipeline(
  context: CommandContext,
  namespace: Namespace,
  filter: Document | undefined,
  options: PipelineFindOptions | undefined,
  environment: QueryEnvironment,
): Source {
  const resolved = resolveNamespace(context, namespace);
  if (resolved.isView || resolved.served !== undefined) {
    return readView(context, resolved, filter, options, environment);
  }
  const compiled = compileFilter(filter ?? new Map(), {
    collation: options?.collation,
    now: environment.now,
    compileExpression: options?.compileExpression ?? environment.compileExpression,
  });
  return readDocuments(
    context,
    resolved.collection,
    { ...environment, collation: options?.collation },
    { filter: compiled, sort: options?.sort, skip: options?.skip, limit: options?.limit },
  );
}

/** A view's own stages, then what the stage that reads it wants. */
function* readView(
  context: CommandContext,
  resolved: ResolvedNamespace,
  wanted: Document | undefined,
  options: PipelineFindOptions | undefined,
  environment: QueryEnvironment,
): Generator<Document | Pause> {
  const { sort, skip, limit } = options ?? {};
  const inner = pipelineContext(context, resolved.namespace.collection, environment);
  const before: Value[] = [...resolved.pipeline];
  const after: Value[] = [];
  const isOwnStage = wanted !== undefined && !usesExpression(wanted);
  if (isOwnStage) before.push(toDocument({ $match: wanted }));
  if (sort !== undefined) after.push(toDocument({ $sort: sort }));
  if (skip !== undefined && skip > 0) after.push(toDocument({ $skip: skip }));
  if (limit !== undefined) after.push(toDocument({ $limit: limit }));
  const filter = compileFilter(isOwnStage ? new Map() : (wanted ?? new Map()), {
    collation: options?.collation,
    now: environment.now,
    compileExpression: options?.compileExpression ?? environment.compileExpression,
  });
  const view = compilePipeline(before, inner);
  const output = runPipeline(context, view, resolved, { environment });
  yield* compilePipeline(after, inner).run(matching(output, filter));
}

function usesExpression(value: Value): boolean {
  if (Array.isArray(value)) return value.some(usesExpression);
  if (!isDocument(value)) return false;
  return [...value].some(([name, member]) => name === '$expr' || usesExpression(member));
}

/** `$expr` may name variables of the stage that reads the view, so it is no stage of the view's. */
function* matching(
  source: Iterable<Document | RawDocument | Pause>,
  filter: Filter,
): Generator<Document | Pause> {
  for (const item of source) {
    if (item === PAUSE) {
      yield PAUSE;
      continue;
    }
    const document = item instanceof RawDocument ? decodeDocument(item.bytes) : item;
    if (filter.matches(document)) yield document;
  }
}

/** How many stored documents match. */
export function countStored(
  context: CommandContext,
  collection: Collection | undefined,
  environment: QueryEnvironment,
  request: ReadRequest,
): number | Promise<number> {
  if (collection === undefined) return 0;
  const { skip = 0, limit = Number.POSITIVE_INFINITY } = request;
  if (isEverything(request.filter) && request.hint === undefined) {
    const { count } = context.view.counters(collection.id);
    return Math.min(limit, Math.max(0, count - skip));
  }
  const plan = planFind(collection, { ...request, collation: environment.collation });
  const counting = countPlan(context.view, plan);
  let n = 0;
  const later = runSliced(() => {
    context.operation.check();
    const end = performance.now() + SLICE_MS;
    for (;;) {
      const { done, value } = counting.next();
      if (done) {
        n = value;
        return true;
      }
      if (performance.now() > end) return false;
    }
  });
  return later === undefined ? n : later.then(() => n);
}

function isEverything(filter: Filter): boolean {
  const { root } = filter;
  return (
    (root.kind === 'always' && root.value) || (root.kind === 'and' && root.children.length === 0)
  );
}
