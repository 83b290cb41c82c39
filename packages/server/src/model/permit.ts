import type { BsonDocument } from './bson.ts';

declare const permitBrand: unique symbol;

/**
 * What the rules allow one request; made only in `authz/`.
 *
 * Every function of `mongo/` that touches data asks for one, so that forgotten authorization does not compile.
 * @see security.md, `mongo` permissions
 */
export interface Permit {
  readonly [permitBrand]: true;
  /** ANDed to every read. */
  readonly readFilter?: BsonDocument;
  /** ANDed to the condition of every write. */
  readonly writeFilter?: BsonDocument;
  /** Properties forced into written documents. */
  readonly mergeRequest?: BsonDocument;
  /** Projection on documents sent back. */
  readonly projectResponse?: BsonDocument;
  readonly allowManagementRequests: boolean;
  readonly allowBulkPatch: boolean;
  readonly allowBulkDelete: boolean;
  readonly allowWriteMode: boolean;
}
