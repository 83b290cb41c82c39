/** Stages that begin a pipeline with documents of their own: `$documents`, `$collStats` … */
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import { typeName } from '../expression/value-kind.ts';
import type { Namespace, PipelineContext, Source } from '../pipeline-context.ts';
import type { StageCompiler, StageContext, StageTable, StreamStage } from './stage.ts';

function source(name: string, spec: Value, read: () => Source): StreamStage {
  return { kind: 'stream', name, spec, isSource: true, run: read };
}

function compileDocuments(spec: Value, context: StageContext): StreamStage {
  const expression = context.scope.compile(spec);
  const value = expression.evaluate(new Map(), context.frame);
  if (!Array.isArray(value)) {
    throw locationError(5858203, 'an array is expected');
  }
  return source('$documents', spec, () =>
    value.map((item): Document => {
      if (item instanceof Map) return item;
      throw locationError(
        40228,
        `'newRoot' expression must evaluate to an object, but resulting value was of type '${typeName(item)}'`,
      );
    }),
  );
}

function readNamespace(context: PipelineContext, name: string): Namespace {
  const { database, collection } = context;
  if (collection === undefined) {
    throw new MongoCommandError(
      'InvalidNamespace',
      `${name} requires a collection, but the pipeline is of a database`,
    );
  }
  return { database, collection };
}

function readObject(spec: Value, name: string): Document {
  if (spec instanceof Map) return spec;
  throw failedToParse(`${name} must take a nested object but found: ${typeName(spec)}`);
}

function unsupported(name: string): MongoCommandError {
  return new MongoCommandError('CommandNotSupported', `${name} is not supported here`);
}

/** A stage that the server around the pipeline answers. */
function fromServer(
  read: (context: PipelineContext, spec: Document) => Source | undefined,
): StageCompiler {
  return (spec, context, name) => {
    const document = readObject(spec, name);
    return source(name, spec, () => {
      const documents = read(context.pipeline, document);
      if (documents === undefined) throw unsupported(name);
      return documents;
    });
  };
}

export const serverSourceStages: StageTable = {
  $collStats: fromServer((context, spec) =>
    context.collStats?.(readNamespace(context, '$collStats'), spec),
  ),
  $currentOp: fromServer((context, spec) => context.currentOp?.(spec)),
  $documents: compileDocuments,
  $geoNear: fromServer((context, spec) =>
    context.geoNear?.(readNamespace(context, '$geoNear'), spec),
  ),
  $indexStats: fromServer((context) => context.indexStats?.(readNamespace(context, '$indexStats'))),
  $listLocalSessions: fromServer((context, spec) => context.listSessions?.(spec, true)),
  $listSessions: fromServer((context, spec) => context.listSessions?.(spec, false)),
  $planCacheStats: fromServer((context) =>
    context.planCacheStats?.(readNamespace(context, '$planCacheStats')),
  ),
};
