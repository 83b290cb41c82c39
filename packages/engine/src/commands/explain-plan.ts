import { hostname } from 'node:os';
import { type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { explainPlan } from '../catalog/explain.ts';
import { countPlan, ExecutionStats, executePlan } from '../catalog/plan-execute.ts';
import { planFind } from '../catalog/planner.ts';
import { PAUSE } from '../lib/pause.ts';
import { chain, runSliced, SLICE_MS } from '../lib/sliced.ts';
import {
  type BoundPipeline,
  leadingRequest,
  type ReadRequest,
  readDocuments,
} from './collection-reader.ts';
import type { CommandContext } from './context.ts';
import { visitAll } from './drain.ts';
import type { QueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';
import { GIT_VERSION, SERVER_VERSION } from './server-identity.ts';

export type Verbosity = 'queryPlanner' | 'executionStats' | 'allPlansExecution';

export interface ExplainedRead {
  readonly collection: Collection | undefined;
  readonly namespace: string;
  readonly environment: QueryEnvironment;
  readonly request: ReadRequest;
  readonly filter: Document;
  /** The command's own stage above the plan, such as COUNT or UPDATE. */
  readonly wrap?: ((stage: Document) => Document) | undefined;
  /** Carries the plan out by counting, which may not need the documents. */
  readonly counts?: boolean;
}

/** The plan of a read, and with a higher verbosity what carrying it out took. */
export function explainRead(
  context: CommandContext,
  read: ExplainedRead,
  verbosity: Verbosity,
): Document | Promise<Document> {
  const { collection, filter, wrap } = read;
  if (collection === undefined) return explainNothing(read, verbosity);
  const plan = planFind(collection, { ...read.request, collation: read.environment.collation });
  if (verbosity === 'queryPlanner') return explainPlan(plan, { filter, wrap });
  const stats = new ExecutionStats();
  const startedAt = performance.now();
  const steps = read.counts
    ? countPlan(context.view, plan, stats)
    : executePlan(context.view, plan, stats)[Symbol.iterator]();
  const later = runSliced(() => {
    context.operation.check();
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end) if (steps.next().done) return true;
    return false;
  });
  return chain(later ?? Promise.resolve(), () => {
    stats.elapsedMs = Math.round(performance.now() - startedAt);
    const allPlans = verbosity === 'allPlansExecution';
    return explainPlan(plan, { filter, wrap, stats, allPlans });
  });
}

function explainNothing(read: ExplainedRead, verbosity: Verbosity): Document {
  const stage = toDocument({ stage: 'EOF', type: 'nonExistentNamespace' });
  const result = toDocument({
    queryPlanner: toDocument({
      namespace: read.namespace,
      parsedQuery: read.filter,
      indexFilterSet: false,
      winningPlan: read.wrap === undefined ? stage : read.wrap(stage),
      rejectedPlans: [],
    }),
  });
  if (verbosity !== 'queryPlanner') {
    result.set(
      'executionStats',
      toDocument({
        executionSuccess: true,
        nReturned: 0,
        executionTimeMillis: 0,
        totalKeysExamined: 0,
        totalDocsExamined: 0,
        executionStages: toDocument({ stage: 'EOF', nReturned: 0 }),
        ...(verbosity === 'allPlansExecution' && { allPlansExecution: [] }),
      }),
    );
  }
  return result;
}

/** A pipeline: the plan of what it reads, then its stages. */
export function explainPipeline(
  context: CommandContext,
  bound: BoundPipeline,
  environment: QueryEnvironment,
  verbosity: Verbosity,
): Document | Promise<Document> {
  const { pipeline, resolved } = bound;
  const { leading } = pipeline;
  const stages = pipeline.describe();
  if (!pipeline.readsCollection || resolved === undefined) {
    return withServerInfo(context, toDocument({ explainVersion: '1', stages }));
  }
  const planned = explainRead(
    context,
    {
      collection: resolved.collection,
      namespace: `${resolved.namespace.database}.${resolved.namespace.collection}`,
      environment,
      request: leadingRequest(pipeline, { environment }),
      filter: leading.filter ?? new Map(),
    },
    verbosity,
  );
  return chain(planned, (plan) => {
    const rest = stages.slice(leading.consumedStages);
    if (rest.length === 0) return withServerInfo(context, plan);
    const cursor = toDocument({ $cursor: plan });
    const finish = (described: readonly Document[]): Document =>
      withServerInfo(context, toDocument({ explainVersion: '1', stages: [...described] }));
    if (verbosity === 'queryPlanner') return finish([cursor, ...rest]);
    return chain(countStages(context, bound, environment), (counts) => {
      const counted = rest.map((stage, index) =>
        withReturned(stage, counts, leading.consumedStages + index),
      );
      return finish([withReturned(cursor, counts, leading.consumedStages - 1), ...counted]);
    });
  });
}

/** What carrying out a pipeline has shown: by stage, -1 standing for the cursor without any. */
interface StageCounts {
  readonly returned: readonly number[];
  readonly read: number;
  readonly elapsedMs: number;
}

/** Runs the pipeline for its counts; what `$out` or `$merge` would write is not written. */
function countStages(
  context: CommandContext,
  bound: BoundPipeline,
  environment: QueryEnvironment,
): StageCounts | Promise<StageCounts> {
  const { pipeline, resolved } = bound;
  const returned: number[] = [];
  let read = 0;
  const startedAt = performance.now();
  function* source() {
    const request = leadingRequest(pipeline, { environment });
    for (const item of readDocuments(context, resolved?.collection, environment, request)) {
      if (item !== PAUSE) read += 1;
      yield item;
    }
  }
  const stream = pipeline.runCounted(source(), pipeline.leading.consumedStages, returned);
  const later = visitAll(context.operation, stream, () => undefined);
  return chain(later ?? Promise.resolve(), () => ({
    returned,
    read,
    elapsedMs: performance.now() - startedAt,
  }));
}

function withReturned(stage: Document, counts: StageCounts, index: number): Document {
  return new Map<string, Value>([
    ...stage,
    ['nReturned', BigInt(counts.returned[index] ?? counts.read)],
    ['executionTimeMillisEstimate', BigInt(Math.round(counts.elapsedMs))],
  ]);
}

/** The fields that every explanation ends with. */
export function withServerInfo(context: CommandContext, explanation: Document): Document {
  const command: Document = new Map(context.args);
  for (const name of ['lsid', '$clusterTime', '$readPreference', 'readConcern']) {
    command.delete(name);
  }
  command.set('$db', context.database);
  const [host, port] = context.services.identity.address.split(':');
  const result = reply({ explainVersion: '1' });
  for (const [name, value] of explanation) result.set(name, value);
  result.set('command', command);
  result.set(
    'serverInfo',
    toDocument({
      host: host ?? hostname(),
      port: Number(port ?? 0),
      version: SERVER_VERSION,
      gitVersion: GIT_VERSION,
    }),
  );
  return result;
}

/** A stage of the command itself above the plan's stages. */
export function stageAbove(name: string): (stage: Document) => Document {
  return (inner) => {
    const outer = toDocument({ stage: name });
    const returned = inner.get('nReturned');
    if (returned !== undefined) outer.set('nReturned', name === 'COUNT' ? 0 : returned);
    outer.set('inputStage', inner);
    return outer;
  };
}

/** The filter among a command's arguments, empty when there is none. */
export function filterOf(value: Value | undefined): Document {
  return isDocument(value) ? value : new Map();
}
