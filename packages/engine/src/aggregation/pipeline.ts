/** Compiles and runs aggregation pipelines (MongoDB manual, "Aggregation Stages"). */
import { type Document, toDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE } from '../lib/pause.ts';
import { locationError } from './aggregation-error.ts';
import type { ExpressionRuntime, Variables } from './expression/operator.ts';
import { constantBindings, ExpressionScope } from './expression.ts';
import { narrowExpressions } from './lookup-bounds.ts';
import { compileMerge, compileOut, type OutputTarget } from './output-target.ts';
import type { PipelineContext, Source } from './pipeline-context.ts';
import { findLeading, type Leading } from './pipeline-leading.ts';
import { optimizeStages } from './pipeline-optimizer.ts';
import { readStage, unknownStage } from './stage-spec.ts';
import { STAGES } from './stage-table.ts';
import { checkMatchPosition, isMatchStage, pipelineExpressionCompiler } from './stages/match.ts';
import {
  type CompiledStages,
  runStages,
  type Stage,
  type StageContext,
  type SubPipelineOwner,
} from './stages/stage.ts';

export interface Pipeline {
  /** What the planner may take over: filter, sort, skip, limit, and the fields that are read. */
  readonly leading: Leading;
  /** `$out` or `$merge`, to be carried out by the caller with what `run` gives. */
  readonly output: OutputTarget | undefined;
  /** False when the first stage makes its own documents: `run` then reads no source. */
  readonly readsCollection: boolean;
  readonly stages: readonly Stage[];
  /** Runs the stages from number `from` on; the earlier ones were carried out by the source. */
  run(source: Source, from?: number): Source;
  /** As `run`, noting down in `returned` how many documents each stage gives. */
  runCounted(source: Source, from: number, returned: number[]): Source;
  /** The stages as they are run, for explain. */
  describe(): Document[];
}

export interface CompilePipelineOptions {
  /** The stages follow a stream that is no collection, such as a change stream. */
  readonly followsStream?: boolean | undefined;
}

function createRuntime(context: PipelineContext): ExpressionRuntime {
  const { now, clusterTime, userRoles, collation } = context;
  return { now, clusterTime, userRoles, collation };
}

/**
 * Compiles a pipeline.
 *
 * @throws MongoCommandError with MongoDB's code and text for a malformed one
 */
export function compilePipeline(
  specs: readonly Value[],
  context: PipelineContext,
  options: CompilePipelineOptions = {},
): Pipeline {
  const scope = new ExpressionScope(createRuntime(context), constantBindings(context.variables));
  const stageContext = createStageContext(context, scope, []);
  const { inner, output } = splitOutput(specs, stageContext);
  const stages = optimizeStages(compileAll(inner, stageContext, undefined, options), stageContext);
  const [first] = stages;
  if (first?.name === '$documents' && context.collection !== undefined) {
    throw new MongoCommandError(
      'InvalidNamespace',
      "'$documents' can only be run with {aggregate: 1}",
    );
  }
  return {
    leading: findLeading(stages),
    output,
    readsCollection: !(first?.kind === 'stream' && first.isSource === true),
    stages,
    run: (source, from = 0) => runStages(source, stages, from),
    runCounted(source, from, returned) {
      let stream = source;
      for (let at = from; at < stages.length; at++) {
        stream = countInto(runStages(stream, stages.slice(at, at + 1)), returned, at);
      }
      return stream;
    },
    describe: () => describeStages(specs, stages, output),
  };
}

function* countInto(source: Source, returned: number[], at: number): Source {
  returned[at] = 0;
  for (const item of source) {
    if (item !== PAUSE) returned[at] = (returned[at] ?? 0) + 1;
    yield item;
  }
}

function describeStages(
  specs: readonly Value[],
  stages: readonly Stage[],
  output: OutputTarget | undefined,
): Document[] {
  const described = stages.map((stage) => toDocument({ [stage.name]: stage.spec }));
  const last = specs.at(-1);
  if (output !== undefined && last instanceof Map) described.push(last);
  return described;
}

