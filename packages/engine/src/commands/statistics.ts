import { hostname } from 'node:os';
import type { Namespace, Source } from '../aggregation/pipeline-context.ts';
import { DateTime, type Document, isDocument, toDocument, type Value } from '../bson/value.ts';
import type { Collection } from '../catalog/collection.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import type { UsageKind } from '../session/namespace-usage.ts';
import type { CommandContext } from './context.ts';
import { isTrue, toNumber } from './field-types.ts';
import { findServed, type ServedCollection } from './served-collection.ts';

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

/** The same figures of a collection that is served and not stored. */
export function servedStats(
  { services }: CommandContext,
  served: ServedCollection,
  scale: number,
): Document {
  const size = Math.floor(served.sizeBytes(services) / scale);
  const count = served.count(services);
  const isCapped = isTrue(served.options.get('capped'));
  return toDocument({
    size,
    count,
    avgObjSize: count > 0 ? Math.floor((size * scale) / count) : undefined,
    numOrphanDocs: 0,
    storageSize: size,
    freeStorageSize: 0,
    capped: isCapped,
    ...(isCapped && { max: 0, maxSize: Math.floor(services.oplog.maxBytes / scale) }),
    nindexes: 0,
    indexDetails: new Map(),
    indexBuilds: [],
    totalIndexSize: 0,
    totalSize: size,
    indexSizes: new Map(),
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
  if (collection?.type === 'view' && (spec.has('storageStats') || spec.has('count'))) {
    throw viewRefusal(collection);
  }
  const served = findServed(namespace.database, namespace.collection);
  const document = toDocument({
    ns: `${namespace.database}.${namespace.collection}`,
    host: hostname(),
    localTime: new DateTime(Date.now()),
  });
  const storage = spec.get('storageStats');
  if (spec.has('count') && collection === undefined && served === undefined) {
    throw new MongoCommandError(
      'NamespaceNotFound',
      `Unable to retrieve count in $collStats stage :: caused by :: Collection [${namespace.database}.${namespace.collection}] not found.`,
    );
  }
  if (isDocument(storage)) {
    const scale = readScale(storage.get('scale'));
    document.set(
      'storageStats',
      served === undefined
        ? storageStats(context, collection, scale)
        : servedStats(context, served, scale),
    );
  }
  if (spec.has('latencyStats')) {
    document.set('latencyStats', latencyStats(context, namespace, spec.get('latencyStats')));
  }
  if (spec.has('count')) {
    document.set(
      'count',
      collection === undefined
        ? (served?.count(context.services) ?? 0)
        : catalog.stats(store.latest, collection).count,
    );
  }
  if (spec.has('queryExecStats')) {
    document.set(
      'queryExecStats',
      toDocument({ collectionScans: toDocument({ total: 0n, nonTailable: 0n }) }),
    );
  }
  yield document;
}

/** @throws CommandNotSupportedOnView */
export function viewRefusal(view: Collection): MongoCommandError {
  return new MongoCommandError(
    'CommandNotSupportedOnView',
    `Namespace ${view.namespace} is a view, not a collection`,
  );
}

/** How long commands on a collection have taken (manual, "$collStats", latencyStats Document). */
function latencyStats(
  context: CommandContext,
  { database, collection }: Namespace,
  spec: Value | undefined,
): Document {
  const { usage } = context.services.operations;
  const histograms = isDocument(spec) && isTrue(spec.get('histograms'));
  const sum = (kinds: readonly UsageKind[]): Document => {
    let ops = 0;
    let timeMs = 0;
    for (const kind of kinds) {
      const one = usage.get(`${database}.${collection}`, kind);
      ops += one.count;
      timeMs += one.timeMs;
    }
    return toDocument({
      ...(histograms && { histogram: [] }),
      latency: BigInt(timeMs) * 1000n,
      ops: BigInt(ops),
      queryableEncryptionLatencyMicros: 0n,
    });
  };
  return toDocument({
    reads: sum(['queries', 'getmore']),
    writes: sum(['insert', 'update', 'remove']),
    commands: sum(['commands']),
    transactions: sum([]),
  });
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
      accesses: toDocument({
        ops: BigInt(index.use.count),
        since: new DateTime(index.use.sinceMs),
      }),
      spec: index.spec.document,
      ...(!index.isReady && { building: true }),
    });
  }
}
