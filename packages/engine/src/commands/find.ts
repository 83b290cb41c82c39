import { decodeDocument } from '../bson/codec.ts';
import {
  type Document,
  isDocument,
  type RawDocument,
  toDocument,
  type Value,
} from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE, type Pause } from '../lib/pause.ts';
import { compileFilter, type Filter } from '../query/filter.ts';
import type { Projection } from '../query/projection.ts';
import { sourceOf } from '../session/cursor.ts';
import { bindPipeline, readStored, resolveNamespace } from './collection-reader.ts';
import type { CommandDefinition } from './command.ts';
import type { CommandContext } from './context.ts';
import { openCursor } from './cursor-reply.ts';
import { isTrue, toMap } from './field-types.ts';
import { compileFindProjection, type FindRequest, readFindRequest } from './find-request.ts';
import { createQueryEnvironment, type QueryEnvironment } from './query-environment.ts';
import { findServedDocuments } from './served-find.ts';
import { readShaped } from './shaped-records.ts';
import { openTailable } from './tailable.ts';

/** `find` (manual). */
export const find: CommandDefinition = {
  name: 'find',
  help: 'Reads documents',
  stable: true,
  inTransactions: true,
  privilege: 'read',
  fields: {
    filter: 'object',
    projection: 'object',
    sort: 'object',
    hint: 'objectOrString',
    collation: 'object',
    skip: 'number',
    limit: 'number',
    batchSize: 'number',
    ntoreturn: 'number',
    singleBatch: 'bool',
    allowDiskUse: 'bool',
    min: 'object',
    max: 'object',
    returnKey: 'bool',
    showRecordId: 'bool',
    tailable: 'bool',
    oplogReplay: 'bool',
    noCursorTimeout: 'bool',
    awaitData: 'bool',
    allowPartialResults: 'bool',
    let: 'object',
    options: 'any',
    term: 'any',
    readOnce: 'bool',
    allowSpeculativeMajorityRead: 'bool',
    requestResumeToken: 'bool',
    resumeAfter: 'object',
    startAt: 'object',
    collectionUUID: 'binData',
    encryptionInformation: 'any',
    includeQueryStatsMetrics: 'bool',
    querySettings: 'any',
  },
  run(context) {
    context.services.counters.query += 1;
    const name = context.collectionName;
    const request = readFindRequest(context.args);
    const resolved = resolveNamespace(context, { database: context.database, collection: name });
    const environment = createQueryEnvironment(context, context.args, resolved.collation);
    const namespace = context.namespace(name);
    if (resolved.served !== undefined) {
      const source = findServedDocuments(context, resolved.served, request, environment);
      const { firstBatch: limit, singleBatch } = request;
      return openCursor(context, { namespace, source }, { limit, singleBatch });
    }
    const isTailable =
      isTrue(context.args.get('tailable')) || isTrue(context.args.get('awaitData'));
    if (isTailable && !resolved.isView) {
      return openTailable(context, resolved, request, environment);
    }
    const documents = resolved.isView
      ? readView(context, name, request, environment)
      : readCollection(context, resolved.collection, request, environment);
    return openCursor(
      context,
      {
        namespace,
        source: sourceOf(documents),
        noTimeout: isTrue(context.args.get('noCursorTimeout')),
        totalLimit: request.limit,
      },
      { limit: request.firstBatch, singleBatch: request.singleBatch },
    );
  },
};

/** A find over a view is a pipeline: the view's stages, then its own. */
function readView(
  context: CommandContext,
  name: string,
  request: FindRequest,
  environment: QueryEnvironment,
): Iterable<Document | RawDocument | Pause> {
  for (const option of ['min', 'max', 'returnKey', 'showRecordId', 'tailable']) {
    if (context.args.has(option) && context.args.get(option) !== false) {
      throw new MongoCommandError(
        'InvalidPipelineOperator',
        `Option ${option} not supported in aggregation.`,
      );
    }
  }
  const stages: Value[] = [toDocument({ $match: request.filter })];
  if (request.sort !== undefined) stages.push(toDocument({ $sort: request.sort }));
  if (request.skip !== undefined) stages.push(toDocument({ $skip: request.skip }));
  if (request.limit !== undefined) stages.push(toDocument({ $limit: request.limit }));
  if (request.projection !== undefined) stages.push(toDocument({ $project: request.projection }));
  return bindPipeline(context, name, stages, { environment, hint: request.hint }).run();
}

function readCollection(
  context: CommandContext,
  collection: Parameters<typeof readStored>[1],
  request: FindRequest,
  environment: QueryEnvironment,
): Iterable<Document | RawDocument | Pause> {
  const filter = compileFilter(request.filter, environment.filterOptions);
  const projection = compileFindProjection(request, environment);
  if (!environment.text.isUsed) checkNoTextScore(request);
  const read = {
    filter,
    sort: request.sort,
    skip: request.skip,
    limit: request.limit,
    hint: request.hint,
    min: nonEmpty(context.args.get('min')),
    max: nonEmpty(context.args.get('max')),
  };
  const shape = {
    returnKey: isTrue(context.args.get('returnKey')),
    showRecordId: isTrue(context.args.get('showRecordId')),
  };
  if (shape.returnKey || shape.showRecordId) {
    return readShaped(context, collection, environment, {
      request: read,
      shape,
      project: (document) => projection?.apply(document, filter.positions(document)) ?? document,
    });
  }
  const stored = readStored(context, collection, environment, read);
  return projection === undefined ? stored : project(stored, projection, filter);
}

/** @throws Location40218 for the score of a text search that there is not */
function checkNoTextScore({ sort, projection }: FindRequest): void {
  const asks = (document: Document | undefined): boolean =>
    document !== undefined &&
    [...document.values()].some((value) => isDocument(value) && value.get('$meta') === 'textScore');
  if (!asks(sort) && !asks(projection)) return;
  throw new MongoCommandError(
    'Location40218',
    'query requires text score metadata, but it is not available',
  );
}

export function* project(
  documents: Iterable<RawDocument | Pause>,
  projection: Projection,
  filter: Filter,
): Generator<Document | Pause> {
  for (const item of documents) {
    if (item === PAUSE) {
      yield PAUSE;
      continue;
    }
    const document = decodeDocument(item.bytes);
    const positions = projection.needsPositions ? filter.positions(document) : undefined;
    yield projection.apply(document, positions);
  }
}

function nonEmpty(value: Value | undefined): Document | undefined {
  const document = toMap(value);
  return document !== undefined && document.size > 0 ? document : undefined;
}
