/** What authorization has to know of a request to the MongoDB service. */
import type { BsonDocument, BsonValue } from './bson.ts';

/** What a request needs beyond its predicate (security.md §8.6). */
export interface RequiredFlags {
  readonly management: boolean;
  readonly bulkPatch: boolean;
  readonly bulkDelete: boolean;
  readonly writeMode: boolean;
}

/** Given by a service whose requests touch documents. */
export interface RequestTraits {
  readonly flags: RequiredFlags;
  /** The client's filter, as it will be used. */
  readonly filter: BsonDocument | undefined;
  readonly databaseName: string;
  readonly collectionName: string;
  readonly id: BsonValue | undefined;
  /** As RESTHeart names it: `DOCUMENT`, `COLLECTION` … */
  readonly resourceType: string;
  /** The parsed body; undefined without one, and for one that cannot be parsed. */
  readBody(): Promise<BsonValue | undefined>;
}
