/** GET / and GET /_size (rest-documents.md §4.2, §4.4). */

import type { Reply } from '../../model/reply.ts';
import { listDatabaseNames, loadDatabase } from '../../mongo/databases.ts';
import type { HandlerTable, RestContext } from './handler.ts';
import { pageOf } from './page.ts';
import { representedReply } from './replies.ts';
import { representNames } from './represent.ts';
import type { MongoRequest } from './rest-request.ts';
import { sizeReply } from './size-reply.ts';

async function getRoot(request: MongoRequest, context: RestContext): Promise<Reply> {
  const names = await listDatabaseNames(context.mongo);
  const page = pageOf(names, request.parameters);
  const body = await representNames(request, {
    names: page,
    total: names.length,
    properties: undefined,
    loadProperties: async (name) => (await loadDatabase(context.mongo, name)).properties,
  });
  return representedReply(request, body);
}

async function getRootSize(request: MongoRequest, context: RestContext): Promise<Reply> {
  const names = await listDatabaseNames(context.mongo);
  return sizeReply(request, names.length);
}

/** Handlers of the root. */
export const ROOT_HANDLERS: HandlerTable = {
  ROOT: { GET: getRoot },
  ROOT_SIZE: { GET: getRootSize },
};
