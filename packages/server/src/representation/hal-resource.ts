/** What a HAL or SHAL body is made from. */
import type { BsonDocument } from '../model/bson.ts';
import type { JsonMode } from './json-mode.ts';
import type { LinkParameter } from './paging-links.ts';
import type { RelationshipContext } from './relationships.ts';

/** What a HAL body is about; the names appear as `_type`. */
export type HalType =
  | 'ROOT'
  | 'DB'
  | 'COLLECTION'
  | 'FILES_BUCKET'
  | 'SCHEMA_STORE'
  | 'DOCUMENT'
  | 'FILE'
  | 'SCHEMA'
  | 'COLLECTION_INDEXES'
  | 'INDEX'
  | 'AGGREGATION'
  | 'RESULT';

/** What of the request goes into links. */
export interface HalRequest extends RelationshipContext {
  readonly type: HalType;
  /** Decoded path as the client sees it, no trailing slash, `/` for the root. */
  readonly requestPath: string;
  /** Decoded query parameters in the order sent. */
  readonly parameters: readonly LinkParameter[];
  readonly page: number;
  readonly pageSize: number;
  readonly full: boolean;
  /** `np`: without the properties of the database or collection. */
  readonly noProperties: boolean;
  readonly jsonMode: JsonMode;
}

/** An embedded resource: raw or decoded. */
export interface HalItem {
  readonly type: HalType;
  readonly document: Uint8Array | BsonDocument;
}

/** A list resource: root, database, collection, bucket, schema store, indexes, aggregation. */
export interface HalList {
  readonly items: readonly HalItem[];
  /** Properties of the database or collection, `_id` already its name. */
  readonly properties?: BsonDocument | undefined;
  /** How many there are in all; undefined when not counted. */
  readonly size?: number | undefined;
  readonly warnings?: readonly string[] | undefined;
}
