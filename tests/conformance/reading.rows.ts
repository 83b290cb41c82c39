/** Representation and reading: rest-documents.md §2, §4. */
import type { RowTable } from '../support/rows.ts';
import { JSON_INPUT_ROWS } from './json-input.rows.ts';

const STANDARD_TYPE = 'application/json; charset=UTF-8';
const HAL_TYPE = 'application/hal+json';
const FIVE =
  'POST /{db}/{c} [{"_id":1,"n":5},{"_id":2,"n":4},{"_id":3,"n":3},{"_id":4,"n":2},{"_id":5,"n":1}]';
const ETAG = /^[0-9a-f]{24}$/;

/** Ids of a page, in order. */
function ids(...expected: readonly unknown[]): unknown {
  return {
    asymmetricMatch: (value: unknown) =>
      Array.isArray(value) &&
      JSON.stringify(value.map((item: { _id: unknown }) => item._id)) === JSON.stringify(expected),
    toString: () => `documents ${JSON.stringify(expected)}`,
  };
}

const TYPED =
  'POST /{db}/{c} {"_id":1,"i":1,"l":3000000000,"d":1.0,"n":NaN,"dec":{"$numberDecimal":"1.10"},' +
  '"date":{"$date":1577836800500},"o":{"$oid":"5d9a3b1c2f4e6a0012345678"},"b":{"$binary":{"base64":"AQI=","subType":"00"}},' +
  '"r":{"$regex":"a","$options":"i"},"t":{"$timestamp":{"t":1,"i":2}},"m":{"$minKey":1}}';

/** The table of §2.3, a column each. */
const MODES: readonly (readonly [mode: string, text: string])[] = [
  [
    '',
    '{"_id": 1, "i": 1, "l": 3000000000, "d": 1.0, "n": {"$numberDouble": "NaN"}, "dec": {"$numberDecimal": "1.10"}, ' +
      '"date": {"$date": 1577836800500 }, "o": {"$oid": "5d9a3b1c2f4e6a0012345678"}, "b": {"$binary": {"base64": "AQI=", "subType": "00"}}, ' +
      '"r": {"$regularExpression": {"pattern": "a", "options": "i"}}, "t": {"$timestamp": {"t": 1, "i": 2}}, "m": {"$minKey": 1}}',
  ],
  [
    'STRICT',
    '{"_id": 1, "i": 1, "l": {"$numberLong": "3000000000"}, "d": 1.0, "n": NaN, "dec": {"$numberDecimal": "1.10"}, ' +
      '"date": {"$date": 1577836800500}, "o": {"$oid": "5d9a3b1c2f4e6a0012345678"}, "b": {"$binary": "AQI=", "$type": "00"}, ' +
      '"r": {"$regex": "a", "$options": "i"}, "t": {"$timestamp": {"t": 1, "i": 2}}, "m": {"$minKey": 1}}',
  ],
  [
    'extended',
    '{"_id": {"$numberInt": "1"}, "i": {"$numberInt": "1"}, "l": {"$numberLong": "3000000000"}, "d": {"$numberDouble": "1.0"}, ' +
      '"n": {"$numberDouble": "NaN"}, "dec": {"$numberDecimal": "1.10"}, "date": {"$date": {"$numberLong": "1577836800500"}}, ' +
      '"o": {"$oid": "5d9a3b1c2f4e6a0012345678"}, "b": {"$binary": {"base64": "AQI=", "subType": "00"}}, ' +
      '"r": {"$regularExpression": {"pattern": "a", "options": "i"}}, "t": {"$timestamp": {"t": 1, "i": 2}}, "m": {"$minKey": 1}}',
  ],
  [
    'Relaxed',
    '{"_id": 1, "i": 1, "l": 3000000000, "d": 1.0, "n": {"$numberDouble": "NaN"}, "dec": {"$numberDecimal": "1.10"}, ' +
      '"date": {"$date": "2020-01-01T00:00:00.5Z"}, "o": {"$oid": "5d9a3b1c2f4e6a0012345678"}, ' +
      '"b": {"$binary": {"base64": "AQI=", "subType": "00"}}, "r": {"$regularExpression": {"pattern": "a", "options": "i"}}, ' +
      '"t": {"$timestamp": {"t": 1, "i": 2}}, "m": {"$minKey": 1}}',
  ],
  [
    'SHELL',
    '{"_id": 1, "i": 1, "l": NumberLong("3000000000"), "d": 1.0, "n": NaN, "dec": NumberDecimal("1.10"), ' +
      '"date": ISODate("2020-01-01T00:00:00.500Z"), "o": ObjectId("5d9a3b1c2f4e6a0012345678"), "b": new BinData(0, "AQI="), ' +
      '"r": /a/i, "t": Timestamp(1, 2), "m": MinKey}',
  ],
];

