/** What clients send in combination: rest-documents.md, chapters that name two rules which meet in one request. */
import type { RowTable } from '../support/rows.ts';

const INT = (value: number): unknown => ({ $numberInt: String(value) });

/** Rows where two rules meet. */
export const COMBINATION_ROWS: RowTable = [
  // §2.3 with §2.4: the mode applies to every body, counts included
  {
    name: 'writes the counts of HAL in the extended mode',
    chapter: '2.3',
    given: ['POST /{db}/{c} {"_id":"a"}'],
    request: 'GET /{db}/{c}?rep=hal&np&count&keys={"_id":1}&jsonMode=extended',
    status: 200,
    body: {
      _size: INT(1),
      _total_pages: INT(1),
      _returned: INT(1),
      _embedded: { 'rh:doc': [{ _id: 'a' }] },
    },
  },
  {
    name: 'writes the counts of SHAL in the extended mode',
    chapter: '2.3',
    request: 'GET /{db}/{c}?rep=shal&count&jsonMode=extended',
    status: 200,
    bodyHas: { _size: INT(0), _total_pages: INT(0), _returned: INT(0), _embedded: [] },
  },
  {
    name: 'writes the result of a bulk write in the extended mode of SHAL',
    chapter: '2.3',
    request: 'DELETE /{db}/{c}/*?filter={"a":1}&rep=shal&jsonMode=extended',
    status: 200,
    body: { inserted: INT(0), deleted: INT(0), modified: INT(0), matched: INT(0) },
  },
  // §1.4: the Location of a number finds it again
  {
    name: 'finds a large double by the id of its Location',
    chapter: '1.4',
    given: ['POST /{db}/{c} {"_id":1e20}'],
    request: 'GET /{db}/{c}/1.0E20?id_type=NUMBER&keys={"_etag":0}',
    status: 200,
    text: '{"_id": 1.0E20}',
  },
  // §5.3: the id of the URI against an id in an operator
  {
    name: 'refuses to change the _id by an operator',
    chapter: '3',
    given: ['POST /{db}/{c} {"_id":"a","n":1}'],
    request: 'PATCH /{db}/{c}/a {"$set":{"_id":"b","n":2}}',
    status: 403,
    message: 'Update tried to change the immutable shardkey',
    after: [{ request: 'GET /{db}/{c}/a?keys={"_etag":0}', body: { _id: 'a', n: 1 } }],
  },
  {
    name: 'takes the _id of the URI repeated beside operators',
    chapter: '5.2',
    given: ['POST /{db}/{c} {"_id":"a","n":1}'],
    request: 'PATCH /{db}/{c}/a {"_id":"a","$inc":{"n":1}}',
    status: 200,
    text: '',
    after: [{ request: 'GET /{db}/{c}/a?keys={"_etag":0}', body: { _id: 'a', n: 2 } }],
  },
  {
    name: 'names the error of a stage that updates cannot have',
    chapter: '3',
    given: ['POST /{db}/{c} {"_id":"a","n":1}'],
    request: 'PATCH /{db}/{c}/a [{"$match":{}}]',
    status: 500,
    message: /^Command failed with error 72 \(InvalidOptions\): '/,
  },
  // beyond the reference: an export that the database refuses is an error, not a cut connection
  ...['text/csv', 'application/x-ndjson'].map((type) => ({
    name: `answers a refused query of an export to ${type} with the error`,
    chapter: 'beyond',
    request: 'GET /{db}/{c}?filter={"a":{"$foo":1}}',
    headers: { Accept: type },
    status: 400,
    message: 'Invalid query parameter: unknown operator: $foo',
  })),
  // §3: paths that the database refuses
  {
    name: 'refuses to sort by a path that ends with a dot',
    chapter: '3',
    request: 'GET /{db}/{c}?sort=a.',
    status: 400,
    message: "FieldPath must not end with a '.'",
  },
  {
    name: 'refuses to project a path that ends with a dot',
    chapter: '3',
    request: 'GET /{db}/{c}?keys={"a.":1}',
    status: 400,
    message: "FieldPath must not end with a '.'",
  },
  {
    name: 'refuses to sort by a path with an empty name in it',
    chapter: '3',
    request: 'GET /{db}/{c}?sort=a..b',
    status: 400,
    message: 'FieldPath field names may not be empty strings',
  },
];
