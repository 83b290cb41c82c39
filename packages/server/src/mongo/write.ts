/**
 * Writes of one document in the modes of rest-documents.md §5.3, with the ETag rules of §6. The
 * ETag is part of the condition the database checks together with the write, so that of two
 * concurrent writers who know the same ETag only one succeeds.
 */
import type { ClientSession, MongoClient, UpdateOptions } from 'mongodb';
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { readRawPath, toBuffer } from '../model/raw-bson.ts';
import { type EtagCondition, isSameEtag, readEtag, toEtag } from './etag-condition.ts';
import { insertOne } from './insert.ts';
import { mapServerError, mongoCodeOf } from './map-error.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import {
  andFilters,
  type ConsistencyOptions,
  type Namespace,
  type OperationOptions,
} from './operation-options.ts';
import { isAcknowledged, toDriverWriteOptions, toPlainFields } from './read-options.ts';
import { runOperation } from './sessions.ts';

/** What a write must find or may create. */
export type WriteMode = 'insert' | 'update' | 'upsert';

/** The change: a whole document, update operators, or an update pipeline. */
export type Change =
  | { readonly kind: 'replace'; readonly document: BsonDocument }
  | { readonly kind: 'update'; readonly operators: BsonDocument }
  | { readonly kind: 'pipeline'; readonly stages: readonly BsonDocument[] };

/** One write. The change already carries its new `_etag`. */
export interface WriteRequest {
  readonly id: BsonValue;
  readonly mode: WriteMode;
  readonly change: Change;
  readonly filter?: BsonDocument | undefined;
  readonly shardKey?: BsonDocument | undefined;
  readonly etag?: EtagCondition | undefined;
  /** Asks for the document before or after the change. */
  readonly returnDocument?: 'before' | 'after' | undefined;
  /** Size of the document or its body, to keep large ones out of batches. */
  readonly approximateBytes?: number | undefined;
}

/** What became of a write. */
export interface WriteResult {
  readonly outcome:
    | 'created'
    | 'updated'
    | 'notFound'
    | 'etagMissing'
    | 'etagMismatch'
    | 'duplicate';
  /** The stored ETag, for `etagMissing` and `etagMismatch`. */
  readonly storedEtag?: BsonValue | undefined;
  /** The document asked for with `returnDocument`, raw; absent when there was none. */
  readonly document?: Buffer | undefined;
}

/** Matches nothing, and adds nothing to a document that an upsert creates. */
const NEVER: BsonDocument = new Map([['_etag', new Map([['$in', []]])]]);
/** A conditional write that keeps losing races gives up. */
const MAX_ATTEMPTS = 10;

/** Writes one document; conditions of the permit's write filter apply to existing documents. */
export async function writeDocument(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  options: OperationOptions,
): Promise<WriteResult> {
  const filter = andFilters(request.filter, options.permit.writeFilter);
  return writeConditionally(mongo, namespace, { ...request, filter }, options);
}

/** The same without a permit, for properties of databases and collections. */
export async function writeConditionally(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  options: ConsistencyOptions,
): Promise<WriteResult> {
  try {
    if (request.etag?.required !== true)
      return await writeFreely(mongo, namespace, request, options);
    return await writeGuarded(mongo, namespace, request, request.etag, options);
  } catch (error) {
    if (isDuplicateId(error)) return { outcome: 'duplicate' };
    throw error;
  }
}

async function writeFreely(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  options: ConsistencyOptions,
): Promise<WriteResult> {
  if (request.mode === 'insert') return create(mongo, namespace, request, options);
  const upsert = request.mode === 'upsert';
  const plainId = request.filter === undefined || request.filter.size === 0;
  try {
    return await apply(mongo, namespace, request, { upsert }, options);
  } catch (error) {
    // two upserts of one new id at the same time: the loser finds the document on its second try
    if (upsert && plainId && isDuplicateId(error) && options.session === undefined) {
      return apply(mongo, namespace, request, { upsert }, options);
    }
    throw error;
  }
}

/** Write under an ETag; what it says about a missing target is found out when nothing matched. */
async function writeGuarded(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  etag: EtagCondition,
  options: ConsistencyOptions,
): Promise<WriteResult> {
  const path = etag.path ?? '_etag';
  const expected = toEtag(etag.presented);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (expected !== undefined && request.mode !== 'insert') {
      const guarded = {
        ...request,
        filter: andFilters(request.filter, new Map([[path, expected]])),
      };
      const result = await apply(mongo, namespace, guarded, { upsert: false }, options);
      if (result.outcome === 'updated') return result;
    }
    const stored = await readEtag(mongo, namespace, request, path, options);
    if (stored === undefined) {
      if (request.mode === 'update') return { outcome: 'notFound' };
      const created = await tryCreate(mongo, namespace, request, options);
      if (created !== undefined) return created;
    } else if (request.mode === 'insert') {
      return { outcome: 'duplicate' };
    } else if (etag.presented === undefined) {
      return { outcome: 'etagMissing', storedEtag: stored.etag };
    } else if (!isSameEtag(stored.etag, expected)) {
      return { outcome: 'etagMismatch', storedEtag: stored.etag };
    }
  }
  throw new QuorateError('ERR_CONFLICT', { message: 'The document changes too often' });
}

