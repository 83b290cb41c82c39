/** `$match`. */
import type { Document, Value } from '../../bson/value.ts';
import { type CompileExpression, compileFilter, type FilterNode } from '../../query/filter.ts';
import { locationError } from '../aggregation-error.ts';
import type { FieldUse } from '../expression/operator.ts';
import type { ExpressionScope } from '../expression.ts';
import type { Stage, StageContext, TransformStage } from './stage.ts';

/** A compiler of `$expr` that knows the pipeline's variables. */
export function pipelineExpressionCompiler(
  context: StageContext,
  scope: ExpressionScope = context.scope,
): CompileExpression {
  const { frame } = context;
  return (spec) => {
    const { evaluate } = scope.compile(spec);
    return (document) => evaluate(document, frame);
  };
}

/** A `$match` remembers its filter, so that the pipeline can give it to the planner. */
export interface MatchStage extends TransformStage {
  readonly name: '$match';
  readonly spec: Document;
  readonly root: FilterNode;
}

export function isMatchStage(stage: Stage | undefined): stage is MatchStage {
  return stage?.name === '$match';
}

export function compileMatch(spec: Value, context: StageContext): MatchStage {
  if (!(spec instanceof Map)) {
    throw locationError(15959, 'the match filter must be an expression in an object');
  }
  const use: FieldUse = { fields: new Set(), whole: false };
  const filter = compileFilter(spec, {
    collation: context.collation,
    now: context.pipeline.now,
    compileExpression: pipelineExpressionCompiler(context, context.scope.withUse(use)),
    // as the first stage the collection's index answers it, and no document comes here unmatched
    compileText: () => () => true,
  });
  noteFilterUse(filter.root, use);
  return {
    kind: 'transform',
    name: '$match',
    spec,
    use,
    root: filter.root,
    transform: (document) => (filter.matches(document) ? document : undefined),
  };
}

/** Adds the top-level fields that a filter reads. */
export function noteFilterUse(node: FilterNode, use: FieldUse): void {
  switch (node.kind) {
    case 'and':
    case 'or':
    case 'nor':
      for (const child of node.children) noteFilterUse(child, use);
      return;
    case 'not':
      noteFilterUse(node.child, use);
      return;
    case 'expr':
    case 'always':
    case 'sampleRate':
      return;
    case 'jsonSchema':
    case 'text':
      use.whole = true;
      return;
    default:
      use.fields.add(node.path.split('.', 1)[0] as string);
  }
}

function isTextFilter(node: FilterNode): boolean {
  return node.kind === 'text' || (node.kind === 'and' && node.children.some(isTextFilter));
}

function isNearFilter(node: FilterNode): boolean {
  if (node.kind === 'geo') return node.query.operator.startsWith('near');
  return node.kind === 'and' && node.children.some(isNearFilter);
}

/** Refuses filters that only the collection's indexes could answer. */
export function checkMatchPosition(stage: MatchStage, isFirst: boolean): void {
  if (isNearFilter(stage.root)) {
    throw locationError(
      5626500,
      '$geoNear, $near, and $nearSphere are not allowed in this context, as these operators require sorting geospatial data. If you do not need sort, consider using $geoWithin instead.',
    );
  }
  if (!isFirst && isTextFilter(stage.root)) {
    throw locationError(17313, '$match with $text is only allowed as the first pipeline stage');
  }
}
