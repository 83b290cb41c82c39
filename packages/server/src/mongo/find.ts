/** Pages of documents as raw BSON. */
import type { FindOptions } from 'mongodb';
import type { BsonDocument } from '../model/bson.ts';
import { toBuffer } from '../model/raw-bson.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import { andFilters, type Namespace, type OperationOptions } from './operation-options.ts';
import { toDriverHint, toDriverReadOptions, toDriverSort } from './read-options.ts';
import { runOperation } from './sessions.ts';

/** What to find; `skip` and `limit` count documents. */
export interface FindRequest {
  readonly filter?: BsonDocument | undefined;
  readonly projection?: BsonDocument | undefined;
  readonly sort?: BsonDocument | undefined;
  readonly hint?: BsonDocument | string | undefined;
  readonly skip?: number | undefined;
  /** 0 or absent: all. */
  readonly limit?: number | undefined;
  /** Documents per batch from the database. */
  readonly batchSize?: number | undefined;
}

/**
 * The documents in the order of `sort`, narrowed by the permit's read filter.
 *
 * @throws ERR_REQUEST_SORT and the other errors of rest-documents.md §3
 */
export async function find(
  mongo: MongoAccess,
  namespace: Namespace,
  request: FindRequest,
  options: OperationOptions,
): Promise<Buffer[]> {
  const filter = andFilters(request.filter, options.permit.readFilter);
  const documents = await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace)
      .find(filter as never, {
        ...toFindOptions(request, options),
        ...(session ? { session } : {}),
      })
      .toArray(),
  );
  return documents.map((document) => toBuffer(document as unknown as Uint8Array));
}

/**
 * The same as a stream, for exports: one batch from the database at a time, as fast as the consumer
 * takes it. Not for transactions.
 */
export async function* findStream(
  mongo: MongoAccess,
  namespace: Namespace,
  request: FindRequest,
  options: OperationOptions,
): AsyncGenerator<Buffer> {
  const filter = andFilters(request.filter, options.permit.readFilter);
  const cursor = await runOperation(mongo, options, async (client) =>
    collectionOf(client, namespace).find(filter as never, toFindOptions(request, options)),
  );
  try {
    for (;;) {
      const document = await runOperation(mongo, { ...options, session: undefined }, () =>
        cursor.next(),
      );
      if (document === null) return;
      yield toBuffer(document as unknown as Uint8Array);
    }
  } finally {
    await cursor.close();
  }
}

function toFindOptions(request: FindRequest, options: OperationOptions): FindOptions {
  const driver: FindOptions = { ...toDriverReadOptions(options), raw: true };
  if (request.projection !== undefined) driver.projection = request.projection as never;
  if (request.sort !== undefined && request.sort.size > 0) {
    driver.sort = toDriverSort(request.sort) as never;
  }
  if (request.hint !== undefined) driver.hint = toDriverHint(request.hint) as never;
  if (request.skip !== undefined && request.skip > 0) driver.skip = request.skip;
  const { limit } = request;
  if (limit !== undefined && limit > 0) {
    driver.limit = limit;
    // one more than the page, else the database keeps the cursor open although nothing is left
    driver.batchSize = Math.min(limit + 1, request.batchSize ?? 1001);
  } else if (request.batchSize !== undefined) {
    driver.batchSize = request.batchSize;
  }
  return driver;
}
