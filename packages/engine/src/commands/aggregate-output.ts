import { randomUUID } from 'node:crypto';
import type { MergeTarget, OutputTarget, OutTarget } from '../aggregation/output-target.ts';
import { fieldsNotUnique } from '../aggregation/output-target.ts';
import { decodeDocument, encodeDocument } from '../bson/codec.ts';
import { type Document, RawDocument, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { insertDocument } from '../catalog/documents.ts';
import { createIndexes } from '../catalog/index-build.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { PAUSE } from '../lib/pause.ts';
import { nextTurn, SLICE_MS } from '../lib/sliced.ts';
import { compileFilter } from '../query/filter.ts';
import { compileUpdate } from '../query/update.ts';
import type { WriteBatch } from '../storage/store.ts';
import type { BoundPipeline } from './collection-reader.ts';
import type { CommandContext } from './context.ts';
import { insertInto, logCreate, presentTimestamp, updateStored } from './document-writes.ts';
import { isTrue } from './field-types.ts';
import { toInsertable } from './insertable-document.ts';
import { firstMatch } from './matched-records.ts';
import type { QueryEnvironment } from './query-environment.ts';
import { reply } from './reply.ts';
import { runWrite, type WriteTarget } from './run-write.ts';

const DOCUMENTS_PER_BATCH = 500;

/** Carries out a pipeline that ends with `$out` or `$merge`; the cursor it answers is empty. */
export async function writeOutput(
  context: CommandContext,
  bound: BoundPipeline,
  output: OutputTarget,
  options: { readonly namespace: string; readonly environment: QueryEnvironment },
): Promise<Document> {
  if (context.transaction !== undefined) {
    throw new MongoCommandError(
      'OperationNotSupportedInTransaction',
      `$${output.kind} is not allowed in a transaction`,
    );
  }
  if (output.kind === 'out') await writeOut(context, bound, output);
  else await writeMerge(context, bound, output, options.environment);
  return reply({
    cursor: toDocument({ firstBatch: [], id: 0n, ns: options.namespace }),
    writeConcernError: context.writeConcern.error,
  });
}

/** Hands over the pipeline's documents some at a time, giving other work its turn. */
async function eachChunk(
  context: CommandContext,
  bound: BoundPipeline,
  write: (documents: readonly Document[]) => Promise<void>,
): Promise<void> {
  let chunk: Document[] = [];
  let sliceEnd = performance.now() + SLICE_MS;
  for (const item of bound.run()) {
    if (item !== PAUSE) chunk.push(item instanceof RawDocument ? decodeDocument(item.bytes) : item);
    if (chunk.length >= DOCUMENTS_PER_BATCH) {
      await write(chunk);
      chunk = [];
    }
    if (performance.now() > sliceEnd) {
      context.operation.check();
      await nextTurn();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  if (chunk.length > 0) await write(chunk);
}

/**
 * `$out` (manual): the documents go into a new collection, which then takes the place and the
 * indexes of the target; a failure on the way leaves the target as it was.
 */
async function writeOut(
  context: CommandContext,
  bound: BoundPipeline,
  output: OutTarget,
): Promise<void> {
  const { catalog, store } = context.services;
  const { database, collection: name } = output.namespace;
  const existing = catalog.find(store.latest, database, name);
  if (existing?.type === 'view') {
    throw new MongoCommandError(
      'CommandNotSupportedOnView',
      `Namespace ${database}.${name} is a view, not a collection`,
    );
  }
  if (existing?.capped !== undefined) {
    throw new MongoCommandError(
      'Location17152',
      `namespace '${database}.${name}' is capped so it can't be used for $out`,
    );
  }
  const temporaryName = `tmp.agg_out.${randomUUID()}`;
  const temporary = await store.write(
    (batch) => {
      const collection = catalog.create(batch, database, temporaryName, existing?.options);
      createOutIndexes(context, batch, collection, existing);
      return collection;
    },
    { durable: false },
  );
  try {
    await eachChunk(context, bound, async (documents) => {
      await store.write(
        (batch) => {
          for (const document of documents) {
            const { bytes } = toInsertable(encodeDocument(document), () =>
              presentTimestamp(context).toBigInt(),
            );
            insertDocument(batch, temporary, bytes);
          }
        },
        { durable: false },
      );
    });
    await runWrite(context, (target) => {
      const from = temporary.namespace;
      const replaced = catalog.find(target.batch, database, name);
      catalog.rename(target.batch, temporary, database, name, { dropTarget: true });
      target.log({
        op: 'c',
        ns: `${database}.$cmd`,
        uuid: temporary.uuid,
        command: toDocument({
          renameCollection: from,
          to: `${database}.${name}`,
          dropTarget: replaced?.uuid,
        }),
      });
    });
  } catch (error) {
    await store.write((batch) => catalog.drop(batch, temporary), { durable: false });
    throw error;
  }
}

function createOutIndexes(
  context: CommandContext,
  batch: WriteBatch,
  collection: Collection,
  existing: Collection | undefined,
): void {
  const specs = (existing?.indexes ?? [])
    .filter(({ isId }) => !isId)
    .map(({ spec }) => spec.document);
  if (specs.length > 0) createIndexes(batch, context.services.catalog, collection, specs);
}

/** `$merge` (manual). */
async function writeMerge(
  context: CommandContext,
  bound: BoundPipeline,
  output: MergeTarget,
  environment: QueryEnvironment,
): Promise<void> {
  const { catalog, store } = context.services;
  const { database, collection: name } = output.namespace;
  const existing = catalog.find(store.latest, database, name);
  if (existing?.type === 'view') {
    throw new MongoCommandError(
      'CommandNotSupportedOnView',
      `Namespace ${database}.${name} is a view, not a collection`,
    );
  }
  checkUniqueIndex(existing, output.on);
  const bypassValidation = isTrue(context.args.get('bypassDocumentValidation'));
  await eachChunk(context, bound, async (documents) => {
    await runWrite(context, (target) => {
      for (const document of documents) {
        mergeOne(context, target, output, document, { environment, bypassValidation });
      }
    });
  });
}

/** @throws Location51183 when documents could not be told apart by the `on` fields */
function checkUniqueIndex(collection: Collection | undefined, on: readonly string[]): void {
  if (on.length === 1 && on[0] === '_id') return;
  const fits = collection?.indexes.some(
    (index) =>
      index.unique &&
      index.isReady &&
      index.filter === undefined &&
      index.fields.length === on.length &&
      index.fields.every(({ path }) => on.includes(path)),
  );
  if (fits !== true) throw fieldsNotUnique();
}

function mergeOne(
  context: CommandContext,
  target: WriteTarget,
  output: MergeTarget,
  given: Document,
  options: { readonly environment: QueryEnvironment; readonly bypassValidation: boolean },
): void {
  const { catalog } = context.services;
  const { environment, bypassValidation } = options;
  const { database, collection: name } = output.namespace;
  const document = output.complete(given);
  let collection = catalog.find(target.batch, database, name);
  const key: Document = new Map();
  for (const [path, value] of output.key(document)) key.set(path, toDocument({ $eq: value }));
  const filter = compileFilter(key, environment.filterOptions);
  // then it is a plain insert: what is there makes the unique index refuse it
  const inserts = output.whenMatched === 'fail' && output.whenNotMatched === 'insert';
  const record =
    collection === undefined || inserts
      ? undefined
      : firstMatch(target.batch, collection, { filter, environment });
  if (record !== undefined && collection !== undefined) {
    const merged = output.merge(record.document(), document);
    if (merged === undefined) return;
    const update = compileUpdate(asReplacement(merged, record.document()));
    updateStored(context, target, collection, record, {
      filter,
      update,
      environment,
      bypassValidation,
    });
    return;
  }
  const inserted = output.insert(document);
  if (inserted === undefined) return;
  if (collection === undefined) {
    collection = catalog.create(target.batch, database, name);
    logCreate(target, collection);
  }
  const insertable = toInsertable(encodeDocument(inserted), () =>
    presentTimestamp(context).toBigInt(),
  );
  insertInto(target, collection, insertable, { bypassValidation });
}

/** The stored `_id` stays where the merged document has none. */
function asReplacement(merged: Document, stored: Document): Document {
  const id: Value | undefined = merged.get('_id') ?? stored.get('_id');
  return id === undefined || merged.has('_id') ? merged : new Map([['_id', id], ...merged]);
}
