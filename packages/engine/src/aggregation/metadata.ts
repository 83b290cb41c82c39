/** What the engine knows of a document beside its fields, for `$meta`. */
import type { Document, Value } from '../bson/value.ts';

export interface DocumentMetadata {
  readonly textScore?: Value;
  readonly geoNearDistance?: Value;
  readonly geoNearPoint?: Value;
  readonly indexKey?: Value;
  readonly recordId?: Value;
}

const known = new WeakMap<Document, DocumentMetadata>();
let inUse = false;

export function setMetadata(document: Document, metadata: DocumentMetadata): void {
  known.set(document, metadata);
  inUse = true;
}

export function readMetadata(document: Document): DocumentMetadata | undefined {
  return known.get(document);
}

/** Carries the metadata over to the document a stage made of another. */
export function keepMetadata(from: Document, to: Document): Document {
  if (inUse && from !== to) {
    const metadata = known.get(from);
    if (metadata !== undefined) known.set(to, metadata);
  }
  return to;
}
