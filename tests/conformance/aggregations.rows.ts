/** Stored aggregations: rest-resources.md §6. */
import { expect } from 'vitest';
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §6';
const DATA =
  'POST /{db}/{c} [{"_id":1,"n":1,"s":"a"},{"_id":2,"n":2,"s":"b"},{"_id":3,"n":3,"s":"b"}]';

/** Collection with data and one aggregation called `a`. */
function given(stages: string, more = ''): string[] {
  return [DATA, `PATCH /{db}/{c} {"aggrs":[{"uri":"a","stages":${stages}${more}}]}`];
}

function run(name: string, stages: string, query: string, answer: Partial<Row>): Row {
  return {
    name,
    chapter: CHAPTER,
    given: given(stages),
    request: `GET /{db}/{c}/_aggrs/a${query}`,
    status: 200,
    ...answer,
  };
}

const MATCH_VAR = '[{"$match":{"n":{"$var":"x"}}},{"$project":{"n":1}}]';
const ids = (...list: number[]) => list.map((n) => ({ _id: n, n }));
const SECURITY = 'aggregation pipeline security violation: Security violation: ';

export const AGGREGATION_ROWS: RowTable = [
  run('runs a pipeline', '[{"$group":{"_id":"$s","sum":{"$sum":"$n"}}},{"$sort":{"_id":1}}]', '', {
    body: [
      { _id: 'a', sum: 1 },
      { _id: 'b', sum: 5 },
    ],
    replyHeaders: { ETag: null, 'Content-Type': 'application/json; charset=UTF-8' },
  }),
  run('replaces variables', MATCH_VAR, '?avars={"x":2}', { body: ids(2) }),
  run('uses defaults', '[{"$match":{"n":{"$var":["x",3]}}},{"$project":{"n":1}}]', '', {
    body: ids(3),
  }),
  run(
    'looks variables up by path',
    '[{"$match":{"n":{"$var":"a.b[1]"}}},{"$project":{"n":1}}]',
    '?avars={"a":{"b":[1,2]}}',
    { body: ids(2) },
  ),
  run('refuses an unbound variable', MATCH_VAR, '', {
    status: 400,
    message: 'cannot execute aggregation',
    exception: 'org.restheart.exchange.QueryVariableNotBoundException',
    exceptionMessage: 'variable x not bound',
  }),
  run(
    'leaves an optional stage out',
    '[{"$ifvar":["x",{"$match":{"n":{"$var":"x"}}}]},{"$sort":{"_id":1}},{"$project":{"n":1}}]',
    '',
    { body: ids(1, 2, 3) },
  ),
  run(
    'takes an optional stage in',
    '[{"$ifvar":["x",{"$match":{"n":{"$var":"x"}}}]},{"$project":{"n":1}}]',
    '?avars={"x":1}',
    { body: ids(1) },
  ),
  run(
    'takes the else stage',
    '[{"$sort":{"_id":1}},{"$ifvar":[["x","y"],{"$limit":1},{"$limit":2}]},{"$project":{"n":1}}]',
    '?avars={"x":1}',
    { body: ids(1, 2) },
  ),
  run(
    'looks optional names up by path',
    '[{"$ifvar":["opts.order",{"$sort":{"$var":"opts.order"}},{"$limit":1}]},{"$project":{"n":1}}]',
    '?avars={"opts":{"order":{"n":-1}}}',
    { body: ids(3, 2, 1) },
  ),
  run(
    'answers with all documents when all stages are left out',
    '[{"$ifvar":["x",{"$match":{"n":9}}]}]',
    '',
    { body: [expect.anything(), expect.anything(), expect.anything()] },
  ),
  run('refuses a malformed $ifvar', '[{"$ifvar":"x"}]', '', {
    status: 422,
    message: 'invalid aggregation',
  }),
  run('refuses a malformed $var', '[{"$match":{"n":{"$var":5}}}]', '', {
    status: 422,
    message: 'invalid aggregation',
  }),
  run(
    'knows the paging variables',
    '[{"$sort":{"_id":1}},{"$skip":{"$var":"@skip"}},{"$limit":{"$var":"@limit"}},{"$project":{"n":1}}]',
    '?page=2&pagesize=2',
    { body: ids(3) },
  ),
  run(
    'does not page by itself',
    '[{"$sort":{"_id":1}},{"$project":{"n":1}}]',
    '?page=2&pagesize=1',
    { body: ids(1, 2, 3) },
  ),
  run('refuses avars that are no object', MATCH_VAR, '?avars=[1]', {
    status: 400,
    message: 'illegal avars parameter, it is not a json object: [1]',
  }),
  run('refuses operators in avars', MATCH_VAR, '?avars={"x":{"$gt":1}}', {
    status: 400,
    message: "illegal avars parameter: {'x':{'$gt':1}}",
    exception: 'java.lang.SecurityException',
    exceptionMessage: 'aggregation variables cannot include operators',
  }),
  run('answers 422 to what the database refuses', '[{"$foo":1}]', '', {
    status: 422,
    exception: 'com.mongodb.MongoCommandException',
    bodyHas: {
      message: 'error executing aggregation',
      'exception message': {
        code: expect.any(Number),
        codeName: expect.any(String),
        errmsg: expect.any(String),
      },
    },
  }),
  run('shows results in HAL', '[{"$match":{"n":1}},{"$project":{"n":1}}]', '?rep=HAL', {
    body: { _returned: 1, _embedded: { 'rh:result': ids(1) } },
  }),
  run('shows no results in HAL', '[{"$match":{"n":9}}]', '?rep=HAL', {
    body: { _size: 0, _returned: 0 },
  }),
  run('shows results in SHAL', '[{"$match":{"n":1}},{"$project":{"n":1}}]', '?rep=SHAL', {
    body: { _returned: 1, _embedded: ids(1) },
  }),
  {
    name: 'knows no other aggregation',
    chapter: CHAPTER,
    given: given('[]'),
    request: 'GET /{db}/{c}/_aggrs/b',
    status: 404,
    message: 'query does not exist',
  },
  {
    name: 'knows none on a collection without aggregations',
    chapter: CHAPTER,
    request: 'GET /{db}/{c}/_aggrs/b',
    status: 404,
    message: 'query does not exist',
  },
  {
    name: 'fails all aggregations beside a mapReduce',
    chapter: CHAPTER,
    given: [
      'PATCH /{db}/{c} {"aggrs":[{"uri":"a","stages":[]},{"uri":"m","type":"mapReduce","map":"x","reduce":"y"}]}',
    ],
    request: 'GET /{db}/{c}/_aggrs/a',
    status: 422,
    message: 'unknown query type',
    exception: 'org.restheart.exchange.InvalidMetadataException',
    exceptionMessage: "query has invalid 'type': mapReduce",
  },
  {
    name: 'shows stored pipelines unescaped in _meta',
    chapter: CHAPTER,
    given: given('[{"$match":{"a.b":{"$in":["$x"]}}}]'),
    request: 'GET /{db}/{c}/_meta?keys={"aggrs":1}',
    status: 200,
    bodyHas: { aggrs: [{ uri: 'a', stages: [{ $match: { 'a.b': { $in: ['$x'] } } }] }] },
  },
  {
    name: 'shows stored pipelines escaped in HAL',
    chapter: CHAPTER,
    given: given('[{"$match":{"a.b":{"$in":["$x"]}}}]'),
    request: 'GET /{db}/{c}?rep=HAL',
    status: 200,
    bodyHas: { aggrs: [{ uri: 'a', stages: [{ _$match: { 'a::b': { _$in: ['_$x'] } } }] }] },
  },
  {
    name: 'has no method but GET',
    chapter: 'documents §1.2',
    given: given('[]'),
    request: 'POST /{db}/{c}/_aggrs/a {}',
    status: 405,
    message: 'method POST not allowed',
  },
  ...(
    [
      [
        '[{"$out":"x"}]',
        "BLACKLISTED_STAGE operator '$out' at pipeline[0] - Pipeline stage is in security blacklist",
      ],
      [
        '[{"$match":{}},{"$lookup":{"from":"x"}}]',
        "BLACKLISTED_STAGE operator '$lookup' at pipeline[1] - Pipeline stage is in security blacklist",
      ],
      [
        '[{"$match":{"$expr":{"$function":{"body":"x","args":[],"lang":"js"}}}}]',
        "BLACKLISTED_OPERATOR operator '$function' at pipeline[0].$match.$expr - Operator is in security blacklist",
      ],
      [
        '[{"$match":{"$where":"1"}}]',
        "BLACKLISTED_OPERATOR operator '$where' at pipeline[0].$match - Operator is in security blacklist",
      ],
    ] as const
  ).map(([stages, violation]) =>
    run(`refuses ${stages}`, stages, '', { status: 403, message: `${SECURITY}${violation}` }),
  ),
];
