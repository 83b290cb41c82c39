/** Plans in the shape of MongoDB 8's `explain`. */
import { type Document, toDocument, type Value } from '../bson/value.ts';
import type { Direction } from '../storage/key-encoding.ts';
import { describeBounds, type IndexScan } from './index-scan.ts';
import type { Access, Plan } from './plan.ts';
import type { ExecutionStats } from './plan-execute.ts';

const SORT_MEMORY_BYTES = 104857600;

export interface ExplainOptions {
  /** The query as it was given. */
  readonly filter?: Document | undefined;
  /** Present for the verbosities that carry the plan out. */
  readonly stats?: ExecutionStats | undefined;
  /** What carrying out the plans that lost would have shown is asked for too. */
  readonly allPlans?: boolean | undefined;
  /** A command's own stages on top, from the inside out. */
  readonly wrap?: ((stage: Document) => Document) | undefined;
}

function stage(name: string, fields: Record<string, Value | undefined>): Document {
  return toDocument({ stage: name, ...fields });
}

/** The figures of one stage, put behind its name as MongoDB does. */
function withFigures(
  node: Document,
  stats: ExecutionStats | undefined,
  figures: StageFigures,
): Document {
  if (stats === undefined) return node;
  const [name, ...rest] = [...node];
  const head = name === undefined ? [] : [name];
  const all = { ...workOf(figures, stats), ...figures };
  return new Map<string, Value>([...head, ...Object.entries(all), ...rest]);
}

/** What a stage of MongoDB tells of its work; here a unit of it is one entry or document. */
function workOf(figures: StageFigures, stats: ExecutionStats): Record<string, Value> {
  const { nReturned, keysExamined = 0, docsExamined = 0 } = figures;
  const examined = Math.max(nReturned, keysExamined, docsExamined);
  return {
    nReturned,
    executionTimeMillisEstimate: Math.round(stats.elapsedMs),
    works: examined + 1,
    advanced: nReturned,
    needTime: examined - nReturned,
    needYield: 0,
    saveState: 0,
    restoreState: 0,
    isEOF: 1,
  };
}

interface StageFigures {
  readonly nReturned: number;
  readonly keysExamined?: number;
  readonly docsExamined?: number;
}

function indexStage(
  scan: IndexScan,
  direction: Direction,
  stats: ExecutionStats | undefined,
): Document {
  const { index } = scan;
  const multikeyPaths: Document = new Map();
  index.fields.forEach(({ path }, i) => {
    multikeyPaths.set(path, index.flags.multikey[i] === true ? [path] : []);
  });
  const collation = index.spec.document.get('collation');
  const node = stage('IXSCAN', {
    keyPattern: index.keyPattern,
    indexName: index.name,
    collation,
    isMultiKey: index.flags.isMultikey,
    multiKeyPaths: multikeyPaths,
    isUnique: index.unique,
    isSparse: index.sparse,
    isPartial: index.filter !== undefined,
    indexVersion: 2,
    direction: direction === 1 ? 'forward' : 'backward',
    ...boundsOf(scan, direction),
  });
  const examined = stats?.keysExamined ?? 0;
  return withFigures(node, stats, { nReturned: examined, keysExamined: examined });
}

function boundsOf(scan: IndexScan, direction: Direction): Record<string, Value> {
  const { limits } = scan;
  if (limits === undefined) return { indexBounds: describeBounds(scan, direction) };
  return {
    indexBounds: toDocument({ startKey: limits.min, endKey: limits.max }),
  };
}

function fetchStage(plan: Plan, input: Document, options: ExplainOptions): Document {
  const { stats } = options;
  const node = stage('FETCH', {
    filter: plan.testsDocuments ? options.filter : undefined,
    inputStage: input,
  });
  return withFigures(node, stats, {
    nReturned: stats?.matched ?? 0,
    docsExamined: stats?.docsExamined ?? 0,
  });
}

