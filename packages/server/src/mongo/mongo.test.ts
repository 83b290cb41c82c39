import {
  BSON,
  MongoClient,
  MongoNetworkError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { QuorateError } from '../errors/quorate-error.ts';
import type { BsonDocument } from '../model/bson.ts';
import { Double, Timestamp } from '../model/bson.ts';
import { toClientOptions } from './client.ts';
import { commandErrorDetails, isUnavailable, mapDatabaseError } from './map-error.ts';
import { MetadataCache, type ResourceMetadata } from './metadata-cache.ts';
import { andFilters, mergeCausalTokens } from './operation-options.ts';
import {
  isAcknowledged,
  toDriverHint,
  toDriverSort,
  toDriverWriteOptions,
} from './read-options.ts';
import { createSessionId, isSessionId, openSession } from './sessions.ts';

describe('database errors', () => {
  it('of names that BSON cannot hold are 400, whichever copy of the library refuses them', () => {
    // of another copy, as it is no instance of the class that is imported here
    const ofAnotherCopy = Object.assign(new Error('null bytes'), {
      name: 'BSONError',
      bsonError: true,
    });
    for (const refusal of [new BSON.BSONError('null bytes'), ofAnotherCopy]) {
      const expected = { status: 400, message: 'Invalid BSON: null bytes' };
      expect(mapDatabaseError(refusal)).toMatchObject(expected);
    }
  });

  const rows: readonly [number, number, string][] = [
    [
      11000,
      409,
      'Duplicate key error (insert with existing _id, update a document not matching specified filter or unique index violation)',
    ],
    [112, 409, 'Write conflict inside transaction'],
    [225, 400, 'The given transaction is not in-progress'],
    [251, 400, 'The given transaction is not in-progress'],
    [256, 400, 'The given transaction is not in-progress'],
    [121, 400, 'Document failed validation'],
    [50, 408, 'Operation exceeded time limit'],
    [2, 400, 'Invalid query parameter: text'],
    [31254, 400, 'Invalid query parameter: text'],
    [54, 400, 'Invalid query parameter: text'],
    [31253, 400, 'Keys projection cannot have a mix of inclusion and exclusion'],
    [15974, 400, 'Invalid sort parameter'],
    [73, 400, 'Invalid database name'],
    [27, 500, "Command failed with error 27 (Name): 'text'"],
  ];
  it.each(rows)('with code %i are answered %i', (code, status, message) => {
    const error = mapDatabaseError(
      new MongoServerError({ message: 'text', errmsg: 'text', code, codeName: 'Name' }),
    );
    expect(error).toBeInstanceOf(QuorateError);
    expect(error).toMatchObject({ status, message });
  });

  it.each([
    new MongoNetworkError('cut off'),
    new MongoServerSelectionError('nobody', { type: 'ReplicaSetNoPrimary' } as never),
    new MongoServerError({ message: 'not primary', code: 10107 }),
    new MongoServerError({ message: 'shutting down', code: 91 }),
  ])('of a database in trouble are 503 and say when to come back: %s', (cause) => {
    expect(isUnavailable(cause)).toBe(true);
    const error = mapDatabaseError(cause);
    expect(error).toMatchObject({ status: 503, retryable: true });
    expect((error as QuorateError).headers).toEqual([['Retry-After', '1']]);
  });

  it.each(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED'])(
    'takes a bare %s of a dying socket for a database that cannot be reached',
    (code) => {
      const cause = Object.assign(new Error('write failed'), { code });
      expect(isUnavailable(cause)).toBe(true);
      expect(mapDatabaseError(cause)).toMatchObject({ status: 503, retryable: true, cause });
    },
  );

  it('keep code, name and the first 100 characters of the text for the error object', () => {
    const cause = new MongoServerError({ message: 'x'.repeat(120), code: 5, codeName: 'Five' });
    expect(commandErrorDetails(mapDatabaseError(cause))).toEqual({
      code: 5,
      codeName: 'Five',
      errmsg: `${'x'.repeat(100)}...`,
    });
  });

  it('of other origin stay as they are', () => {
    const error = new TypeError('bug');
    expect(mapDatabaseError(error)).toBe(error);
  });
});

describe('metadata cache', () => {
  const found: ResourceMetadata = { exists: true, properties: undefined };

  it('loads once for concurrent callers and again after its time', async () => {
    let now = 0;
    let loads = 0;
    const cache = new MetadataCache({ ttlMs: 10, now: () => now });
    const load = () =>
      cache.load('db', 'c', async () => {
        loads += 1;
        return found;
      });
    await Promise.all([load(), load()]);
    expect(loads).toBe(1);
    now = 10;
    await load();
    expect(loads).toBe(2);
  });

  it('does not keep what does not exist, nor failures', async () => {
    let loads = 0;
    const cache = new MetadataCache({ ttlMs: 1000 });
    const load = (outcome: () => Promise<ResourceMetadata>) =>
      cache.load('db', undefined, () => {
        loads += 1;
        return outcome();
      });
    await load(async () => ({ exists: false, properties: undefined }));
    await expect(load(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await load(async () => found);
    expect(loads).toBe(3);
  });

  it('forgets a load that was under way during an own write', async () => {
    const cache = new MetadataCache({ ttlMs: 1000 });
    let finish: (value: ResourceMetadata) => void = () => undefined;
    const stale = cache.load('db', 'c', () => new Promise((resolve) => (finish = resolve)));
    cache.invalidate('db', 'c');
    finish({ exists: true, properties: new Map([['v', 1]]) });
    await stale;
    const fresh = await cache.load('db', 'c', async () => found);
    expect(fresh).toBe(found);
  });

  it('drops a database together with its collections', async () => {
    const cache = new MetadataCache({ ttlMs: 1000 });
    await cache.load('db', 'c', async () => found);
    cache.invalidate('db');
    const other: ResourceMetadata = { exists: true, properties: new Map() };
    expect(await cache.load('db', 'c', async () => other)).toBe(other);
  });
});

describe('options in the words of the driver', () => {
  it('joins filters by $and only when there are several', () => {
    const a: BsonDocument = new Map([['a', 1]]);
    const b: BsonDocument = new Map([['b', 1]]);
    expect(andFilters(undefined, new Map())).toEqual(new Map());
    expect(andFilters(undefined, a)).toBe(a);
    expect(andFilters(a, b)).toEqual(new Map([['$and', [a, b]]]));
  });

  it('takes any number type as a sort direction and refuses others as the database would', () => {
    const sort = toDriverSort(
      new Map<string, never>([
        ['a', new Double(-1) as never],
        ['b', new Map([['$meta', 'textScore']]) as never],
      ]),
    );
    expect([...sort]).toEqual([
      ['a', -1],
      ['b', { $meta: 'textScore' }],
    ]);
    expect(() => toDriverSort(new Map([['a', 2]]))).toThrow('Wrong sort parameter');
    expect(() => toDriverSort(new Map([['a', 'x']]))).toThrow('Invalid sort parameter');
  });

  it('gives hints as plain objects, which the driver copies field by field', () => {
    expect(toDriverHint(new Map([['a', 1]]))).toEqual({ a: 1 });
    expect(toDriverHint('a_1')).toBe('a_1');
  });

  it('lets the connection string win over the defaults', () => {
    const connectionString = 'mongodb://h/?serverSelectionTimeoutms=5&maxPoolSize=7';
    const options = toClientOptions({ connectionString, maxPoolSize: 3 });
    expect(options.serverSelectionTimeoutMS).toBeUndefined();
    expect(options.maxPoolSize).toBeUndefined();
    expect(options.waitQueueTimeoutMS).toBe(10_000);
  });

  it('keeps writes in sessions acknowledged', () => {
    const session = { sessionId: 'x' };
    const writeConcern = { w: 0 };
    expect(isAcknowledged({ writeConcern })).toBe(false);
    expect(isAcknowledged({ writeConcern, session })).toBe(true);
    expect(toDriverWriteOptions({ writeConcern, session })).toEqual({});
  });

  it('merges causal tokens into the latest time and reports to all', () => {
    const early = { after: new Timestamp({ t: 1, i: 1 }) };
    const late = { after: new Timestamp({ t: 2, i: 1 }) };
    const merged = mergeCausalTokens([early, {}, late]);
    expect(merged?.after).toEqual(late.after);
    const seen = new Timestamp({ t: 3, i: 1 });
    if (merged !== undefined) merged.operationTime = seen;
    expect(early).toMatchObject({ operationTime: seen });
    expect(late).toMatchObject({ operationTime: seen });
  });
});

describe('client-chosen sessions', () => {
  it('say in bit 0x20 of the 9th byte whether they are causally consistent', () => {
    const zeros = (n: number) => Buffer.alloc(n);
    expect(createSessionId(true, zeros)).toBe('00000000-0000-4000-a000-000000000000');
    expect(createSessionId(false, zeros)).toBe('00000000-0000-4000-8000-000000000000');
    expect(isSessionId('00000000-0000-4000-8000-000000000000')).toBe(true);
    expect(isSessionId('nonsense')).toBe(false);
  });

  it('make the driver speak with their id and transaction number', () => {
    const client = new MongoClient('mongodb://localhost:1');
    const sessionId = '00112233-4455-6677-8899-aabbccddeeff';
    const session = openSession(client, { sessionId, transactionNumber: 7 });
    expect(session.inTransaction()).toBe(true);
    expect(session.id?.id.toString('hex')).toBe(sessionId.replaceAll('-', ''));
    expect(session.serverSession.txnNumber).toBe(7);
    const outside = openSession(client, { sessionId });
    expect(outside.inTransaction()).toBe(false);
  });
});
