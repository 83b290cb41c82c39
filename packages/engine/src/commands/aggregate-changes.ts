import { compilePipeline } from '../aggregation/pipeline.ts';
import { decodeDocument } from '../bson/codec.ts';
import { type Document, isDocument, type Value } from '../bson/value.ts';
import { findById } from '../catalog/documents.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { ChangeEvent } from '../oplog/change-event.ts';
import {
  ChangeStreamSource,
  checkChangeStreamStages,
  parseChangeStream,
  SPLIT_STAGE,
} from './change-stream.ts';
import { pipelineContext } from './collection-reader.ts';
import type { CommandContext } from './context.ts';
import { cursorBatchSize, firstBatchLimit, openCursor } from './cursor-reply.ts';
import { createQueryEnvironment } from './query-environment.ts';

/** Opens the cursor of a pipeline that begins with `$changeStream`. */
export function openChangeStream(
  context: CommandContext,
  collection: string | undefined,
  stages: readonly Value[],
): Document | Promise<Document> {
  const [first, ...given] = stages;
  checkPlace(context, collection);
  checkReadConcern(context);
  const { oplog, catalog, store } = context.services;
  const options = parseChangeStream(
    isDocument(first) ? (first.get('$changeStream') ?? null) : null,
    { database: context.database, collection },
    oplog,
  );
  checkChangeStreamStages(given);
  const rest = given.filter((stage) => !(isDocument(stage) && stage.has(SPLIT_STAGE)));
  const environment = createQueryEnvironment(context);
  const pipeline =
    rest.length === 0
      ? undefined
      : compilePipeline(rest, pipelineContext(context, collection, environment), {
          followsStream: true,
        });
  const lookUp = (event: ChangeEvent): Document | undefined => {
    const { database, collection: name } = event.namespace;
    const found = name === undefined ? undefined : catalog.find(store.latest, database, name);
    const id = event.documentKey?.get('_id');
    if (found === undefined || id === undefined) return undefined;
    const record = findById(store.latest, found, id);
    return record === undefined ? undefined : decodeDocument(record.bytes);
  };
  const source = new ChangeStreamSource({
    oplog,
    options: { ...options, splitsLargeEvents: rest.length < given.length },
    lookUp,
    transform: (events) => (pipeline === undefined ? events : pipeline.run(events)),
  });
  return openCursor(
    context,
    {
      namespace:
        collection === undefined
          ? `${context.database}.$cmd.aggregate`
          : context.namespace(collection),
      source,
      maxTimeMs: 0,
    },
    { limit: firstBatchLimit(cursorBatchSize(context.args)) },
  );
}

/** @throws InvalidOptions: events are only ever what a majority has (manual, "Change Streams") */
function checkReadConcern(context: CommandContext): void {
  const concern = context.args.get('readConcern');
  const level = isDocument(concern) ? (concern.get('level') ?? 'majority') : 'majority';
  if (level === 'majority') return;
  throw new MongoCommandError(
    'InvalidOptions',
    `$changeStream cannot run with a readConcern other than 'majority', or in a multi-document transaction. Current readConcern: ${String(level)}`,
  );
}

function checkPlace(context: CommandContext, collection: string | undefined): void {
  if (context.transaction !== undefined) {
    throw new MongoCommandError(
      'OperationNotSupportedInTransaction',
      '$changeStream is not allowed in a transaction',
    );
  }
  if (collection === undefined) return;
  if (context.services.catalog.find(context.view, context.database, collection)?.type === 'view') {
    throw new MongoCommandError(
      'CommandNotSupportedOnView',
      `Cannot run aggregation with $changeStream on a view: ${context.namespace(collection)}`,
    );
  }
}
