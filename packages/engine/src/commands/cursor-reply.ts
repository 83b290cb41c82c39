import { type Document, toDocument, type Value } from '../bson/value.ts';
import { toTimestamp } from '../oplog/oplog-entry.ts';
import type { Batch, Cursor, CursorFields } from '../session/cursor.ts';
import type { CommandContext } from './context.ts';
import { checkFields, toMap, toNonNegative } from './field-types.ts';
import { reply } from './reply.ts';

/** MongoDB's size of a first batch where the client names none. */
const DEFAULT_FIRST_BATCH = 101;

/** The size of the first batch by find's `batchSize` or aggregate's `cursor.batchSize`. */
export function firstBatchLimit(value: Value | undefined): number {
  return toNonNegative('batchSize', value) ?? DEFAULT_FIRST_BATCH;
}

/** Opens a cursor over a source and answers its first batch. */
export function openCursor(
  context: CommandContext,
  fields: Pick<CursorFields, 'namespace' | 'source'> & Partial<CursorFields>,
  options: { readonly limit: number; readonly singleBatch?: boolean },
): Document | Promise<Document> {
  const { services, operation } = context;
  const cursor = services.cursors.prepare({
    command: context.args,
    sessionKey: context.session?.key,
    transactionNumber: context.transaction?.number,
    maxTimeMs: context.maxTimeMs,
    user: context.connection.user?.name,
    ...snapshotFields(context),
    ...fields,
  });
  const finish = (batch: Batch): Document => {
    if (options.singleBatch) cursor.close();
    return cursorReply(context, cursor, batch, 'firstBatch');
  };
  try {
    const batch = cursor.readBatch(options.limit, operation);
    if (!(batch instanceof Promise)) return finish(batch);
    return batch.then(finish, (error: unknown) => {
      cursor.close();
      throw error;
    });
  } catch (error) {
    cursor.close();
    throw error;
  }
}

/** The moment of a snapshot read, which drivers send with the session's next reads. */
function snapshotFields(context: CommandContext): Partial<CursorFields> {
  const position = context.snapshotPosition;
  if (position === undefined) return {};
  return { replyFields: toDocument({ atClusterTime: toTimestamp(position) }) };
}

/** The reply with a batch; a cursor that has come to its end is closed and answered as 0. */
export function cursorReply(
  context: CommandContext,
  cursor: Cursor,
  batch: Batch,
  batchField: 'firstBatch' | 'nextBatch',
): Document {
  const { tail } = cursor.source;
  const ended = tail === undefined ? batch.exhausted : tail.isEnded() && batch.exhausted;
  if (ended || cursor.closed) {
    if (batchField === 'nextBatch') context.services.cursors.remove(cursor);
    else cursor.close();
  } else if (batchField === 'firstBatch') {
    context.services.cursors.keep(cursor);
  }
  const fields = toDocument({ [batchField]: batch.documents });
  const token = cursor.source.postBatchResumeToken?.();
  if (token !== undefined) fields.set('postBatchResumeToken', token);
  fields.set('id', cursor.closed ? 0n : cursor.id);
  fields.set('ns', cursor.namespace);
  for (const [name, value] of cursor.replyFields ?? []) fields.set(name, value);
  return reply({ cursor: fields });
}

/** `cursor.batchSize` of commands that answer by a cursor. */
export function cursorBatchSize(args: Document): Value | undefined {
  const cursor = toMap(args.get('cursor'));
  if (cursor !== undefined) checkFields('cursor', cursor, { batchSize: 'number' });
  return cursor?.get('batchSize');
}
