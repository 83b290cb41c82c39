/** The typed request of the REST service: everything that the URI and the query say, before the body is read. */

import type { QuorateError } from '../../errors/quorate-error.ts';
import type { BsonDocument, BsonValue } from '../../model/bson.ts';
import type { HttpRequest } from '../../model/http-request.ts';
import type { CausalToken } from '../../mongo/operation-options.ts';
import type { JsonMode } from '../../representation/json-mode.ts';
import type { ResourceType } from './resource-type.ts';

/** Output shapes of rest-documents.md §2.4. */
export type Representation = 'STANDARD' | 'HAL' | 'SHAL';

/** Values of `id_type` (rest-documents.md §1.4). */
export type IdType =
  | 'OID'
  | 'STRING_OID'
  | 'STRING'
  | 'NUMBER'
  | 'DATE'
  | 'MINKEY'
  | 'MAXKEY'
  | 'NULL'
  | 'BOOLEAN';

/** What a write may create or must find (rest-documents.md §5.3). */
export type WriteMode = 'insert' | 'update' | 'upsert';

/** Levels of MongoDB's read concern. */
export type ReadConcernLevel = 'local' | 'available' | 'majority' | 'linearizable' | 'snapshot';

/** Modes of MongoDB's read preference. */
export type ReadPreferenceMode =
  | 'primary'
  | 'primaryPreferred'
  | 'secondary'
  | 'secondaryPreferred'
  | 'nearest';

/** A write concern by the names that the query parameter accepts. */
export interface RequestedWriteConcern {
  readonly w?: number | 'majority';
  readonly journal?: boolean;
}

/** The query parameters after their checks; shared and frozen for requests without a query. */
export interface RestParameters {
  readonly representation: Representation;
  readonly fullHal: boolean;
  readonly jsonMode: JsonMode;
  /** From 1. */
  readonly page: number;
  /** 0 to the configured maximum. */
  readonly pageSize: number;
  readonly count: 'none' | 'exact' | 'estimated';
  /** Items of `sort_by` or `sort`, not yet parsed: see `readSort`. */
  readonly sortItems: readonly string[];
  readonly hint: BsonDocument | string | undefined;
  readonly projection: BsonDocument | undefined;
  /** All `filter` parameters, several joined by `$and`. */
  readonly filter: BsonDocument | undefined;
  readonly shardKey: BsonDocument | undefined;
  readonly aggregationVariables: BsonDocument | undefined;
  /** Undefined when absent; the default is STRING_OID. */
  readonly idType: IdType | undefined;
  readonly noProperties: boolean;
  readonly cache: boolean;
  readonly noCache: boolean;
  readonly checkEtag: boolean;
  readonly writeMode: WriteMode | undefined;
  readonly readConcern: ReadConcernLevel | undefined;
  readonly readPreference: ReadPreferenceMode | undefined;
  readonly writeConcern: RequestedWriteConcern | undefined;
}

/** The session a request runs in (rest-resources.md §8). */
export interface RequestedSession {
  /** Lower-case UUID. */
  readonly sessionId: string;
  /** Undefined outside a transaction. */
  readonly transactionNumber: number | undefined;
}

/** One request to the MongoDB service. The fields that later steps fill in are not readonly. */
export interface MongoRequest {
  readonly http: HttpRequest;
  readonly method: string;
  readonly type: ResourceType;
  /** Decoded path as the client sees it, without trailing slashes; `/` for the root. Base of all links. */
  readonly requestPath: string;
  /** Decoded path after the mount: `/db/coll/id…`. */
  readonly mongoPath: string;
  /** Decoded segments of the mongo path. */
  readonly tokens: readonly string[];
  /** The mount that matched; maps mongo paths back to request paths. */
  readonly mount: RequestMount;
  /** Empty string when the path names none. */
  readonly databaseName: string;
  /** Empty string when the path names none. */
  readonly collectionName: string;
  /** Segment 3 of the mongo path: document id, index name, session … */
  readonly documentToken: string | undefined;
  /** Segment 4 of the mongo path: name of an aggregation, stream, index, transaction number. */
  readonly nameToken: string | undefined;
  readonly parameters: RestParameters;
  /** Texts of `_warnings`, in order. */
  readonly warnings: string[];
  /** The parsed id of documents, files and schemas; undefined for every other resource. */
  id: BsonValue | undefined;
  /** First failed check of parameters, names and existence; sent after authorization and the body checks. */
  rememberedError: QuorateError | undefined;
  /** Properties of the database; undefined: not asked for, or it has none. */
  databaseProperties: BsonDocument | undefined;
  /** Properties of the collection, bucket or schema store; undefined: not asked for, or it has none. */
  collectionProperties: BsonDocument | undefined;
  /** False until looked up; PUT uses it to tell 201 from 200. */
  databaseExists: boolean;
  /** False until looked up; PUT uses it to tell 201 from 200. */
  collectionExists: boolean;
  session: RequestedSession | undefined;
  /** What the client wants to see at least, and what it saw (header `Quorate-Consistency`). */
  causal?: CausalToken | undefined;
  /**
   * Parsed body of POST, PUT and PATCH, dots expanded and operators checked as rest-documents.md §5.1 says:
   * a document, an array of documents, or undefined when there was none. Not read for files.
   */
  content: BsonDocument | BsonValue[] | undefined;
  /** Fields of a form body; true also when there were none. */
  isForm: boolean;
  /** Takes out of a document what the reader must not see; undefined: everything is seen. */
  hideFields?: ((document: Buffer) => Buffer) | undefined;
  /** Judges the result of a PATCH, which is undone when it throws; undefined: nothing is judged. */
  checkWritten?: ((document: BsonDocument) => Promise<void>) | undefined;
  /** Its write was there for a moment, and others may have read it. */
  isUndone?: boolean;
}

/** One mount after its variables were filled in (rest-documents.md §1.5). */
export interface RequestMount {
  /** Mongo side: `*` or a mongo path. */
  readonly what: string;
  /** Request side including the service's own URI, without a trailing slash; `/` for the root. */
  readonly where: string;
}
