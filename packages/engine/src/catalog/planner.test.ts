import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeDocument } from '../bson/codec.ts';
import { BSONRegExp, type Document, toDocument, type Value } from '../bson/value.ts';
import { PAUSE } from '../lib/pause.ts';
import { parseCollation } from '../query/collation.ts';
import { describeDocument } from '../query/describe.ts';
import { compileFilter } from '../query/filter.ts';
import { parseSort, planSort } from '../query/sort.ts';
import { type LmdbStore, openLmdbStore } from '../storage/lmdb-store.ts';
import type { ReadView, WriteBatch } from '../storage/store.ts';
import { Catalog } from './catalog.ts';
import type { Collection } from './collection.ts';
import { insertDocument, removeDocument, replaceDocument } from './documents.ts';
import { createIndexes } from './index-build.ts';
import {
  countPlan,
  ExecutionStats,
  executePlan,
  explainPlan,
  type FindOptions,
  type FoundRecord,
  planFind,
} from './planner.ts';

const document = (fields: Record<string, Value>): Document => toDocument(fields);

let folder: string;
let store: LmdbStore;
let catalog: Catalog;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-planner-'));
  store = await openLmdbStore(folder);
  catalog = Catalog.open(store);
});

afterAll(async () => {
  await catalog.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const write = <T>(work: (batch: WriteBatch) => T): Promise<T> =>
  store.write(work, { durable: false });

let collection: Collection;
let names = 0;

beforeEach(async () => {
  names += 1;
  collection = await write((batch) => catalog.create(batch, 'db', `c${names}`));
});

afterEach(async () => {
  await write((batch) => catalog.drop(batch, collection));
});

const makeIndex = (
  key: Record<string, Value>,
  options: Record<string, Value> = {},
): Promise<unknown> => {
  const name = Object.entries(key)
    .map(([path, direction]) => `${path}_${direction}`)
    .join('_');
  const spec = document({ v: 2, key: document(key), name, ...options });
  return write((batch) => createIndexes(batch, catalog, collection, [spec]));
};

const insertAll = (documents: readonly Document[]): Promise<void> =>
  write((batch) => {
    for (const one of documents) insertDocument(batch, collection, encodeDocument(one));
  });

interface Query extends Omit<FindOptions, 'filter' | 'sort'> {
  readonly filter?: Record<string, Value>;
  readonly sort?: Record<string, Value>;
}

const optionsOf = (query: Query): FindOptions => {
  const { filter, sort, ...others } = query;
  return {
    ...others,
    filter: compileFilter(document(filter ?? {}), { collation: query.collation }),
    sort: sort === undefined ? undefined : document(sort),
  };
};

function run(
  query: Query,
  view: ReadView = store.latest,
): { ids: Value[]; stats: ExecutionStats; stages: string; count: number; pauses: number } {
  const plan = planFind(collection, optionsOf(query));
  const stats = new ExecutionStats();
  const ids: Value[] = [];
  let pauses = 0;
  for (const record of executePlan(view, plan, stats)) {
    if (record === PAUSE) pauses += 1;
    else ids.push(record.document().get('_id') ?? null);
  }
  const counting = countPlan(view, plan);
  let step = counting.next();
  while (step.done !== true) step = counting.next();
  return { ids, stats, stages: stagesOf(explainPlan(plan)), count: step.value, pauses };
}

function stagesOf(explained: Document): string {
  const planner = explained.get('queryPlanner') as Document;
  const found: string[] = [];
  let node: Value | undefined = planner.get('winningPlan');
  while (node instanceof Map) {
    const index = node.get('indexName');
    found.push(`${String(node.get('stage'))}${index === undefined ? '' : `:${String(index)}`}`);
    node = node.get('inputStage');
  }
  return found.join(' ');
}

const numbered = (count: number, make: (i: number) => Record<string, Value>): Document[] =>
  Array.from({ length: count }, (_, i) => document({ _id: i, ...make(i) }));

describe('planFind', () => {
  it('finds by _id without a scan', async () => {
    await insertAll(numbered(10, () => ({})));
    const { ids, stages, stats } = run({ filter: { _id: 5 } });
    expect(ids).toEqual([5]);
    expect(stages).toBe('EXPRESS_IXSCAN:_id_');
    expect(stats.docsExamined).toBe(1);
  });

  it('reads the collection when no index helps, in natural order or backwards', async () => {
    await insertAll(numbered(5, (i) => ({ a: i % 2 })));
    expect(run({ filter: { a: 1 } })).toMatchObject({ ids: [1, 3], stages: 'COLLSCAN' });
    expect(run({ hint: document({ $natural: -1 }) }).ids).toEqual([4, 3, 2, 1, 0]);
    expect(run({ sort: { $natural: -1 }, limit: 2 }).ids).toEqual([4, 3]);
  });

  it('narrows by equality and range of a compound index, without decoding what is exact', async () => {
    await makeIndex({ a: 1, b: -1 });
    await insertAll(numbered(100, (i) => ({ a: i % 10, b: i })));
    const found = run({ filter: { a: 3, b: document({ $gt: 50, $lte: 83 }) } });
    expect(found.ids).toEqual([83, 73, 63, 53]);
    expect(found.stages).toBe('FETCH IXSCAN:a_1_b_-1');
    expect(found.stats.keysExamined).toBe(4);
    const plan = planFind(collection, optionsOf({ filter: { a: 3, b: document({ $gt: 50 }) } }));
    expect(plan.testsDocuments).toBe(false);
  });

  it('sorts by an index in both directions, also behind equal fields', async () => {
    await makeIndex({ a: 1, b: 1 });
    await insertAll(numbered(20, (i) => ({ a: i % 2, b: -i })));
    const upward = run({ filter: { a: 1 }, sort: { b: 1 }, limit: 3 });
    expect(upward).toMatchObject({ ids: [19, 17, 15], stages: 'LIMIT FETCH IXSCAN:a_1_b_1' });
    expect(upward.stats.keysExamined).toBe(3);
    expect(run({ filter: { a: 1 }, sort: { b: -1 }, limit: 2 }).ids).toEqual([1, 3]);
    expect(run({ sort: { a: -1, b: -1 }, limit: 2 }).ids).toEqual([1, 3]);
    expect(run({ sort: { a: -1, b: 1 }, limit: 2 }).stages).toContain('SORT');
  });

  it('sorts what no index orders, keeping only as many as are asked for', async () => {
    await insertAll(numbered(50, (i) => ({ a: (i * 7) % 50 })));
    const found = run({ sort: { a: -1 }, skip: 2, limit: 3 });
    expect(found.stages).toBe('SKIP SORT COLLSCAN');
    expect(found.ids.map((id) => (Number(id) * 7) % 50)).toEqual([47, 46, 45]);
  });

  it('passes over keys and documents unread', async () => {
    await makeIndex({ a: 1 });
    await insertAll(numbered(100, (i) => ({ a: i })));
    const found = run({ sort: { a: 1 }, skip: 90, limit: 2 });
    expect(found.ids).toEqual([90, 91]);
    expect(found.stats.docsExamined).toBe(2);
    expect(run({ skip: 98 })).toMatchObject({ ids: [98, 99], count: 2 });
    expect(run({ skip: 98, hint: document({ $natural: -1 }) }).ids).toEqual([1, 0]);
    expect(run({ skip: 200 }).ids).toEqual([]);
  });

  it('joins the indexes of the branches of $or', async () => {
    await makeIndex({ a: 1 });
    await makeIndex({ b: 1 });
    await insertAll(numbered(30, (i) => ({ a: i, b: i % 3 })));
    const filter = { $or: [document({ a: document({ $lt: 3 }) }), document({ b: 2 })] };
    const found = run({ filter });
    expect(found.stages).toBe('FETCH OR');
    expect([...found.ids].sort((x, y) => Number(x) - Number(y))).toEqual([
      0, 1, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29,
    ]);
  });

  it('takes prefixes from regular expressions', async () => {
    await makeIndex({ s: 1 });
    await insertAll(numbered(30, (i) => ({ s: `${i}x` })));
    const found = run({ filter: { s: new BSONRegExp('^2', '') } });
    expect(found.ids).toHaveLength(11);
    expect(found.stats.keysExamined).toBe(11);
  });

  it('obeys hints and refuses those that name no index', async () => {
    await makeIndex({ a: 1 });
    await makeIndex({ b: 1 }, { hidden: true });
    await insertAll(numbered(5, (i) => ({ a: i, b: i })));
    expect(run({ filter: { _id: 3 }, hint: 'a_1' })).toMatchObject({
      ids: [3],
      stages: 'FETCH IXSCAN:a_1',
    });
    expect(run({ filter: { a: 3 }, hint: document({ _id: 1 }) }).stages).toBe('FETCH IXSCAN:_id_');
    expect(run({ filter: { b: 1 } }).stages).toBe('COLLSCAN');
    for (const hint of ['nope', 'b_1', document({ a: -1 })]) {
      expect(() => run({ hint })).toThrow('hint provided does not correspond to an existing index');
    }
  });

  it('scans between min and max', async () => {
    await makeIndex({ a: 1 });
    await insertAll(numbered(10, (i) => ({ a: i })));
    const limits = { hint: document({ a: 1 }), min: document({ a: 3 }), max: document({ a: 6 }) };
    expect(run(limits).ids).toEqual([3, 4, 5]);
  });

  it('uses partial and sparse indexes only where they have every match', async () => {
    await makeIndex({ a: 1 }, { partialFilterExpression: document({ b: document({ $gt: 5 }) }) });
    await makeIndex({ s: 1 }, { sparse: true });
    await insertAll(numbered(10, (i) => ({ a: 1, b: i, ...(i < 3 ? { s: i } : {}) })));
    expect(run({ filter: { a: 1, b: document({ $gte: 7 }) } })).toMatchObject({
      ids: [7, 8, 9],
      stages: 'FETCH IXSCAN:a_1',
    });
    expect(run({ filter: { a: 1, b: document({ $gte: 4 }) } }).stages).toBe('COLLSCAN');
    expect(run({ sort: { s: 1 } }).ids).toHaveLength(10);
    expect(run({ filter: { s: null } })).toMatchObject({ count: 7, stages: 'COLLSCAN' });
    expect(run({ filter: { s: document({ $exists: true }) } })).toMatchObject({
      count: 3,
      stages: 'FETCH IXSCAN:s_1',
    });
  });

  it('finds equal strings by a collation through an index that has it', async () => {
    const collation = parseCollation(document({ locale: 'en', strength: 2 }));
    const spec = document({ locale: 'en', strength: 2 });
    await makeIndex({ s: 1 }, { collation: spec, unique: true });
    await insertAll(['Élan', 'beta', 'Gamma'].map((s, i) => document({ _id: i, s })));
    expect(run({ filter: { s: 'ÉLAN' }, collation })).toMatchObject({
      ids: [0],
      stages: 'FETCH IXSCAN:s_1',
    });
    expect(run({ filter: { s: 'elan' }, collation }).ids).toEqual([]);
    expect(run({ filter: { s: 'BETA' } })).toMatchObject({ ids: [], stages: 'COLLSCAN' });
    await expect(insertAll([document({ _id: 9, s: 'BETA' })])).rejects.toMatchObject({
      code: 11000,
    });
    await insertAll([document({ _id: 10, s: 'bêta' })]);
  });

  it('serves hashed and wildcard indexes', async () => {
    await makeIndex({ h: 'hashed' });
    await makeIndex({ '$**': 1 });
    await insertAll(numbered(20, (i) => ({ h: `h${i}`, x: document({ y: [i, i + 1] }) })));
    expect(run({ filter: { h: 'h7' } })).toMatchObject({ ids: [7] });
    expect(run({ filter: { 'x.y': 7 } })).toMatchObject({
      ids: [6, 7],
      stages: 'FETCH IXSCAN:$**_1',
    });
    expect(run({ filter: { 'x.y': document({ $gt: 18 }) } }).ids).toEqual([18, 19]);
  });

  it('yields pauses while it looks at documents that do not match', async () => {
    await insertAll(numbered(2000, (i) => ({ a: i })));
    const found = run({ filter: { a: 1999 } });
    expect(found.ids).toEqual([1999]);
    expect(found.pauses).toBeGreaterThan(5);
  });

  it('neither repeats nor invents documents while others write between its steps', async () => {
    await makeIndex({ a: 1 });
    await insertAll(numbered(300, (i) => ({ a: i })));
    const plan = planFind(collection, optionsOf({ filter: { a: document({ $gte: 0 }) } }));
    const seen: FoundRecord[] = [];
    const removed = new Set<Value>();
    for (const record of executePlan(store.latest, plan)) {
      if (record === PAUSE) continue;
      expect(removed.has(record.document().get('_id') ?? null)).toBe(false);
      seen.push(record);
      const ahead = Number(record.document().get('_id')) + 2;
      if (seen.length % 10 === 0) {
        await write((batch) => {
          for (const next of executePlan(
            batch,
            planFind(collection, optionsOf({ filter: { _id: ahead } })),
          )) {
            if (next === PAUSE) continue;
            removeDocument(batch, collection, next);
            removed.add(ahead);
          }
        });
      }
    }
    expect(seen.length + removed.size).toBe(300);
  });

  it("merges a transaction's own writes into its scans", async () => {
    await makeIndex({ a: 1 });
    await insertAll(numbered(10, (i) => ({ a: i })));
    const transaction = store.begin();
    const target = (id: number): FoundRecord => {
      const plan = planFind(collection, optionsOf({ filter: { _id: id } }));
      const [record] = [...executePlan(transaction, plan)];
      if (record === undefined || record === PAUSE) throw new Error('missing');
      return record;
    };
    replaceDocument(
      transaction,
      collection,
      target(2),
      encodeDocument(document({ _id: 2, a: 99 })),
    );
    removeDocument(transaction, collection, target(3));
    insertDocument(transaction, collection, encodeDocument(document({ _id: 20, a: 4 })));
    const query = { filter: { a: document({ $gt: 2 }) }, sort: { a: 1 } };
    expect(run(query, transaction).ids).toEqual([4, 20, 5, 6, 7, 8, 9, 2]);
    expect(run(query).ids).toEqual([3, 4, 5, 6, 7, 8, 9]);
    transaction.abort();
  });
});

describe('planFind against a plain evaluation', () => {
  const scalar: fc.Arbitrary<Value> = fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 4 }), weight: 30 },
    fc.constantFrom<Value>(null, 'a', 'ab', 'b', true, 1.5, 2n, -0, Number.NaN),
  );
  const inner = fc.oneof(
    { arbitrary: fc.record({ x: scalar, y: scalar }).map((one) => document(one)), weight: 6 },
    fc
      .record({ x: fc.array(scalar, { maxLength: 2 }), y: scalar }, { requiredKeys: [] })
      .map((one) => document(one as Record<string, Value>)),
    scalar,
  );
  const nested: fc.Arbitrary<Value> = fc.oneof(
    { arbitrary: scalar, weight: 3 },
    { arbitrary: fc.array(scalar, { maxLength: 3 }), weight: 4 },
    { arbitrary: fc.array(inner, { maxLength: 3 }), weight: 4 },
    fc.array(fc.array(scalar, { maxLength: 2 }), { maxLength: 2 }),
    inner,
  );
  // one field that may hold arrays, as compound indexes take no two
  const fields = fc.oneof(
    { arbitrary: fc.record({ a: nested, b: scalar, c: scalar }), weight: 5 },
    fc.record({ a: nested, b: scalar, c: scalar }, { requiredKeys: [] }),
  );

  const condition: fc.Arbitrary<Value> = fc.oneof(
    { arbitrary: scalar, weight: 6 },
    {
      arbitrary: fc
        .tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$eq', '$ne'), scalar)
        .map(([op, value]) => document({ [op]: value })),
      weight: 6,
    },
    {
      arbitrary: fc.tuple(scalar, scalar).map(([low, high]) => document({ $gte: low, $lt: high })),
      weight: 6,
    },
    {
      arbitrary: fc.array(scalar, { maxLength: 3 }).map((values) => document({ $in: values })),
      weight: 3,
    },
    fc.array(scalar, { maxLength: 2 }).map((values) => document({ $nin: values })),
    fc.boolean().map((exists) => document({ $exists: exists })),
    fc.constantFrom<Value>(
      document({ $type: 'number' }),
      document({ $type: ['string', 'bool'] }),
      document({ $mod: [2, 1] }),
      document({ $regex: '^a' }),
      document({ $size: 2 }),
      [1],
      [],
      [1, 2],
    ),
    fc.array(scalar, { minLength: 1, maxLength: 2 }).map((values) => document({ $all: values })),
    scalar.map((value) => document({ $not: document({ $gt: value }) })),
  );
  const operator: fc.Arbitrary<Value> = fc.oneof(
    { arbitrary: condition, weight: 8 },
    fc
      .tuple(scalar, scalar)
      .map(([low, high]) => document({ $elemMatch: document({ $gte: low, $lte: high }) })),
    fc.tuple(condition, condition).map(([x, y]) => document({ $elemMatch: document({ x, y }) })),
  );
  const path = fc.constantFrom('a', 'a', 'a.x', 'a.y', 'b', 'c');
  const simple = fc
    .array(fc.tuple(path, operator), { minLength: 1, maxLength: 3 })
    .map((pairs) => document(Object.fromEntries(pairs)));
  const filter: fc.Arbitrary<Document> = fc.oneof(
    { arbitrary: simple, weight: 4 },
    fc.tuple(simple, simple).map(([one, other]) => document({ $or: [one, other] })),
    fc.tuple(simple, simple).map(([one, other]) => document({ $and: [one, other] })),
    fc
      .tuple(simple, simple, simple)
      .map(([one, two, three]) => new Map([...one, ['$or', [two, three]]])),
  );
  const sort = fc
    .uniqueArray(fc.constantFrom('a', 'a.x', 'b', 'c', '_id'), { maxLength: 2 })
    .chain((paths) =>
      fc
        .array(fc.constantFrom(1, -1), { minLength: paths.length, maxLength: paths.length })
        .map((directions) =>
          document(Object.fromEntries(paths.map((path, i) => [path, directions[i] ?? 1]))),
        ),
    );
  const indexKey = fc
    .uniqueArray(fc.constantFrom('a', 'a.x', 'a.y', 'b', 'c'), { minLength: 1, maxLength: 3 })
    .chain((paths) =>
      fc
        .array(fc.constantFrom(1, -1), { minLength: paths.length, maxLength: paths.length })
        .map((directions) =>
          document(Object.fromEntries(paths.map((path, i) => [path, directions[i] ?? 1]))),
        ),
    );
  const index = fc.record({
    key: fc.oneof(
      { arbitrary: indexKey, weight: 5 },
      fc.constantFrom(document({ '$**': 1 }), document({ b: 'hashed' })),
    ),
    sparse: fc.boolean(),
    partial: fc.option(
      fc.constantFrom(
        document({ b: document({ $gte: 1 }) }),
        document({ c: document({ $exists: true }) }),
        document({ a: 1 }),
      ),
      { freq: 4, nil: undefined },
    ),
  });

  it('finds the same documents in the same order, whatever the indexes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fields, { minLength: 15, maxLength: 25 }),
        fc.array(index, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(filter, sort, fc.nat(3), fc.nat(5)), { minLength: 25, maxLength: 25 }),
        async (contents, indexes, queries) => {
          const documents = contents.map((one, i) =>
            document({ _id: i, ...one } as Record<string, Value>),
          );
          const kept = await write((batch) => {
            collection = catalog.create(batch, 'db', `p${++names}`);
            indexes.forEach(({ key, sparse, partial }, i) => {
              const isPlain = !key.has('$**') && key.get('b') !== 'hashed';
              const spec = document({ v: 2, key, name: `i${i}` });
              if (partial !== undefined) spec.set('partialFilterExpression', partial);
              else if (sparse && isPlain) spec.set('sparse', true);
              try {
                createIndexes(batch, catalog, collection, [spec]);
              } catch {
                // the same index twice
              }
            });
            return documents.filter((one) => {
              try {
                insertDocument(batch, collection, encodeDocument(one));
                return true;
              } catch {
                // parallel arrays under a.x and a.y
                return false;
              }
            });
          });
          for (const [filterSpec, sortSpec, skip, limit] of queries) {
            const compiled = compileFilter(filterSpec);
            const matching = kept.filter((one) => compiled.matches(one));
            const plan = planFind(collection, { filter: compiled });
            const ids = [...executePlan(store.latest, plan)].flatMap((one) =>
              one === PAUSE ? [] : [Number(one.document().get('_id'))],
            );
            const expected = matching.map((one) => Number(one.get('_id')));
            expect(
              [...ids].sort((x, y) => x - y),
              `${describeDocument(filterSpec)} by ${describeDocument(explainPlan(plan).get('queryPlanner') as Document)} in ${kept.map(describeDocument).join(' ')}`,
            ).toEqual(expected);
            const counting = countPlan(store.latest, plan);
            let step = counting.next();
            while (step.done !== true) step = counting.next();
            expect(step.value).toBe(expected.length);

            const order = planSort(parseSort(sortSpec));
            const sorted = [
              ...executePlan(
                store.latest,
                planFind(collection, { filter: compiled, sort: sortSpec, skip, limit }),
              ),
            ].flatMap((one) => (one === PAUSE ? [] : [one.document()]));
            const reference = [...matching]
              .sort((x, y) => order.compare(x, y))
              .slice(skip, limit === 0 ? undefined : skip + limit);
            expect(sorted.length).toBe(reference.length);
            sorted.forEach((one, i) => {
              expect(Math.abs(order.compare(one, reference[i] as Document))).toBe(0);
            });
          }
          await write((batch) => catalog.drop(batch, collection));
        },
      ),
      { numRuns: 60 },
    );
    collection = await write((batch) => catalog.create(batch, 'db', `p${++names}`));
  }, 60_000);
});
