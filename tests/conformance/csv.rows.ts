/** CSV upload and small services: rest-resources.md §10, §11. */
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §10';
const CSV = { 'Content-Type': 'text/csv' };
const TO = 'POST /csv?db={db}&coll={c}';

function row(
  name: string,
  request: string,
  content: string,
  status: number,
  more: Partial<Row> = {},
): Row {
  return { name, chapter: CHAPTER, headers: CSV, request, content, status, ...more };
}

const stored = (body: unknown, sort = '_id') => [
  {
    request: `GET /{db}/{c}?sort=${sort}&keys={"_etag":0${sort === '_id' ? '' : ',"_id":0'}}`,
    body,
  },
];

export const CSV_ROWS: RowTable = [
  row('loads rows', `${TO}&id=0`, 'id,name,n\n1,Ada,2.5\n2,"x,y",true\n', 200, {
    text: '',
    after: stored([
      { _id: 1, name: 'Ada', n: 2.5 },
      { _id: 2, name: 'x,y', n: true },
    ]),
  }),
  row('names extra cells', `${TO}`, 'a\n1,2,3', 200, {
    after: stored([{ a: 1, unnamed_0: 2, unnamed_1: 3 }], 'a'),
  }),
  row('adds properties', `${TO}&id=0&props=p&values=7&props=q&values=x`, 'id\n1', 200, {
    after: stored([{ _id: 1, p: 7, q: 'x' }]),
  }),
  row('splits at a regular expression', `${TO}&id=0&sep=%5C%7C`, 'id|a\n1|2', 200, {
    after: stored([{ _id: 1, a: 2 }]),
  }),
  row('refuses a separator that is no regular expression', `${TO}&sep=(`, 'a,b\n1,2', 400, {
    bodyHas: { msg: 'sep is no regular expression' },
  }),
  row('updates rows by id', `${TO}&id=0&update=true`, 'id,b\nx,2', 200, {
    given: ['POST /{db}/{c} {"_id":"x","a":1}'],
    after: stored([{ _id: 'x', a: 1, b: 2 }]),
  }),
  row('creates no rows without upsert', `${TO}&id=0&update=true&upsert=false`, 'id,b\nx,2', 200, {
    after: stored([]),
  }),
  row('answers 304 to a head without rows', TO, 'a,b\n', 304),
  row('wants the database', 'POST /csv?coll=x', 'a\n1', 400, {
    body: { msg: 'db qparam is mandatory' },
  }),
  row('wants the collection', 'POST /csv?db=x', 'a\n1', 400, {
    body: { msg: 'coll qparam is mandatory' },
  }),
  row('wants ids for updates', `${TO}&update=true`, 'a\n1', 400, {
    body: { msg: 'id must be set when update=true' },
  }),
  row('wants a number for the column of ids', `${TO}&id=x`, 'a\n1', 400),
  row('knows only POST', 'PUT /csv', 'a\n1', 501, {
    body: { msg: 'Only POST method is supported' },
  }),
  row('wants CSV', TO, '{}', 400, { headers: { 'Content-Type': 'application/json' }, text: '' }),
  row('refuses reserved databases', 'POST /csv?db=admin&coll=x', 'a\n1', 403),
  { name: 'wants CSV of GET too', chapter: CHAPTER, request: 'GET /csv', status: 400, text: '' },
  {
    name: 'clears the cache',
    chapter: 'resources §11',
    request: 'POST /ic?db={db}&coll={c}',
    status: 200,
    text: '',
  },
  {
    name: 'knows only POST of the cache',
    chapter: 'resources §11',
    request: 'GET /ic?db={db}',
    status: 405,
  },
  {
    name: 'tells that the database answers',
    chapter: 'resources §11',
    request: 'GET /health/db',
    status: 200,
    bodyHas: { status: 'ok', description: 'ping successful' },
  },
  {
    name: 'tells nothing of the database to other methods',
    chapter: 'resources §11',
    request: 'POST /health/db',
    status: 405,
  },
];
