/** The pieces that the paths of the description are made of. */

/** Plain JSON. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };
/** A JSON object. */
export type JsonObject = { readonly [name: string]: Json };

/** One collection that requests can reach. */
export interface DescribedCollection {
  readonly database: string;
  readonly name: string;
  /** As requests see it. */
  readonly path: string;
  readonly kind: 'collection' | 'bucket';
  /** The stored schema that documents must satisfy, draft-04. */
  readonly schema: JsonObject | undefined;
  /** Names of stored aggregations and streams. */
  readonly aggregations: readonly string[];
  readonly streams: readonly string[];
}

/** The schema of a document that no stored schema describes. */
export const ANY_DOCUMENT = { type: 'object', additionalProperties: true } as const;
/** The media type of nearly all bodies. */
export const JSON_TYPE = 'application/json';

/** The error object (rest-documents.md §2.5). */
export const ERROR_SCHEMA = {
  type: 'object',
  required: ['http status code', 'http status description'],
  properties: {
    'http status code': { type: 'integer' },
    'http status description': { type: 'string' },
    message: { type: 'string' },
    exception: { type: 'string' },
    'exception message': {},
  },
} as const;

/** The answer to every refusal. */
export const errorResponse = {
  description: 'The request was refused or failed',
  content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
} as const;

function queryParameter(name: string, description: string, schema: Json): JsonObject {
  return { name, in: 'query', required: false, description, schema };
}

/** Parameters that several operations take. */
export const PARAMETERS: JsonObject = {
  filter: queryParameter('filter', 'MongoDB query as Extended JSON', { type: 'string' }),
  bulkFilter: {
    name: 'filter',
    in: 'query',
    required: true,
    description: 'MongoDB query as Extended JSON',
    schema: { type: 'string' },
  },
  keys: queryParameter('keys', 'Projection as Extended JSON', { type: 'string' }),
  sort: queryParameter('sort', 'Field, -field or a sort document', { type: 'string' }),
  page: queryParameter('page', 'Number of the page, from 1', { type: 'integer', minimum: 1 }),
  pagesize: queryParameter('pagesize', 'Documents on a page', { type: 'integer', minimum: 0 }),
  after: queryParameter('after', 'Cursor of keyset paging; empty for the first page', {
    type: 'string',
  }),
  count: queryParameter('count', 'Asks for the number of all documents', { type: 'string' }),
  rep: queryParameter('rep', 'Representation', { enum: ['STANDARD', 'HAL', 'SHAL'] }),
  wm: queryParameter('wm', 'What a write may create or must find', {
    enum: ['insert', 'update', 'upsert'],
  }),
  avars: queryParameter('avars', 'Variables as a JSON object', { type: 'string' }),
  id: {
    name: 'id',
    in: 'path',
    required: true,
    description: 'Id of the document; a hexadecimal ObjectId or a text, other types by id_type',
    schema: { type: 'string' },
  },
  idType: queryParameter('id_type', 'BSON type of the id', {
    enum: ['OID', 'STRING_OID', 'STRING', 'NUMBER', 'DATE', 'MINKEY', 'MAXKEY', 'NULL', 'BOOLEAN'],
  }),
  ifMatch: {
    name: 'If-Match',
    in: 'header',
    required: false,
    description: 'ETag that the resource must have',
    schema: { type: 'string' },
  },
};

/** References to parameters of the table above. */
export function parameters(...names: readonly string[]): Json {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

/** An operation of a collection; every one may be refused. */
export function operation(
  collection: DescribedCollection,
  id: string,
  summary: string,
  more: JsonObject & { readonly responses: JsonObject },
): JsonObject {
  const responses = { ...more.responses, default: { $ref: '#/components/responses/Error' } };
  return { tags: [collection.database], operationId: id, summary, ...more, responses };
}

/** Content of type JSON. */
export const jsonContent = (schema: Json): JsonObject => ({ content: { [JSON_TYPE]: { schema } } });
/** An answer, with a JSON body if there is a schema. */
export const answer = (description: string, schema?: Json): JsonObject => ({
  description,
  ...(schema === undefined ? {} : jsonContent(schema)),
});
/** A JSON body that must be sent. */
export const body = (schema: Json): JsonObject => ({
  requestBody: { required: true, ...jsonContent(schema) },
});
