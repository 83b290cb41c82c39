import type { BsonDocument, BsonValue, ObjectId } from '../../model/bson.ts';
import { splitCurrentDate } from './current-date.ts';

/** Properties of a database or collection as they are stored: own `_id`, the client's in order, `_etag` (rest-resources.md §1, §2). */
export function toStoredProperties(
  body: BsonDocument,
  id: string,
  etag: ObjectId,
  nowMs: number,
): BsonDocument {
  const { document, dates } = splitCurrentDate(body, nowMs);
  const stored: BsonDocument = new Map<string, BsonValue>([['_id', id]]);
  for (const [name, value] of document) {
    if (name !== '_id' && name !== '_etag') stored.set(name, value);
  }
  stored.set('_etag', etag);
  for (const [name, value] of dates ?? []) stored.set(name, value);
  return stored;
}
