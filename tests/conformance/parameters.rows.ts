/** Query parameters, the error object and the order of checks: rest-documents.md §2.5, §3, §4.1. */
import type { RowTable } from '../support/rows.ts';

const NUMBER_FORMAT = 'java.lang.NumberFormatException';
const JSON_PARSE = 'org.bson.json.JsonParseException';
const RANGE = 'illegal pagesize parameter, pagesize must be >= 0 and <= 1000';
const ID_TYPES =
  'illegal id_type parameter; must be [OID, STRING_OID, STRING, NUMBER, DATE, MINKEY, MAXKEY, NULL, BOOLEAN]';

/** Query, message, and the Java exception where the text names one. */
const REFUSED: readonly (readonly [
  query: string,
  message: string | RegExp,
  exception?: string,
  exceptionMessage?: string,
])[] = [
  ['page=0', 'illegal page parameter, it is < 1'],
  ['page=-1', 'illegal page parameter, it is < 1'],
  ...['', 'a', '1.5', '2147483648', '0x1', '1e2'].map(
    (value) =>
      [
        `page=${value}`,
        'illegal page parameter, it is not a number',
        NUMBER_FORMAT,
        `For input string: '${value}'`,
      ] as const,
  ),
  ['pagesize=-1', RANGE],
  ['pagesize=1001', RANGE],
  ...['', 'x', '10.0'].map(
    (value) =>
      [
        `pagesize=${value}`,
        'illegal pagesize parameter, it is not a number',
        NUMBER_FORMAT,
        `For input string: '${value}'`,
      ] as const,
  ),
  ['sort_by=', 'Illegal sort parameter'],
  ['sort=', 'Illegal sort parameter'],
  ['sort={"a":', 'Invalid sort parameter'],
  ['hint=', 'illegal hint parameter'],
  ['keys=', 'illegal keys parameter (empty)'],
  ['keys=1', /^illegal keys parameter, it is not a json object: /],
  ['keys=[1]', /^illegal keys parameter, it is not a json object: /],
  ['keys={', 'illegal keys parameter: {', JSON_PARSE, 'invalid json'],
  ['keys={a', 'illegal keys parameter: {a', JSON_PARSE, 'invalid json'],
  ['filter=', 'illegal filter parameter (empty)'],
  ['filter={}', 'illegal filter parameter (empty json object)'],
  ['filter=1', 'illegal filter parameter, it is not a json object: 1 => String'],
  ['filter=[1]', 'illegal filter parameter, it is not a json object: [1] => String'],
  ['filter="a"', "illegal filter parameter, it is not a json object: 'a' => String"],
  ['filter={"a":', /^illegal filter parameter: \{'a':, /, JSON_PARSE, 'invalid json'],
  ['filter=a', /^illegal filter parameter: a, /, JSON_PARSE, 'invalid json'],
  ['avars={"a":', `illegal avars parameter, it is not a json object: {'a':`],
  [
    'avars={"a":{"$gt":1}}',
    `illegal avars parameter: {'a':{'$gt':1}}`,
    'java.lang.SecurityException',
    'aggregation variables cannot include operators',
  ],
  ['id_type=INT', ID_TYPES],
  ['hal=x', 'illegal hal parameter; valid values are [FULL, F, COMPACT, C]'],
  ['hal=x&rep=HAL', 'illegal hal parameter; valid values are [FULL, F, COMPACT, C]'],
  ['shardkey=', 'illegal shardkey parameter (empty)'],
  ['shardkey={}', 'illegal shardkey parameter (empty json object)'],
  ['shardkey={a', 'illegal shardkey parameter: {a', JSON_PARSE, 'invalid json'],
  // the order of §3
  ['page=x&pagesize=x', 'illegal pagesize parameter, it is not a number', NUMBER_FORMAT],
  ['sort=&page=0', 'illegal page parameter, it is < 1'],
  ['hint=&sort=', 'Illegal sort parameter'],
  ['keys=&hint=', 'illegal hint parameter'],
  ['filter=&keys=', 'illegal keys parameter (empty)'],
  ['avars=1&filter=', 'illegal filter parameter (empty)'],
  ['id_type=x&avars=1', /^illegal avars parameter, it is not a json object/],
  ['hal=x&id_type=x', ID_TYPES],
  ['shardkey=&hal=x', 'illegal hal parameter; valid values are [FULL, F, COMPACT, C]'],
];

function refusals(request: string, chapter: string): RowTable {
  return REFUSED.map(([query, message, exception, exceptionMessage]) => ({
    name: `refuses ?${query} on ${request}`,
    chapter,
    request: `${request.split(' ')[0]} ${request.split(' ')[1]}?${query}${bodyOf(request)}`,
    status: 400,
    message,
    ...(exception === undefined ? {} : { exception }),
    ...(exceptionMessage === undefined ? {} : { exceptionMessage }),
  }));
}

function bodyOf(request: string): string {
  const body = request.split(' ').slice(2).join(' ');
  return body === '' ? '' : ` ${body}`;
}

const lazy = /^sort=\{/;

export const PARAMETER_ROWS: RowTable = [
  ...refusals('GET /{db}/{c}', '4.1'),
  // parameters are checked on every request, writes included; sort objects are read only where one sorts
  ...refusals('POST /{db}/{c} {"a":1}', '4.1').filter(
    (row) => !lazy.test(row.request.split('?')[1] ?? ''),
  ),
  ...[
    'np=false',
    'foo=bar',
    'eager=true',
    'rep=STANDARD',
    'rep=s',
    'jsonMode=nonsense',
    'readConcern=x',
  ].map((query) => ({
    name: `accepts ?${query}`,
    chapter: '4.1',
    request: `GET /{db}/{c}?${query}`,
    status: 200,
    body: [],
  })),
  ...['local', 'majority', 'available'].map((level) => ({
    name: `reads with the read concern ${level}`,
    chapter: '4.1',
    request: `GET /{db}/{c}?readConcern=${level}`,
    status: 200,
    body: [],
  })),
  ...['ACKNOWLEDGED', 'w1', 'Majority', 'JOURNALED', 'w:2', 'nonsense'].map((concern) => ({
    name: `writes with the write concern ${concern}`,
    chapter: '4.1',
    request: `POST /{db}/{c}?writeConcern=${concern} {"_id":1}`,
    status: 201,
  })),
  ...['primary', 'nearest', 'secondaryPreferred', 'x'].map((preference) => ({
    name: `reads with the read preference ${preference}`,
    chapter: '4.1',
    request: `GET /{db}/{c}?readPreference=${preference}`,
    status: 200,
    body: [],
  })),
  // §3: order of checks
  {
    name: 'names the missing database of a missing collection only for PUT of that collection',
    chapter: '3',
    collection: false,
    request: 'PUT /nodb-{c}/coll {"a":1}',
    status: 404,
    message: "Db 'nodb-{c}' does not exist",
  },
  {
    name: 'names the missing collection of a missing database',
    chapter: '3',
    collection: false,
    request: 'GET /nodb-{c}/coll',
    status: 404,
    message: "Collection 'coll' does not exist",
  },
  {
    name: 'names the missing database',
    chapter: '3',
    collection: false,
    request: 'GET /nodb-{c}',
    status: 404,
    message: "Db 'nodb-{c}' does not exist",
  },
  ...(
    [
      ['GET /{db}/nothing/1', "Collection 'nothing' does not exist"],
      ['POST /{db}/nothing {"a":1}', "Collection 'nothing' does not exist"],
      ['PUT /{db}/nothing/1 {"a":1}', "Collection 'nothing' does not exist"],
      ['PATCH /{db}/nothing {"a":1}', "Collection 'nothing' does not exist"],
      ['DELETE /{db}/nothing', "Collection 'nothing' does not exist"],
      ['DELETE /{db}/nothing/1', "Collection 'nothing' does not exist"],
      ['GET /{db}/nothing/_meta', "Collection 'nothing' does not exist"],
      ['GET /{db}/nothing/_size', "Collection 'nothing' does not exist"],
      ['GET /{db}/nothing/_indexes', "Collection 'nothing' does not exist"],
      ['GET /{db}/nothing.files', "File Bucket 'nothing.files' does not exist"],
      ['GET /{db}/nothing.files/f', "File Bucket 'nothing.files' does not exist"],
      ['GET /{db}/_schemas', 'Schema Store does not exist'],
      ['GET /{db}/_schemas/s', 'Schema Store does not exist'],
      ['PATCH /nodb-{c} {"a":1}', "Db 'nodb-{c}' does not exist"],
      ['DELETE /nodb-{c}', "Db 'nodb-{c}' does not exist"],
      ['GET /nodb-{c}/_size', "Db 'nodb-{c}' does not exist"],
      ['GET /nodb-{c}/_meta', "Db 'nodb-{c}' does not exist"],
    ] as const
  ).map(([request, message]) => ({
    name: `answers 404 to ${request}`,
    chapter: '3',
    request,
    status: 404,
    message,
  })),
  {
    name: 'checks names before parameters',
    chapter: '3',
    collection: false,
    request: 'GET /admin?page=0',
    status: 403,
    message: 'reserved resource',
  },
  {
    name: 'checks parameters before existence',
    chapter: '3',
    collection: false,
    request: 'GET /nodb-{c}/coll?page=0',
    status: 400,
    message: 'illegal page parameter, it is < 1',
  },
  {
    name: 'lets a broken body beat a missing collection',
    chapter: '3',
    request: 'PUT /{db}/nothing/1 {"a":',
    status: 400,
    message: /^Invalid JSON\. /,
  },
  {
    name: 'lets a wrong content type beat a wrong parameter',
    chapter: '3',
    request: 'POST /{db}/{c}?page=0 x',
    headers: { 'Content-Type': 'text/plain' },
    status: 415,
    message: 'Content-Type must be either: application/json or application/hal+json',
  },
  {
    name: 'checks existence before the method',
    chapter: '3',
    request: 'POST /{db}/nothing/1 {"a":1}',
    status: 404,
    message: "Collection 'nothing' does not exist",
  },
  ...(
    [
      ['sid=abc', 'Invalid session id'],
      ['sid=11c3ceb6-7b97-4f34-ba3f-689ea22ce6e0&txn=x', 'Invalid txn'],
    ] as const
  ).map(([query, message]) => ({
    name: `refuses ?${query}`,
    chapter: '3',
    request: `GET /{db}/{c}?${query}`,
    status: 400,
    message,
  })),
  {
    name: 'reports other failures before a wrong session id',
    chapter: '3',
    request: 'GET /{db}/nothing?sid=abc',
    status: 404,
    message: "Collection 'nothing' does not exist",
  },
  {
    name: 'reports a wrong session id before the method',
    chapter: '3',
    request: 'POST /{db}/{c}/1?sid=abc {"a":1}',
    status: 400,
    message: 'Invalid session id',
  },
  // §3: errors of the database
  {
    name: 'passes on the text of an unknown operator',
    chapter: '3',
    request: 'GET /{db}/{c}?filter={"a":{"$foo":1}}',
    status: 400,
    message: /^Invalid query parameter: .*\$foo/,
  },
  {
    name: 'refuses a projection that mixes inclusion and exclusion',
    chapter: '3',
    given: ['POST /{db}/{c} {"a":1}'],
    request: 'GET /{db}/{c}?keys={"a":1,"b":0}',
    status: 400,
    message: /projection|Invalid query parameter/i,
  },
  {
    name: 'refuses a sort order that is neither 1 nor -1',
    chapter: '3',
    given: ['POST /{db}/{c} {"a":1}'],
    request: 'GET /{db}/{c}?sort={"a":2}',
    status: 400,
    message: 'Wrong sort parameter, key ordering must be 1 (for ascending) or -1 (for descending)',
  },
  {
    name: 'vetoes $where at any depth with an empty 403',
    chapter: '4.1',
    request: 'GET /{db}/{c}?filter={"$and":[{"$where":"true"}]}',
    status: 403,
    text: '',
  },
  // §2.5: the error object
  {
    name: 'turns double quotes of messages into single ones',
    chapter: '2.5',
    request: 'GET /{db}/{c}?filter="a"',
    status: 400,
    message: "illegal filter parameter, it is not a json object: 'a' => String",
  },
  {
    name: 'turns tabs of messages into two blanks',
    chapter: '2.5',
    request: 'GET /{db}/{c}/a%09b',
    status: 404,
    message: "document 'a  b' does not exist",
  },
  {
    name: 'puts warnings after the other members of an error of GET',
    chapter: '2.5',
    request: 'GET /{db}/{c}/x?rep=xml',
    status: 404,
    text: /^\{"http status code": 404, "http status description": "Not Found", "message": "document 'x' does not exist", "_warnings": \["illegal rep parameter xml /,
  },
  {
    name: 'puts warnings before the other members of any other error',
    chapter: '2.5',
    request: 'POST /{db}/{c}?rep=xml {"_id":[]}',
    status: 400,
    text: /^\{"_warnings": \["illegal rep parameter xml .*"http status code": 400/,
  },
  {
    name: 'shows no warning on a successful GET',
    chapter: '2.5',
    request: 'GET /{db}/{c}?rep=xml',
    status: 200,
    text: '[]',
  },
  {
    name: 'gives a successful write with warnings a body',
    chapter: '2.5',
    request: 'POST /{db}/{c}?rep=xml {"_id":1}',
    status: 201,
    text: /^\{"_warnings": \["illegal rep parameter xml [^\]]*"\]\}$/,
  },
  {
    name: 'writes errors in the extended mode when asked to',
    chapter: '2.3',
    request: 'GET /{db}/{c}/x?jsonMode=extended',
    status: 404,
    text: /^\{"http status code": \{"\$numberInt": "404"\}, /,
  },
  {
    name: 'never represents errors as HAL',
    chapter: '2.4',
    request: 'GET /{db}/{c}/x?rep=HAL',
    status: 404,
    message: "document 'x' does not exist",
  },
];
