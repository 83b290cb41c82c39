/** `Idempotency-Key` on POST and PATCH: a repeated request is answered again, not executed again. Beyond the reference. */

import { createHash } from 'node:crypto';
import { QuorateError } from '../../../../errors/quorate-error.ts';
import type { Identity } from '../../../../model/identity.ts';
import type { Reply } from '../../../../model/reply.ts';
import {
  claimIdempotencyKey,
  completeIdempotencyKey,
  releaseIdempotencyKey,
} from '../../../../mongo/idempotency-store.ts';
import type { MongoAccess } from '../../../../mongo/mongo-access.ts';
import type { MongoRequest } from '../../rest-request.ts';

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

/**
 * Runs a request once for its key.
 *
 * @throws 422 when the key was used for another request, 409 while the first one is still running
 */
export async function executeOnce(
  mongo: MongoAccess,
  request: MongoRequest,
  identity: Identity,
  key: string,
  execute: () => Promise<Reply>,
): Promise<Reply> {
  const who = identity.kind === 'account' ? `a${identity.name}` : 'n';
  const id = digest([who, key]);
  const { http } = request;
  const fingerprint = digest([request.method, http.rawPath, http.rawQuery, await http.body()]);
  const claim = await claimIdempotencyKey(mongo, id, fingerprint);
  switch (claim.state) {
    case 'otherRequest':
      throw new QuorateError('ERR_REQUEST_BAD', {
        status: 422,
        message: 'the Idempotency-Key was used for another request',
      });
    case 'running':
      throw new QuorateError('ERR_CONFLICT', {
        message: 'a request with this Idempotency-Key is still running',
        headers: [['Retry-After', '1']],
      });
    case 'done': {
      const { status, headers, body } = claim.reply;
      return { status, headers: [...headers, ['Idempotency-Replayed', 'true']], body };
    }
    case 'claimed':
      return executeClaimed(mongo, id, execute);
  }
}

/** Only successes are kept: what failed may succeed the next time. */
async function executeClaimed(
  mongo: MongoAccess,
  id: string,
  execute: () => Promise<Reply>,
): Promise<Reply> {
  let reply: Reply;
  try {
    reply = await execute();
  } catch (failure) {
    await releaseIdempotencyKey(mongo, id);
    throw failure;
  }
  const { body = '' } = reply;
  const isKept = reply.status < 400 && (typeof body === 'string' || Buffer.isBuffer(body));
  if (isKept) {
    await completeIdempotencyKey(mongo, id, {
      status: reply.status,
      headers: reply.headers,
      body: Buffer.from(body),
    });
  } else {
    await releaseIdempotencyKey(mongo, id);
  }
  return reply;
}

/** Parts are told apart by their lengths. */
function digest(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('base64url');
}
