/** Files in buckets: rest-resources.md §7. */
import { expect } from 'vitest';
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §7';
const OID = /^[0-9a-f]{24}$/;
const OLD = '5d9a3b1c2f4e6a0012345678';
const BOUNDARY = 'row-boundary';
const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };

interface Part {
  readonly name: string;
  readonly file?: string;
  readonly type?: string;
  readonly content: string;
}

function multipart(...parts: readonly Part[]): string {
  const texts = parts.map(({ name, file, type, content }) => {
    const fileName = file === undefined ? '' : `; filename="${file}"`;
    const typeLine = type === undefined ? '' : `Content-Type: ${type}\r\n`;
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${fileName}\r\n${typeLine}\r\n${content}\r\n`;
  });
  return `${texts.join('')}--${BOUNDARY}--\r\n`;
}

const FILE: Part = { name: 'file', file: 'x.bin', content: 'hello world' };
const metadata = (content: string): Part => ({ name: 'metadata', content });
const F1 = multipart(FILE, metadata('{"_id":"f1","filename":"n.txt","x":1}'));

const BUCKET = ['PUT /{db}/{c}.files'];
/** A file without content type header but with a body that the row framework sends itself. */
const upload = { headers: MULTIPART, content: F1 };

function row(name: string, request: string, status: number, more: Partial<Row> = {}): Row {
  return { name, chapter: CHAPTER, given: BUCKET, request, status, ...more };
}

/** A row on the file `f1`, which is there before. */
function onFile(name: string, request: string, status: number, more: Partial<Row> = {}): Row {
  return row(name, request, status, { ...more, uploads: [F1], uploadHeaders: MULTIPART });
}

/** For servers whose configuration has `file-ranges`. */
export const RANGE_ROWS: RowTable = [
  ...(
    [
      ['bytes=0-4', 206, 'hello', 'bytes 0-4/11'],
      ['bytes=6-', 206, 'world', 'bytes 6-10/11'],
      ['bytes=-3', 206, 'rld', 'bytes 8-10/11'],
      ['bytes=5-99', 206, ' world', 'bytes 5-10/11'],
      ['bytes=20-', 416, '', 'bytes */11'],
      ['bytes=0-1,3-4', 200, 'hello world', null],
      ['lines=1-2', 200, 'hello world', null],
    ] as const
  ).map(([range, status, text, contentRange]) =>
    onFile(`sends ${range}`, 'GET /{db}/{c}.files/f1/binary', status, {
      headers: { Range: range },
      text,
      replyHeaders: { 'Content-Range': contentRange },
    }),
  ),
  onFile(
    'sends everything when If-Range names another version',
    'GET /{db}/{c}.files/f1/binary',
    200,
    {
      headers: { Range: 'bytes=0-4', 'If-Range': OLD },
      text: 'hello world',
      replyHeaders: { 'Accept-Ranges': 'bytes' },
    },
  ),
];

export const FILE_ROWS: RowTable = [
  row('uploads a file whose metadata follow the content', 'POST /{db}/{c}.files', 201, {
    ...upload,
    text: '',
    replyHeaders: { Location: 'http://{host}/{db}/{c}.files/f1', ETag: null },
    after: [
      {
        request: 'GET /{db}/{c}.files/f1',
        body: {
          _id: 'f1',
          filename: 'n.txt',
          length: 11,
          chunkSize: 261120,
          uploadDate: { $date: expect.any(Number) },
          metadata: {
            filename: 'n.txt',
            x: 1,
            contentType: 'text/plain',
            _etag: { $oid: expect.stringMatching(OID) },
          },
        },
      },
      { request: 'GET /{db}/{c}.files/f1/binary', text: 'hello world' },
    ],
  }),
  row('uploads a file whose metadata come first', 'POST /{db}/{c}.files', 201, {
    headers: MULTIPART,
    content: multipart(metadata('{"_id":"f1"}'), { ...FILE, content: '%PDF-1.4 x' }),
    after: [
      {
        request: 'GET /{db}/{c}.files/f1',
        bodyHas: { filename: 'file', metadata: { contentType: 'application/pdf' } },
      },
    ],
  }),
  row(
    'takes metadata from the part called properties, whatever its type',
    'POST /{db}/{c}.files',
    201,
    {
      headers: MULTIPART,
      content: multipart(
        { ...FILE, name: 'whatever' },
        {
          name: 'properties',
          type: 'application/json',
          content: '{"_id":"f1","contentType":"a/b"}',
        },
      ),
      after: [{ request: 'GET /{db}/{c}.files/f1', bodyHas: { metadata: { contentType: 'a/b' } } }],
    },
  ),
  row('makes an id when none is given', 'POST /{db}/{c}.files', 201, {
    headers: MULTIPART,
    content: multipart(FILE),
    replyHeaders: { Location: /\.files\/[0-9a-f]{24}$/ },
  }),
  onFile('refuses an id that exists', 'POST /{db}/{c}.files', 409, {
    ...upload,
    message: /^Duplicate key error/,
    after: [{ request: 'GET /{db}/{c}.files/f1/binary', text: 'hello world' }],
  }),
  row('refuses JSON in place of a file', 'POST /{db}/{c}.files {"a":1}', 400, {
    message: 'POST file request is in a bad format',
  }),
  row('refuses a form without a file', 'POST /{db}/{c}.files', 400, {
    headers: MULTIPART,
    content: multipart(metadata('{}')),
  }),
  row('refuses metadata that are no object', 'POST /{db}/{c}.files', 400, {
    headers: MULTIPART,
    content: multipart(FILE, metadata('[1]')),
    after: [{ request: 'GET /{db}/{c}.files', body: [] }],
  }),
  row('refuses a body that ends too early', 'POST /{db}/{c}.files', 400, {
    headers: MULTIPART,
    content: F1.slice(0, 120),
    after: [{ request: 'GET /{db}/{c}.files', body: [] }],
  }),
  row('creates a file by PUT', 'PUT /{db}/{c}.files/p1', 201, {
    headers: MULTIPART,
    content: multipart(FILE, metadata('{"x":1}')),
    text: '',
    replyHeaders: { ETag: null, Location: null },
    after: [{ request: 'GET /{db}/{c}.files/p1/binary', text: 'hello world' }],
  }),
  onFile('replaces a file by PUT', 'PUT /{db}/{c}.files/f1', 200, {
    headers: MULTIPART,
    content: multipart({ ...FILE, content: 'new' }),
    text: '',
    after: [
      { request: 'GET /{db}/{c}.files/f1', bodyHas: { length: 3, filename: 'file' } },
      { request: 'GET /{db}/{c}.files/f1/binary', text: 'new' },
    ],
  }),
  row('refuses another id in the metadata of PUT', 'PUT /{db}/{c}.files/p1', 400, {
    headers: MULTIPART,
    content: F1,
    message: '_id in content body is different than id in URL',
  }),
  onFile('answers 412 without ETag to PUT under another ETag', 'PUT /{db}/{c}.files/f1', 412, {
    headers: { ...MULTIPART, 'If-Match': OLD },
    content: multipart(FILE),
    text: '',
    replyHeaders: { ETag: null },
  }),
  onFile(
    'answers 409 without body to PUT that must have an ETag',
    'PUT /{db}/{c}.files/f1?checkEtag',
    409,
    {
      headers: MULTIPART,
      content: multipart(FILE),
      text: '',
      replyHeaders: { ETag: null },
    },
  ),
  onFile('sends the ETag of a file', 'GET /{db}/{c}.files/f1', 200, {
    replyHeaders: { ETag: OID },
  }),
  row('names a missing file', 'GET /{db}/{c}.files/none', 404, {
    message: "file 'none' does not exist",
  }),
  onFile('downloads the content', 'GET /{db}/{c}.files/f1/binary', 200, {
    text: 'hello world',
    replyHeaders: {
      'Content-Type': 'text/plain',
      'Content-Length': '11',
      'Content-Disposition': 'inline; filename="n.txt"',
      'Content-Transfer-Encoding': 'binary',
      ETag: OID,
    },
  }),
  row('names a missing file of a download', 'GET /{db}/{c}.files/nope/binary', 404, {
    message: "File with ID <BsonString{value='nope'}> not found",
  }),
  row('names a missing file of a download by ObjectId', `GET /{db}/{c}.files/${OLD}/binary`, 404, {
    message: `File with ID <BsonObjectId{value=${OLD}}> not found`,
  }),
  onFile('ignores Range', 'GET /{db}/{c}.files/f1/binary', 200, {
    headers: { Range: 'bytes=0-4' },
    text: 'hello world',
    replyHeaders: { 'Content-Range': null, 'Accept-Ranges': null, 'Content-Length': '11' },
  }),
  ...['{"$set":{"a":1}}', '{"metadata":{"$set":{"a":1}}}'].map((body) =>
    onFile(`refuses operators in ${body}`, `PATCH /{db}/{c}.files/f1 ${body}`, 400, {
      message: 'request content cannot contain update operators',
    }),
  ),
  onFile(
    'changes metadata by PATCH',
    'PATCH /{db}/{c}.files/f1 {"metadata":{"a":{"b":1},"filename":"m.txt"}}',
    200,
    {
      text: '',
      replyHeaders: { ETag: OID },
      after: [
        {
          request: 'GET /{db}/{c}.files/f1',
          bodyHas: {
            filename: 'm.txt',
            metadata: { x: 1, a: { b: 1 }, contentType: 'text/plain' },
          },
        },
      ],
    },
  ),
  onFile(
    'takes the whole body of PATCH as metadata',
    'PATCH /{db}/{c}.files/f1 {"_id":"f1","a.b":1,"metadata.c":2}',
    200,
    {
      after: [
        {
          request: 'GET /{db}/{c}.files/f1',
          bodyHas: { metadata: { a: { b: 1 }, metadata: { c: 2 } } },
        },
      ],
    },
  ),
  onFile('replaces metadata by PUT', 'PUT /{db}/{c}.files/f1 {"y":2}', 200, {
    replyHeaders: { ETag: OID },
    after: [
      {
        request: 'GET /{db}/{c}.files/f1',
        bodyHas: {
          metadata: { y: 2, _etag: { $oid: expect.stringMatching(OID) } },
          filename: 'n.txt',
        },
      },
      { request: 'GET /{db}/{c}.files/f1/binary', text: 'hello world' },
    ],
  }),
  row(
    'answers 404 without body to metadata of a missing file',
    'PATCH /{db}/{c}.files/none {"a":1}',
    404,
    { text: '' },
  ),
  onFile('refuses empty metadata', 'PATCH /{db}/{c}.files/f1 {}', 400, {
    message: 'no data provided',
  }),
  onFile('refuses update operators', 'PATCH /{db}/{c}.files/f1 {"$set":{"a":1}}', 400, {
    message: 'request content cannot contain update operators',
  }),
  onFile('refuses arrays as metadata', 'PATCH /{db}/{c}.files/f1 [{"a":1}]', 400, {
    message: 'request content must be a Json object',
  }),
  onFile('refuses a file in PATCH', 'PATCH /{db}/{c}.files/f1', 400, {
    headers: MULTIPART,
    content: F1,
    message: 'only metadata is allowed for PATCH requests, not binary data',
  }),
  onFile('checks the ETag of metadata', 'PATCH /{db}/{c}.files/f1?checkEtag {"a":1}', 409, {
    message: "The ETag must be provided using the 'If-Match' header",
    replyHeaders: { ETag: OID },
  }),
  onFile('deletes a file with its content', 'DELETE /{db}/{c}.files/f1', 204, {
    text: '',
    after: [{ request: 'GET /{db}/{c}.files/f1/binary', status: 404 }],
  }),
  row(
    'answers 404 without body to the deletion of a missing file',
    'DELETE /{db}/{c}.files/f1',
    404,
    { text: '' },
  ),
  onFile('keeps a file whose ETag is missing', 'DELETE /{db}/{c}.files/f1?checkEtag', 409, {
    message: "The file's ETag must be provided using the 'If-Match' header",
    replyHeaders: { ETag: OID },
  }),
  onFile('keeps a file whose ETag differs', 'DELETE /{db}/{c}.files/f1', 412, {
    headers: { 'If-Match': OLD },
    text: '',
    replyHeaders: { ETag: OID },
    after: [{ request: 'GET /{db}/{c}.files/f1/binary', text: 'hello world' }],
  }),
  onFile('deletes files by a filter', 'DELETE /{db}/{c}.files/*?filter={"metadata.x":1}', 200, {
    body: { deleted: 1 },
  }),
  onFile('counts no deleted file', 'DELETE /{db}/{c}.files/*?filter={"metadata.x":2}', 200, {
    body: { deleted: 0 },
  }),
  onFile('deletes all files without a filter', 'DELETE /{db}/{c}.files/*?rep=HAL', 200, {
    body: { deleted: 1 },
  }),
  onFile('links the content of files in HAL', 'GET /{db}/{c}.files/f1?rep=HAL', 200, {
    bodyHas: { _links: { 'rh:data': { href: '/{db}/{c}.files/f1/binary' } } },
  }),
  row('hides the chunks of a bucket', 'GET /{db}/{c}.chunks', 403, {
    message: 'reserved resource',
  }),
  row('names a missing bucket', 'GET /{db}/none-{c}.files', 404, {
    message: "File Bucket 'none-{c}.files' does not exist",
  }),
  row('deletes a bucket only under its ETag', 'DELETE /{db}/{c}.files', 409, {
    replyHeaders: { ETag: OID },
  }),
];
