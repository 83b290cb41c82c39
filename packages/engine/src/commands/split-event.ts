/** `$changeStreamSplitLargeEvent` (manual): events too large for one document come in fragments. */
import { encodeDocument } from '../bson/codec.ts';
import { type Document, toDocument, type Value } from '../bson/value.ts';
import { formatResumeToken, parseResumeToken } from '../oplog/resume-token.ts';
import { tooLargeDocument } from '../session/cursor.ts';
import { MAX_BSON_OBJECT_BYTES } from './server-identity.ts';

/** What `_id` and `splitEvent` of a fragment take at most. */
const FRAGMENT_OVERHEAD_BYTES = 256;

const sizeOf = (name: string, value: Value): number =>
  encodeDocument(new Map([[name, value]])).length - 5;

/**
 * The fragments of an event: each has some of its top-level fields, a resume token of its own and
 * `splitEvent: {fragment, of}`.
 *
 * @returns the event alone when it fits
 * @throws BSONObjectTooLarge when one field alone does not fit
 */
export function splitEvent(event: Document): Document[] {
  if (encodeDocument(event).length <= MAX_BSON_OBJECT_BYTES) return [event];
  const groups: [string, Value][][] = [[]];
  let room = MAX_BSON_OBJECT_BYTES - FRAGMENT_OVERHEAD_BYTES;
  for (const [name, value] of event) {
    if (name === '_id') continue;
    const size = sizeOf(name, value);
    if (size > MAX_BSON_OBJECT_BYTES - FRAGMENT_OVERHEAD_BYTES) throw tooLargeDocument(size);
    if (size > room) {
      groups.push([]);
      room = MAX_BSON_OBJECT_BYTES - FRAGMENT_OVERHEAD_BYTES;
    }
    groups.at(-1)?.push([name, value]);
    room -= size;
  }
  const point = parseResumeToken(event.get('_id') ?? null);
  return groups.map((fields, i) => {
    const fragment: Document = new Map([
      ['_id', formatResumeToken({ ...point, fragment: i + 1 })],
      ...fields,
    ]);
    return fragment.set('splitEvent', toDocument({ fragment: i + 1, of: groups.length }));
  });
}
