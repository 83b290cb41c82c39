/** The ten actions of the Data API, on the functions that the REST API uses. */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, ObjectId } from '../../model/bson.ts';
import { decodeDocument } from '../../model/raw-bson.ts';
import { aggregate } from '../../mongo/aggregate.ts';
import { bulkWriteDocuments } from '../../mongo/bulk-write.ts';
import { deleteMatching, type UpdateCounts, updateMatching } from '../../mongo/filtered-writes.ts';
import { find } from '../../mongo/find.ts';
import { insertOne } from '../../mongo/insert.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { Namespace, OperationOptions } from '../../mongo/operation-options.ts';
import {
  findSecurityViolation,
  type PipelineSecurityConfig,
} from '../rest/resources/aggregations/pipeline-security.ts';
import {
  checkProjection,
  createResponseProjection,
  mergeProperties,
  projectionStages,
} from '../rest/response-projection.ts';
import {
  invalidParameter,
  readCount,
  readDocument,
  requireDocument,
  requireDocuments,
} from './data-api-request.ts';

/** What an action works with. */
export interface ActionContext {
  readonly mongo: MongoAccess;
  readonly namespace: Namespace;
  readonly options: OperationOptions;
  readonly security: PipelineSecurityConfig;
}

/** The outcome of an action. */
export interface ActionResult {
  readonly status: number;
  readonly body: BsonDocument;
}

/** One action. */
export type Action = (body: BsonDocument, context: ActionContext) => Promise<ActionResult>;

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 50_000;

function ok(members: readonly (readonly [string, BsonValue])[], status = 200): ActionResult {
  return { status, body: new Map(members) };
}

async function findOne(body: BsonDocument, context: ActionContext): Promise<ActionResult> {
  const [document] = await query(body, context, 1);
  return ok([['document', document ?? null]]);
}

async function findMany(body: BsonDocument, context: ActionContext): Promise<ActionResult> {
  const limit = readCount(body, 'limit') ?? DEFAULT_LIMIT;
  if (limit > MAX_LIMIT) throw invalidParameter(`'limit' must be at most ${MAX_LIMIT}`);
  return ok([['documents', await query(body, context, limit === 0 ? MAX_LIMIT : limit)]]);
}

async function query(
  body: BsonDocument,
  { mongo, namespace, options }: ActionContext,
  limit: number,
): Promise<BsonDocument[]> {
  checkProjection(options.permit, readDocument(body, 'projection'));
  const documents = await find(
    mongo,
    namespace,
    {
      filter: readDocument(body, 'filter'),
      projection: readDocument(body, 'projection'),
      sort: readDocument(body, 'sort'),
      skip: readCount(body, 'skip'),
      limit,
    },
    options,
  );
  const hide = createResponseProjection(options.permit, undefined);
  return documents.map((document) => decodeDocument(hide?.(document) ?? document));
}

/** What is written, with the properties that the permit forces into it. */
function force(
  document: BsonDocument,
  { permit }: OperationOptions,
  isUpdate: boolean,
): BsonDocument {
  const { mergeRequest } = permit;
  if (mergeRequest === undefined) return document;
  return mergeProperties(document, mergeRequest, isUpdate) as BsonDocument;
}

function withId(document: BsonDocument, { options }: ActionContext): BsonDocument {
  const stored: BsonDocument = new Map([['_id', document.get('_id') ?? new ObjectId()]]);
  for (const [name, value] of document) if (name !== '_id') stored.set(name, value);
  for (const [name, value] of options.permit.mergeRequest ?? []) stored.set(name, value);
  return stored;
}

async function insert(body: BsonDocument, context: ActionContext): Promise<ActionResult> {
  const document = withId(requireDocument(body, 'document'), context);
  await insertOne(context.mongo, context.namespace, document, context.options);
  return ok([['insertedId', document.get('_id') ?? null]], 201);
}

async function insertMany(body: BsonDocument, context: ActionContext): Promise<ActionResult> {
  const documents = requireDocuments(body, 'documents').map((one) => withId(one, context));
  if (documents.length === 0) throw invalidParameter("'documents' must not be empty");
  const { mongo, namespace, options } = context;
  const result = await bulkWriteDocuments(mongo, namespace, { mode: 'insert', documents }, options);
  const [error] = result.errors;
  if (error !== undefined) {
    throw new QuorateError('ERR_CONFLICT', { status: 400, message: error.message });
  }
  return ok([['insertedIds', documents.map((document) => document.get('_id') ?? null)]], 201);
}

function counts(result: UpdateCounts): ActionResult {
  const members: [string, BsonValue][] = [
    ['matchedCount', result.matched],
    ['modifiedCount', result.modified],
  ];
  if (result.upsertedId !== undefined) members.push(['upsertedId', result.upsertedId]);
  return ok(members);
}

function update(scope: 'one' | 'many'): Action {
  return async (body, { mongo, namespace, options }) => {
    const request = {
      scope,
      filter: requireDocument(body, 'filter'),
      change: { kind: 'update', operators: force(requireDocument(body, 'update'), options, true) },
      upsert: body.get('upsert') === true,
    } as const;
    return counts(await updateMatching(mongo, namespace, request, options));
  };
}

async function replaceOne(
  body: BsonDocument,
  { mongo, namespace, options }: ActionContext,
): Promise<ActionResult> {
  const request = {
    scope: 'one',
    filter: requireDocument(body, 'filter'),
    change: {
      kind: 'replace',
      document: force(requireDocument(body, 'replacement'), options, false),
    },
    upsert: body.get('upsert') === true,
  } as const;
  return counts(await updateMatching(mongo, namespace, request, options));
}

function remove(scope: 'one' | 'many'): Action {
  return async (body, { mongo, namespace, options }) => {
    const filter = requireDocument(body, 'filter');
    const deleted = await deleteMatching(mongo, namespace, { scope, filter }, options);
    return ok([['deletedCount', deleted]]);
  };
}

async function runPipeline(body: BsonDocument, context: ActionContext): Promise<ActionResult> {
  const { mongo, namespace, options, security } = context;
  const own = requireDocuments(body, 'pipeline');
  const violation = findSecurityViolation(own, namespace.database, security);
  if (violation !== undefined) {
    throw new QuorateError('ERR_AUTHZ_SECURITY', {
      message: `aggregation pipeline security violation: ${violation}`,
    });
  }
  const { readFilter } = options.permit;
  // pipelines of clients, unlike stored ones, cannot be trusted to apply the permit's filter and projection themselves
  const filtered = readFilter === undefined ? [] : [new Map([['$match', readFilter]])];
  const stages = [...filtered, ...projectionStages(options.permit), ...own];
  const documents = await aggregate(mongo, namespace, { stages }, options);
  return ok([['documents', documents.map(decodeDocument)]]);
}

/** By the name in the path. */
export const ACTIONS: ReadonlyMap<string, Action> = new Map<string, Action>([
  ['findOne', findOne],
  ['find', findMany],
  ['insertOne', insert],
  ['insertMany', insertMany],
  ['updateOne', update('one')],
  ['updateMany', update('many')],
  ['replaceOne', replaceOne],
  ['deleteOne', remove('one')],
  ['deleteMany', remove('many')],
  ['aggregate', runPipeline],
]);
