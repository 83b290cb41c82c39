import { type Document, isDocument, type Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { sourceOf } from '../session/cursor.ts';
import { openChangeStream } from './aggregate-changes.ts';
import { writeOutput } from './aggregate-output.ts';
import { bindPipeline, resolveNamespace } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { cursorBatchSize, firstBatchLimit, openCursor } from './cursor-reply.ts';
import { explainPipeline } from './explain-plan.ts';
import { isTrue } from './field-types.ts';
import { readHint } from './matched-record.ts';
import { createQueryEnvironment } from './query-environment.ts';

/** `aggregate` (manual). */
export const aggregate: CommandDefinition = {
  name: 'aggregate',
  help: 'Runs a pipeline',
  stable: true,
  inTransactions: true,
  privilege: 'read',
  fields: {
    pipeline: 'array',
    explain: 'bool',
    allowDiskUse: 'bool',
    cursor: 'object',
    bypassDocumentValidation: 'bool',
    bypassEmptyTsReplacement: 'bool',
    collation: 'object',
    hint: 'objectOrString',
    let: 'object',
    collectionUUID: 'binData',
    fromMongos: 'bool',
    fromRouter: 'bool',
    needsMerge: 'bool',
    exchange: 'any',
    encryptionInformation: 'any',
    isMapReduceCommand: 'bool',
    querySettings: 'any',
    includeQueryStatsMetrics: 'bool',
    resumeToken: 'any',
    startAt: 'any',
    requestReshardingResumeToken: 'any',
  },
  run(context) {
    const stages = readPipeline(context.args);
    checkApiStages(context.args, stages);
    const name = targetCollection(context);
    const isExplain = isTrue(context.args.get('explain'));
    if (!isExplain && !context.args.has('cursor')) {
      throw new MongoCommandError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    }
    const [first] = stages;
    if (isDocument(first) && first.has('$changeStream')) {
      return openChangeStream(context, name, stages);
    }
    const collation =
      name === undefined
        ? undefined
        : resolveNamespace(context, { database: context.database, collection: name }).collation;
    const environment = createQueryEnvironment(context, context.args, collation);
    const bound = bindPipeline(context, name, stages, {
      environment,
      hint: readHint(context.args.get('hint')),
    });
    checkTarget(name, bound.pipeline.readsCollection);
    if (isExplain) return explainPipeline(context, bound, environment, 'queryPlanner');
    const namespace = namespaceOf(context, name);
    const { output } = bound.pipeline;
    if (output !== undefined) {
      if (context.readConcern.level === 'linearizable') {
        throw new MongoCommandError(
          'InvalidOptions',
          `$${output.kind} cannot be used with a 'linearizable' read concern level`,
        );
      }
      return writeOutput(context, bound, output, { namespace, environment });
    }
    return openCursor(
      context,
      { namespace, source: sourceOf(bound.run()) },
      { limit: firstBatchLimit(cursorBatchSize(context.args)) },
    );
  },
};

/** @throws TypeMismatch when an element is no document */
export function readPipeline(args: Document): readonly Value[] {
  const pipeline = args.get('pipeline');
  if (!Array.isArray(pipeline)) {
    throw new MongoCommandError(
      pipeline === undefined ? 'Location40414' : 'TypeMismatch',
      pipeline === undefined
        ? "BSON field 'aggregate.pipeline' is missing but a required field"
        : "'pipeline' option must be specified as an array",
    );
  }
  for (const stage of pipeline) {
    if (!isDocument(stage)) {
      throw new MongoCommandError(
        'TypeMismatch',
        "Each element of the 'pipeline' array must be an object",
      );
    }
  }
  return pipeline;
}

/** Stages that Stable API version 1 leaves out (manual, "Stable API"). */
const UNSTABLE_STAGES: ReadonlySet<string> = new Set([
  '$currentOp',
  '$indexStats',
  '$listLocalSessions',
  '$listSearchIndexes',
  '$listSessions',
  '$planCacheStats',
  '$search',
  '$searchMeta',
]);

/** @throws APIStrictError */
function checkApiStages(args: Document, stages: readonly Value[]): void {
  if (!isTrue(args.get('apiStrict'))) return;
  for (const stage of stages) {
    const [name = ''] = isDocument(stage) ? stage.keys() : [];
    if (UNSTABLE_STAGES.has(name)) {
      throw new MongoCommandError(
        'APIStrictError',
        `${name} is not allowed with 'apiStrict: true' in API Version 1`,
      );
    }
  }
}

/** The collection; none for `aggregate: 1`. */
export function targetCollection(context: CommandContext): string | undefined {
  const target = context.args.get('aggregate');
  if (target === 1) return undefined;
  if (typeof target === 'string') return context.collectionName;
  throw new MongoCommandError(
    'FailedToParse',
    'Invalid command format: the aggregate field must specify a collection name or 1',
  );
}

function checkTarget(name: string | undefined, readsCollection: boolean): void {
  if (name === undefined && readsCollection) {
    throw new MongoCommandError(
      'InvalidNamespace',
      '{aggregate: 1} is not valid for this pipeline: it must begin with a stage such as $documents or $currentOp',
    );
  }
}

export function namespaceOf(context: CommandContext, name: string | undefined): string {
  return name === undefined ? `${context.database}.$cmd.aggregate` : context.namespace(name);
}
