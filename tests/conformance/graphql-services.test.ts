/** GraphQL apps under rules and settings: graphql.md §1, §4, §6, §8, §9. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { givenApp, queryRow } from '../support/graphql-rows.ts';
import { type RowTable, testRows } from '../support/rows.ts';
import { MONGO_SECURITY, type SecurityTable, testSecurityRows } from '../support/security-rows.ts';
import { ALL_DATABASES, openTarget, type Target } from '../support/target.ts';

const ns = { db: '{db}', collection: '{c}' };

function onServer(name: string, graphql: string, rows: RowTable): void {
  describe(name, () => {
    let target: Target;
    beforeAll(async () => {
      target = await openTarget(`${ALL_DATABASES}\ngraphql:\n${graphql}`);
    });
    afterAll(() => target.close());
    testRows(() => target.baseUrl, rows);
  });
}

const PARENTS = Array.from({ length: 12 }, (_, i) => ({ _id: i, group: i % 4 }));

/** Twelve documents, each of which loads one of four others. */
function loading(dataLoader: object): string[] {
  return givenApp(
    {
      schema:
        'type Item { _id: Int leader: Item } type Query { items: [Item] refused: [Item] none: String }',
      mappings: {
        Item: { leader: { ...ns, find: { _id: { $fk: 'group' } }, dataLoader } },
        Query: {
          items: { ...ns, sort: { _id: 1 } },
          refused: { ...ns, find: { _id: { $no: 1 } } },
        },
      },
    },
    PARENTS,
  );
}

function statistics(loads: number, hits: number, keys: number, calls: number) {
  return {
    loadCount: loads,
    loadErrorCount: 0,
    loadErrorRatio: 0,
    batchInvokeCount: calls,
    batchLoadCount: keys,
    batchLoadRatio: loads === 0 ? 0 : keys / loads,
    batchLoadExceptionCount: 0,
    batchLoadExceptionRatio: 0,
    cacheHitCount: hits,
    cacheHitRatio: loads === 0 ? 0 : hits / loads,
  };
}

const LEADERS = PARENTS.map(({ group }) => ({ leader: { _id: group } }));
const shows = (...counts: [number, number, number, number]) => ({
  body: {
    data: { items: LEADERS },
    extensions: { dataloader: { 'overall-statistics': statistics(...counts) } },
  },
});

onServer('statistics of loaders', '  verbose: true', [
  queryRow(
    'counts loads with a cache',
    '6',
    loading({ batching: true, caching: true, maxBatchSize: 2 }),
    '{ items { leader { _id } } }',
    shows(12, 8, 4, 2),
  ),
  queryRow(
    'counts loads without a cache',
    '6',
    loading({ batching: true, maxBatchSize: 2 }),
    '{ items { leader { _id } } }',
    shows(12, 0, 12, 6),
  ),
  queryRow(
    'loads directly without batching',
    '6',
    loading({ caching: true }),
    '{ items { leader { _id } } }',
    shows(0, 0, 0, 0),
  ),
  queryRow('shows them beside validation errors', '6', loading({}), '{ nope }', {
    status: 400,
    bodyHas: { extensions: { dataloader: { 'overall-statistics': statistics(0, 0, 0, 0) } } },
  }),
  queryRow('shows none beside a syntax error', '6', loading({}), '{', {
    status: 400,
    text: /^(?!.*dataloader)/,
  }),
]);

const SLOW = givenApp(
  {
    schema: 'type Item { _id: Int again: [Item] } type Query { items: [Item] }',
    mappings: {
      Item: { again: { ...ns, find: {} } },
      Query: { items: { ...ns, find: {} } },
    },
  },
  Array.from({ length: 200 }, (_, i) => ({ _id: i })),
);

onServer('a time limit and a bound of depth', '  query-time-limit: 50\n  max-depth: 4', [
  queryRow('ends a query that takes longer', '8', SLOW, '{ items { again { again { _id } } } }', {
    status: 408,
    body: {
      errors: [
        {
          message: 'Maximum query time limit of 50ms exceeded',
          extensions: { classification: 'ExecutionAborted' },
        },
      ],
    },
  }),
  queryRow('refuses a deeper query', '8', SLOW, '{ items { again { again { again { _id } } } } }', {
    status: 400,
    bodyHas: { errors: [{ extensions: { classification: 'ValidationError' } }] },
  }),
]);

const LIMITED = givenApp({
  schema: 'type Item { _id: Int } type Query { items: [Item] }',
  mappings: { Query: { items: ns } },
});

