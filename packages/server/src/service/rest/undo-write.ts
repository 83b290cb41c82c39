/** A PATCH whose result does not satisfy the schema is taken back (rest-resources.md §4.2). */

import type { BsonDocument, ObjectId } from '../../model/bson.ts';
import { deleteConditionally } from '../../mongo/delete-one.ts';
import { findOne } from '../../mongo/find-one.ts';
import { type WriteResult, writeConditionally } from '../../mongo/write.ts';
import { decode } from '../../representation/raw-bson.ts';
import type { RestContext } from './handler.ts';
import { namespaceOf, writeOptionsOf } from './operation-context.ts';
import type { MongoRequest } from './rest-request.ts';

/** A write that happened, and the validator its result must pass. */
export interface WrittenDocument {
  readonly validate: (document: BsonDocument) => Promise<void> | void;
  /** With the document before the change. */
  readonly result: WriteResult;
  /** The new ETag. */
  readonly etag: ObjectId;
}

/**
 * Validates the written document; on failure restores the old one, or removes the one that the write created, but only
 * if nobody changed it meanwhile: the new ETag is the condition.
 *
 * @throws what the validator throws
 */
export async function undoWrite(
  request: MongoRequest,
  context: RestContext,
  { validate, result, etag }: WrittenDocument,
): Promise<void> {
  const { mongo } = context;
  const namespace = namespaceOf(request);
  const id = request.id ?? null;
  const options = writeOptionsOf(request, context);
  const written = await findOne(
    mongo,
    namespace,
    { id, shardKey: request.parameters.shardKey },
    // the document was just written under the permit's write filter: this is no further read for the client
    { ...options, permit: withoutReadFilter(context) },
  );
  if (written === undefined) return;
  try {
    await validate(decode(written));
  } catch (violation) {
    request.isUndone = true;
    const condition = { required: true, presented: etag.toHexString() };
    if (result.document === undefined) {
      await deleteConditionally(mongo, namespace, { id, etag: condition }, options);
    } else {
      const document = decode(result.document);
      const change = { kind: 'replace', document } as const;
      await writeConditionally(
        mongo,
        namespace,
        { id, mode: 'update', change, etag: condition },
        options,
      );
    }
    throw violation;
  }
}

function withoutReadFilter({ permit }: RestContext): RestContext['permit'] {
  const { readFilter: _, ...rest } = permit;
  return rest as RestContext['permit'];
}
