/** `POST /_batch`: several operations in one transaction, all or nothing. Beyond the reference. */

import { randomUUID } from 'node:crypto';
import { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { Identity } from '../../model/identity.ts';
import type { Guard } from '../../model/ports.ts';
import type { Reply } from '../../model/reply.ts';
import type { Service } from '../../model/service.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import { abortTransaction, commitTransaction, startTransaction } from '../../mongo/sessions.ts';
import { JsonParseError, parseJson, parseJsonBody } from '../../representation/json-reader.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { invalidateCollectionCache } from '../rest/collection-cache.ts';
import type { ResourceType } from '../rest/resource-type.ts';
import type { MongoRequest } from '../rest/rest-request.ts';
import { type BatchOperation, readOperations, toRequest } from './batch-operation.ts';

const MAX_ATTEMPTS = 5;
const WRITE_CONFLICT = 'ERR_CONFLICT_TRANSACTION';

/** Resources whose operations join a transaction. */
const JOINING: Readonly<Partial<Record<ResourceType, readonly string[]>>> = {
  COLLECTION: ['GET', 'POST'],
  COLLECTION_SIZE: ['GET'],
  DOCUMENT: ['GET', 'PUT', 'PATCH', 'DELETE'],
  BULK_DOCUMENTS: ['PATCH', 'DELETE'],
  AGGREGATION: ['GET'],
};

/** Makes the service; each operation is authorized as if it came alone. */
export function createBatchService(parts: {
  readonly uri: string;
  readonly mongo: MongoAccess;
  readonly rest: Service<MongoRequest>;
  readonly authorize: Guard['authorize'];
}): Service {
  const { mongo, rest } = parts;

  async function runOperation(
    http: HttpRequest,
    identity: Identity,
    touched: Set<MongoRequest>,
  ): Promise<Reply> {
    const prepared = await rest.prepare?.(http);
    if (prepared === undefined) throw new Error('the REST service prepares every request');
    if (JOINING[prepared.type]?.includes(prepared.method) !== true) {
      throw new QuorateError('ERR_REQUEST_BAD', {
        message: `${prepared.method} of this resource cannot be part of a transaction`,
      });
    }
    const permit = await parts.authorize(http, rest, prepared, identity);
    touched.add(prepared);
    return rest.handle(http, prepared, { identity, permit });
  }

  /** One run of all operations; a conflict with another transaction is thrown. */
  async function attempt(
    outer: HttpRequest,
    operations: readonly BatchOperation[],
    identity: Identity,
  ): Promise<Reply> {
    const sessionId = randomUUID();
    const number = (await startTransaction(mongo, sessionId)) ?? 1;
    const transaction = { sessionId, transactionNumber: number };
    const results: BsonValue[] = [];
    const touched = new Set<MongoRequest>();
    try {
      for (const operation of operations) {
        const http = toRequest(outer, operation, { sessionId, number });
        const result = await resultOf(() => runOperation(http, identity, touched));
        results.push(result.document);
        if (result.status < 400) continue;
        await abortTransaction(mongo, transaction).catch(() => undefined);
        return toReply(result.status, false, results);
      }
      await commitTransaction(mongo, transaction);
    } catch (failure) {
      await abortTransaction(mongo, transaction).catch(() => undefined);
      throw failure;
    }
    // pages that were read while the transaction was open show the time before it
    for (const { databaseName, collectionName } of touched) {
      invalidateCollectionCache(mongo, databaseName, collectionName);
    }
    return toReply(200, true, results);
  }

  return {
    name: 'batch',
    uri: parts.uri,
    match: 'exact',
    secured: true,
    errorStyle: 'mongo',
    async handle(request, _prepared, { identity }): Promise<Reply> {
      if (request.method !== 'POST') {
        throw new QuorateError('ERR_REQUEST_METHOD', {
          message: `method ${request.method} not allowed`,
        });
      }
      const operations = readOperations(parseBody(await request.body()));
      if (!(await mongo.isReplicaSet())) {
        throw new QuorateError('ERR_DATABASE_UNSUPPORTED', {
          message: 'batches need transactions, and so a replica set',
        });
      }
      for (let count = 1; ; count += 1) {
        try {
          return await attempt(request, operations, identity);
        } catch (failure) {
          const isConflict = failure instanceof QuorateError && failure.code === WRITE_CONFLICT;
          if (!isConflict || count === MAX_ATTEMPTS) throw failure;
        }
      }
    },
  };
}

function parseBody(body: Buffer): BsonValue | undefined {
  try {
    return parseJsonBody(body);
  } catch (cause) {
    if (!(cause instanceof JsonParseError)) throw cause;
    throw new QuorateError('ERR_REQUEST_JSON', {
      message: `Invalid JSON. ${cause.message}`,
      cause,
    });
  }
}

interface OperationResult {
  readonly status: number;
  readonly document: BsonDocument;
}

/** The outcome of one operation; conflicts and troubles of the database are for the whole batch. */
async function resultOf(run: () => Promise<Reply>): Promise<OperationResult> {
  try {
    const reply = await run();
    const document: BsonDocument = new Map([['status', reply.status]]);
    for (const [name, value] of reply.headers) {
      if (name === 'ETag' || name === 'Location') document.set(name, value);
    }
    const text = jsonOf(reply);
    if (text !== '') document.set('body', parseJson(text));
    return { status: reply.status, document };
  } catch (failure) {
    const isOwn = failure instanceof QuorateError && failure.status < 500;
    if (!isOwn || failure.code === WRITE_CONFLICT) throw failure;
    const document: BsonDocument = new Map([['status', failure.status]]);
    if (!failure.emptyBody) document.set('message', failure.message);
    return { status: failure.status, document };
  }
}

/** The body of a reply; contents of files, exports and results of imports have no place in a batch's. */
function jsonOf({ body, headers }: Reply): string {
  if (typeof body !== 'string' && !Buffer.isBuffer(body)) return '';
  const type = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1];
  return type === undefined || /^application\/(?:[\w.-]+\+)?json\b/i.test(type)
    ? body.toString()
    : '';
}

function toReply(status: number, committed: boolean, results: readonly BsonValue[]): Reply {
  const body = writeJson(
    new Map<string, BsonValue>([
      ['committed', committed],
      ['results', [...results]],
    ]),
  );
  return { status, headers: [['Content-Type', 'application/json; charset=UTF-8']], body };
}
