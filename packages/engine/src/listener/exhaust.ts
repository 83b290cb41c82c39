import { type Document, isDocument } from '../bson/value.ts';
import type { CommandRequest } from '../commands/command-request.ts';

/**
 * What is run next for a message that allows several replies (OP_MSG specification,
 * "exhaustAllowed"), after `reply` has been given to `request`: an awaiting hello goes on until it
 * fails, a getMore until its cursor is at its end. `undefined` means that the reply is the last one.
 */
export function nextRequest(request: CommandRequest, reply: Document): CommandRequest | undefined {
  if (reply.has('errmsg')) return undefined;
  if (request.name === 'getMore') return hasOpenCursor(reply) ? request : undefined;
  if (!isAwaitingHello(request)) return undefined;
  const version = reply.get('topologyVersion');
  if (version === undefined) return undefined;
  return { ...request, arguments: new Map(request.arguments).set('topologyVersion', version) };
}

function hasOpenCursor(reply: Document): boolean {
  const cursor = reply.get('cursor');
  return isDocument(cursor) && cursor.get('id') !== 0n;
}

function isAwaitingHello({ name, arguments: args }: CommandRequest): boolean {
  return isHello(name) && args.has('topologyVersion') && args.has('maxAwaitTimeMS');
}

/** A hello by any of its names. */
export function isHello(name: string): boolean {
  return name === 'hello' || name === 'isMaster' || name === 'ismaster';
}