export const READING_ROWS: RowTable = [
  ...JSON_INPUT_ROWS,
  ...MODES.map(([mode, text]) => ({
    name: `writes the types of BSON in the mode ${mode === '' ? 'default' : mode}`,
    chapter: '2.3',
    given: [TYPED],
    request: `GET /{db}/{c}/1?id_type=NUMBER&keys={"_etag":0}${mode === '' ? '' : `&jsonMode=${mode}`}`,
    status: 200,
    text,
    replyHeaders: { 'Content-Type': STANDARD_TYPE },
  })),
  {
    name: 'drops the fraction of whole seconds in the relaxed mode',
    chapter: '2.3',
    given: ['POST /{db}/{c} {"_id":1,"d":{"$date":1577836800000},"e":{"$date":1577836800260}}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER&keys={"_etag":0}&jsonMode=relaxed',
    status: 200,
    text: '{"_id": 1, "d": {"$date": "2020-01-01T00:00:00Z"}, "e": {"$date": "2020-01-01T00:00:00.26Z"}}',
  },
  {
    name: 'writes JSON on one line with a blank after colons and commas',
    chapter: '2.1',
    given: ['POST /{db}/{c} {"_id":1,"b":[1,2,{"c":"d"}]}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER&keys={"_etag":0}',
    status: 200,
    text: '{"_id": 1, "b": [1, 2, {"c": "d"}]}',
  },
  {
    name: 'answers an array of documents',
    chapter: '2.1',
    given: ['POST /{db}/{c} [{"_id":1},{"_id":2}]'],
    request: 'GET /{db}/{c}?keys={"_id":1}',
    status: 200,
    text: '[{"_id": 2}, {"_id": 1}]',
    replyHeaders: { 'Content-Type': STANDARD_TYPE, ETag: ETAG },
  },
  ...['text/html', 'application/xml', 'application/hal+json', '*/*;q=0'].map((accept) => ({
    name: `lets Accept: ${accept} select nothing`,
    chapter: '2.1',
    request: 'GET /{db}/{c}',
    headers: { Accept: accept },
    status: 200,
    text: '[]',
    replyHeaders: { 'Content-Type': STANDARD_TYPE },
  })),
  ...(
    [
      ['POST /{db}/{c} {"_id":1}', 201],
      ['PUT /{db}/{c}/1?wm=upsert {"a":1}', 201],
      ['DELETE /{db}/{c}/1', 404],
      ['PATCH /{db}/{c}/1 {"a":1}', 404],
      ['PATCH /{db}/{c} {"a":1}', 200],
    ] as const
  ).map(([request, status]) => ({
    name: `names the type of the empty answer to ${request}`,
    chapter: '2.1',
    request,
    status,
    text: '',
    replyHeaders: { 'Content-Type': STANDARD_TYPE, 'Content-Encoding': null },
  })),
  // §2.4
  ...['HAL', 'hal', 'SHAL', 'PLAIN_JSON', 'pj'].map((rep) => ({
    name: `answers rep=${rep} with its media type`,
    chapter: '2.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: `GET /{db}/{c}?rep=${rep}`,
    status: 200,
    replyHeaders: { 'Content-Type': HAL_TYPE },
  })),
  {
    name: 'shows a page in HAL with the properties of its collection',
    chapter: '2.4',
    given: ['PATCH /{db}/{c} {"p":1}', 'POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}?rep=HAL&count',
    status: 200,
    bodyHas: {
      _id: '{c}',
      p: 1,
      _size: 1,
      _total_pages: 1,
      _returned: 1,
      _embedded: { 'rh:doc': [{ _id: 1 }] },
    },
  },
  {
    name: 'drops the properties in HAL with np',
    chapter: '2.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}?rep=HAL&np&keys={"_etag":0}',
    status: 200,
    body: { _returned: 1, _embedded: { 'rh:doc': [{ _id: 1 }] } },
  },
  {
    name: 'omits _embedded of an empty page in HAL',
    chapter: '2.4',
    request: 'GET /{db}/{c}?rep=HAL&np&count',
    status: 200,
    body: { _size: 0, _total_pages: 0, _returned: 0 },
  },
  {
    name: 'flattens _embedded in SHAL',
    chapter: '2.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}?rep=SHAL&keys={"_etag":0}',
    status: 200,
    bodyHas: { _id: '{c}', _returned: 1, _embedded: [{ _id: 1 }] },
  },
  {
    name: 'is just the array in SHAL with np',
    chapter: '2.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}?rep=SHAL&np&keys={"_etag":0}',
    status: 200,
    body: [{ _id: 1 }],
  },
  {
    name: 'shows an empty _embedded in SHAL',
    chapter: '2.4',
    request: 'GET /{db}/{c}?rep=SHAL',
    status: 200,
    bodyHas: { _returned: 0, _embedded: [] },
  },
  {
    name: 'shows a document in compact HAL as itself',
    chapter: '2.4',
    given: ['POST /{db}/{c} {"_id":1,"a":"x"}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER&rep=HAL&keys={"_etag":0}',
    status: 200,
    body: { _id: 1, a: 'x' },
    replyHeaders: { 'Content-Type': HAL_TYPE },
  },
  {
    name: 'adds type, time and links to a document in full HAL',
    chapter: '2.4',
    given: ['POST /{db}/{c} {"_id":"a"}'],
    request: 'GET /{db}/{c}/a?rep=HAL&hal=F',
    status: 200,
    bodyHas: {
      _id: 'a',
      _type: 'DOCUMENT',
      _links: { 'rh:coll': anything(), self: anything(), 'rh:document': anything() },
    },
  },
  {
    name: 'adds paging links in full HAL',
    chapter: '2.4',
    given: [FIVE],
    request: 'GET /{db}/{c}?rep=HAL&hal=full&pagesize=2&page=2&count',
    status: 200,
    bodyHas: {
      _type: 'COLLECTION',
      _size: 5,
      _total_pages: 3,
      _returned: 2,
      _links: { first: anything(), last: anything(), next: anything(), previous: anything() },
    },
  },
  {
    name: 'sorts the collections of a database in HAL',
    chapter: '2.4',
    request: 'GET /{db}?rep=HAL&pagesize=1000',
    status: 200,
    bodyHas: { _id: '{db}', _returned: anything(), _embedded: { 'rh:coll': anything() } },
  },
  {
    name: 'lets _size ignore rep',
    chapter: '2.4',
    request: 'GET /{db}/{c}/_size?rep=HAL',
    status: 200,
    body: { _size: 0 },
  },
  {
    name: 'answers the size of the root in HAL as in STANDARD',
    chapter: '2.4',
    request: 'GET /_size?rep=HAL',
    status: 200,
    bodyHas: { _size: anything() },
  },
  // §4.1: paging, filter, sort, keys, hint
  ...(
    [
      ['', [5, 4, 3, 2, 1]],
      ['pagesize=2', [5, 4]],
      ['pagesize=2&page=2', [3, 2]],
      ['pagesize=2&page=3', [1]],
      ['pagesize=2&page=4', []],
      ['page=2', []],
      ['page=2147483647', []],
      ['sort=n', [5, 4, 3, 2, 1]],
      ['sort_by=-n', [1, 2, 3, 4, 5]],
      ['sort=-_id', [5, 4, 3, 2, 1]],
      ['sort=_id', [1, 2, 3, 4, 5]],
      ['sort=+_id', [1, 2, 3, 4, 5]],
      ['sort=%2B_id', [1, 2, 3, 4, 5]],
      ['sort={"_id":1}', [1, 2, 3, 4, 5]],
      ['sort={_id:-1}', [5, 4, 3, 2, 1]],
      ['sort_by=_id&sort=-_id', [1, 2, 3, 4, 5]],
      ['sort=x&sort=_id', [1, 2, 3, 4, 5]],
      ['sort=_created_on&sort=_id', [1, 2, 3, 4, 5]],
      ['filter={"n":{"$gte":4}}', [2, 1]],
      ["filter={'n':{'$gte':4}}", [2, 1]],
      ['filter={n:{$gte:4}}', [2, 1]],
      ['filter={"n":{"$gte":2}}&filter={"n":{"$lte":3}}', [4, 3]],
      ['filter={"$or":[{"_id":1},{"n":1}]}', [5, 1]],
      ['filter={"_id":{"$in":[1,3]}}&sort=_id', [1, 3]],
      ['filter={"n":99}', []],
      ['filter=%7B%22n%22:5%7D', [1]],
      ['filter={"n":5}trailing', [1]],
      ['hint=_id_', [5, 4, 3, 2, 1]],
      ['hint={"_id":1}', [5, 4, 3, 2, 1]],
      ['hint=-_id&hint={"_id":1}', [5, 4, 3, 2, 1]],
      ["hint={'$natural':1}", [5, 4, 3, 2, 1]],
    ] as const
  ).map(([query, expected]) => ({
    name: `reads the page ?${query}`,
    chapter: '4.1',
    given: [FIVE],
    request: `GET /{db}/{c}${query === '' ? '' : `?${query}`}`,
    status: 200,
    body: ids(...expected),
  })),
  {
    name: 'answers an empty body to pagesize=0',
    chapter: '4.3',
    given: [FIVE],
    request: 'GET /{db}/{c}?pagesize=0',
    status: 200,
    text: '',
  },
  {
    name: 'returns nothing in HAL with pagesize=0',
    chapter: '4.3',
    given: [FIVE],
    request: 'GET /{db}/{c}?pagesize=0&rep=HAL',
    status: 200,
    bodyHas: { _returned: 0 },
  },
  ...(
    [
      ['{"n":1}', { _id: 1, n: 5 }],
      ['{"n":1,"_id":0}', { n: 5 }],
      ['{"_id":1}', { _id: 1 }],
    ] as const
  ).map(([keys, expected]) => ({
    name: `projects ${keys}`,
    chapter: '4.1',
    given: [FIVE],
    request: `GET /{db}/{c}/1?id_type=NUMBER&keys=${keys}`,
    status: 200,
    body: expected,
    replyHeaders: { ETag: null },
  })),
  {
    name: 'merges several keys, the later wins',
    chapter: '4.1',
    given: ['POST /{db}/{c} {"_id":1,"a":1,"b":2,"x":3}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER&keys={"a":1}&keys={"b":1}',
    status: 200,
    body: { _id: 1, a: 1, b: 2 },
  },
  // §4.2
  {
    name: 'pages the names of databases past the end with an empty array',
    chapter: '4.2',
    request: 'GET /?page=1000',
    status: 200,
    text: '[]',
    replyHeaders: { ETag: null, 'Content-Type': STANDARD_TYPE },
  },
  {
    name: 'lists no database with pagesize=0',
    chapter: '4.2',
    request: 'GET /?pagesize=0',
    status: 200,
    text: '[]',
  },
  {
    name: 'pages the names of collections past the end',
    chapter: '4.2',
    request: 'GET /{db}?page=1000',
    status: 200,
    text: '[]',
  },
  {
    name: 'lists the names of collections sorted, with the ETag of the database',
    chapter: '4.2',
    request: 'GET /{db}?pagesize=1000',
    status: 200,
    body: sorted(),
    replyHeaders: { ETag: ETAG },
  },
  {
    name: 'lists the names of databases sorted',
    chapter: '4.2',
    request: 'GET /?pagesize=1000',
    status: 200,
    body: sorted(),
  },
  // §4.3
  {
    name: 'never answers 304 for a collection',
    chapter: '4.3',
    given: ['PATCH /{db}/{c} {"a":1}'],
    request: 'GET /{db}/{c}',
    headers: { 'If-None-Match': '{etag}' },
    status: 200,
    replyHeaders: { ETag: '{etag}' },
  },
  ...(
    [
      ['count', 'exact'],
      ['count=false', 'exact'],
      ['count=estimated', 'estimated'],
      ['count=ESTIMATED', 'estimated'],
      ['count=estimated&filter={"n":1}', 'exact'],
    ] as const
  ).map(([query, strategy]) => ({
    name: `counts ?${query} as ${strategy}`,
    chapter: '4.3',
    given: [FIVE],
    request: `GET /{db}/{c}?${query}`,
    status: 200,
    replyHeaders: { 'X-Count-Strategy': strategy },
  })),
  {
    name: 'does not count unasked',
    chapter: '4.3',
    request: 'GET /{db}/{c}',
    status: 200,
    replyHeaders: { 'X-Count-Strategy': null },
  },
  {
    name: 'counts all matching documents in HAL, and those of the page',
    chapter: '4.3',
    given: [FIVE],
    request: 'GET /{db}/{c}?rep=HAL&count&pagesize=2&filter={"n":{"$gt":1}}',
    status: 200,
    bodyHas: { _size: 4, _total_pages: 2, _returned: 2 },
  },
  // §4.4
  ...(
    [
      ['', 5, 'exact'],
      ['?filter={"n":{"$gt":3}}', 2, 'exact'],
      ['?count=estimated', 5, 'estimated'],
      ['?count=estimated&filter={"n":1}', 1, 'exact'],
    ] as const
  ).map(([query, size, strategy]) => ({
    name: `sizes a collection${query}`,
    chapter: '4.4',
    given: [FIVE],
    request: `GET /{db}/{c}/_size${query}`,
    status: 200,
    text: `{"_size": ${size}}`,
    replyHeaders: { 'X-Count-Strategy': strategy, ETag: ETAG },
  })),
  {
    name: 'shows the properties of a collection as _meta',
    chapter: '4.4',
    given: ['PATCH /{db}/{c} {"a":1}'],
    request: 'GET /{db}/{c}/_meta',
    status: 200,
    bodyHas: { _id: '_meta', a: 1 },
    replyHeaders: { ETag: '{etag}' },
  },
  {
    name: 'shows the properties of a database as _meta',
    chapter: '4.4',
    request: 'GET /{db}/_meta',
    status: 200,
    bodyHas: { _id: '_meta' },
    replyHeaders: { ETag: ETAG },
  },
  {
    name: 'projects _meta',
    chapter: '4.4',
    given: ['PATCH /{db}/{c} {"a":1,"b":2}'],
    request: 'GET /{db}/{c}/_meta?keys={"a":1}',
    status: 200,
    bodyHas: { a: 1 },
  },
  {
    name: 'answers 304 to a _meta that the client has',
    chapter: '4.4',
    given: ['PATCH /{db}/{c} {"a":1}'],
    request: 'GET /{db}/{c}/_meta',
    headers: { 'If-None-Match': '{etag}' },
    status: 304,
    text: '',
  },
  {
    name: 'answers a document with its ETag',
    chapter: '4.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER',
    status: 200,
    body: { _id: 1, _etag: { $oid: '{etag}' } },
    replyHeaders: { ETag: /^[0-9a-f]{24}$/ },
  },
  {
    name: 'answers 304 to the bare ETag, without an ETag header',
    chapter: '4.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER',
    headers: { 'If-None-Match': '{etag}' },
    status: 304,
    text: '',
    replyHeaders: { ETag: null, 'Content-Encoding': null },
  },
  ...['"{etag}"', '*', 'W/"{etag}"', 'x, {etag}', '5d9a3b1c2f4e6a0012345678'].map((value) => ({
    name: `does not take If-None-Match: ${value} for a match`,
    chapter: '4.4',
    given: ['POST /{db}/{c} {"_id":1}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER',
    headers: { 'If-None-Match': value },
    status: 200,
  })),
  ...(
    [
      ['x', "document 'x' does not exist"],
      ['5d9a3b1c2f4e6a0012345678', 'document 5d9a3b1c2f4e6a0012345678 does not exist'],
      ['12?id_type=NUMBER', 'document 12 does not exist'],
      ['1?id_type=DATE', "document {'$date':1} does not exist"],
      ['_null', 'document null does not exist'],
      ['_true', 'document true does not exist'],
    ] as const
  ).map(([token, message]) => ({
    name: `names the missing document ${token}`,
    chapter: '4.4',
    request: `GET /{db}/{c}/${token}`,
    status: 404,
    message,
  })),
  {
    name: 'answers 404 when the filter does not match the document',
    chapter: '4.4',
    given: ['POST /{db}/{c} {"_id":1,"n":1}'],
    request: 'GET /{db}/{c}/1?id_type=NUMBER&filter={"n":2}',
    status: 404,
    message: 'document 1 does not exist',
  },
  {
    name: 'honours the shard key of a document',
    chapter: '4.4',
    given: ['POST /{db}/{c} {"_id":"a","region":"EU"}'],
    request: 'GET /{db}/{c}/a?shardkey={"region":"US"}',
    status: 404,
    message: "document 'a' does not exist",
  },
  // §4.5
  {
    name: 'serves a page from the cache and drops it on a write',
    chapter: '4.5',
    given: [FIVE, 'GET /{db}/{c}?cache&sort=_id', 'POST /{db}/{c} {"_id":0}'],
    request: 'GET /{db}/{c}?cache&sort=_id',
    status: 200,
    body: ids(0, 1, 2, 3, 4, 5),
  },
];

function anything(): unknown {
  return { asymmetricMatch: (value: unknown) => value !== undefined, toString: () => 'anything' };
}

function sorted(): unknown {
  return {
    asymmetricMatch: (value: unknown) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((item, i) => i === 0 || String(value[i - 1]) < String(item)),
    toString: () => 'a sorted list',
  };
}
