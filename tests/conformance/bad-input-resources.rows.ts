/** Malformed requests to the resources beside documents; `{db}` has the collection `ag`, the bucket `b.files` and a schema store. */
import { type BadInput, bare, encodeQuery, withBody } from './bad-input.rows.ts';

const SID = '11c3ceb6-7b97-4f34-ba3f-689ea22ce6e0';

/** Method, path, body; the answer is 400 unless statuses are given. */
type Line = readonly [
  request: string,
  body?: string | undefined,
  expect?: readonly number[] | undefined,
];

const INDEXES: readonly Line[] = [
  ['PUT /{db}/ag/_indexes/_x', '{"keys":{"a":1}}'],
  ['PUT /{db}/ag/_indexes/x', '{}'],
  ['PUT /{db}/ag/_indexes/x', ''],
  ['PUT /{db}/ag/_indexes/x', '[]'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":null}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":[]}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":"a"}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":0}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":"nosuch"}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":{}}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"":1}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a..b":1}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"$a":1}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":1}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":null}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":[]}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":{"partialFilterExpression":{"$foo":1}}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":{"collation":{"locale":"nosuch"}}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":{"collation":{"collationStrength":1}}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"a":1},"ops":{"expireAfterSeconds":-5}}'],
  ['PUT /{db}/ag/_indexes/x', '{"keys":{"$**":1,"b":1},"ops":{"unique":true}}'],
  ['PUT /{db}/nosuch/_indexes/x', '{"keys":{"a":1}}', [404]],
  ['POST /{db}/ag/_indexes', '{}', [405]],
  ['DELETE /{db}/ag/_indexes', undefined, [405]],
  ['PATCH /{db}/ag/_indexes/x', '{}', [405]],
  ['DELETE /{db}/ag/_indexes/_id_', undefined, [401]],
];

const SCHEMAS: readonly Line[] = [
  ['POST /{db}/_schemas', '[]'],
  ['POST /{db}/_schemas', '[{}]'],
  ['POST /{db}/_schemas', '1'],
  ['POST /{db}/_schemas', '{"a":'],
  ['POST /{db}/_schemas', '{"_id":[]}'],
  ['POST /{db}/_schemas', '{"_id":"b","type":"foo"}'],
  ['POST /{db}/_schemas', '{"_id":"b","type":7}'],
  ['POST /{db}/_schemas', '{"_id":"b","type":[]}'],
  ['POST /{db}/_schemas', '{"_id":"b","properties":[]}'],
  ['POST /{db}/_schemas', '{"_id":"b","properties":{"a":5}}'],
  ['POST /{db}/_schemas', '{"_id":"b","required":"a"}'],
  ['POST /{db}/_schemas', '{"_id":"b","required":[]}'],
  ['POST /{db}/_schemas', '{"_id":"b","minLength":-1}'],
  ['POST /{db}/_schemas', '{"_id":"b","maximum":"x"}'],
  ['POST /{db}/_schemas', '{"_id":"b","enum":[]}'],
  ['POST /{db}/_schemas', '{"_id":"b","items":3}'],
  ['POST /{db}/_schemas', '{"_id":"b","allOf":[]}'],
  ['POST /{db}/_schemas', '{"_id":"b","not":1}'],
  ['POST /{db}/_schemas', '{"_id":"b","uniqueItems":"yes"}'],
  ['POST /{db}/_schemas', '{"_id":"b","dependencies":{"a":1}}'],
  ['POST /{db}/_schemas', '{"_id":"b","multipleOf":0}'],
  ['POST /{db}/_schemas', '{"_id":"b","$set":{"a":1}}'],
  ['PUT /{db}/_schemas/b?wm=upsert', '{"type":"foo"}'],
  ['PUT /{db}/_schemas/b?wm=upsert', '{"_id":"c"}'],
  ['PUT /{db}/_schemas/b?wm=upsert', '[]'],
  ['PUT /{db}/_schemas/nosuch', '{}', [404]],
  ['PATCH /{db}/_schemas/b', '{}', [405]],
  ['PATCH /{db}/_schemas', '{}'],
  ['DELETE /{db}/_schemas/nosuch', undefined, [404]],
  ['POST /{db}/checked', '{"n":"x"}'],
  ['POST /{db}/checked', '[{"n":1},{"n":"x"}]'],
  ['POST /{db}/checked', '{"n.a":1}'],
  ['PUT /{db}/checked/a?wm=upsert', '{"n":{}}'],
  ['PATCH /{db}/checked/a?wm=upsert', '{"n":[]}'],
  ['PATCH /{db}/checked/a?wm=upsert', '[{"$set":{"n":"x"}}]'],
];

