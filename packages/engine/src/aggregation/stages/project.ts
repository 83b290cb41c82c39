/** `$project`, `$addFields` (`$set`) and `$unset`. */
import type { Document, Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import type { FieldUse } from '../expression/operator.ts';
import { typeName } from '../expression/value-kind.ts';
import { keepMetadata } from '../metadata.ts';
import {
  type CompileField,
  ProjectionTree,
  parseAddition,
  parseProjection,
  withStageName,
} from '../projection-tree.ts';
import type { StageContext, StageTable, TransformStage } from './stage.ts';

function fieldCompiler(context: StageContext, use: FieldUse): CompileField {
  const scope = context.scope.withUse(use);
  const { frame } = context;
  return (spec) => {
    const { evaluate } = scope.compile(spec);
    return (document) => evaluate(document, frame);
  };
}

function applyTree(tree: ProjectionTree): (document: Document) => Document {
  return (document) => keepMetadata(document, tree.apply(document));
}

const topOf = (path: string): string => path.split('.', 1)[0] as string;

function compileProject(spec: Value, context: StageContext, name: string): TransformStage {
  if (!(spec instanceof Map)) {
    throw locationError(15969, '$project specification must be an object');
  }
  const use: FieldUse = { fields: new Set(), whole: false };
  const { tree, kept } = withStageName(name, () =>
    parseProjection(spec, fieldCompiler(context, use)),
  );
  const reshapes = tree.mode === 'inclusion';
  for (const path of kept) use.fields.add(topOf(path));
  return { kind: 'transform', name, spec, use, reshapes, transform: applyTree(tree) };
}

/** A stage that sets fields and leaves the others, with what the optimiser may ask of it. */
export interface AdditionStage extends TransformStage {
  readonly changes: ReadonlySet<string>;
}

export function changedFields(stage: object): ReadonlySet<string> | undefined {
  return 'changes' in stage ? (stage as AdditionStage).changes : undefined;
}

function compileAddFields(spec: Value, context: StageContext, name: string): AdditionStage {
  if (!(spec instanceof Map)) {
    throw locationError(
      40272,
      `${name} specification stage must be an object, got ${typeName(spec)}`,
    );
  }
  const use: FieldUse = { fields: new Set(), whole: false };
  const tree = withStageName(name, () => parseAddition(spec, fieldCompiler(context, use)));
  const changes = new Set([...spec.keys()].map(topOf));
  for (const field of changes) use.fields.add(field);
  return { kind: 'transform', name, spec, use, changes, transform: applyTree(tree) };
}

function compileUnset(spec: Value, _context: StageContext, name: string): AdditionStage {
  const paths = Array.isArray(spec) ? spec : [spec];
  if (!Array.isArray(spec) && typeof spec !== 'string') {
    throw locationError(31002, '$unset specification must be a string or an array');
  }
  if (paths.length === 0) {
    throw locationError(
      31119,
      '$unset specification must be a string or an array with at least one field',
    );
  }
  const tree = new ProjectionTree('exclusion');
  const changes = new Set<string>();
  withStageName(name, () => {
    for (const path of paths) {
      if (typeof path !== 'string') {
        throw locationError(
          31120,
          '$unset specification must be a string or an array containing only string values',
        );
      }
      tree.name(path);
      changes.add(topOf(path));
    }
  });
  const use: FieldUse = { fields: new Set(), whole: false };
  return { kind: 'transform', name, spec, use, changes, transform: applyTree(tree) };
}

export const projectStages: StageTable = {
  $addFields: compileAddFields,
  $project: compileProject,
  $set: compileAddFields,
  $unset: compileUnset,
};
