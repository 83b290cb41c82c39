/** Malformed requests: each gets a 4xx and the server keeps serving. Bytes are written by hand where Node would refuse to send them. */

/** One request as bytes; `{db}` and `{c}` exist. */
export interface BadInput {
  readonly name: string;
  /** Parts of the message; a pause lies between them. Line ends are written as in HTTP. */
  readonly parts: readonly (string | Buffer)[];
  /** Accepted statuses; `closed` is a connection that ends without an answer. */
  readonly expect: readonly (number | 'closed')[];
}

/** A request with a JSON body and a right length. */
export function withBody(
  method: string,
  path: string,
  body: string | Buffer,
  headers = 'Content-Type: application/json\r\n',
): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([
    Buffer.from(
      `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`,
      'latin1',
    ),
    bytes,
  ]);
}

/** A request without a body. */
export function bare(method: string, path: string, headers = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`;
}

function deep(open: string, close: string, depth: number, inside: string): string {
  return open.repeat(depth) + inside + close.repeat(depth);
}

const BAD_JSON: readonly string[] = [
  '{',
  '}',
  '[',
  ']',
  '{]',
  '[}',
  '{"a"}',
  '{"a":}',
  '{"a":1,,}',
  '{:1}',
  '{"a" 1}',
  '{"a":tru}',
  '{"a":nul}',
  '{"a":+}',
  '{"a":--1}',
  '{"a":1.2.3}',
  '{"a":0x}',
  '{"a":1e}',
  '{"a":"\\x"}',
  '{"a":"\\u12"}',
  '{"a":"\\uzzzz"}',
  '{"a":"unterminated}',
  "{'a':'unterminated}",
  '{"a\u0000b":1}',
  '{"a":{"$oid":"xyz"}}',
  '{"a":{"$oid":5}}',
  '{"a":{"$date":"yesterday"}}',
  '{"a":{"$numberLong":"x"}}',
  '{"a":{"$numberInt":"1.5"}}',
  '{"a":{"$numberDecimal":"x"}}',
  '{"a":{"$timestamp":{"t":"x","i":1}}}',
  '{"a":ObjectId("xyz")}',
  '{"a":ISODate("xyz")}',
  '{"a":NumberLong("x")}',
  '{"a":Unknown(1)}',
  '{"a":new Foo()}',
  '{"a":function(){}}',
  '<xml/>',
  'null null',
  '\u0000',
  'NaN',
  'undefined',
  '-',
  '"',
  "'",
  '/*',
  '//',
  '\ufeff{',
  deep('[', ']', 300, '1'),
  deep('{"a":', '}', 300, '1'),
  `[${deep('{"a":[', ']}', 200, '1')}]`,
  '{"a":'.repeat(100_000),
  '['.repeat(100_000),
];

/** Refused with 400 where nothing else is written. */
const BAD_BODIES: readonly (readonly [
  method: string,
  path: string,
  body: string,
  status?: number,
])[] = [
  ['POST', '/{db}/{c}', '1'],
  ['POST', '/{db}/{c}', '"text"'],
  ['POST', '/{db}/{c}', 'true'],
  ['POST', '/{db}/{c}', 'null'],
  ['POST', '/{db}/{c}', '[1]'],
  ['POST', '/{db}/{c}', '[null]'],
  ['POST', '/{db}/{c}', '[[]]'],
  ['POST', '/{db}/{c}', '{"_id":[]}'],
  ['POST', '/{db}/{c}', '{"$set":{"a":1}}'],
  ['POST', '/{db}/{c}', '{"$currentDate":{"a":"x"}}'],
  ['POST', '/{db}/{c}', '{"a.99999999999":1}'],
  ['POST', '/{db}/{c}', `{"a${'.a'.repeat(2000)}":1}`],
  ['POST', '/{db}/{c}', `{"a":"\\u0000","b\\u0000":1}`],
  ['PUT', '/{db}/{c}/a?wm=upsert', '{"_id":"other"}'],
  ['PUT', '/{db}/{c}/a', '[{}]'],
  ['PUT', '/{db}/{c}/a', '{"$inc":{"a":1}}'],
  ['PATCH', '/{db}/{c}/a', '{}'],
  ['PATCH', '/{db}/{c}/a', '[]'],
  ['PATCH', '/{db}/{c}/a', ''],
  ['PATCH', '/{db}/{c}/a', '{"_id":5}'],
  ['PUT', '/{db}/{c}', '[]'],
  ['PUT', '/{db}/{c}', '{"$set":1}'],
  ['PATCH', '/{db}/{c}', ''],
  ['PUT', '/{db}', '[1]'],
  ['PUT', '/{db}', '5'],
  ['POST', '/{db}', '{}', 405],
  ['POST', '/', '{}', 405],
  ['PUT', '/admin', '{}', 403],
  ['PUT', '/a.b', '{}'],
  ['PUT', '/{db}/a$b', '{}'],
  ['PUT', '/{db}/system.x', '{}', 403],
  ['POST', '/{db}/{c}/doc', '{}', 405],
  ['PATCH', '/{db}/{c}/a', '{"$set":{"_id":"b"}}', 403],
  ['PATCH', '/{db}/{c}/a', '[{}]'],
  ['PATCH', '/{db}/{c}/a', '[5]'],
  ['PATCH', '/{db}/{c}/a', '{"a..b":1}'],
  ['PATCH', '/{db}/{c}/a', '{"$push":{"n":1}}'],
  ['POST', '/{db}/{c}', '{"_id":"_properties"}', 403],
  ['POST', '/{db}/{c}', '[{"_id":"_properties.x"}]', 403],
  ['PUT', '/{db}/{c}/_meta', '{}', 405],
  ['PATCH', '/{db}/{c}/_size', '{"a":1}', 405],
  ['PUT', '/{db}/{c}/*', '{}', 405],
  ['POST', '/{db}/{c}/_indexes', '{}', 405],
  ['PUT', '/{db}/{c}/_indexes/i', '{}'],
  ['PUT', '/{db}/{c}/_indexes/i', '{"keys":5}'],
  ['PATCH', '/{db}/{c}/*', '{"a":1}'],
  ['POST', '/{db}/{c}?id_type=NUMBER', '{}'],
];

const BAD_TYPES: readonly string[] = [
  'text/plain',
  'text/html',
  'application/xml',
  'application/octet-stream',
  'application/javascript',
  'json',
  '/',
  ';',
  'multipart/mixed; boundary=x',
  'image/png',
];

const BAD_MULTIPARTS: readonly (readonly [type: string, body: string])[] = [
  ['multipart/form-data', 'x'],
  ['multipart/form-data; boundary=', 'x'],
  ['multipart/form-data; boundary=B', 'x'],
  ['multipart/form-data; boundary=B', '--B\r\n'],
  ['multipart/form-data; boundary=B', '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'],
  [
    'multipart/form-data; boundary=B',
    '--C\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--C--\r\n',
  ],
  [
    'multipart/form-data; boundary=B',
    '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n{broken\r\n--B--\r\n',
  ],
];

const BAD_QUERIES: readonly string[] = [
  'page=x',
  'page=-1',
  'page=99999999999999999999',
  'page=%00',
  'page=1%0a',
  'pagesize=x',
  'pagesize=-5',
  'pagesize=1001',
  'pagesize=1e3',
  'filter=',
  'filter={',
  'filter=%00',
  'filter={"a":',
  'filter=[]',
  'filter=1',
  'filter={}',
  `filter=${'['.repeat(5000)}`,
  `filter=${'{"a":'.repeat(3000)}`,
  'filter={"$foo":1}',
  'filter={"n":{"$gt":0,"$foo":2}}',
  'filter={"$and":5}',
  'filter={"$or":[]}',
  'filter={"$where":"1"}',
  'filter={"$or":[{"a":{"$not":{"$where":"1"}}}]}',
  'filter={"a":{"$in":5}}',
  'filter={"a":{"$regex":"("}}',
  'sort=',
  'sort={',
  'sort={"a":5}',
  'sort={"a":"x"}',
  'sort=a%00b',
  'sort=-a%00b',
  'sort_by=',
  'keys=',
  'keys={',
  'keys=[]',
  'keys=5',
  'keys={"a":1,"b":0}',
  'hint=',
  'hint=nosuchindex',
  'hint=a%00b',
  'hint=-a%00b',
  'hint=%2Ba%00b',
  'avars=',
  'avars={',
  'avars=[]',
  'avars={"a":{"$b":1}}',
  'id_type=FOO',
  'hal=x',
  'shardkey=',
  'shardkey={}',
  'shardkey={',
  'shardkey=1',
  'sid=x',
  'sid=11c3ceb6-7b97-4f34-ba3f-689ea22ce6e0&txn=x',
  'sid=',
];

/** Escapes and paths. */
const BAD_PATHS: readonly (readonly [path: string, statuses: readonly (number | 'closed')[]])[] = [
  ['/%', [400]],
  ['/%zz', [400]],
  ['/%ff', [400]],
  ['/%c3%28', [400]],
  ['/{db}/{c}/%', [400]],
  ['/{db}/{c}/%u0041', [400]],
  ['/{db}/{c}/%e0%80%80', [400]],
  ['/%00', [400]],
  ['/{db}/%00', [400]],
  ['/{db}/{c}%00', [400]],
  ['/..%2f..%2fetc', [400]],
  ['/../../etc/passwd', [400]],
  ['/{db}/../admin', [404]],
  ['//{db}', [400]],
  ['/{db}//x', [403]],
  ['/.', [400]],
  ['/..', [400]],
  ['/$cmd', [400]],
  ['/admin', [403]],
  ['/local/x', [403]],
  ['/{db}/system.js', [403]],
  ['/{db}/x.chunks', [403]],
  ['/{db}/_properties', [403]],
  ['/__proto__', [404]],
  ['/constructor/prototype', [404]],
  ['/{db}/__proto__', [404]],
  ['/{db}/{c}/__proto__', [404]],
  ['/{db}/{c}/_aggrs/__proto__', [404]],
  ['/{db}/{c}/_aggrs/constructor', [404]],
  ['/{db}/{c}/toString', [404]],
  [`/${'a'.repeat(65)}`, [400]],
  [`/{db}/${'a'.repeat(5000)}`, [404]],
  [`/{db}/{c}/${'a'.repeat(8000)}`, [404]],
  [`/${'a/'.repeat(3000)}`, [404]],
  ['/{db}/{c}/abc?id_type=OID', [400]],
  ['/{db}/{c}/"x"?id_type=NUMBER', [400]],
  ['/{db}/{c}/"x"?id_type=DATE', [400]],
  ['*', [400]],
  ['http://[', [400]],
  ['http://a b/', [400]],
  ['http://x|y/', [400]],
  ['http://x:port/', [400]],
  ['x', [400]],
];

/** Messages that are no HTTP, or contradict themselves. */
const BAD_BYTES: readonly (readonly [
  name: string,
  parts: readonly (string | Buffer)[],
  expect: readonly (number | 'closed')[],
])[] = [
  ['no HTTP at all', ['hello\r\n\r\n'], [400]],
  ['binary rubbish', [Buffer.from([0, 1, 2, 3, 255, 254, 13, 10, 13, 10])], [400]],
  ['a TLS hello', [Buffer.from('16030100a5010000a1030300', 'hex')], [400]],
  ['an empty request line', ['\r\n\r\n\r\n \r\n\r\n'], [400]],
  ['a method of blanks', ['  GET / HTTP/1.1\r\nHost: x\r\n\r\n'], [400]],
  ['an unknown protocol', ['GET / FTP/1.0\r\nHost: x\r\n\r\n'], [400]],
  ['an unknown version', ['GET / HTTP/9.9\r\nHost: x\r\n\r\n'], [400]],
  ['no host', ['GET / HTTP/1.1\r\nConnection: close\r\n\r\n'], [400]],
  ['two hosts', ['GET /a.b HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n'], [400]],
  ['a header without colon', ['GET / HTTP/1.1\r\nHost: x\r\nrubbish\r\n\r\n'], [400]],
  ['a header name with a blank', ['GET / HTTP/1.1\r\nHost: x\r\nA b: 1\r\n\r\n'], [400]],
  ['a header with NUL', ['GET / HTTP/1.1\r\nHost: x\r\nA: 1\u0000\r\n\r\n'], [400]],
  [
    'a folded header',
    ['GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\n 2\r\nConnection: close\r\n\r\n'],
    [400],
  ],
  [
    'two lengths',
    ['POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    [400],
  ],
  [
    'length and coding',
    [
      'POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [400],
  ],
  [
    'a negative length',
    ['POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
    [400],
  ],
  [
    'a length of letters',
    ['POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n'],
    [400],
  ],
  [
    'a length beyond numbers',
    [`POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nContent-Length: ${'9'.repeat(40)}\r\n\r\n`],
    [400],
  ],
  [
    'an unknown coding',
    ['POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: foo\r\n\r\n'],
    [400],
  ],
  [
    'chunks that are none',
    ['POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n'],
    [400],
  ],
  [
    'a chunk shorter than it says',
    ['POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}x\r\n'],
    [400],
  ],
  ['an empty header name', ['GET / HTTP/1.1\r\nHost: x\r\n: 1\r\n\r\n'], [400]],
  ['a huge header', [`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(2_000_000)}\r\n\r\n`], [431]],
  [
    'thousands of headers',
    [`GET / HTTP/1.1\r\nHost: x\r\n${'A: 1\r\n'.repeat(3000)}Connection: close\r\n\r\n`],
    [400],
  ],
  ['thousands of parameters', [bare('GET', `/{db}/{c}?${'a=1&'.repeat(2000)}`)], [400]],
  [
    'a body cut off',
    [
      'POST /{db}/{c} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
    ],
    // the test hangs up before the time for the rest is over
    ['closed'],
  ],
  ['blanks in the target', ['GET /{db}/{c} x HTTP/1.1\r\nHost: x\r\n\r\n'], [400]],
  ['a line feed alone as line end, then rubbish', ['GET / HTTP/1.1\nHost: x\nrubbish\n\n'], [400]],
];

const METHODS = ['TRACE', 'PROPFIND', 'MKCOL', 'LOCK', 'SEARCH', 'PURGE', 'COPY', 'REPORT'];

export const BAD_INPUTS: readonly BadInput[] = [
  ...BAD_JSON.map((body) => ({
    name: `the body ${body.slice(0, 40)}${body.length > 40 ? `… (${body.length})` : ''}`,
    parts: [withBody('POST', '/{db}/{c}', body)],
    expect: [400],
  })),
  ...BAD_BODIES.map(([method, path, body, status = 400]) => ({
    name: `${method} ${path} ${body.slice(0, 40)}`,
    parts: [withBody(method, path, body)],
    expect: [status],
  })),
  ...BAD_TYPES.map((type) => ({
    name: `a body of type ${type}`,
    parts: [withBody('POST', '/{db}/{c}', '{}', `Content-Type: ${type}\r\n`)],
    expect: [415],
  })),
  ...BAD_MULTIPARTS.map(([type, body]) => ({
    name: `the ${type} ${JSON.stringify(body).slice(0, 40)}`,
    parts: [withBody('POST', '/{db}/{c}', body, `Content-Type: ${type}\r\n`)],
    expect: [400],
  })),
  ...BAD_QUERIES.map((query) => ({
    name: `?${query.slice(0, 60)}`,
    parts: [bare('GET', `/{db}/{c}?${encodeQuery(query)}`)],
    expect: query.includes('$where') ? [403] : [400],
  })),
  ...BAD_PATHS.map(([path, expect]) => ({
    name: `the path ${path.slice(0, 60)}`,
    parts: [bare('GET', path)],
    expect,
  })),
  ...METHODS.map((method) => ({
    name: `the method ${method}`,
    parts: [bare(method, '/{db}/{c}')],
    expect: [405],
  })),
  ...BAD_BYTES.map(([name, parts, expect]) => ({ name, parts, expect })),
];

/** Keeps the escapes that are written, escapes what would end the request line. */
export function encodeQuery(query: string): string {
  return query.replace(/[ "<>{}[\]|^`]/g, (char) => encodeURIComponent(char));
}