const VARIABLES: readonly string[] = [
  '',
  'avars=',
  'avars={',
  'avars=}',
  'avars=[]',
  'avars=1',
  'avars="x"',
  'avars=null',
  'avars={"x":}',
  'avars={"y":1}',
  'avars={"x":{"$gt":1}}',
  'avars={"x":[{"$where":"1"}]}',
  'avars={"x":{"a":{"b":{"$ne":1}}}}',
  'avars={"x":{"$oid":"zz"}}',
  'avars={"x":{"$date":"never"}}',
  `avars=${'{"x":'.repeat(500)}`,
  'avars={"x":1}&page=0',
  'avars={"x":1}&pagesize=-1',
  'avars={"x":1}&filter={',
  'avars={"x":1}&keys=',
  'avars={"x":1}&sort=',
  'avars={"x":1}&hint=',
  'avars={"x":1}&hal=z',
  'avars={"x":1}&sid=z',
  `avars={"x":1}&sid=${SID}&txn=z`,
  `avars={"x":1}&sid=${SID}&txn=4`,
];

const AGGREGATIONS: readonly Line[] = [
  ['GET /{db}/ag/_aggrs', undefined, [405]],
  ['GET /{db}/ag/_aggrs/nosuch', undefined, [404]],
  ['POST /{db}/ag/_aggrs/v', '{}', [405]],
  ['DELETE /{db}/ag/_aggrs/v', undefined, [405]],
  ['GET /{db}/ag/_aggrs/stage', undefined, [422]],
  ['GET /{db}/ag/_aggrs/operator', undefined, [422]],
  ['GET /{db}/ag/_aggrs/two', undefined, [422]],
  ['GET /{db}/ag/_aggrs/var', undefined, [422]],
  ['GET /{db}/ag/_aggrs/ifvar', undefined, [422]],
  ['GET /{db}/ag/_aggrs/out', undefined, [403]],
  ['GET /{db}/ag/_aggrs/where', undefined, [403]],
  ['GET /{db}/ag/_aggrs/negative?avars={"x":-1}', undefined, [422]],
  ['GET /{db}/ag/_aggrs/negative?avars={"x":"a"}', undefined, [422]],
];

const FILES: readonly Line[] = [
  ['POST /{db}/b.files', '{}'],
  ['POST /{db}/b.files', '[]'],
  ['POST /{db}/b.files', ''],
  ['POST /{db}/nosuch.files', '{}', [404]],
  ['PUT /{db}/b.files/f', '{}'],
  ['PUT /{db}/b.files/f', '[]'],
  ['PUT /{db}/b.files/f', '{"metadata":5}'],
  ['PUT /{db}/b.files/f', '{"metadata":[]}'],
  ['PUT /{db}/b.files/f', '{"$set":{"a":1}}'],
  ['PUT /{db}/b.files/nosuch', '{"a":1}', [404]],
  ['PATCH /{db}/b.files/f', '{}'],
  ['PATCH /{db}/b.files/f', '{"metadata":"x"}'],
  ['PATCH /{db}/b.files/f', '{"$inc":{"a":1}}'],
  ['PATCH /{db}/b.files/f', '{"metadata":{"$unset":{"a":1}}}'],
  ['PATCH /{db}/b.files/nosuch', '{"a":1}', [404]],
  ['PATCH /{db}/b.files/*', '{"a":1}', [405]],
  ['POST /{db}/b.files/f', '{}', [405]],
  ['POST /{db}/b.files/f/binary', '{}', [405]],
  ['GET /{db}/b.files/nosuch', undefined, [404]],
  ['GET /{db}/b.files/nosuch/binary', undefined, [404]],
  ['GET /{db}/b.files/zz?id_type=OID', undefined, [400]],
  ['GET /{db}/b.files/zz/binary?id_type=OID', undefined, [400]],
  ['GET /{db}/b.files/f/binary?id_type=NOSUCH', undefined, [400]],
  ['GET /{db}/b.chunks', undefined, [403]],
  ['GET /{db}/b.chunks/_size', undefined, [403]],
  ['PUT /{db}/b.chunks', '{}', [403]],
  ['DELETE /{db}/b.files/*?filter={', undefined],
  ['DELETE /{db}/b.files/*?filter={"$where":"1"}', undefined, [403]],
  ['DELETE /{db}/b.files/*?filter={"a":{"$foo":1}}', undefined],
];