function createStageContext(
  pipeline: PipelineContext,
  scope: ExpressionScope,
  frame: Variables,
): StageContext {
  const context: StageContext = {
    pipeline,
    scope,
    frame,
    collation: pipeline.collation,
    compileStages: (specs, owner, inner) =>
      compileSubPipeline(specs, owner, {
        ...context,
        scope: (inner ?? scope).withUse({ fields: new Set(), whole: false }),
      }),
  };
  return context;
}

/** A trailing `$out` or `$merge` is no stage here: writing is the caller's. */
function splitOutput(
  specs: readonly Value[],
  context: StageContext,
): { readonly inner: readonly Value[]; readonly output: OutputTarget | undefined } {
  const last = specs.at(-1);
  if (!(last instanceof Map) || !(last.has('$out') || last.has('$merge'))) {
    return { inner: specs, output: undefined };
  }
  const { name, argument } = readStage(last);
  const output = name === '$out' ? compileOut(argument, context) : compileMerge(argument, context);
  return { inner: specs.slice(0, -1), output };
}

/** Stages that must come first, and so cannot be inside a `$facet`. */
const FIRST_ONLY: ReadonlySet<string> = new Set([
  '$changeStream',
  '$collStats',
  '$currentOp',
  '$documents',
  '$geoNear',
  '$indexStats',
  '$listLocalSessions',
  '$listSessions',
  '$planCacheStats',
]);

function checkPlace(name: string, index: number, owner: SubPipelineOwner | undefined): void {
  if (name === '$out' || name === '$merge') {
    if (owner === '$facet') throw notAllowedInFacet(name);
    if (owner !== undefined) {
      throw locationError(51047, `${name} is not allowed within a ${owner}'s sub-pipeline`);
    }
    throw locationError(40601, `${name} can only be the final stage in the pipeline`);
  }
  if (owner === '$facet' && (FIRST_ONLY.has(name) || name === '$facet')) {
    throw notAllowedInFacet(name);
  }
  if (index > 0 && FIRST_ONLY.has(name)) {
    throw locationError(40602, `${name} is only valid as the first stage in a pipeline.`);
  }
}

function notAllowedInFacet(name: string): Error {
  return locationError(40600, `${name} is not allowed to be used within a $facet stage`);
}

function compileAll(
  specs: readonly Value[],
  context: StageContext,
  owner: SubPipelineOwner | undefined,
  options: CompilePipelineOptions = {},
): Stage[] {
  const stages: Stage[] = [];
  specs.forEach((spec, index) => {
    const { name, argument } = readStage(spec);
    const compile = STAGES.get(name);
    const isOutput = name === '$out' || name === '$merge';
    if (compile === undefined && !isOutput && name !== '$changeStream') throw unknownStage(name);
    checkPlace(name, options.followsStream === true ? index + 1 : index, owner);
    if (compile === undefined) throw unknownStage(name);
    const compiled = compile(argument, context, name);
    for (const stage of Array.isArray(compiled) ? compiled : [compiled]) stages.push(stage);
    const last = stages.at(-1);
    if (isMatchStage(last)) checkMatchPosition(last, index === 0 && owner !== '$facet');
  });
  return stages;
}

function compileSubPipeline(
  specs: readonly Value[],
  owner: SubPipelineOwner,
  context: StageContext,
): CompiledStages {
  const nested: StageContext = createStageContext(context.pipeline, context.scope, context.frame);
  const stages = optimizeStages(compileAll(specs, nested, owner), nested);
  const leading = findLeading(stages);
  const compileExpression = pipelineExpressionCompiler(nested);
  const { pipeline, collation } = nested;
  return {
    stages,
    run: (source, from = 0) => runStages(source, stages, from),
    readFrom(collection, filter, database = pipeline.database) {
      if (collection === undefined) return runStages([], stages);
      const own =
        leading.filter === undefined
          ? undefined
          : narrowExpressions(leading.filter, nested.scope, nested.frame);
      const source = pipeline.find({ database, collection }, bothFilters(filter, own), {
        compileExpression,
        collation,
        sort: leading.sort,
        skip: leading.skip,
        limit: leading.limit,
      });
      return runStages(source, stages, leading.consumedStages);
    },
  };
}

function bothFilters(first: Document | undefined, second: Document | undefined) {
  if (first === undefined || second === undefined) return first ?? second;
  return toDocument({ $and: [first, second] });
}