function accessStage(access: Access, plan: Plan, options: ExplainOptions): Document {
  const { stats } = options;
  const found = { nReturned: stats?.matched ?? 0, docsExamined: stats?.docsExamined ?? 0 };
  switch (access.kind) {
    case 'nothing':
      return withFigures(stage('EOF', {}), stats, { nReturned: 0 });
    case 'collection': {
      const node = stage('COLLSCAN', {
        filter: plan.testsDocuments ? options.filter : undefined,
        direction: access.direction === 1 ? 'forward' : 'backward',
      });
      return withFigures(node, stats, found);
    }
    case 'id': {
      const node = stage('EXPRESS_IXSCAN', {
        keyPattern: '{ _id: 1 }',
        indexName: access.index.name,
      });
      return withFigures(node, stats, { ...found, keysExamined: stats?.keysExamined ?? 0 });
    }
    case 'index':
      return fetchStage(plan, indexStage(access.scan, access.direction, stats), options);
    case 'or': {
      const inputs = access.branches.map((branch) => indexStage(branch, 1, undefined));
      const node = withFigures(stage('OR', { inputStages: inputs }), stats, {
        nReturned: stats?.docsExamined ?? 0,
      });
      return fetchStage(plan, node, options);
    }
  }
}

function stages(access: Access, plan: Plan, options: ExplainOptions): Document {
  const { stats } = options;
  const returned = { nReturned: stats?.returned ?? 0 };
  let node = accessStage(access, plan, options);
  if (plan.sort !== undefined) {
    const limit = plan.limit > 0 ? plan.skip + plan.limit : undefined;
    node = withFigures(
      stage('SORT', {
        sortPattern: plan.sortSpec,
        memLimit: SORT_MEMORY_BYTES,
        limitAmount: limit,
        type: 'simple',
        inputStage: node,
      }),
      stats,
      { nReturned: Math.min(stats?.matched ?? 0, limit ?? Number.MAX_SAFE_INTEGER) },
    );
  }
  if (plan.skip > 0) {
    node = withFigures(stage('SKIP', { skipAmount: plan.skip, inputStage: node }), stats, returned);
  }
  if (plan.limit > 0 && plan.sort === undefined) {
    node = withFigures(
      stage('LIMIT', { limitAmount: plan.limit, inputStage: node }),
      stats,
      returned,
    );
  }
  return options.wrap === undefined ? node : options.wrap(node);
}

/**
 * `queryPlanner` and, with statistics, `executionStats` of a plan.
 *
 * @see MongoDB manual, "Explain Results"
 */
export function explainPlan(plan: Plan, options: ExplainOptions = {}): Document {
  const planned: ExplainOptions = { ...options, stats: undefined };
  const winning = stages(plan.access, plan, planned);
  const result: Document = toDocument({
    queryPlanner: toDocument({
      namespace: plan.collection.namespace,
      parsedQuery: options.filter ?? new Map(),
      indexFilterSet: false,
      optimizationTimeMillis: 0,
      maxIndexedOrSolutionsReached: false,
      maxIndexedAndSolutionsReached: false,
      maxScansToExplodeReached: false,
      prunedSimilarIndexes: false,
      winningPlan: new Map<string, Value>([['isCached', false], ...winning]),
      rejectedPlans: plan.rejected.map(
        (access) => new Map<string, Value>([['isCached', false], ...stages(access, plan, planned)]),
      ),
    }),
  });
  const { stats } = options;
  if (stats !== undefined) {
    result.set(
      'executionStats',
      toDocument({
        executionSuccess: true,
        nReturned: stats.returned,
        executionTimeMillis: Math.round(stats.elapsedMs),
        totalKeysExamined: stats.keysExamined,
        totalDocsExamined: stats.docsExamined,
        executionStages: stages(plan.access, plan, options),
        // plans are chosen by their shape, so none but the winner is ever carried out
        ...(options.allPlans === true && { allPlansExecution: [] }),
      }),
    );
  }
  return result;
}
