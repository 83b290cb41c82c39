/** Indexes: rest-resources.md §3. */
import { expect } from 'vitest';
import type { RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §3';
const QTY = 'PUT /{db}/{c}/_indexes/qtyIdx {"keys":{"qty":1},"ops":{"sparse":true}}';

const REFUSED: readonly (readonly [request: string, status: number, message: string])[] = [
  ['PUT /{db}/{c}/_indexes/_x {"keys":{"a":1}}', 400, 'index name cannot start with _'],
  ['PUT /{db}/{c}/_indexes/x {"ops":{}}', 400, 'keys must be a json object'],
  ['PUT /{db}/{c}/_indexes/x {"keys":"a"}', 400, 'keys must be a json object'],
  ['PUT /{db}/{c}/_indexes/x {"keys":["a"]}', 400, 'keys must be a json object'],
  ['PUT /{db}/{c}/_indexes/x {"keys":{"a":1},"ops":5}', 400, 'ops must be a json object'],
  ['PUT /{db}/{c}/_indexes/x [{"keys":{"a":1}}]', 400, 'request content must be a Json object'],
  ['DELETE /{db}/{c}/_indexes/_id_', 401, '_id_ is a default index and cannot be deleted'],
  ['GET /{db}/{c}/_indexes/x', 405, 'method GET not allowed'],
  ['POST /{db}/{c}/_indexes {}', 405, 'method POST not allowed'],
];

export const INDEX_ROWS: RowTable = [
  {
    name: 'lists the index on _id with its name as _id',
    chapter: CHAPTER,
    request: 'GET /{db}/{c}/_indexes',
    status: 200,
    body: [{ v: 2, key: { _id: 1 }, _id: '_id_' }],
  },
  {
    name: 'creates an index with the options that have exactly their type',
    chapter: CHAPTER,
    request:
      'PUT /{db}/{c}/_indexes/i {"keys":{"qty":1},"ops":{"unique":true,"sparse":"yes","name":"other","what":1}}',
    status: 201,
    text: '',
    after: [
      {
        request: 'GET /{db}/{c}/_indexes',
        body: expect.arrayContaining([{ v: 2, key: { qty: 1 }, unique: true, _id: 'i' }]),
      },
    ],
  },
  {
    name: 'accepts the identical index again',
    chapter: CHAPTER,
    given: [QTY],
    request: QTY,
    status: 201,
    text: '',
  },
  {
    name: 'creates indexes of buckets',
    chapter: CHAPTER,
    given: ['PUT /{db}/{c}.files'],
    request: 'PUT /{db}/{c}.files/_indexes/i {"keys":{"metadata.x":1}}',
    status: 201,
  },
  {
    name: 'refuses a unique index on duplicates',
    chapter: CHAPTER,
    given: ['POST /{db}/{c} [{"a":1},{"a":1}]'],
    request: 'PUT /{db}/{c}/_indexes/i {"keys":{"a":1},"ops":{"unique":true}}',
    status: 400,
    message: 'error creating the index',
    exception: 'com.mongodb.DuplicateKeyException',
  },
  {
    name: 'refuses another index under the same name',
    chapter: CHAPTER,
    given: [QTY],
    request: 'PUT /{db}/{c}/_indexes/qtyIdx {"keys":{"other":1}}',
    status: 400,
    message: 'error creating the index',
    exception: 'com.mongodb.MongoCommandException',
  },
  {
    name: 'deletes an index',
    chapter: CHAPTER,
    given: [QTY],
    request: 'DELETE /{db}/{c}/_indexes/qtyIdx',
    status: 204,
    text: '',
  },
  {
    name: 'answers 500 to the deletion of an unknown index',
    chapter: CHAPTER,
    request: 'DELETE /{db}/{c}/_indexes/none',
    status: 500,
    message: /none|index/i,
  },
  {
    name: 'shows indexes in HAL',
    chapter: 'documents §2.4',
    request: 'GET /{db}/{c}/_indexes?rep=HAL',
    status: 200,
    replyHeaders: { 'Content-Type': 'application/hal+json' },
    body: {
      _size: 1,
      _returned: 1,
      _embedded: { 'rh:index': [{ v: 2, key: { _id: 1 }, _id: '_id_' }] },
    },
  },
  ...REFUSED.map(([request, status, message]) => ({
    name: `refuses ${request}`,
    chapter: CHAPTER,
    request,
    status,
    message,
  })),
];
