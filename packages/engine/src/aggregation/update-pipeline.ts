/** Pipelines as updates: `$set`, `$unset`, `$project`, `$replaceRoot` and their other names. */
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CompileUpdatePipeline } from '../query/update.ts';
import { failedToParse, typeMismatch } from './aggregation-error.ts';
import type { ExpressionRuntime } from './expression/operator.ts';
import { constantBindings, ExpressionScope } from './expression.ts';
import { readStage } from './stage-spec.ts';
import { projectStages } from './stages/project.ts';
import { replaceRootStages } from './stages/replace-root.ts';
import type { StageCompiler, StageContext, TransformStage } from './stages/stage.ts';

const UPDATE_STAGES: ReadonlyMap<string, StageCompiler> = new Map([
  ...Object.entries(projectStages),
  ...Object.entries(replaceRootStages),
]);

/** The update that the stages make together. */
export function compileUpdateStages(
  specs: readonly Value[],
  context: StageContext,
): (document: Document) => Document {
  const stages = specs.map((spec): TransformStage => {
    if (!(spec instanceof Map)) {
      throw typeMismatch("Each element of the 'pipeline' array must be an object");
    }
    const { name, argument } = readStage(spec);
    const compile = UPDATE_STAGES.get(name);
    if (compile === undefined) {
      throw new MongoCommandError(
        'InvalidOptions',
        `${name} is not allowed to be used within an update`,
      );
    }
    const stage = compile(argument, context, name);
    if (Array.isArray(stage) || stage.kind !== 'transform') {
      throw failedToParse(`${name} is not allowed to be used within an update`);
    }
    return stage;
  });
  return (document) => {
    let result = document;
    for (const stage of stages) result = stage.transform(result) ?? result;
    return result;
  };
}

/** A compiler of update pipelines for `query/update.ts`, which cannot import this folder. */
export function createUpdatePipelineCompiler(runtime: ExpressionRuntime): CompileUpdatePipeline {
  return (stages, variables) => {
    const scope = new ExpressionScope(runtime, constantBindings(variables));
    const context: StageContext = {
      pipeline: {
        database: '',
        now: runtime.now,
        find: () => {
          throw failedToParse('an update pipeline reads no collection');
        },
      },
      scope,
      frame: [],
      collation: runtime.collation,
      compileStages: () => {
        throw failedToParse('an update pipeline holds no other pipeline');
      },
    };
    return compileUpdateStages(stages, context);
  };
}
