/** MongoDB's retired Data API v1, which the configuration switches on: all ten actions, both dialects of Extended JSON, refusals. */
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Row, testRows } from '../support/rows.ts';
import { MONGO_SECURITY, type SecurityTable, testSecurityRows } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const NAMESPACE = '"dataSource":"Cluster0","database":"{db}","collection":"{c}"';
const THREE = 'POST /{db}/{c} [{"_id":1,"n":1},{"_id":2,"n":2},{"_id":3,"n":2}]';

function action(name: string, members: string, status: number, body: unknown, more?: Partial<Row>) {
  return {
    name: `${name} {${members}}`,
    chapter: 'data api',
    given: [THREE],
    request: `POST /action/${name} {${NAMESPACE}${members === '' ? '' : `,${members}`}}`,
    status,
    replyHeaders: { 'Content-Type': 'application/json' },
    body,
    ...more,
  } satisfies Row;
}

const holds = (ids: readonly unknown[]) => ({
  after: [{ request: 'GET /{db}/{c}?sort=_id&keys={"_id":1}', body: ids.map((_id) => ({ _id })) }],
});
const refused = (code: string) => ({ error: expect.any(String), error_code: code });
const PLAIN = '"projection":{"n":1}';

const ROWS: readonly Row[] = [
  action('findOne', `"filter":{"_id":2},${PLAIN}`, 200, { document: { _id: 2, n: 2 } }),
  action('findOne', '"filter":{"_id":9}', 200, { document: null }),
  action('find', `"filter":{"n":2},${PLAIN},"sort":{"_id":-1},"limit":1,"skip":1`, 200, {
    documents: [{ _id: 2, n: 2 }],
  }),
  action('insertOne', '"document":{"_id":7}', 201, { insertedId: 7 }, holds([1, 2, 3, 7])),
  action(
    'insertMany',
    '"documents":[{"_id":7},{"_id":8}]',
    201,
    { insertedIds: [7, 8] },
    holds([1, 2, 3, 7, 8]),
  ),
  action('updateOne', '"filter":{"n":2},"update":{"$set":{"n":5}}', 200, {
    matchedCount: 1,
    modifiedCount: 1,
  }),
  action('updateOne', '"filter":{"_id":9},"update":{"$set":{"n":5}},"upsert":true', 200, {
    matchedCount: 0,
    modifiedCount: 0,
    upsertedId: 9,
  }),
  action('updateMany', '"filter":{"n":2},"update":{"$inc":{"n":1}}', 200, {
    matchedCount: 2,
    modifiedCount: 2,
  }),
  action('replaceOne', '"filter":{"_id":1},"replacement":{"x":1}', 200, {
    matchedCount: 1,
    modifiedCount: 1,
  }),
  action('deleteOne', '"filter":{"n":2}', 200, { deletedCount: 1 }),
  action('deleteMany', '"filter":{"n":2}', 200, { deletedCount: 2 }, holds([1])),
  action(
    'aggregate',
    '"pipeline":[{"$group":{"_id":"$n","c":{"$sum":1}}},{"$sort":{"_id":1}}]',
    200,
    {
      documents: [
        { _id: 1, c: 1 },
        { _id: 2, c: 2 },
      ],
    },
  ),
  {
    ...action('findOne', `"filter":{"_id":{"$numberInt":"2"}},${PLAIN}`, 200, undefined),
    name: 'canonical Extended JSON where Accept names it',
    headers: { 'Content-Type': 'application/ejson', Accept: 'application/ejson' },
    replyHeaders: { 'Content-Type': 'application/ejson' },
    text: '{"document": {"_id": {"$numberInt": "2"}, "n": {"$numberInt": "2"}}}',
  },
  action('insertOne', '', 400, refused('InvalidParameter')),
  action('deleteMany', '', 400, refused('InvalidParameter')),
  action('updateOne', '"filter":{}', 400, refused('InvalidParameter')),
  action('insertMany', '"documents":[]', 400, refused('InvalidParameter')),
  action('find', '"filter":5', 400, refused('InvalidParameter')),
  action('find', '"limit":-1', 400, refused('InvalidParameter')),
  action('find', '"filter":{"$where":"1"}', 403, refused('Forbidden')),
  action('aggregate', '"pipeline":[{"$out":"x"}]', 403, refused('Forbidden')),
  action('dropDatabase', '', 404, refused('NotFound')),
  {
    name: 'a body that is no JSON',
    chapter: 'data api',
    request: 'POST /action/find {',
    status: 400,
    body: refused('InvalidParameter'),
  },
];

let target: Target;
beforeAll(async () => {
  target = await openTarget(`${ALL_DATABASES}\ndataApi:\n  enabled: true\n`);
});
afterAll(() => target.close());

describe('the Data API', () => testRows(() => target.baseUrl, ROWS));

const MINE = [{ predicate: "path-prefix('/action')", mongo: { mergeRequest: { by: 'me' } } }];
const HIDING = [{ predicate: "path-prefix('/action')", mongo: { projectResponse: { n: 0 } } }];
const seen = (bodyHas: unknown) => ({ after: [{ request: 'GET /{db}/{c}/a', bodyHas }] });

/** Rules hold here as in the REST API (security.md §8.6). */
const RULED: SecurityTable = [
  ...[
    ['insertOne', '"document":{"_id":"a","by":"you"}'],
    ['updateOne', '"filter":{"_id":"a"},"update":{"$set":{"by":"you"}},"upsert":true'],
    ['replaceOne', '"filter":{"_id":"a"},"replacement":{"by":"you"},"upsert":true'],
  ].map(([name, members]) => ({
    name: `mergeRequest wins in ${name}`,
    acl: MINE,
    request: `POST /action/${name} {${NAMESPACE},${members}}`,
    allowed: true,
    ...seen({ by: 'me' }),
  })),
  {
    name: 'projectResponse hides before stages of clients',
    acl: HIDING,
    given: ['POST /{db}/{c} {"_id":"a","n":7}'],
    request: `POST /action/aggregate {${NAMESPACE},"pipeline":[{"$project":{"m":"$n"}}]}`,
    status: 200,
    body: { documents: [{ _id: 'a' }] },
  },
  {
    name: 'projectResponse lets nobody compute',
    acl: HIDING,
    request: `POST /action/findOne {${NAMESPACE},"projection":{"m":"$n"}}`,
    status: 403,
  },
].map((row) => ({ chapter: 'data api', as: 'user', ...row }));

describe('the Data API under rules', () => {
  let ruled: Target;
  beforeAll(async () => {
    ruled = await openTarget(`${ALL_DATABASES}\ndataApi:\n  enabled: true\n`, MONGO_SECURITY);
  });
  afterAll(() => ruled.close());
  testSecurityRows(() => ruled.baseUrl, RULED);
});
