import { type Document, isDocument, type Value } from '../bson/value.ts';

/** A stored document that a filter has matched. */
export interface MatchedRecord {
  readonly recordId: number;
  readonly bytes: Uint8Array;
  document(): Document;
}

/** A hint as commands take it: an index name or its key pattern. */
export function readHint(value: Value | undefined): Value | undefined {
  if (isDocument(value) && value.size === 0) return undefined;
  return value === '' || value === null ? undefined : value;
}