const SESSIONS: readonly Line[] = [
  ['GET /_sessions', undefined, [405]],
  ['PUT /_sessions', '{}', [405]],
  ['POST /_sessions', '[1]'],
  ['POST /_sessions', '{'],
  ['POST /_sessions/x', '{}', [405]],
  ['DELETE /_sessions/x', undefined],
  [`DELETE /_sessions/${SID}x`, undefined],
  ['GET /_sessions/x/_txns', undefined],
  ['POST /_sessions/x/_txns', '{}'],
  [`PUT /_sessions/${SID}/_txns`, '{}', [405]],
  [`POST /_sessions/${SID}/_txns`, '{'],
  [`PATCH /_sessions/${SID}/_txns/x`, '{}'],
  [`PATCH /_sessions/${SID}/_txns/1.5`, '{}'],
  [`PATCH /_sessions/${SID}/_txns/-1`, '{}'],
  [`PATCH /_sessions/${SID}/_txns/0`, '{}'],
  [`PATCH /_sessions/${SID}/_txns/99999999999999999999`, '{}'],
  [`PATCH /_sessions/${SID}/_txns/7`, '{}'],
  [`DELETE /_sessions/${SID}/_txns/7`, undefined],
  [`DELETE /_sessions/${SID}/_txns/%00`, undefined],
  [`GET /_sessions/${SID}/_txns/1`, undefined, [405]],
  [`POST /{db}/{c}?sid=${SID}&txn=5`, '{}'],
  [`PATCH /{db}/{c}/a?sid=${SID}&txn=-5`, '{"x":1}'],
  [`DELETE /{db}/{c}/a?sid=${SID}&txn=1e3`, undefined],
];

const EXTRAS: readonly Line[] = [
  ['POST /_batch', ''],
  ['POST /_batch', '{'],
  ['POST /_batch', '[]'],
  ['POST /_batch', '{"operations":{}}'],
  ['POST /_batch', '{"operations":[]}'],
  ['POST /_batch', '{"operations":[1]}'],
  ['POST /_batch', '{"operations":[{}]}'],
  ['POST /_batch', '{"operations":[{"method":"GET"}]}'],
  ['POST /_batch', '{"operations":[{"method":"BREW","path":"/{db}/{c}"}]}'],
  ['POST /_batch', '{"operations":[{"method":"GET","path":"{db}"}]}'],
  ['POST /_batch', '{"operations":[{"method":"GET","path":"/%"}]}'],
  ['POST /_batch', '{"operations":[{"method":"DELETE","path":"/{db}"}]}'],
  [
    'POST /_batch',
    '{"operations":[{"method":"POST","path":"/_batch","body":{}}]}',
    [400, 404, 405],
  ],
  ['POST /_batch', '{"operations":[{"method":"POST","path":"/{db}/{c}","body":5}]}'],
  ['POST /_batch', '{"operations":[{"method":"GET","path":"/admin/x"}]}', [403]],
  [`POST /_batch`, `{"operations":[${'{"method":"GET","path":"/{db}/{c}"},'.repeat(1001)}]}`],
  ['GET /_batch', undefined, [405]],
  ['GET /{db}/{c}?after=x', undefined],
  ['GET /{db}/{c}?after=%00', undefined],
  [`GET /{db}/{c}?after=${'A'.repeat(4000)}`, undefined],
  ['GET /{db}/{c}?after=&page=x', undefined],
  ['GET /{db}/{c}?after=&sort={', undefined],
  ['POST /ic', '{}'],
  ['PUT /ic?db={db}', '{}', [405]],
  ['PUT /openapi.json', '{}', [405]],
  ['GET /_quorate', undefined, [403]],
  ['GET /_quorate/keys', undefined, [403]],
  ['PUT /_quorate/x', '{}', [403]],
];

const CSV: readonly Line[] = [
  ['POST /csv', 'a\n1'],
  ['POST /csv?db=', 'a\n1'],
  ['POST /csv?db={db}', 'a\n1'],
  ['POST /csv?db={db}&coll=', 'a\n1'],
  ['POST /csv?db=a.b&coll=x', 'a\n1'],
  ['POST /csv?db={db}&coll=a$b', 'a\n1'],
  ['POST /csv?db=admin&coll=x', 'a\n1', [403]],
  ['POST /csv?db={db}&coll=system.x', 'a\n1', [403]],
  ['POST /csv?db={db}&coll=x.chunks', 'a\n1', [403]],
  ['POST /csv?db={db}&coll=x&id=a', 'a\n1'],
  ['POST /csv?db={db}&coll=x&id=-1', 'a\n1'],
  ['POST /csv?db={db}&coll=x&id=1e9', 'a\n1'],
  ['POST /csv?db={db}&coll=x&update=true', 'a\n1'],
  ['POST /csv?db={db}&coll=x&sep=(', 'a\n1'],
  ['POST /csv?db={db}&coll=x&sep=[', 'a\n1'],
  ['POST /csv?db={db}&coll=x&sep=(?=x)', 'a\n1'],
  ['PUT /csv?db={db}&coll=x', 'a\n1', [501]],
];

