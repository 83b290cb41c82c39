import type { Reply, ReplyHeader } from '../../model/reply.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { jsonReply } from './replies.ts';
import type { MongoRequest } from './rest-request.ts';

/** `{"_size": n}`, whatever the representation (rest-documents.md §2.4). */
export function sizeReply(
  request: MongoRequest,
  size: number,
  headers: readonly ReplyHeader[] = [],
): Reply {
  return jsonReply(writeJson(new Map([['_size', size]]), request.parameters.jsonMode), headers);
}
