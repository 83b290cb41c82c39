/**
 * One document by id. Reads by a plain id (ObjectId or string) that arrive in the same turn of the
 * event loop and agree in everything else become one `find({_id: {$in}})`; a read never joins a
 * query already sent, so nobody sees older data than alone. Measured in design decision 4.
 */
import type { FindOptions } from 'mongodb';
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { ObjectId } from '../model/bson.ts';
import { encodeDocument, rawFieldKey, toBuffer, valueKey } from '../model/raw-bson.ts';
import { collectionOf, type MongoAccess, type PointReads } from './mongo-access.ts';
import {
  andFilters,
  type CausalToken,
  causalKeyOf,
  type FindOneRequest,
  mergeCausalTokens,
  type Namespace,
  type OperationOptions,
} from './operation-options.ts';
import { toDriverHint, toDriverReadOptions } from './read-options.ts';
import { runOperation } from './sessions.ts';

interface Waiter {
  resolve(document: Buffer | undefined): void;
  reject(error: unknown): void;
}

interface Group {
  readonly mongo: MongoAccess;
  readonly namespace: Namespace;
  readonly request: FindOneRequest;
  readonly options: OperationOptions;
  readonly causal: CausalToken[];
  readonly waiters: Map<string, { readonly id: BsonValue; readonly waiting: Waiter[] }>;
}

/** The document as raw BSON, or `undefined` when none has the id and passes the filters. */
export function findOne(
  mongo: MongoAccess,
  namespace: Namespace,
  request: FindOneRequest,
  options: OperationOptions,
): Promise<Buffer | undefined> {
  return mongo.pointReads.find(mongo, namespace, request, options);
}

/** Collects reads until the turn ends. */
export function createPointReads(config: { readonly maxBatchSize: number }): PointReads {
  let groups = new Map<string, Group>();
  function flush(): void {
    const due = groups;
    groups = new Map();
    for (const group of due.values()) void sendGroup(group);
  }
  return {
    find(mongo, namespace, request, options) {
      if (config.maxBatchSize <= 1 || !isBatchable(request, options)) {
        return findAlone(mongo, namespace, request, options);
      }
      return new Promise((resolve, reject) => {
        const key = groupKey(namespace, request, options);
        let group = groups.get(key);
        if (group !== undefined && group.waiters.size >= config.maxBatchSize) {
          groups.delete(key);
          void sendGroup(group);
          group = undefined;
        }
        if (group === undefined) {
          if (groups.size === 0) setImmediate(flush);
          group = { mongo, namespace, request, options, causal: [], waiters: new Map() };
          groups.set(key, group);
        }
        if (options.causal !== undefined) group.causal.push(options.causal);
        const idKey = typeof request.id === 'string' ? `s${request.id}` : valueKey(request.id);
        const same = group.waiters.get(idKey);
        if (same !== undefined) same.waiting.push({ resolve, reject });
        else group.waiters.set(idKey, { id: request.id, waiting: [{ resolve, reject }] });
      });
    },
  };
}

/** Reads in sessions, with hints, further conditions and other ids are sent alone. */
function isBatchable(request: FindOneRequest, options: OperationOptions): boolean {
  return (
    (typeof request.id === 'string' || request.id instanceof ObjectId) &&
    request.filter === undefined &&
    request.shardKey === undefined &&
    request.hint === undefined &&
    options.session === undefined &&
    (request.projection === undefined || keepsId(request.projection))
  );
}

function keepsId(projection: BsonDocument): boolean {
  for (const name of projection.keys()) if (name.startsWith('_id')) return false;
  return true;
}

function groupKey(
  namespace: Namespace,
  request: FindOneRequest,
  options: OperationOptions,
): string {
  const { readFilter } = options.permit;
  const filter = readFilter === undefined ? '' : encodeDocument(readFilter).toString('latin1');
  const projection =
    request.projection === undefined ? '' : encodeDocument(request.projection).toString('latin1');
  return [
    namespace.database,
    namespace.collection,
    options.readPreference ?? '',
    options.readConcern ?? '',
    options.maxTimeMS ?? '',
    causalKeyOf(options.causal),
    filter.length,
    filter,
    projection,
  ].join('\0');
}

async function sendGroup(group: Group): Promise<void> {
  const { mongo, namespace, request, waiters } = group;
  const options = { ...group.options, causal: mergeCausalTokens(group.causal) };
  try {
    if (waiters.size === 1) {
      for (const { id, waiting } of waiters.values()) {
        const document = await findAlone(mongo, namespace, { ...request, id }, options);
        for (const waiter of waiting) waiter.resolve(document);
      }
      return;
    }
    const ids = [...waiters.values()].map(({ id }) => id);
    const filter = andFilters(
      new Map([['_id', new Map([['$in', ids]])]]),
      options.permit.readFilter,
    );
    const documents = await runOperation(mongo, options, (client, session) =>
      collectionOf(client, namespace)
        .find(filter as never, {
          ...readOptions(request, options),
          batchSize: ids.length + 1,
          ...(session ? { session } : {}),
        })
        .toArray(),
    );
    let strangers = 0;
    for (const item of documents) {
      const document = toBuffer(item as unknown as Uint8Array);
      const key = rawIdKey(document);
      const found = key === undefined ? undefined : waiters.get(key);
      if (found === undefined || key === undefined) {
        strangers += 1;
        continue;
      }
      waiters.delete(key);
      for (const waiter of found.waiting) waiter.resolve(document);
    }
    await settleRest(group, strangers > 0);
  } catch (error) {
    for (const { waiting } of waiters.values()) for (const waiter of waiting) waiter.reject(error);
  }
}

/**
 * Ids that matched nothing. A document that matched no id means that the collection compares
 * strings by a collation, so that `A` may have found `a`: then each is asked for alone.
 */
async function settleRest(group: Group, alone: boolean): Promise<void> {
  const { mongo, namespace, request, options, waiters } = group;
  await Promise.all(
    [...waiters.values()].map(async ({ id, waiting }) => {
      const document = alone
        ? await findAlone(mongo, namespace, { ...request, id }, options)
        : undefined;
      for (const waiter of waiting) waiter.resolve(document);
    }),
  );
}

function rawIdKey(document: Buffer): string | undefined {
  const key = rawFieldKey(document, '_id');
  if (key === undefined) return undefined;
  if (key.charCodeAt(0) !== 0x02) return key;
  // type, length (4), text, NUL
  return `s${Buffer.from(key.slice(5, -1), 'latin1').toString('utf8')}`;
}

async function findAlone(
  mongo: MongoAccess,
  namespace: Namespace,
  request: FindOneRequest,
  options: OperationOptions,
): Promise<Buffer | undefined> {
  const filter = andFilters(
    new Map([['_id', request.id]]),
    request.shardKey,
    request.filter,
    options.permit.readFilter,
  );
  const found = await runOperation(mongo, options, (client, session) =>
    collectionOf(client, namespace).findOne(filter as never, {
      ...readOptions(request, options),
      ...(session ? { session } : {}),
    }),
  );
  return found === null ? undefined : toBuffer(found as unknown as Uint8Array);
}

function readOptions(request: FindOneRequest, options: OperationOptions): FindOptions {
  const driver: FindOptions = { ...toDriverReadOptions(options), raw: true };
  if (request.projection !== undefined) driver.projection = request.projection as never;
  if (request.hint !== undefined) driver.hint = toDriverHint(request.hint) as never;
  return driver;
}
