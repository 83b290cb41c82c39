/**
 * `Quorate-Consistency`: read your own writes through any node. A client that sends the header with what it got last
 * sees at least that state; sent with any other value, such as `track`, it asks for the header alone. Without the header
 * nothing is tracked, so that reads and inserts keep being batched. Beyond the reference.
 */

import { QuorateError } from '../../../../errors/quorate-error.ts';
import { Timestamp } from '../../../../model/bson.ts';
import type { HttpRequest } from '../../../../model/http-request.ts';
import type { Reply } from '../../../../model/reply.ts';
import type { CausalToken } from '../../../../mongo/operation-options.ts';

const HEADER = 'Quorate-Consistency';

/** What a request wants to see; undefined when it does not say. */
export function readConsistency(http: HttpRequest): CausalToken | undefined {
  const text = http.header('quorate-consistency');
  if (text === undefined) return undefined;
  const match = /^(\d{1,10})\.(\d{1,10})$/.exec(text.trim());
  if (match === null) return {};
  const [t, i] = [Number(match[1]), Number(match[2])];
  if (t > 0xffffffff || i > 0xffffffff) {
    throw new QuorateError('ERR_REQUEST_CONSISTENCY', { message: `illegal ${HEADER} header` });
  }
  return { after: new Timestamp({ t, i }) };
}

/** The reply with the time of the request's operations; of those without one, with the time it asked for. */
export function withConsistency(reply: Reply, token: CausalToken): Reply {
  const time = token.operationTime ?? token.after;
  if (time === undefined) return reply;
  return { ...reply, headers: [...reply.headers, [HEADER, `${time.t}.${time.i}`]] };
}
