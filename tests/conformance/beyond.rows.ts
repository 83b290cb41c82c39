/** What Quorate has beyond RESTHeart: paging by cursor, streams in and out, batches, idempotency, consistency, description. */
import type { Row, RowTable } from '../support/rows.ts';

const THREE = 'POST /{db}/{c} [{"_id":1,"n":1},{"_id":2,"n":1},{"_id":3,"n":2}]';
const NDJSON = { 'Content-Type': 'application/x-ndjson' };

function row(
  chapter: string,
  name: string,
  request: string,
  status: number,
  more: Partial<Row> = {},
): Row {
  return { name, chapter, request, status, ...more };
}

const batch = (...operations: readonly string[]) =>
  `POST /_batch {"operations":[${operations.join(',')}]}`;

export const BEYOND_ROWS: RowTable = [
  row(
    'keyset paging',
    'begins with an empty cursor and links the next page',
    'GET /{db}/{c}?after=&pagesize=2&keys={"n":1}',
    200,
    {
      given: [THREE],
      body: [
        { _id: 3, n: 2 },
        { _id: 2, n: 1 },
      ],
      replyHeaders: { Link: /^<[^>]+after=>; rel="first", <[^>]+after=[\w-]{20,}>; rel="next"$/ },
    },
  ),
  row(
    'keyset paging',
    'links no next page from a short one',
    'GET /{db}/{c}?after=&pagesize=5',
    200,
    {
      given: [THREE],
      replyHeaders: { Link: /^<[^>]+>; rel="first"$/ },
    },
  ),
  row(
    'keyset paging',
    'refuses cursors that nobody signed',
    'GET /{db}/{c}?after=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    400,
    {
      message: 'illegal after parameter',
    },
  ),
  row('keyset paging', 'refuses to page by arrays', 'GET /{db}/{c}?after=&pagesize=1&sort=l', 400, {
    given: ['POST /{db}/{c} {"l":[1]}'],
    message: 'after cannot page by l: it holds arrays',
  }),
  row('export', 'sends NDJSON', 'GET /{db}/{c}?sort=_id&keys={"n":1}', 200, {
    given: [THREE],
    headers: { Accept: 'application/x-ndjson' },
    replyHeaders: { 'Content-Type': 'application/x-ndjson; charset=UTF-8' },
    text: '{"_id": 1, "n": 1}\n{"_id": 2, "n": 1}\n{"_id": 3, "n": 2}\n',
  }),
  row('export', 'sends CSV', 'GET /{db}/{c}?sort=_id&keys={"n":1,"s":1}', 200, {
    given: ['POST /{db}/{c} [{"_id":1,"n":-1.5,"s":"a,\\"b"},{"_id":2,"s":"=1+1"}]'],
    headers: { Accept: 'text/csv' },
    text: '_id,n,s\r\n1,-1.5,"a,""b"\r\n2,,\'=1+1\r\n',
  }),
  row('import', 'tells the outcome of each line', 'POST /{db}/{c}', 200, {
    headers: NDJSON,
    content: '{"_id":1}\n{broken\n\n[1]\n{"_id":1}\n{"_id":2}\n',
    text: /^\{"line": 1, "status": 201, "_id": 1\}\n\{"line": 2, "status": 400, [^\n]+\n\{"line": 4, "status": 400, [^\n]+\n\{"line": 5, "status": 409, [^\n]+\n\{"line": 6, "status": 201, "_id": 2\}\n$/,
    after: [{ request: 'GET /{db}/{c}?sort=_id&keys={"_id":1}', body: [{ _id: 1 }, { _id: 2 }] }],
  }),
  row('import', 'ends at the first failure when ordered', 'POST /{db}/{c}?ordered=true', 200, {
    headers: NDJSON,
    content: '{"_id":1}\n{"_id":1}\n{"_id":2}\n',
    after: [{ request: 'GET /{db}/{c}?keys={"_id":1}', body: [{ _id: 1 }] }],
  }),
  row(
    'batch',
    'leaves out bodies that are no JSON',
    batch(
      '{"method":"POST","path":"/{db}/{c}","body":{"_id":"a","n":1}}',
      '{"method":"GET","path":"/{db}/{c}","headers":{"Accept":"text/csv"}}',
    ),
    200,
    { bodyHas: { committed: true, results: [{ status: 201 }, { status: 200 }] } },
  ),
  row(
    'batch',
    'commits all operations together',
    batch(
      '{"method":"POST","path":"/{db}/{c}","body":{"_id":"a","n":1}}',
      '{"method":"PATCH","path":"/{db}/{c}/a","body":{"$inc":{"n":4}}}',
      '{"method":"GET","path":"/{db}/{c}/a"}',
    ),
    200,
    {
      bodyHas: {
        committed: true,
        results: [
          { status: 201, Location: 'http://{host}/{db}/{c}/a' },
          { status: 200 },
          { status: 200, body: { _id: 'a', n: 5 } },
        ],
      },
      after: [{ request: 'GET /{db}/{c}/a', bodyHas: { n: 5 } }],
    },
  ),
  row(
    'batch',
    'undoes everything when one operation fails',
    batch(
      '{"method":"POST","path":"/{db}/{c}","body":{"_id":"b"}}',
      '{"method":"POST","path":"/{db}/{c}","body":{"_id":"a"}}',
    ),
    409,
    {
      given: ['POST /{db}/{c} {"_id":"a"}'],
      bodyHas: { committed: false, results: [{ status: 201 }, { status: 409 }] },
      after: [{ request: 'GET /{db}/{c}?keys={"_id":1}', body: [{ _id: 'a' }] }],
    },
  ),
  row(
    'batch',
    'refuses what no transaction can hold',
    batch('{"method":"DELETE","path":"/{db}/{c}"}'),
    400,
    {
      bodyHas: { committed: false },
    },
  ),
  row('batch', 'wants operations', 'POST /_batch {}', 400, {
    message: 'operations must be an array of at least one operation',
  }),
  row('idempotency', 'answers a repeated request again', 'POST /{db}/{c} {"n":1}', 201, {
    headers: { 'Idempotency-Key': '{sid}' },
    repeat: true,
    replyHeaders: { 'Idempotency-Replayed': 'true', Location: /./ },
    after: [{ request: 'GET /{db}/{c}/_size', body: { _size: 1 } }],
  }),
  row('consistency', 'tells the time of an operation', 'POST /{db}/{c} {"n":1}', 201, {
    headers: { 'Quorate-Consistency': 'track' },
    replyHeaders: { 'Quorate-Consistency': /^\d+\.\d+$/ },
  }),
  row('consistency', 'tells nothing unasked', 'POST /{db}/{c} {"n":1}', 201, {
    replyHeaders: { 'Quorate-Consistency': null },
  }),
  row('description', 'shows browsers the reader page', 'GET /docs', 200, {
    headers: { Accept: 'text/html' },
    replyHeaders: { 'Content-Type': 'text/html; charset=UTF-8' },
    text: /^<!doctype html>/,
  }),
  row('description', 'keeps the path of the page for databases', 'GET /docs', 404, {
    message: "Db 'docs' does not exist",
  }),
  row('reserved', 'hides what nodes share', 'GET /_quorate/keys', 403, {
    message: 'reserved resource',
  }),
];
