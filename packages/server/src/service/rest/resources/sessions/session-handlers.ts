/** Sessions and transactions as resources (rest-resources.md §8). Their state lives in the database alone. */

import { randomBytes } from 'node:crypto';
import { QuorateError } from '../../../../errors/quorate-error.ts';
import { type BsonValue, isDocument } from '../../../../model/bson.ts';
import type { Reply } from '../../../../model/reply.ts';
import {
  abortTransaction,
  commitTransaction,
  createSessionId,
  findTransaction,
  killSession,
  startTransaction,
} from '../../../../mongo/sessions.ts';
import { clearCollectionCache } from '../../collection-cache.ts';
import type { HandlerTable, RestContext } from '../../handler.ts';
import { absoluteUrl, childPath } from '../../location.ts';
import { emptyReply, jsonReply } from '../../replies.ts';
import type { MongoRequest } from '../../rest-request.ts';
import { invalidSessionId, isSessionId } from '../../session-parameters.ts';

async function createSession(request: MongoRequest, context: RestContext): Promise<Reply> {
  const id = createSessionId(wantsCausalConsistency(request.content), randomBytes);
  const location = absoluteUrl(request, context.config, childPath(request.requestPath, id));
  return emptyReply(201, [['Location', location]]);
}

/** `{"ops": {"causallyConsistent": false}}`; everything else means the default. */
function wantsCausalConsistency(content: MongoRequest['content']): boolean {
  const options: BsonValue | undefined = isDocument(content) ? content.get('ops') : undefined;
  return !(isDocument(options) && options.get('causallyConsistent') === false);
}

async function deleteSession(request: MongoRequest, context: RestContext): Promise<Reply> {
  const id = sessionIdOf(request);
  try {
    await killSession(context.mongo, id);
  } catch (cause) {
    if (cause instanceof QuorateError && cause.status === 503) throw cause;
    throw new QuorateError('ERR_DATABASE', { message: 'Error killing session', cause });
  }
  return emptyReply(200);
}

async function readTransaction(request: MongoRequest, context: RestContext): Promise<Reply> {
  const id = sessionIdOf(request);
  await requireReplicaSet(request, context);
  const state = await findTransaction(context.mongo, id);
  const current = state === undefined ? 'null' : `{"id": ${state.id}, "status": "${state.status}"}`;
  return jsonReply(`{"currentTxn": ${current}}`);
}

async function createTransaction(request: MongoRequest, context: RestContext): Promise<Reply> {
  const id = sessionIdOf(request);
  await requireReplicaSet(request, context);
  const { readConcern } = request.parameters;
  const number = await startTransaction(context.mongo, id, { readConcern });
  if (number === undefined) return emptyReply(304);
  return emptyReply(201, [['Location', childPath(request.requestPath, String(number))]]);
}

async function commit(request: MongoRequest, context: RestContext): Promise<Reply> {
  const transaction = await transactionOf(request, context);
  await commitTransaction(context.mongo, transaction, request.parameters.writeConcern);
  // nobody has kept what the transaction wrote: pages and properties that were read meanwhile may be older
  clearCollectionCache(context.mongo);
  context.mongo.metadata.clear();
  return emptyReply(200);
}

async function abort(request: MongoRequest, context: RestContext): Promise<Reply> {
  await abortTransaction(context.mongo, await transactionOf(request, context));
  return emptyReply(204);
}

async function transactionOf(request: MongoRequest, context: RestContext) {
  const sessionId = sessionIdOf(request);
  await requireReplicaSet(request, context);
  // the checks on names have refused what is no number
  return { sessionId, transactionNumber: Number(request.nameToken) };
}

function sessionIdOf(request: MongoRequest): string {
  const token = request.tokens[1] ?? '';
  if (!isSessionId(token)) throw invalidSessionId();
  return token.toLowerCase();
}

/** Transactions need an oplog; without one the resources have no methods (rest-documents.md §1.2). */
async function requireReplicaSet(request: MongoRequest, context: RestContext): Promise<void> {
  if (await context.mongo.isReplicaSet()) return;
  throw new QuorateError('ERR_REQUEST_METHOD', {
    message: `method ${request.method} not allowed`,
  });
}

/** Handlers of `/_sessions` and below. */
export const SESSION_HANDLERS: HandlerTable = {
  SESSIONS: { POST: createSession },
  SESSION: { DELETE: deleteSession },
  TRANSACTIONS: { GET: readTransaction, POST: createTransaction },
  TRANSACTION: { PATCH: commit, DELETE: abort },
};
