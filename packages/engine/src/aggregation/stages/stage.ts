/** What a compiled stage is, and what stages are compiled with. */
import type { Collator } from '../../bson/compare.ts';
import type { Document, Value } from '../../bson/value.ts';
import { PAUSE, type Pause } from '../../lib/pause.ts';
import type { FieldUse, Variables } from '../expression/operator.ts';
import type { ExpressionScope } from '../expression.ts';
import type { PipelineContext, Source } from '../pipeline-context.ts';

interface StageBase {
  readonly name: string;
  /** The stage as the user wrote it, or as the optimiser made it: for explain. */
  readonly spec: Value;
  /** The fields this stage reads; absent when it must be taken to read all. */
  readonly use?: FieldUse | undefined;
  /** What comes out is made of `use` alone, so later stages read nothing more of the input. */
  readonly reshapes?: boolean | undefined;
}

/** A stage that makes of each document one or none, and remembers nothing. */
export interface TransformStage extends StageBase {
  readonly kind: 'transform';
  transform(document: Document): Document | undefined;
}

export interface StreamStage extends StageBase {
  readonly kind: 'stream';
  run(source: Source): Source;
  /** Produces documents itself; the stream before it is not read. */
  readonly isSource?: boolean;
}

export type Stage = TransformStage | StreamStage;

/** A pipeline compiled for use inside a stage (`$lookup`, `$facet`, `$unionWith`). */
export interface CompiledStages {
  readonly stages: readonly Stage[];
  run(source: Source, from?: number): Source;
  /**
   * Reads a collection through the pipeline, giving the leading stages to its indexes; without a
   * collection the pipeline makes its own documents.
   */
  readFrom(collection: string | undefined, filter?: Document, database?: string): Source;
}

export type SubPipelineOwner = '$lookup' | '$facet' | '$unionWith';

export interface StageContext {
  readonly pipeline: PipelineContext;
  readonly scope: ExpressionScope;
  /** Values of variables; shared by a pipeline and the pipelines inside it. */
  readonly frame: Variables;
  readonly collation: Collator | undefined;
  compileStages(
    specs: readonly Value[],
    owner: SubPipelineOwner,
    scope?: ExpressionScope,
  ): CompiledStages;
}

/** Compiles the specification of one stage; most give one stage, some are made of several. */
export type StageCompiler = (spec: Value, context: StageContext, name: string) => Stage | Stage[];
export type StageTable = Readonly<Record<string, StageCompiler>>;

/** An expression of a stage, bound to the pipeline's variables. */
export function bindExpression(
  spec: Value,
  context: StageContext,
): (document: Document) => Value | undefined {
  const { evaluate } = context.scope.compile(spec);
  const { frame } = context;
  return (document) => evaluate(document, frame);
}

/** Stages through which documents pass one by one, in one loop. */
function* transformAll(source: Source, transforms: readonly TransformStage[]): Source {
  if (transforms.length === 1) {
    const only = transforms[0] as TransformStage;
    for (const document of source) {
      if (document === PAUSE) yield PAUSE;
      else {
        const result = only.transform(document);
        if (result !== undefined) yield result;
      }
    }
    return;
  }
  next: for (const document of source) {
    if (document === PAUSE) {
      yield PAUSE;
      continue;
    }
    let result: Document | undefined = document;
    for (const stage of transforms) {
      result = stage.transform(result);
      if (result === undefined) continue next;
    }
    yield result;
  }
}

/** Runs stages over a source; neighbouring transforms share one loop. */
export function runStages(source: Source, stages: readonly Stage[], from = 0): Source {
  let stream = source;
  let i = from;
  while (i < stages.length) {
    const stage = stages[i] as Stage;
    if (stage.kind === 'stream') {
      stream = stage.run(stage.isSource === true ? stream : withPauses(stream));
      i++;
      continue;
    }
    const transforms: TransformStage[] = [];
    for (; i < stages.length; i++) {
      const next = stages[i] as Stage;
      if (next.kind !== 'transform') break;
      transforms.push(next);
    }
    stream = transformAll(stream, transforms);
  }
  return stream;
}

const DOCUMENTS_PER_PAUSE = 256;

/** A blocking stage is silent while it consumes; the pauses here go through it all the same. */
function* withPauses(source: Source): Source {
  let count = 0;
  for (const item of source) {
    yield item;
    if (item === PAUSE) count = 0;
    else if (++count === DOCUMENTS_PER_PAUSE) {
      count = 0;
      yield PAUSE;
    }
  }
}

/** Drains a stream into `into`, passing on its pauses. */
export function* collectInto(source: Source, into: Document[]): Generator<Pause> {
  for (const document of source) {
    if (document === PAUSE) yield PAUSE;
    else into.push(document);
  }
}

/** Yields a pause every so often, so that long work on collected documents stays interruptible. */
export function isPauseDue(count: number): boolean {
  return (count & 1023) === 1023;
}
