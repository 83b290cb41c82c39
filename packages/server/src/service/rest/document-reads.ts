/** GET of one document (rest-documents.md §4.4). */

import { QuorateError } from '../../errors/quorate-error.ts';
import type { Reply } from '../../model/reply.ts';
import { findOne } from '../../mongo/find-one.ts';
import { formatIdForMessage } from './document-id.ts';
import type { RestContext } from './handler.ts';
import { namespaceOf, readOptionsOf } from './operation-context.ts';
import { etagHeader, etagOfRaw, isNotModified, notModified, representedReply } from './replies.ts';
import { representDocument } from './represent.ts';
import type { MongoRequest } from './rest-request.ts';

/** The document that the URI names, as raw BSON. */
export async function readDocument(
  request: MongoRequest,
  context: RestContext,
): Promise<Buffer | undefined> {
  const { parameters } = request;
  return findOne(
    context.mongo,
    namespaceOf(request),
    {
      id: request.id ?? null,
      projection: parameters.projection,
      filter: parameters.filter,
      shardKey: parameters.shardKey,
      hint: parameters.hint,
    },
    readOptionsOf(request, context),
  );
}

/** The 404 of a read of a document, file or schema. */
export function documentNotFound(
  kind: 'document' | 'file' | 'schema',
  request: MongoRequest,
): QuorateError {
  return new QuorateError('ERR_NOT_FOUND_DOCUMENT', {
    message: `${kind} ${formatIdForMessage(request.id)} does not exist`,
  });
}

/** GET /db/coll/id */
export async function getDocument(request: MongoRequest, context: RestContext): Promise<Reply> {
  const document = await readDocument(request, context);
  if (document === undefined) throw documentNotFound('document', request);
  const etag = etagOfRaw(document);
  if (isNotModified(request, etag)) return notModified();
  const headers = etag === undefined ? [] : [etagHeader(etag)];
  return representedReply(request, representDocument(request, document), headers);
}
