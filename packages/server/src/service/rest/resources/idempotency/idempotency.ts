/** `Idempotency-Key` on POST and PATCH: a repeated request is answered again, not executed again. Beyond the reference. */

import { createHash } from 'node:crypto';
import { isQuorateError, QuorateError } from '../../../../errors/quorate-error.ts';
import type { Identity } from '../../../../model/identity.ts';
import type { Reply } from '../../../../model/reply.ts';
import {
  CLAIM_MS,
  claimIdempotencyKey,
  completeIdempotencyKey,
  type HeldKey,
  releaseIdempotencyKey,
  renewIdempotencyKey,
} from '../../../../mongo/idempotency-store.ts';
import type { MongoAccess } from '../../../../mongo/mongo-access.ts';
import {
  inTransaction,
  type OwnSession,
  returnSession,
  takeSession,
} from '../../../../mongo/own-transactions.ts';
import type { ResourceType } from '../../resource-type.ts';
import type { MongoRequest, RequestedSession } from '../../rest-request.ts';

const MAX_KEY_CHARACTERS = 255;

/** The key of a request that can be repeated safely; uploads and imports stream, and have none. */
export function idempotencyKeyOf(request: MongoRequest): string | undefined {
  const { http, method } = request;
  if (method !== 'POST' && method !== 'PATCH') return undefined;
  const key = http.header('idempotency-key');
  if (key === undefined) return undefined;
  const contentType = http.header('content-type') ?? '';
  if (/multipart\/form-data|ndjson/i.test(contentType)) return undefined;
  if (key === '' || key.length > MAX_KEY_CHARACTERS) {
    throw new QuorateError('ERR_REQUEST_BAD', { message: 'illegal Idempotency-Key header' });
  }
  return key;
}

/** Writes that can be one transaction with the note that they were made. */
const JOINING: Readonly<Partial<Record<ResourceType, readonly string[]>>> = {
  COLLECTION: ['POST'],
  DOCUMENT: ['PATCH'],
  BULK_DOCUMENTS: ['PATCH'],
};
/** How long a repeated request waits for the first one before it is told to come back. */
const PATIENCE_MS = 10_000;
const RENEW_MS = CLAIM_MS / 3;

/** Runs the request, in a session where one is given. */
export type Execute = (session?: RequestedSession) => Promise<Reply>;

/**
 * Runs a request once for its key, whatever happens to the node or the primary meanwhile: the write and the note of its
 * reply are one transaction. Without transactions (a database that is no replica set, resources that take no part in
 * them) a node that dies between the two leaves the outcome unknown, and the request runs again.
 *
 * @throws 422 when the key was used for another request, 409 while the first one is still running
 */
export async function executeOnce(
  mongo: MongoAccess,
  request: MongoRequest,
  identity: Identity,
  key: string,
  execute: Execute,
): Promise<Reply> {
  const who = identity.kind === 'account' ? `a${identity.name}` : 'n';
  const id = digest([who, key]);
  const { http } = request;
  const fingerprint = digest([request.method, http.rawPath, http.rawQuery, await http.body()]);
  const own = (await joinsTransaction(mongo, request)) ? takeSession(mongo) : undefined;
  try {
    return await claimAndRun(mongo, id, fingerprint, own, execute);
  } finally {
    if (own !== undefined) returnSession(mongo, own);
  }
}

async function joinsTransaction(mongo: MongoAccess, request: MongoRequest): Promise<boolean> {
  const { type, method, http } = request;
  if (JOINING[type]?.includes(method) !== true || http.query.has('sid')) return false;
  return mongo.isReplicaSet();
}

async function claimAndRun(
  mongo: MongoAccess,
  id: string,
  fingerprint: string,
  own: OwnSession | undefined,
  execute: Execute,
): Promise<Reply> {
  const until = Date.now() + PATIENCE_MS;
  for (let waitMs = 20; ; waitMs = Math.min(250, waitMs * 2)) {
    const claim = await claimIdempotencyKey(mongo, id, fingerprint, own?.sessionId);
    if (claim.state === 'done') {
      const { status, headers, body } = claim.reply;
      return { status, headers: [...headers, ['Idempotency-Replayed', 'true']], body };
    }
    if (claim.state === 'otherRequest') {
      throw new QuorateError('ERR_REQUEST_BAD', {
        status: 422,
        message: 'the Idempotency-Key was used for another request',
      });
    }
    if (claim.state === 'claimed') {
      const reply = await runClaimed(mongo, claim.held, own, execute);
      if (reply !== undefined) return reply;
    } else if (Date.now() > until) {
      throw new QuorateError('ERR_CONFLICT', {
        message: 'a request with this Idempotency-Key is still running',
        headers: [['Retry-After', '1']],
      });
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** Undefined when somebody else took the key over: the outcome is theirs to tell. Only successes are kept. */
async function runClaimed(
  mongo: MongoAccess,
  held: HeldKey,
  own: OwnSession | undefined,
  execute: Execute,
): Promise<Reply | undefined> {
  const renewal = setInterval(() => {
    renewIdempotencyKey(mongo, held).catch(() => undefined);
  }, RENEW_MS);
  let isKept = false;
  try {
    if (own === undefined) {
      const reply = await execute();
      clearInterval(renewal);
      isKept = await keep(mongo, held, reply);
      return reply;
    }
    return await inTransaction(mongo, own, async (session) => {
      const reply = await execute(session);
      if (!isKeepable(reply)) return { isKept: false, value: reply };
      clearInterval(renewal);
      isKept = await keep(mongo, held, reply, session);
      return { isKept, value: isKept ? reply : undefined };
    });
  } catch (failure) {
    // what the database does not know of may have been committed: the next claim finds out
    isKept = isQuorateError(failure) && failure.status === 503;
    throw failure;
  } finally {
    clearInterval(renewal);
    if (!isKept) await releaseIdempotencyKey(mongo, held).catch(() => undefined);
  }
}

async function keep(
  mongo: MongoAccess,
  held: HeldKey,
  reply: Reply,
  session?: RequestedSession,
): Promise<boolean> {
  if (!isKeepable(reply)) return false;
  const { status, headers, body = '' } = reply;
  const stored = { status, headers, body: Buffer.from(body as string | Buffer) };
  return completeIdempotencyKey(mongo, held, stored, session);
}

function isKeepable({ status, body = '' }: Reply): boolean {
  return status < 400 && (typeof body === 'string' || Buffer.isBuffer(body));
}

/** Parts are told apart by their lengths. */
function digest(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('base64url');
}
