/**
 * The functions of `mongo/` on a real database: the embedded engine, or the one `MONGODB_URI`
 * names.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OPEN_PERMIT } from '../src/authz/open-permit.ts';
import type { BsonDocument, BsonValue } from '../src/model/bson.ts';
import { ObjectId } from '../src/model/bson.ts';
import type { Permit } from '../src/model/permit.ts';
import { decodeDocument } from '../src/model/raw-bson.ts';
import { bulkDelete, bulkUpdate, bulkWriteDocuments } from '../src/mongo/bulk-write.ts';
import {
  createCollection,
  dropCollection,
  listCollectionNames,
  loadCollection,
  writeCollectionProperties,
} from '../src/mongo/collections.ts';
import { count } from '../src/mongo/count.ts';
import { dropDatabase, listDatabaseNames, loadDatabase } from '../src/mongo/databases.ts';
import { deleteDocument } from '../src/mongo/delete-one.ts';
import { find } from '../src/mongo/find.ts';
import { findOne } from '../src/mongo/find-one.ts';
import { createIndex, dropIndex, listIndexes } from '../src/mongo/indexes.ts';
import { insertOne } from '../src/mongo/insert.ts';
import type { MongoAccess } from '../src/mongo/mongo-access.ts';
import type { OperationOptions } from '../src/mongo/operation-options.ts';
import {
  abortTransaction,
  commitTransaction,
  createSessionId,
  findTransaction,
  startTransaction,
} from '../src/mongo/sessions.ts';
import { type WriteRequest, writeDocument } from '../src/mongo/write.ts';
import { parseJson } from '../src/representation/json-reader.ts';
import { writeJson } from '../src/representation/json-writer.ts';
import { openMongo } from './open-mongo.ts';

const namespace = { database: 'data_access_test', collection: 'c' };
const permit: Permit = OPEN_PERMIT;
const options: OperationOptions = { permit };
let mongo: MongoAccess;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ mongo, close } = await openMongo());
});
afterAll(() => close());
beforeEach(async () => {
  await mongo.client.db(namespace.database).dropDatabase();
  mongo.metadata.clear();
});

const doc = (text: string) => parseJson(text) as BsonDocument;
const show = (raw: Uint8Array | undefined) =>
  raw === undefined ? undefined : writeJson(decodeDocument(raw));
const insert = (text: string, more: Partial<OperationOptions> = {}) =>
  insertOne(mongo, namespace, doc(text), { ...options, ...more });
const read = async (id: BsonValue, more: Partial<OperationOptions> = {}) =>
  show(await findOne(mongo, namespace, { id }, { ...options, ...more }));
const write = (request: Partial<WriteRequest>, more: Partial<OperationOptions> = {}) =>
  writeDocument(
    mongo,
    namespace,
    { id: 'w', mode: 'update', change: { kind: 'replace', document: doc('{a: 1}') }, ...request },
    { ...options, ...more },
  );

describe('batched inserts and reads', () => {
  it('give each request its own result', async () => {
    const results = await Promise.allSettled(
      ['{_id: "a"}', '{_id: "b", "2": 1, "1": 2.0}', '{_id: "a"}'].map((text) => insert(text)),
    );
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(results[2]).toMatchObject({ reason: { status: 409 } });
    expect(await Promise.all(['a', 'none', 'b', 'a'].map((id) => read(id)))).toEqual([
      '{"_id": "a"}',
      undefined,
      '{"_id": "b", "2": 1, "1": 2.0}',
      '{"_id": "a"}',
    ]);
  });

  it('never show a document outside the read filter', async () => {
    await Promise.all([insert('{_id: "a", x: 1}'), insert('{_id: "b", x: 2}')]);
    const narrow: Permit = { ...permit, readFilter: doc('{x: 1}') };
    expect(
      await Promise.all([read('a', { permit: narrow }), read('b', { permit: narrow }), read('b')]),
    ).toEqual(['{"_id": "a", "x": 1}', undefined, '{"_id": "b", "x": 2}']);
    expect(await find(mongo, namespace, {}, { permit: narrow })).toHaveLength(1);
    expect((await count(mongo, namespace, { estimated: true }, { permit: narrow })).count).toBe(1);
  });
});

describe('writes of one document', () => {
  const rows: readonly [string, Partial<WriteRequest>, string][] = [
    ['update of a missing one', { id: 'x' }, 'notFound'],
    ['update', {}, 'updated'],
    ['insert of an existing one', { mode: 'insert' }, 'duplicate'],
    ['insert', { id: 'x', mode: 'insert' }, 'created'],
    ['upsert of a new one', { id: 'x', mode: 'upsert' }, 'created'],
    ['upsert of an existing one', { mode: 'upsert' }, 'updated'],
    ['update past a filter', { filter: doc('{a: 9}') }, 'notFound'],
    ['upsert past a filter', { mode: 'upsert', filter: doc('{a: 9}') }, 'duplicate'],
    [
      'operators on a new document',
      { id: 'x', mode: 'insert', change: { kind: 'update', operators: doc('{$set: {a: 1}}') } },
      'created',
    ],
    [
      'operators as an insert of an existing one',
      { mode: 'insert', change: { kind: 'update', operators: doc('{$set: {a: 1}}') } },
      'duplicate',
    ],
    ['a pipeline', { change: { kind: 'pipeline', stages: [doc('{$set: {b: "$a"}}')] } }, 'updated'],
    [
      'a required ETag that is missing',
      { etag: { required: true, presented: undefined } },
      'etagMissing',
    ],
    [
      'a required ETag of no document',
      { id: 'x', mode: 'upsert', etag: { required: true, presented: undefined } },
      'created',
    ],
    [
      'an ETag in quotes',
      { etag: { required: true, presented: '"5e0be10000000000000000aa"' } },
      'etagMismatch',
    ],
    [
      'the stored ETag',
      { etag: { required: true, presented: '5e0be10000000000000000aa' } },
      'updated',
    ],
  ];
  it.each(rows)('%s', async (_, request, outcome) => {
    await insert('{_id: "w", a: 1, _etag: {$oid: "5e0be10000000000000000aa"}}');
    expect(await write(request)).toMatchObject({ outcome });
  });

  it('let only one of several writers with the same ETag through', async () => {
    await insert('{_id: "w", _etag: {$oid: "5e0be10000000000000000aa"}}');
    const outcomes = await Promise.all(
      [1, 2, 3, 4, 5].map((n) =>
        write({
          etag: { required: true, presented: '5e0be10000000000000000aa' },
          change: {
            kind: 'replace',
            document: new Map<string, BsonValue>([
              ['n', n],
              ['_etag', new ObjectId()],
            ]),
          },
        }),
      ),
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'updated')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'etagMismatch')).toHaveLength(4);
  });

  it('give the document before or after', async () => {
    await insert('{_id: "w", a: 0}');
    expect(show((await write({ returnDocument: 'before' })).document)).toBe('{"_id": "w", "a": 0}');
    expect(show((await write({ returnDocument: 'after' })).document)).toBe('{"_id": "w", "a": 1}');
  });

  it('respect the write filter', async () => {
    await insert('{_id: "w", a: 1}');
    const narrow: Permit = { ...permit, writeFilter: doc('{a: 2}') };
    expect(await write({}, { permit: narrow })).toMatchObject({ outcome: 'notFound' });
    const deleted = await deleteDocument(mongo, namespace, { id: 'w' }, { permit: narrow });
    expect(deleted.outcome).toBe('notFound');
    expect((await deleteDocument(mongo, namespace, { id: 'w' }, options)).outcome).toBe('deleted');
  });
});

describe('bulk writes', () => {
  it('report per item and go on after an error', async () => {
    const documents = ['{_id: 1, a: 1}', '{_id: 2}', '{_id: 1}'].map(doc);
    const result = await bulkWriteDocuments(
      mongo,
      namespace,
      { mode: 'insert', documents },
      options,
    );
    expect(result).toMatchObject({
      inserted: 2,
      newIds: [1, 2],
      errors: [{ index: 2, code: 11000 }],
    });
    const upserts = [doc('{_id: 1, a: 3}'), doc('{_id: 7, a: 3}')];
    expect(
      await bulkWriteDocuments(mongo, namespace, { mode: 'upsert', documents: upserts }, options),
    ).toMatchObject({ inserted: 1, matched: 1, modified: 1, newIds: [7] });
    const change = { kind: 'update' as const, operators: doc('{$set: {z: 1}}') };
    expect(
      await bulkUpdate(mongo, namespace, { filter: doc('{a: 3}'), change }, options),
    ).toMatchObject({ matched: 2, modified: 2 });
    expect(await bulkDelete(mongo, namespace, { filter: doc('{z: 1}') }, options)).toMatchObject({
      deleted: 2,
    });
  });
});

describe('databases and collections', () => {
  it('exist by a collection or by their properties', async () => {
    expect((await loadDatabase(mongo, namespace.database)).exists).toBe(false);
    await createCollection(mongo, namespace);
    await createCollection(mongo, namespace);
    expect((await loadDatabase(mongo, namespace.database)).exists).toBe(true);
    const change = {
      kind: 'replace' as const,
      document: doc('{x: 1, _etag: {$oid: "5e0be10000000000000000aa"}}'),
    };
    await writeCollectionProperties(mongo, namespace, { change });
    expect((await loadCollection(mongo, namespace)).properties?.get('x')).toBe(1);
    expect(await listCollectionNames(mongo, namespace.database)).toEqual(['c']);
    expect(await listDatabaseNames(mongo)).toContain(namespace.database);
  });

  it('are dropped under the ETag of their properties', async () => {
    await createCollection(mongo, namespace);
    const change = {
      kind: 'replace' as const,
      document: doc('{_etag: {$oid: "5e0be10000000000000000aa"}}'),
    };
    await writeCollectionProperties(mongo, namespace, { change });
    const drop = (presented: string | undefined) =>
      dropCollection(mongo, namespace, { required: true, presented });
    expect((await drop(undefined)).outcome).toBe('etagMissing');
    expect((await drop('5e0be10000000000000000ab')).outcome).toBe('etagMismatch');
    expect((await drop('5e0be10000000000000000aa')).outcome).toBe('deleted');
    expect((await loadCollection(mongo, namespace)).exists).toBe(false);
    const dropped = await dropDatabase(mongo, namespace.database, {
      required: true,
      presented: undefined,
    });
    expect(dropped.outcome).toBe('deleted');
  });

  it('list, make and drop indexes', async () => {
    await insert('{_id: 1, q: 1}');
    await createIndex(mongo, namespace, 'byQ', doc('{key: {q: 1}, sparse: true}'));
    const names = (await listIndexes(mongo, namespace)).map((index) => index.get('name'));
    expect(names).toEqual(['_id_', 'byQ']);
    await dropIndex(mongo, namespace, 'byQ');
    await expect(dropIndex(mongo, namespace, 'byQ')).rejects.toMatchObject({ status: 500 });
  });
});

describe('sessions and transactions', () => {
  const session = (sessionId: string, transactionNumber: number) => ({
    session: { sessionId, transactionNumber },
  });

  it('keep their writes to themselves until the commit', async () => {
    await createCollection(mongo, namespace);
    const id = createSessionId(true, randomBytes);
    expect(await findTransaction(mongo, id)).toBeUndefined();
    expect(await startTransaction(mongo, id)).toBe(1);
    expect(await startTransaction(mongo, id)).toBeUndefined();
    await insert('{_id: "t"}', session(id, 1));
    expect(await read('t', session(id, 1))).toBe('{"_id": "t"}');
    expect(await read('t')).toBeUndefined();
    await expect(insert('{_id: "u"}', session(id, 5))).rejects.toMatchObject({ status: 400 });
    expect(await findTransaction(mongo, id)).toEqual({ id: 1, status: 'IN' });
    await commitTransaction(mongo, { sessionId: id, transactionNumber: 1 });
    await commitTransaction(mongo, { sessionId: id, transactionNumber: 1 });
    expect(await read('t')).toBe('{"_id": "t"}');
    expect(await findTransaction(mongo, id)).toEqual({ id: 1, status: 'COMMITTED' });
    expect(await startTransaction(mongo, id)).toBe(2);
    await abortTransaction(mongo, { sessionId: id, transactionNumber: 2 });
    await expect(
      abortTransaction(mongo, { sessionId: id, transactionNumber: 2 }),
    ).rejects.toMatchObject({ status: 400 });
  });

  it('answer 409 to the later of two writers', async () => {
    await insert('{_id: "w"}');
    const first = createSessionId(true, randomBytes);
    const second = createSessionId(true, randomBytes);
    await startTransaction(mongo, first);
    await startTransaction(mongo, second);
    await write({}, session(first, 1));
    await expect(write({}, session(second, 1))).rejects.toMatchObject({
      status: 409,
      message: 'Write conflict inside transaction',
    });
    await commitTransaction(mongo, { sessionId: first, transactionNumber: 1 });
    expect(await read('w')).toBe('{"_id": "w", "a": 1}');
  });
});