onServer('apps that are not kept', '  app-cache-enabled: false\n  default-limit: 2', [
  queryRow('are read for each request', '4', loading({}), '{ items { _id } }', {
    body: { data: { items: [{ _id: 0 }, { _id: 1 }] } },
  }),
]);

onServer('apps that may read one database only', '  restrict-mapping-db: true', [
  queryRow('are not served otherwise', '4', LIMITED, '{ items { _id } }', {
    status: 400,
    body: {
      errors: [
        {
          message: expect.stringMatching(/^Invalid GraphQL app definition: /),
          extensions: { classification: 'ExecutionAborted' },
        },
      ],
    },
  }),
]);

const RULED = givenApp(
  {
    schema: 'type Item { _id: Int o: String } type Query { items: [Item] mine: [Item] me: [Item] }',
    mappings: {
      Query: {
        items: { ...ns, sort: { _id: 1 } },
        mine: { ...ns, stages: [{ $match: { o: { $arg: ['@user.tenant', 'nobody'] } } }] },
        me: { ...ns, find: { o: { $arg: '@user.tenant' } } },
      },
    },
  },
  [
    { _id: 1, o: 'a' },
    { _id: 2, o: 'b' },
  ],
);
const ask = (query: string) => `POST /graphql/{c} ${JSON.stringify({ query })}`;
const ACL = [
  {
    predicate: "path('/graphql/{c}') and method(POST)",
    mongo: { readFilter: { o: 'a' }, projectResponse: { o: 0 } },
  },
];
const row = (name: string, more: Omit<SecurityTable[number], 'name' | 'chapter' | 'given'>) => ({
  name,
  chapter: 'graphql §9',
  given: RULED,
  ...more,
});

describe('rules', () => {
  let target: Target;
  beforeAll(async () => {
    target = await openTarget(ALL_DATABASES, MONGO_SECURITY);
  });
  afterAll(() => target.close());

  testSecurityRows(
    () => target.baseUrl,
    [
      row('asks who it is', {
        request: ask('{ items { _id } }'),
        status: 401,
        text: '',
        replyHeaders: {
          'WWW-Authenticate': /Basic/,
          'Content-Type': 'application/graphql-response+json',
        },
      }),
      row('refuses whom no rule allows', {
        as: 'user',
        request: ask('{ items { _id } }'),
        status: 403,
        text: '',
      }),
      row('gives all that mappings return: rules on documents do not apply', {
        as: 'user',
        acl: ACL,
        request: ask('{ items { _id o } }'),
        status: 200,
        body: {
          data: {
            items: [
              { _id: 1, o: 'a' },
              { _id: 2, o: 'b' },
            ],
          },
        },
      }),
      row('knows the account in aggregations', {
        as: 'user',
        acl: ACL,
        claims: { tenant: 'b' },
        request: ask('{ mine { _id } }'),
        status: 200,
        body: { data: { mine: [{ _id: 2 }] } },
      }),
      row('does not know the account in queries', {
        as: 'user',
        acl: ACL,
        claims: { tenant: 'b' },
        request: ask('{ me { _id } }'),
        status: 200,
        bodyHas: {
          data: { me: null },
          errors: [
            { message: 'Exception while fetching data (/me) : variable @user.tenant not bound' },
          ],
        },
      }),
      row('tells everybody of an unknown app', { request: 'POST /graphql/{c}-x {}', status: 404 }),
      row('tells everybody of a wrong method', { request: 'GET /graphql/{c}', status: 405 }),
      row('tells its method to everybody', {
        request: 'OPTIONS /graphql/{c}',
        status: 200,
        replyHeaders: { 'Access-Control-Allow-Methods': 'POST' },
      }),
    ],
  );
});

describe('metrics', () => {
  let target: Target;
  beforeAll(async () => {
    target = await openTarget();
  });
  afterAll(() => target.close());

  it('are labelled with the fields of the query', async () => {
    const post = (path: string, body: unknown) =>
      fetch(target.baseUrl + path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    await fetch(`${target.baseUrl}/restheart`, { method: 'PUT' });
    await fetch(`${target.baseUrl}/restheart/gql-apps`, { method: 'PUT' });
    const created = await post('/restheart/gql-apps', {
      _id: 'labelled',
      schema: 'type Item { _id: Int } type Query { a: [Item] b: [Item] leaf: Int }',
      mappings: { Query: { a: { db: 'd', collection: 'c' }, b: { db: 'd', collection: 'c' } } },
    });
    expect(created.status).toBe(201);
    await post('/graphql/labelled', { query: '{ b { _id } leaf a { _id } }' });
    const metrics = await (await fetch(`${target.baseUrl}/metrics/*`)).text();
    expect(metrics).toContain('response_status_code="200",query="b,a",');
  });
});
