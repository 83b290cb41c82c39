/** Rules for the documents of one collection, beside those that hold for all (graphql.md §3). */
import type { BsonDocument } from '../../model/bson.ts';
import type { MongoRequest } from './rest-request.ts';

export interface DocumentRules {
  appliesTo(request: MongoRequest): boolean;
  /** A stored document as clients see it. */
  show(document: Buffer): Buffer;
  /**
   * Called before a write of documents; may put another content into the request.
   *
   * @throws what refuses the write
   */
  checkWrite(request: MongoRequest): Promise<void>;
  /**
   * Called with the result of a PATCH.
   *
   * @throws what undoes it
   */
  checkWritten(request: MongoRequest, document: BsonDocument): Promise<void>;
}
