import { hostname } from 'node:os';
import type { Namespace, Source } from '../aggregation/pipeline-context.ts';
import { DateTime, type Document, isDocument, toDocument } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { CommandContext } from './context.ts';
import { toNumber } from './field-types.ts';

/** collStats' figures of a collection; zeros where there is none. */
export function storageStats(
  context: CommandContext,
  collection: Collection | undefined,
  scale: number,
): Document {
  const scaled = (bytes: number): number => Math.floor(bytes / scale);
  if (collection === undefined) {
    return toDocument({
      size: 0,
      count: 0,
      numOrphanDocs: 0,
      storageSize: 0,
      totalIndexSize: 0,
      totalSize: 0,
      indexDetails: new Map(),
      indexSizes: new Map(),
      scaleFactor: scale,
      nindexes: 0,
    });
  }
  const stats = context.services.catalog.stats(context.services.store.latest, collection);
  let totalIndexSize = 0;
  const indexSizes: Document = new Map();
  const indexDetails: Document = new Map();
  for (const [name, bytes] of stats.indexBytes) {
    totalIndexSize += bytes;
    indexSizes.set(name, scaled(bytes));
    indexDetails.set(name, toDocument({ keys: stats.indexKeys.get(name) ?? 0 }));
  }
  const { capped } = collection;
  return toDocument({
    size: scaled(stats.bytes),
    count: stats.count,
    avgObjSize: stats.count > 0 ? Math.floor(stats.bytes / stats.count) : undefined,
    numOrphanDocs: 0,
    storageSize: scaled(stats.bytes),
    freeStorageSize: 0,
    capped: capped !== undefined,
    ...(capped !== undefined && {
      max: capped.maxDocuments ?? 0,
      maxSize: scaled(capped.maxBytes),
    }),
    nindexes: collection.indexes.length,
    indexDetails,
    indexBuilds: collection.indexes.filter(({ isReady }) => !isReady).map(({ name }) => name),
    totalIndexSize: scaled(totalIndexSize),
    totalSize: scaled(stats.bytes + totalIndexSize),
    indexSizes,
    scaleFactor: scale,
  });
}

/** The `scale` of a statistics command: 1 when there is none. */
export function readScale(value: unknown): number {
  const scale = toNumber(value as never) ?? 1;
  if (scale >= 1) return Math.trunc(scale);
  throw new MongoCommandError(
    'BadValue',
    `BSON field 'scale' value must be >= 1, actual value '${scale}'`,
  );
}

/** `$collStats` (manual). */
export function* collectionStats(
  context: CommandContext,
  namespace: Namespace,
  spec: Document,
): Source {
  const { catalog, store } = context.services;
  const collection = catalog.find(store.latest, namespace.database, namespace.collection);
  const document = toDocument({
    ns: `${namespace.database}.${namespace.collection}`,
    host: hostname(),
    localTime: new DateTime(Date.now()),
  });
  const storage = spec.get('storageStats');
  if (spec.has('count') && collection === undefined) {
    throw new MongoCommandError(
      'NamespaceNotFound',
      `Unable to retrieve count in $collStats stage :: caused by :: Collection [${namespace.database}.${namespace.collection}] not found.`,
    );
  }
  if (isDocument(storage)) {
    document.set(
      'storageStats',
      storageStats(context, collection, readScale(storage.get('scale'))),
    );
  }
  if (spec.has('latencyStats')) {
    const none = toDocument({ latency: 0n, ops: 0n, queryableEncryptionLatencyMicros: 0n });
    document.set(
      'latencyStats',
      toDocument({ reads: none, writes: none, commands: none, transactions: none }),
    );
  }
  if (spec.has('count') && collection !== undefined) {
    document.set('count', catalog.stats(store.latest, collection).count);
  }
  if (spec.has('queryExecStats')) {
    document.set(
      'queryExecStats',
      toDocument({ collectionScans: toDocument({ total: 0n, nonTailable: 0n }) }),
    );
  }
  yield document;
}

/** `$indexStats` (manual). */
export function* indexStats(context: CommandContext, namespace: Namespace): Source {
  const { catalog, store, identity } = context.services;
  const collection = catalog.find(store.latest, namespace.database, namespace.collection);
  for (const index of collection?.indexes ?? []) {
    yield toDocument({
      name: index.name,
      key: index.keyPattern,
      host: identity.address,
      accesses: toDocument({ ops: 0n, since: new DateTime(identity.startedAtMs) }),
      spec: index.spec.document,
      ...(!index.isReady && { building: true }),
    });
  }
}