/** Uploads: content type, body. */
const UPLOADS: readonly (readonly [type: string, body: string])[] = [
  ['multipart/form-data', 'x'],
  ['multipart/form-data; boundary=B', ''],
  ['multipart/form-data; boundary=B', '--B--\r\n'],
  ['multipart/form-data; boundary=B', '--B\r\n\r\nx\r\n--B--\r\n'],
  ['multipart/form-data; boundary=B', part('metadata', '', '{}')],
  ['multipart/form-data; boundary=B', part('metadata', '', '{') + part('f', '; filename="f"', 'x')],
  ['multipart/form-data; boundary=B', part('f', '; filename="f"', 'x') + part('metadata', '', '5')],
  [
    'multipart/form-data; boundary=B',
    part('f', '; filename="f"', 'x') + part('metadata', '', '[]'),
  ],
  ['multipart/form-data; boundary=B', part('f', '; filename="f"', 'x').slice(0, 60)],
  ['application/x-www-form-urlencoded', 'a=1'],
];

function part(name: string, more: string, content: string): string {
  return `--B\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${content}\r\n`;
}

/** Header lines of requests that are no ordinary ones. */
const HEADERS: readonly (readonly [request: string, headers: string, expect: readonly number[]])[] =
  [
    ['POST /{db}/b.files', 'Tus-Resumable: 0.2.0\r\nUpload-Length: 5\r\n', [412]],
    ['POST /{db}/b.files', 'Tus-Resumable: 1.0.0\r\n', [400]],
    ['POST /{db}/b.files', 'Tus-Resumable: 1.0.0\r\nUpload-Length: -1\r\n', [400]],
    ['POST /{db}/b.files', 'Tus-Resumable: 1.0.0\r\nUpload-Length: x\r\n', [400]],
    [
      'POST /{db}/b.files',
      'Tus-Resumable: 1.0.0\r\nUpload-Length: 5\r\nUpload-Metadata: metadata ew==\r\n',
      [400],
    ],
    ['PATCH /{db}/b.files/_tus/nosuch', 'Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n', [404]],
    ['HEAD /{db}/b.files/_tus/nosuch', 'Tus-Resumable: 1.0.0\r\n', [404]],
    ['DELETE /{db}/b.files/_tus/nosuch', 'Tus-Resumable: 1.0.0\r\n', [404]],
    ['GET /{db}/{c}', 'Quorate-Consistency: 9999999999.1\r\n', [400]],
    ['GET /{db}/{c}', 'Quorate-Consistency: 4000000000.1\r\n', [400]],
  ];

function toInput([request, body, expect = [400]]: Line, type: string): BadInput {
  const [method = '', path = ''] = request.split(' ');
  // the placeholders are filled in later
  const target = path
    .split(/(\{db\}|\{c\})/)
    .map((text, index) => (index % 2 === 1 ? text : encodeQuery(text)))
    .join('');
  return {
    name: `${request.slice(0, 70)} ${(body ?? '').slice(0, 50)}`.trim(),
    parts: [
      body === undefined
        ? bare(method, target)
        : withBody(method, target, body, `Content-Type: ${type}\r\n`),
    ],
    expect,
  };
}

export const BAD_RESOURCE_INPUTS: readonly BadInput[] = [
  ...[INDEXES, SCHEMAS, AGGREGATIONS, FILES, SESSIONS, EXTRAS].flatMap((lines) =>
    lines.map((line) => toInput(line, 'application/json')),
  ),
  ...VARIABLES.map((query) => toInput([`GET /{db}/ag/_aggrs/v?${query}`], 'application/json')),
  ...CSV.map((line) => toInput(line, 'text/csv')),
  ...UPLOADS.map(([type, body]) => toInput(['POST /{db}/b.files', body], type)),
  ...HEADERS.map(([request, headers, expect]): BadInput => {
    const [method = '', path = ''] = request.split(' ');
    return { name: `${request} ${headers.trim()}`, parts: [bare(method, path, headers)], expect };
  }),
];
