/** Schema store and validation: rest-resources.md §4. */
import { expect } from 'vitest';
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'resources §4';
const STORE = 'PUT /{db}/_schemas';
const S1 =
  '{"_id":"{c}s","type":"object","properties":{"n":{"type":"number"},"s":{"type":"string"}},"required":["n","s"]}';
const WITH_SCHEMA = [
  STORE,
  `POST /{db}/_schemas?wm=upsert ${S1}`,
  'PATCH /{db}/{c} {"jsonSchema":{"schemaId":"{c}s"}}',
];
const VIOLATES = "Request content violates schema '{c}s': ";

function write(request: string, message?: string, more: Partial<Row> = {}): Row {
  return {
    name: `${message === undefined ? 'accepts' : 'refuses'} ${request}`,
    chapter: CHAPTER,
    given: WITH_SCHEMA,
    request,
    status: message === undefined ? 201 : 400,
    ...(message === undefined ? {} : { message: VIOLATES + message }),
    ...more,
  };
}

const WRONG: readonly (readonly [property: string, reason: string])[] = [
  ['{"schemaId":"none-{c}"}', 'schema {db}/_schemas/none-{c} not found'],
  ['{}', 'missing property schemaId'],
  ['{"schemaId":"x","schemaStoreDb":5}', 'property schemaStoreDb must be a string'],
  ['{"schemaId":{"a":1}}', "schema 'id' is not valid"],
];

