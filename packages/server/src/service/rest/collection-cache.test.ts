import { describe, expect, it } from 'vitest';
import { documentOf } from '../../model/bson.ts';
import { encodeDocument } from '../../model/raw-bson.ts';
import type { MongoAccess } from '../../mongo/mongo-access.ts';
import type { OperationOptions } from '../../mongo/operation-options.ts';
import { findCached, invalidateCollectionCache } from './collection-cache.ts';
import type { RestContext } from './handler.ts';
import { DEFAULT_REST_CONFIG } from './rest-config.ts';

/** A database whose one collection holds documents 0 to `size` - 1, and which counts its finds. */
function fakeDatabase(size: number) {
  const documents = Array.from({ length: size }, (_, i) => encodeDocument(documentOf({ _id: i })));
  const state = { finds: 0 };
  const collection = {
    find: (_filter: unknown, options: { skip?: number; limit?: number }) => ({
      toArray: async () => {
        state.finds += 1;
        const skip = options.skip ?? 0;
        return documents.slice(skip, skip + (options.limit ?? size));
      },
    }),
  };
  const client = { db: () => ({ collection: () => collection }) };
  return { mongo: { client } as unknown as MongoAccess, state };
}

const namespace = { database: 'db', collection: 'c' };
const options = { permit: {} } as unknown as OperationOptions;

function contextOf(mongo: MongoAccess, maxDocuments = 1000, ttlMs = 60_000): RestContext {
  const config = {
    ...DEFAULT_REST_CONFIG,
    collectionCache: { enabled: true, maxEntries: 2, ttlMs, maxDocuments },
  };
  return { mongo, config } as unknown as RestContext;
}

describe('findCached', () => {
  it('serves further pages without asking the database again', async () => {
    const { mongo, state } = fakeDatabase(25);
    const context = contextOf(mongo);
    const sizes: number[] = [];
    for (const skip of [0, 10, 20, 30]) {
      sizes.push((await findCached(context, namespace, { skip, limit: 10 }, options)).length);
    }
    expect(sizes).toEqual([10, 10, 5, 0]);
    expect(state.finds).toBe(1);
  });

  it('forgets a collection that was written to, and no other', async () => {
    const { mongo, state } = fakeDatabase(5);
    const context = contextOf(mongo);
    await findCached(context, namespace, { limit: 5 }, options);
    await findCached(context, { ...namespace, collection: 'd' }, { limit: 5 }, options);
    invalidateCollectionCache(mongo, 'db', 'c');
    await findCached(context, { ...namespace, collection: 'd' }, { limit: 5 }, options);
    expect(state.finds).toBe(2);
    await findCached(context, namespace, { limit: 5 }, options);
    expect(state.finds).toBe(3);
  });

  it('keeps queries, permits and sessions apart', async () => {
    const { mongo, state } = fakeDatabase(5);
    const context = contextOf(mongo);
    const permit = { readFilter: documentOf({ a: 1 }) };
    await findCached(context, namespace, { limit: 5 }, options);
    await findCached(context, namespace, { limit: 5, sort: documentOf({ a: 1 }) }, options);
    await findCached(context, namespace, { limit: 5 }, { permit } as unknown as OperationOptions);
    expect(state.finds).toBe(3);
  });

  it('asks the database for pages beyond what it may keep', async () => {
    const { mongo, state } = fakeDatabase(25);
    const context = contextOf(mongo, 10);
    expect(await findCached(context, namespace, { skip: 20, limit: 10 }, options)).toHaveLength(5);
    expect(await findCached(context, namespace, { skip: 0, limit: 10 }, options)).toHaveLength(10);
    expect(await findCached(context, namespace, { skip: 5, limit: 5 }, options)).toHaveLength(5);
    expect(state.finds).toBe(2);
  });
});
