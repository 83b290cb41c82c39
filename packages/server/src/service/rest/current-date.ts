/** `$currentDate` in POST and PUT bodies (rest-documents.md §5.1). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, Timestamp } from '../../model/bson.ts';
import { expandDots } from './dot-notation.ts';

/** Documents take the fields in this order: the client's, `_etag`, then the dates (rest-documents.md §5.2). */
export interface CurrentDateSplit {
  /** The body without the operator. */
  readonly document: BsonDocument;
  /** Fields to add at the end; undefined when the body asks for none. */
  readonly dates: BsonDocument | undefined;
}

/** @throws ERR_REQUEST_BODY `wrong $currentDate operator` */
export function splitCurrentDate(body: BsonDocument, nowMs: number): CurrentDateSplit {
  const operator = body.get('$currentDate');
  if (operator === undefined) return { document: body, dates: undefined };
  if (!isDocument(operator)) throw wrongOperator();
  const document = new Map(body);
  document.delete('$currentDate');
  const dates: BsonDocument = new Map();
  for (const [name, kind] of operator) dates.set(name, toCurrentDate(kind, nowMs));
  return { document, dates: expandDots(dates) };
}

function toCurrentDate(kind: BsonValue, nowMs: number): BsonValue {
  if (kind === true) return new Date(nowMs);
  const type = isDocument(kind) && kind.size === 1 ? kind.get('$type') : undefined;
  if (type === 'date') return new Date(nowMs);
  if (type === 'timestamp') return new Timestamp({ t: Math.floor(nowMs / 1000), i: 1 });
  throw wrongOperator();
}

function wrongOperator(): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message: 'wrong $currentDate operator' });
}
