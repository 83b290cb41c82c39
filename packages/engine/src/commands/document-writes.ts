import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { DateTime, type Document, isDocument, type Timestamp, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import {
  removeDocument as removeStored,
  replaceDocument as replaceStored,
  insertDocument as storeDocument,
} from '../catalog/documents.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { toTimestamp, type UpdateDescription } from '../oplog/oplog-entry.ts';
import type { Filter } from '../query/filter.ts';
import { buildUpsertDocument } from '../query/update/upsert.ts';
import {
  checkUpdatedSize,
  diffDocuments,
  findAmbiguousPaths,
  noChanges,
  type Update,
  type UpdateChanges,
  type UpdateContext,
} from '../query/update.ts';
import type { ReadView } from '../storage/store.ts';
import type { CommandContext } from './context.ts';
import { isTrue } from './field-types.ts';
import { type InsertableDocument, toInsertable } from './insertable-document.ts';
import type { MatchedRecord } from './matched-record.ts';
import type { QueryEnvironment } from './query-environment.ts';
import type { WriteTarget } from './run-write.ts';
import { findServed } from './served-collection.ts';
import { checkValid } from './validation.ts';

/** The moment that `$currentDate` and empty timestamps get. */
export function presentTimestamp(context: CommandContext): Timestamp {
  const now = BigInt(Math.floor(Date.now() / 1000)) << 32n;
  const last = context.services.oplog.lastPosition;
  return toTimestamp(last >= now ? last + 1n : now + 1n);
}

/**
 * The collection of a name, if there is one.
 *
 * @throws CommandNotSupportedOnView for a view, which cannot be written
 */
export function findWritable(
  context: CommandContext,
  view: ReadView,
  name: string,
): Collection | undefined {
  const collection = context.services.catalog.find(view, context.database, name);
  if (collection === undefined && findServed(context.database, name) !== undefined) {
    throw new MongoCommandError(
      'InvalidNamespace',
      `cannot write to ${context.namespace(name)}: the server keeps it itself`,
    );
  }
  if (collection?.type === 'view') {
    throw new MongoCommandError(
      'CommandNotSupportedOnView',
      `Namespace ${collection.namespace} is a view, not a collection`,
    );
  }
  return collection;
}

/** The collection of a name, made when there is none, with the log entry of its making. */
export function ensureWritable(
  context: CommandContext,
  target: WriteTarget,
  name: string,
): Collection {
  const existing = findWritable(context, target.batch, name);
  if (existing !== undefined) return existing;
  const collection = context.services.catalog.create(target.batch, context.database, name);
  logCreate(target, collection);
  return collection;
}

export function logCreate(target: WriteTarget, collection: Collection): void {
  const { idIndex } = collection;
  target.log({
    op: 'c',
    ns: `${collection.database}.$cmd`,
    uuid: collection.uuid,
    command: new Map<string, Value>([
      ['create', collection.name],
      ...collection.options,
      ...(idIndex === undefined ? [] : [['idIndex', idIndex.spec.document] as const]),
    ]),
  });
}

/** Inserts one document. */
export function insertInto(
  target: WriteTarget,
  collection: Collection,
  document: InsertableDocument,
  options: { readonly bypassValidation: boolean; readonly decoded?: Document },
): void {
  let { decoded } = options;
  if (collection.validator !== undefined && !options.bypassValidation) {
    decoded ??= decodeDocument(document.bytes);
    checkValid(collection, decoded);
  }
  const timeSeries = collection.options.get('timeseries');
  if (isDocument(timeSeries)) checkTimeField(timeSeries, decoded ?? decodeDocument(document.bytes));
  storeDocument(target.batch, collection, document.bytes, decoded);
  target.log({
    op: 'i',
    ns: collection.namespace,
    uuid: collection.uuid,
    document: document.bytes,
  });
}

/** @throws BadValue for a measurement without its time (manual, "Time Series Collections") */
function checkTimeField(timeSeries: Document, measurement: Document): void {
  const name = String(timeSeries.get('timeField'));
  if (measurement.get(name) instanceof DateTime) return;
  throw new MongoCommandError(
    'BadValue',
    `'${name}' must be present and contain a valid BSON UTC datetime value`,
  );
}

export interface UpdateRequest {
  readonly filter: Filter;
  readonly update: Update;
  readonly environment: QueryEnvironment;
  readonly bypassValidation: boolean;
}

export interface UpdatedDocument {
  readonly modified: boolean;
  readonly before: Document;
  readonly after: Document;
}

/** Updates one stored document that the filter has matched. */
export function updateStored(
  context: CommandContext,
  target: WriteTarget,
  collection: Collection,
  record: MatchedRecord,
  request: UpdateRequest,
): UpdatedDocument {
  const before = record.document();
  const { update } = request;
  const changes = update.kind === 'operators' ? noChanges() : undefined;
  const after = update.apply(before, {
    positions: request.filter.positions(before),
    now: request.environment.now,
    timestamp: presentTimestamp(context),
    changes,
  });
  if (after === before) return { modified: false, before, after };
  if (!request.bypassValidation) checkValid(collection, after, before);
  const bytes = encodeDocument(after);
  if (Buffer.compare(bytes, record.bytes) === 0) return { modified: false, before, after };
  checkUpdatedSize(bytes.length);
  replaceStored(target.batch, collection, record, bytes, { before, after });
  const images = keepsImages(collection);
  target.log({
    op: 'u',
    ns: collection.namespace,
    uuid: collection.uuid,
    id: after.get('_id') ?? null,
    replacement: update.isReplacement ? bytes : undefined,
    description: update.isReplacement ? undefined : describeUpdate(before, after, changes),
    preImage: images ? record.bytes : undefined,
    postImage: images && !update.isReplacement ? bytes : undefined,
  });
  return { modified: true, before, after };
}

function describeUpdate(
  before: Document,
  after: Document,
  known: UpdateChanges | undefined,
): UpdateDescription {
  const changes = known ?? diffDocuments(before, after);
  return { ...changes, disambiguatedPaths: findAmbiguousPaths(changes, before, after) };
}

/** Removes one stored document. */
export function removeFrom(
  target: WriteTarget,
  collection: Collection,
  record: MatchedRecord,
): Document {
  const before = record.document();
  removeStored(target.batch, collection, record, before);
  target.log({
    op: 'd',
    ns: collection.namespace,
    uuid: collection.uuid,
    id: before.get('_id') ?? null,
    preImage: keepsImages(collection) ? record.bytes : undefined,
  });
  return before;
}

/** Inserts the document an upsert makes. */
export function upsertInto(
  context: CommandContext,
  target: WriteTarget,
  collectionName: string,
  request: UpdateRequest,
): Document {
  const collection = ensureWritable(context, target, collectionName);
  const timestamp = presentTimestamp(context);
  const updateContext: Omit<UpdateContext, 'isInsert' | 'changes' | 'positions'> = {
    now: request.environment.now,
    timestamp,
  };
  const decoded = buildUpsertDocument(request.filter, request.update, updateContext);
  const bytes = encodeDocument(decoded);
  const document = toInsertable(bytes, () => timestamp.toBigInt());
  insertInto(target, collection, document, {
    bypassValidation: request.bypassValidation,
    decoded,
  });
  return decoded;
}

/** The collection keeps images for change streams (create, changeStreamPreAndPostImages). */
function keepsImages(collection: Collection): boolean {
  const setting = collection.options.get('changeStreamPreAndPostImages');
  return isDocument(setting) && isTrue(setting.get('enabled'));
}
