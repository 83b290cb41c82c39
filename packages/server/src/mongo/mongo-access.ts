/** The connection to the database as the functions of this folder share it; made once per node. */
import type { Collection, Db, MongoClient } from 'mongodb';
import type { BsonDocument } from '../model/bson.ts';
import { mapDatabaseError } from './map-error.ts';
import type { MetadataCache } from './metadata-cache.ts';
import type { FindOneRequest, Namespace, OperationOptions } from './operation-options.ts';

/** The reads of the present turn. */
export interface PointReads {
  find(
    mongo: MongoAccess,
    namespace: Namespace,
    request: FindOneRequest,
    options: OperationOptions,
  ): Promise<Buffer | undefined>;
}

/** The inserts of the present turn. */
export interface InsertBatches {
  insert(
    mongo: MongoAccess,
    namespace: Namespace,
    document: BsonDocument,
    options: OperationOptions & { readonly approximateBytes?: number | undefined },
  ): Promise<void>;
}

/** The shared handle; functions of `mongo/` take it as their first argument. */
export interface MongoAccess {
  readonly client: MongoClient;
  /**
   * A second client without retryable writes, for client-chosen sessions: the driver would number
   * retried writes on its own and collide with the numbers of transactions. Connects on first use.
   */
  readonly sessionClient: MongoClient;
  readonly metadata: MetadataCache;
  readonly pointReads: PointReads;
  readonly inserts: InsertBatches;
  /** Whether the deployment has an oplog: transactions and change streams work. */
  isReplicaSet(): Promise<boolean>;
  /**
   * `{ping: 1}`; rejects when the database does not answer in time. A secondary will do: during an election a node still
   * reads, and says itself what it cannot write.
   */
  ping(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Runs a driver call and throws its failure as a QuorateError (rest-documents.md §3). */
export async function mapped<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw mapDatabaseError(error);
  }
}

const collections = new WeakMap<MongoClient, Map<string, Collection>>();
const databases = new WeakMap<MongoClient, Map<string, Db>>();
/** So many names are kept at most: they come from clients. */
const MAX_NAMES = 1000;

/** A driver collection whose answers stay raw BSON. Made once: the driver goes through all options each time. */
export function collectionOf(client: MongoClient, namespace: Namespace): Collection {
  const { database, collection } = namespace;
  return kept(collections, client, `${database}\0${collection}`, () =>
    databaseOf(client, database).collection(collection),
  );
}

/** A driver database; the checks on names happen in the service. */
export function databaseOf(client: MongoClient, name: string): Db {
  return kept(databases, client, name, () => client.db(name));
}

function kept<T>(
  all: WeakMap<MongoClient, Map<string, T>>,
  client: MongoClient,
  name: string,
  make: () => T,
): T {
  let known = all.get(client);
  if (known === undefined) {
    known = new Map();
    all.set(client, known);
  }
  let found = known.get(name);
  if (found === undefined) {
    found = make();
    if (known.size >= MAX_NAMES) known.clear();
    known.set(name, found);
  }
  return found;
}
