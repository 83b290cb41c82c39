/** The ETag as condition of a write (rest-documents.md §6). */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { ObjectId } from '../model/bson.ts';
import { readRawPath } from '../model/raw-bson.ts';
import { collectionOf, type MongoAccess } from './mongo-access.ts';
import { andFilters, type ConsistencyOptions, type Namespace } from './operation-options.ts';
import { toDriverReadOptions } from './read-options.ts';
import { runOperation } from './sessions.ts';

/** The ETag the client presents, when the write must present one. */
export interface EtagCondition {
  readonly required: boolean;
  /** `If-Match`, bare; `undefined` when the client sent none. */
  readonly presented: string | undefined;
  /** Where the ETag lives; default `_etag`. */
  readonly path?: string | undefined;
}

/** Which document a conditional write is about. */
export interface EtagTarget {
  readonly id: BsonValue;
  readonly filter?: BsonDocument | undefined;
  readonly shardKey?: BsonDocument | undefined;
}

/** The target's ETag as the primary has it; `undefined` when there is no target. */
export async function readEtag(
  mongo: MongoAccess,
  namespace: Namespace,
  request: EtagTarget,
  path: string,
  options: ConsistencyOptions,
): Promise<{ readonly etag: BsonValue | undefined } | undefined> {
  const filter = andFilters(new Map([['_id', request.id]]), request.shardKey, request.filter);
  const { maxTimeMS } = toDriverReadOptions(options);
  const found = await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace).findOne(filter as never, {
      ...(maxTimeMS === undefined ? {} : { maxTimeMS }),
      projection: { [path]: 1 },
      raw: true,
      ...(session ? { session } : {}),
    }),
  );
  if (found === null) return undefined;
  return { etag: readRawPath(found as unknown as Uint8Array, path) };
}

/** The ETag that a client presents; undefined when it can be none. */
export function toEtag(presented: string | undefined): ObjectId | undefined {
  return presented !== undefined && /^[0-9a-f]{24}$/i.test(presented)
    ? new ObjectId(presented)
    : undefined;
}

/** Whether a stored ETag is the presented one. */
export function isSameEtag(stored: BsonValue | undefined, expected: ObjectId | undefined): boolean {
  return stored instanceof ObjectId && expected !== undefined && stored.equals(expected);
}