/** Creates, or `undefined` when someone else was faster. */
async function tryCreate(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  options: ConsistencyOptions,
): Promise<WriteResult | undefined> {
  try {
    return await create(mongo, namespace, request, options);
  } catch (error) {
    const filtered = request.filter !== undefined && request.filter.size > 0;
    if (isDuplicateId(error) && !filtered && options.session === undefined) return undefined;
    throw error;
  }
}

async function create(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  options: ConsistencyOptions,
): Promise<WriteResult> {
  const { change } = request;
  if (change.kind !== 'replace') {
    const never = { ...request, filter: NEVER };
    return apply(mongo, namespace, never, { upsert: true }, options);
  }
  const document = withId(change.document, request.id);
  await insertOne(mongo, namespace, document, {
    ...options,
    approximateBytes: request.approximateBytes,
  } as OperationOptions & { approximateBytes?: number });
  return { outcome: 'created' };
}

async function apply(
  mongo: MongoAccess,
  namespace: Namespace,
  request: WriteRequest,
  how: { readonly upsert: boolean },
  options: ConsistencyOptions,
): Promise<WriteResult> {
  const filter = andFilters(new Map([['_id', request.id]]), request.shardKey, request.filter);
  return runOperation(mongo, options, (client, session) =>
    request.returnDocument === undefined
      ? update(client, session, namespace, { filter, change: request.change, ...how }, options)
      : findAndUpdate(
          client,
          session,
          namespace,
          {
            filter,
            change: request.change,
            ...how,
            returnDocument: request.returnDocument,
          },
          options,
        ),
  );
}

interface Update {
  readonly filter: BsonDocument;
  readonly change: Change;
  readonly upsert: boolean;
}

async function update(
  client: MongoClient,
  session: ClientSession | undefined,
  namespace: Namespace,
  { filter, change, upsert }: Update,
  options: ConsistencyOptions,
): Promise<WriteResult> {
  const driver: UpdateOptions = { ...toDriverWriteOptions(options), upsert };
  if (session !== undefined) driver.session = session;
  const collection = collectionOf(client, namespace);
  const result =
    change.kind === 'replace'
      ? await collection.replaceOne(filter as never, change.document as never, driver)
      : await collection.updateOne(filter as never, toDriverUpdate(change) as never, driver);
  if (!isAcknowledged(options)) return { outcome: 'updated' };
  if (result.upsertedCount > 0) return { outcome: 'created' };
  return { outcome: result.matchedCount > 0 ? 'updated' : 'notFound' };
}

async function findAndUpdate(
  client: MongoClient,
  session: ClientSession | undefined,
  namespace: Namespace,
  request: Update & { readonly returnDocument: 'before' | 'after' },
  options: ConsistencyOptions,
): Promise<WriteResult> {
  const { filter, change, upsert, returnDocument } = request;
  const driver = {
    ...toDriverWriteOptions(options),
    upsert,
    returnDocument,
    includeResultMetadata: true as const,
    // every document inside the answer comes as bytes, the bookkeeping too
    raw: true,
    ...(session ? { session } : {}),
  };
  const collection = collectionOf(client, namespace);
  const result =
    change.kind === 'replace'
      ? await collection.findOneAndReplace(filter as never, change.document as never, driver)
      : await collection.findOneAndUpdate(filter as never, toDriverUpdate(change) as never, driver);
  const status: unknown = result?.lastErrorObject;
  const existing = readStatus(status, 'updatedExisting') === true;
  const created = !existing && readStatus(status, 'upserted') !== undefined;
  const value: unknown = result?.value;
  const document = value instanceof Uint8Array ? toBuffer(value) : undefined;
  return {
    outcome: existing ? 'updated' : created ? 'created' : 'notFound',
    ...(document === undefined ? {} : { document }),
  };
}

function readStatus(status: unknown, name: string): BsonValue | undefined {
  return status instanceof Uint8Array ? readRawPath(status, name) : undefined;
}

/** Operators or a pipeline in the driver's shape. */
export function toDriverUpdate(change: Exclude<Change, { kind: 'replace' }>): unknown {
  return change.kind === 'update'
    ? toPlainFields(change.operators)
    : change.stages.map(toPlainFields);
}

function isDuplicateId(error: unknown): boolean {
  return mongoCodeOf(error) === 11000;
}

/** The error of a `duplicate` outcome. */
export function duplicateKeyError(): QuorateError {
  return mapServerError(11000, '');
}

/** The document with `_id` first, as the database stores it. */
function withId(document: BsonDocument, id: BsonValue): BsonDocument {
  if (document.keys().next().value === '_id') return document;
  const ordered: BsonDocument = new Map([['_id', id]]);
  for (const [name, value] of document) ordered.set(name, value);
  ordered.set('_id', document.get('_id') ?? id);
  return ordered;
}
