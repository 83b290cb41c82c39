/**
 * Plain single inserts. Those into one collection with one write concern that arrive in the same
 * turn of the event loop become one unordered insert; each request gets its own document's error.
 */

import { BSONError } from 'bson';
import { MongoBulkWriteError, MongoInvalidArgumentError } from 'mongodb';
import type { BsonDocument } from '../model/bson.ts';
import { isUnavailable, mapDatabaseError, mapServerError, writeErrorsOf } from './map-error.ts';
import { collectionOf, type InsertBatches, type MongoAccess } from './mongo-access.ts';
import {
  type CausalToken,
  causalKeyOf,
  mergeCausalTokens,
  type Namespace,
  type OperationOptions,
} from './operation-options.ts';
import { toDriverWriteOptions } from './read-options.ts';
import { runDriverOperation, runOperation } from './sessions.ts';

const MAX_BATCH_BYTES = 4 << 20;
/** Larger documents go alone, so that nobody waits for the transfer of another's. */
const MAX_DOCUMENT_BYTES = 64 << 10;

interface Item {
  readonly document: BsonDocument;
  resolve(): void;
  reject(error: unknown): void;
}

interface Group {
  readonly mongo: MongoAccess;
  readonly namespace: Namespace;
  readonly options: OperationOptions;
  readonly items: Item[];
  readonly causal: CausalToken[];
  bytes: number;
}

/**
 * Inserts a document, which has to have an `_id`.
 *
 * @param options - `approximateBytes`: size of the document, or of the body it came in
 * @throws ERR_CONFLICT_DUPLICATE_KEY and the other errors of rest-documents.md §3
 */
export function insertOne(
  mongo: MongoAccess,
  namespace: Namespace,
  document: BsonDocument,
  options: OperationOptions & { readonly approximateBytes?: number | undefined },
): Promise<void> {
  return mongo.inserts.insert(mongo, namespace, document, options);
}

/** Collects inserts until the turn ends. */
export function createInsertBatches(config: { readonly maxBatchSize: number }): InsertBatches {
  let groups = new Map<string, Group>();
  function flush(): void {
    const due = groups;
    groups = new Map();
    for (const group of due.values()) void sendGroup(group);
  }
  return {
    insert(mongo, namespace, document, options) {
      const bytes = options.approximateBytes ?? 1024;
      const alone =
        config.maxBatchSize <= 1 || bytes > MAX_DOCUMENT_BYTES || options.session !== undefined;
      if (alone) return insertAlone(mongo, namespace, document, options);
      return new Promise((resolve, reject) => {
        const concern = options.writeConcern;
        const key = [
          namespace.database,
          namespace.collection,
          concern?.w ?? '',
          concern?.journal ?? '',
          causalKeyOf(options.causal),
        ].join('\0');
        let group = groups.get(key);
        if (
          group !== undefined &&
          (group.items.length >= config.maxBatchSize || group.bytes + bytes > MAX_BATCH_BYTES)
        ) {
          groups.delete(key);
          void sendGroup(group);
          group = undefined;
        }
        if (group === undefined) {
          if (groups.size === 0) setImmediate(flush);
          group = { mongo, namespace, options, items: [], causal: [], bytes: 0 };
          groups.set(key, group);
        }
        if (options.causal !== undefined) group.causal.push(options.causal);
        group.items.push({ document, resolve, reject });
        group.bytes += bytes;
      });
    },
  };
}

async function sendGroup(group: Group): Promise<void> {
  const { mongo, namespace, items } = group;
  const options = { ...group.options, causal: mergeCausalTokens(group.causal) };
  if (items.length === 1) {
    for (const item of items) {
      await insertAlone(mongo, namespace, item.document, options).then(item.resolve, item.reject);
    }
    return;
  }
  try {
    await runDriverOperation(mongo, options, (client, session) =>
      collectionOf(client, namespace).insertMany(
        items.map((item) => item.document as never),
        {
          ...toDriverWriteOptions(options),
          ordered: false,
          forceServerObjectId: true,
          ...(session ? { session } : {}),
        },
      ),
    );
    for (const item of items) item.resolve();
  } catch (error) {
    await settleFailed(group, error);
  }
}

/** Gives each request the error of its own document. */
async function settleFailed(group: Group, error: unknown): Promise<void> {
  const { mongo, namespace, options, items } = group;
  if (error instanceof MongoBulkWriteError && !isUnavailable(error)) {
    const byIndex = new Map(writeErrorsOf(error).map((item) => [item.index, item]));
    const unconfirmed = error.result.getWriteConcernError() !== undefined;
    if (byIndex.size > 0 || unconfirmed) {
      for (const [index, item] of items.entries()) {
        const own = byIndex.get(index);
        if (own !== undefined) item.reject(mapServerError(own.code, own.errmsg, error));
        else if (unconfirmed) item.reject(mapDatabaseError(error));
        else item.resolve();
      }
      return;
    }
  }
  // one document that cannot be encoded, or is too large, must not fail the others
  if (error instanceof MongoInvalidArgumentError || error instanceof BSONError) {
    await Promise.all(
      items.map((item) =>
        insertAlone(mongo, namespace, item.document, options).then(item.resolve, item.reject),
      ),
    );
    return;
  }
  const mappedError = mapDatabaseError(error);
  for (const item of items) item.reject(mappedError);
}

async function insertAlone(
  mongo: MongoAccess,
  namespace: Namespace,
  document: BsonDocument,
  options: OperationOptions,
): Promise<void> {
  await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace).insertOne(document as never, {
      ...toDriverWriteOptions(options),
      forceServerObjectId: true,
      ...(session ? { session } : {}),
    }),
  );
}