export const SCHEMA_ROWS: RowTable = [
  {
    name: 'creates the store',
    chapter: CHAPTER,
    given: [STORE],
    request: 'GET /{db}/_schemas/_meta',
    status: 200,
    bodyHas: { _id: '_meta' },
  },
  {
    name: 'stores a schema',
    chapter: CHAPTER,
    given: [STORE],
    request: `POST /{db}/_schemas ${S1}`,
    status: 201,
    text: '',
    replyHeaders: { Location: 'http://{host}/{db}/_schemas/{c}s', ETag: /^[0-9a-f]{24}$/ },
    after: [
      {
        request: 'GET /{db}/_schemas/{c}s',
        bodyHas: {
          $schema: 'http://json-schema.org/draft-04/schema#',
          id: 'http://schema-store/{db}/{c}s#',
        },
      },
    ],
  },
  {
    name: 'forces the draft and keeps escaped names as they are',
    chapter: CHAPTER,
    given: [
      STORE,
      'POST /{db}/_schemas?wm=upsert {"_id":"{c}e","$schema":"https://json-schema.org/draft-07/schema","properties":{"_$oid":{"$ref":"#/definitions/x"}},"definitions":{"x":{}}}',
    ],
    request: 'GET /{db}/_schemas/{c}e?keys={"_etag":0}',
    status: 200,
    body: {
      _id: '{c}e',
      $schema: 'http://json-schema.org/draft-04/schema#',
      properties: { $oid: { $ref: '#/definitions/x' } },
      definitions: { x: {} },
      id: 'http://schema-store/{db}/{c}e#',
    },
  },
  {
    name: 'lists schemas unescaped',
    chapter: CHAPTER,
    given: [STORE, `POST /{db}/_schemas?wm=upsert ${S1}`],
    request: 'GET /{db}/_schemas?filter={"_id":"{c}s"}',
    status: 200,
    body: [expect.objectContaining({ $schema: 'http://json-schema.org/draft-04/schema#' })],
  },
  {
    name: 'embeds schemas as rh:schema',
    chapter: CHAPTER,
    given: [STORE, `POST /{db}/_schemas?wm=upsert ${S1}`],
    request: 'GET /{db}/_schemas?rep=HAL&filter={"_id":"{c}s"}',
    status: 200,
    bodyHas: { _embedded: { 'rh:schema': [{ _id: '{c}s' }] } },
  },
  {
    name: 'refuses what the meta-schema forbids',
    chapter: CHAPTER,
    given: [STORE],
    request: 'POST /{db}/_schemas {"_id":"bad","type":"foo"}',
    status: 400,
    message:
      'Request content violates JSON Schema meta schema: #/type: no subschema matched out of the total 2 subschemas, ' +
      '#/type: expected type: JSONArray, found: String, #/type: foo is not a valid enum value',
  },
  {
    name: 'refuses an array of schemas',
    chapter: CHAPTER,
    given: [STORE],
    request: 'POST /{db}/_schemas [{"_id":"a"}]',
    status: 400,
    message: 'request content must be a Json object',
  },
  {
    name: 'updates a schema only if it exists',
    chapter: CHAPTER,
    given: [STORE],
    request: 'PUT /{db}/_schemas/new-{c} {"type":"object"}',
    status: 404,
    text: '',
  },
  {
    name: 'creates a schema with wm=upsert',
    chapter: CHAPTER,
    given: [STORE],
    request: 'PUT /{db}/_schemas/new-{c}?wm=upsert {"type":"object"}',
    status: 201,
    text: '',
  },
  {
    name: 'names a missing schema',
    chapter: CHAPTER,
    given: [STORE],
    request: 'GET /{db}/_schemas/none',
    status: 404,
    message: "schema 'none' does not exist",
  },
  {
    name: 'deletes a schema',
    chapter: CHAPTER,
    given: [STORE, `POST /{db}/_schemas?wm=upsert ${S1}`],
    request: 'DELETE /{db}/_schemas/{c}s',
    status: 204,
    text: '',
  },
  {
    name: 'has no PATCH of schemas',
    chapter: CHAPTER,
    given: [STORE],
    request: 'PATCH /{db}/_schemas/x {"type":"object"}',
    status: 405,
    message: 'method PATCH not allowed',
  },
  write('POST /{db}/{c} {"_id":"a","n":1,"s":"x"}'),
  write('POST /{db}/{c} {"n":"x","s":"x"}', '#/n: expected type: Number, found: String'),
  write(
    'POST /{db}/{c} {"a":1}',
    '2 schema violations found, #: required key [n] not found, #: required key [s] not found',
  ),
  write('POST /{db}/{c} {"n":1}', 'required key [s] not found'),
  write('POST /{db}/{c} [{"n":1,"s":"x"},{"n":1}]', 'required key [s] not found', {
    after: [{ request: 'GET /{db}/{c}', body: [] }],
  }),
  write('PUT /{db}/{c}/a?wm=upsert {"n":1,"s":2}', '#/s: expected type: String, found: Integer'),
  write('PUT /{db}/{c}/a?wm=upsert {"n":1,"s":"x"}'),
  {
    name: 'undoes a PATCH whose result violates the schema',
    chapter: CHAPTER,
    given: [...WITH_SCHEMA, 'POST /{db}/{c} {"_id":"a","n":1,"s":"x"}'],
    request: 'PATCH /{db}/{c}/a {"n":"y"}',
    status: 400,
    message: `${VIOLATES}#/n: expected type: Number, found: String`,
    replyHeaders: { ETag: null },
    after: [{ request: 'GET /{db}/{c}/a?keys={"_etag":0}', body: { _id: 'a', n: 1, s: 'x' } }],
  },
  {
    name: 'removes a document made by a PATCH that violates the schema',
    chapter: CHAPTER,
    given: WITH_SCHEMA,
    request: 'PATCH /{db}/{c}/new?wm=upsert {"n":1}',
    status: 400,
    message: `${VIOLATES}required key [s] not found`,
    after: [{ request: 'GET /{db}/{c}', body: [] }],
  },
  {
    name: 'accepts a PATCH whose result is valid',
    chapter: CHAPTER,
    given: [...WITH_SCHEMA, 'POST /{db}/{c} {"_id":"a","n":1,"s":"x"}'],
    request: 'PATCH /{db}/{c}/a {"n":2}',
    status: 200,
  },
  {
    name: 'does not validate bulk PATCH',
    chapter: CHAPTER,
    given: [...WITH_SCHEMA, 'POST /{db}/{c} {"_id":"a","n":1,"s":"x"}'],
    request: 'PATCH /{db}/{c}/*?filter={"n":1} {"n":"y"}',
    status: 200,
  },
  {
    name: 'follows references between stored schemas',
    chapter: CHAPTER,
    given: [
      STORE,
      'POST /{db}/_schemas?wm=upsert {"_id":"{c}b","definitions":{"p":{"type":"integer"}}}',
      'POST /{db}/_schemas?wm=upsert {"_id":"{c}r","properties":{"n":{"$ref":"http://schema-store/{db}/{c}b#/definitions/p"}}}',
      'PATCH /{db}/{c} {"jsonSchema":{"schemaId":"{c}r"}}',
    ],
    request: 'POST /{db}/{c} {"n":"x"}',
    status: 400,
    message: "Request content violates schema '{c}r': #/n: expected type: Integer, found: String",
  },
  {
    name: 'fetches no schema over the network',
    chapter: CHAPTER,
    given: [
      STORE,
      'POST /{db}/_schemas?wm=upsert {"_id":"{c}x","properties":{"n":{"$ref":"http://127.0.0.1:1/x#"}}}',
      'PATCH /{db}/{c} {"jsonSchema":{"schemaId":"{c}x"}}',
    ],
    request: 'POST /{db}/{c} {"n":"x"}',
    status: 500,
    message: /^wrong 'jsonSchema': reference to http:\/\/127\.0\.0\.1:1\/x refused/,
  },
  {
    name: 'checks nothing when jsonSchema is no object',
    chapter: CHAPTER,
    given: ['PATCH /{db}/{c} {"jsonSchema":null}'],
    request: 'POST /{db}/{c} {"n":"x"}',
    status: 201,
  },
  ...WRONG.map(
    ([property, reason]): Row => ({
      name: `names the fault of jsonSchema ${property}`,
      chapter: CHAPTER,
      given: [STORE, `PATCH /{db}/{c} {"jsonSchema":${property}}`],
      request: 'POST /{db}/{c} {"n":1}',
      status: 500,
      message: `wrong 'jsonSchema': ${reason}`,
    }),
  ),
  {
    name: 'lets a wrong jsonSchema be repaired',
    chapter: CHAPTER,
    given: ['PATCH /{db}/{c} {"jsonSchema":{}}'],
    request: 'PATCH /{db}/{c} {"jsonSchema":null}',
    status: 200,
  },
];
