/** Every option of the driver's finds and aggregations: a new one does not compile until it has a case. */
import type { AggregateOptions, Collection, FindOptions } from 'mongodb';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyDocument } from '../support/any-document.ts';
import { useEngine } from '../support/engine.ts';

const test = useEngine();

interface Case<Options> {
  readonly options: Options;
  /** `_id`s in order, or the code of a refusal. */
  readonly expected: readonly unknown[] | { readonly code: number };
}

type OwnOptions<Options, Inherited extends string> = Exclude<keyof Options, Inherited>;
type Inherited =
  | 'authdb'
  | 'bsonRegExp'
  | 'checkKeys'
  | 'dbName'
  | 'enableUtf8Validation'
  | 'explain'
  | 'fieldsAsRaw'
  | 'ignoreUndefined'
  | 'maxAwaitTimeMS'
  | 'noResponse'
  | 'omitReadPreference'
  | 'oplogReplay'
  | 'promoteBuffers'
  | 'promoteLongs'
  | 'promoteValues'
  | 'raw'
  | 'rawData'
  | 'readPreference'
  | 'retryWrites'
  | 'serializeFunctions'
  | 'session'
  | 'signal'
  | 'timeout'
  | 'timeoutMode'
  | 'timeoutMS'
  | 'useBigInt64'
  | 'willRetryWrite'
  | 'cursor'
  | 'out'
  | 'writeConcern'
  | 'bypassDocumentValidation'
  | 'tailable'
  | 'awaitData'
  | 'documentsReturnedIn'
  | 'maxAdaptiveRetries'
  | 'enableOverloadRetargeting';

const FIND: Readonly<Record<OwnOptions<FindOptions, Inherited>, readonly Case<FindOptions>[]>> = {
  limit: [
    { options: { limit: 2 }, expected: [0, 1] },
    { options: { limit: -3 }, expected: [0, 1, 2] },
  ],
  sort: [{ options: { sort: { g: 1, _id: -1 } }, expected: [2, 0, 3, 1] }],
  projection: [
    { options: { projection: { g: 1 } }, expected: [0, 1, 2, 3] },
    { options: { projection: { g: 1, h: 0 } }, expected: { code: 31254 } },
  ],
  skip: [
    { options: { skip: 3 }, expected: [3] },
    { options: { skip: -1 }, expected: { code: 51024 } },
  ],
  hint: [
    { options: { hint: 'g_1' }, expected: [0, 2, 1, 3] },
    { options: { hint: { g: 1 } }, expected: [0, 2, 1, 3] },
    { options: { hint: 'missing' }, expected: { code: 2 } },
  ],
  batchSize: [{ options: { batchSize: 1 }, expected: [0, 1, 2, 3] }],
  returnKey: [{ options: { returnKey: true, hint: '_id_' }, expected: [0, 1, 2, 3] }],
  min: [
    { options: { min: { _id: 2 }, hint: '_id_' }, expected: [2, 3] },
    { options: { min: { _id: 2 } }, expected: { code: 51173 } },
  ],
  max: [{ options: { max: { _id: 2 }, hint: '_id_' }, expected: [0, 1] }],
  maxTimeMS: [
    { options: { maxTimeMS: 10_000 }, expected: [0, 1, 2, 3] },
    { options: { maxTimeMS: -1 }, expected: { code: 2 } },
  ],
  noCursorTimeout: [{ options: { noCursorTimeout: true, batchSize: 1 }, expected: [0, 1, 2, 3] }],
  collation: [
    {
      options: { collation: { locale: 'en', strength: 2 }, sort: { t: 1 } },
      expected: [0, 1, 2, 3],
    },
    { options: { sort: { t: 1 } }, expected: [1, 3, 0, 2] },
    { options: { collation: { locale: 'xx' } }, expected: { code: 2 } },
  ],
  allowDiskUse: [{ options: { allowDiskUse: true, sort: { _id: -1 } }, expected: [3, 2, 1, 0] }],
  singleBatch: [{ options: { singleBatch: true, batchSize: 2 }, expected: [0, 1] }],
  allowPartialResults: [{ options: { allowPartialResults: true }, expected: [0, 1, 2, 3] }],
  showRecordId: [{ options: { showRecordId: true }, expected: [0, 1, 2, 3] }],
  let: [{ options: { let: { wanted: 1 } }, expected: [0, 1, 2, 3] }],
  comment: [{ options: { comment: { any: 'value' } }, expected: [0, 1, 2, 3] }],
  readConcern: [
    { options: { readConcern: { level: 'majority' } }, expected: [0, 1, 2, 3] },
    { options: { readConcern: { level: 'linearizable' } }, expected: [0, 1, 2, 3] },
    { options: { readConcern: { level: 'nothing' as 'local' } }, expected: { code: 2 } },
  ],
};

const AGGREGATE: Readonly<
  Record<OwnOptions<AggregateOptions, Inherited>, readonly Case<AggregateOptions>[]>
> = {
  allowDiskUse: [{ options: { allowDiskUse: true }, expected: [0, 1, 2, 3] }],
  batchSize: [{ options: { batchSize: 1 }, expected: [0, 1, 2, 3] }],
  maxTimeMS: [{ options: { maxTimeMS: -1 }, expected: { code: 2 } }],
  collation: [{ options: { collation: { locale: 'xx' } }, expected: { code: 2 } }],
  hint: [
    { options: { hint: { g: 1 } }, expected: [0, 2, 1, 3] },
    { options: { hint: 'missing' }, expected: { code: 2 } },
  ],
  let: [{ options: { let: { x: { $add: [1, 1] } } }, expected: [0, 1, 2, 3] }],
  comment: [{ options: { comment: 'text' }, expected: [0, 1, 2, 3] }],
  readConcern: [{ options: { readConcern: { level: 'available' } }, expected: [0, 1, 2, 3] }],
};

let collection: Collection<AnyDocument>;
beforeAll(async () => {
  collection = test().client.db('api').collection<AnyDocument>('found');
  await collection.insertMany(['a', 'B', 'c', 'D'].map((t, _id) => ({ _id, g: _id % 2, t })));
  await collection.createIndex({ g: 1 });
});

async function check(found: Promise<AnyDocument[]>, expected: Case<unknown>['expected']) {
  const answer = await found.then(
    (documents) => documents.map(({ _id }) => _id),
    (thrown: unknown) => thrown,
  );
  if (Array.isArray(expected)) expect(answer).toEqual(expected);
  else expect(answer).toMatchObject(expected);
}

describe('find', () => {
  it.each(Object.values(FIND).flat())('takes $options', async ({ options, expected }) => {
    await check(collection.find({}, options).toArray() as Promise<AnyDocument[]>, expected);
  });

  it('lets its filter use what "let" has named', async () => {
    const filter = { $expr: { $eq: ['$_id', '$$wanted'] } };
    const found = collection.find(filter, { let: { wanted: 2 } }).toArray();
    await check(found as Promise<AnyDocument[]>, [2]);
  });
});

describe('aggregate', () => {
  it.each(Object.values(AGGREGATE).flat())('takes $options', async ({ options, expected }) => {
    await check(collection.aggregate<AnyDocument>([], options).toArray(), expected);
  });
});
