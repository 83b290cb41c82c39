/** The OpenAPI 3.1 description of what is mounted: a pure function from facts to a document. */

/** Plain JSON. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

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

/** What the description is made of. */
export interface OpenApiFacts {
  readonly version: string;
  readonly serverUrl: string;
  readonly collections: readonly DescribedCollection[];
}

const ANY_DOCUMENT = { type: 'object', additionalProperties: true } as const;
const JSON_TYPE = 'application/json';

/** The description. */
export function createOpenApiDocument({
  version,
  serverUrl,
  collections,
}: OpenApiFacts): JsonObject {
  const paths: Record<string, Json> = {};
  const schemas: Record<string, Json> = { Error: ERROR_SCHEMA };
  const used = new Set<string>();
  for (const collection of collections) {
    const component = componentName(collection, used);
    if (collection.schema !== undefined) {
      schemas[component] = toOpenApiSchema(collection.schema, component);
    }
    const document: Json =
      collection.schema === undefined
        ? ANY_DOCUMENT
        : { $ref: `#/components/schemas/${component}` };
    Object.assign(paths, pathsOf(collection, document, component));
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quorate',
      version,
      description: 'Databases, collections and documents of MongoDB over HTTP.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl }],
    security: [{ basic: [] }, { bearer: [] }, {}],
    tags: [...new Set(collections.map(({ database }) => database))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      parameters: PARAMETERS,
      responses: { Error: errorResponse },
      securitySchemes: {
        basic: { type: 'http', scheme: 'basic' },
        bearer: { type: 'http', scheme: 'bearer' },
      },
    },
  };
}

const ERROR_SCHEMA = {
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

const errorResponse = {
  description: 'The request was refused or failed',
  content: { [JSON_TYPE]: { schema: { $ref: '#/components/schemas/Error' } } },
} as const;

function queryParameter(name: string, description: string, schema: Json): JsonObject {
  return { name, in: 'query', required: false, description, schema };
}

const PARAMETERS: JsonObject = {
  filter: queryParameter('filter', 'MongoDB query as Extended JSON', { type: 'string' }),
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

function parameters(...names: readonly string[]): Json {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function operation(
  collection: DescribedCollection,
  id: string,
  summary: string,
  more: JsonObject & { readonly responses: JsonObject },
): JsonObject {
  const responses = { ...more.responses, default: { $ref: '#/components/responses/Error' } };
  return { tags: [collection.database], operationId: id, summary, ...more, responses };
}

const jsonContent = (schema: Json): JsonObject => ({ content: { [JSON_TYPE]: { schema } } });
const answer = (description: string, schema?: Json): JsonObject => ({
  description,
  ...(schema === undefined ? {} : jsonContent(schema)),
});
const body = (schema: Json): JsonObject => ({
  requestBody: { required: true, ...jsonContent(schema) },
});

function pathsOf(
  collection: DescribedCollection,
  document: Json,
  component: string,
): Record<string, Json> {
  const { path, name } = collection;
  const list: Json = { type: 'array', items: document };
  const paths: Record<string, Json> = {
    [path]: {
      get: operation(collection, `list_${component}`, `Documents of ${name}`, {
        parameters: parameters(
          'filter',
          'keys',
          'sort',
          'page',
          'pagesize',
          'after',
          'count',
          'rep',
        ),
        responses: { 200: answer('A page of documents', list) },
      }),
      post:
        collection.kind === 'bucket'
          ? uploadOperation(collection, component)
          : operation(collection, `create_${component}`, `Creates documents in ${name}`, {
              parameters: parameters('wm'),
              ...body({ oneOf: [document, list] }),
              responses: {
                200: answer('Written'),
                201: answer('Created'),
                207: answer('Some of several documents could not be written', ANY_DOCUMENT),
              },
            }),
    },
    [`${path}/{id}`]: documentPath(collection, document, component),
    [`${path}/_size`]: {
      get: operation(collection, `size_${component}`, `Number of documents of ${name}`, {
        parameters: parameters('filter'),
        responses: {
          200: answer('The number', {
            type: 'object',
            properties: { _size: { type: 'integer' } },
            required: ['_size'],
          }),
        },
      }),
    },
  };
  for (const [index, uri] of collection.aggregations.entries()) {
    paths[`${path}/_aggrs/${encodeURIComponent(uri)}`] = {
      get: operation(collection, `aggregate_${component}_${index}`, `Aggregation ${uri}`, {
        parameters: parameters('avars', 'page', 'pagesize', 'rep'),
        responses: { 200: answer('The results', { type: 'array', items: {} }) },
      }),
    };
  }
  for (const [index, uri] of collection.streams.entries()) {
    paths[`${path}/_streams/${encodeURIComponent(uri)}`] = {
      get: operation(collection, `stream_${component}_${index}`, `Change stream ${uri}`, {
        parameters: parameters('avars'),
        responses: {
          200: {
            description: 'Server-sent events',
            content: { 'text/event-stream': { schema: { type: 'string' } } },
          },
        },
      }),
    };
  }
  return paths;
}

function uploadOperation(collection: DescribedCollection, component: string): JsonObject {
  const schema = {
    type: 'object',
    required: ['file'],
    properties: {
      file: { type: 'string', contentMediaType: 'application/octet-stream' },
      metadata: ANY_DOCUMENT,
    },
  };
  return operation(collection, `create_${component}`, `Uploads a file to ${collection.name}`, {
    requestBody: { required: true, content: { 'multipart/form-data': { schema } } },
    responses: { 201: answer('Created') },
  });
}

function documentPath(
  collection: DescribedCollection,
  document: Json,
  component: string,
): JsonObject {
  return {
    parameters: parameters('id', 'idType'),
    get: operation(collection, `get_${component}`, 'One document', {
      parameters: parameters('keys', 'rep'),
      responses: { 200: answer('The document', document), 304: answer('Not modified') },
    }),
    put: operation(collection, `put_${component}`, 'Replaces a document', {
      parameters: parameters('wm', 'ifMatch'),
      ...body(document),
      responses: { 200: answer('Replaced'), 201: answer('Created') },
    }),
    patch: operation(collection, `patch_${component}`, 'Changes a document', {
      parameters: parameters('wm', 'ifMatch'),
      ...body(ANY_DOCUMENT),
      responses: { 200: answer('Changed'), 201: answer('Created') },
    }),
    delete: operation(collection, `delete_${component}`, 'Deletes a document', {
      parameters: parameters('ifMatch'),
      responses: { 204: answer('Deleted') },
    }),
  };
}

/** A name that components and operation ids may have, different for each collection. */
function componentName({ database, name }: DescribedCollection, used: Set<string>): string {
  const base = `${database}_${name}`.replace(/[^A-Za-z0-9_.-]/g, '_');
  let candidate = base;
  for (let count = 2; used.has(candidate); count += 1) candidate = `${base}_${count}`;
  used.add(candidate);
  return candidate;
}

/** Draft-04 as JSON Schema 2020-12, which OpenAPI 3.1 speaks; references stay within the component. */
export function toOpenApiSchema(schema: JsonObject, component: string): JsonObject {
  const base = `#/components/schemas/${component}`;
  return convertObject(schema, base, true);
}

function convert(value: Json, base: string): Json {
  if (Array.isArray(value)) return value.map((item) => convert(item, base));
  return isObject(value) ? convertObject(value, base, false) : value;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Keywords whose members are schemas by name: their names are no keywords. */
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  'definitions',
  'dependencies',
]);
const DROPPED: ReadonlySet<string> = new Set([
  '$schema',
  'id',
  '_id',
  '_etag',
  'exclusiveMinimum',
  'exclusiveMaximum',
]);

function convertObject(schema: JsonObject, base: string, isRoot: boolean): JsonObject {
  const result: Record<string, Json> = {};
  for (const [name, value] of Object.entries(schema)) {
    if (DROPPED.has(name) && (isRoot || !name.startsWith('_'))) continue;
    if (MAPS.has(name) && isObject(value)) Object.assign(result, convertMap(name, value, base));
    else if (name === '$ref') Object.assign(result, toReference(value, base));
    else if (name === 'items' && Array.isArray(value)) result['prefixItems'] = convert(value, base);
    else if (name === 'additionalItems') {
      if (Array.isArray(schema['items'])) result['items'] = convert(value, base);
    } else if (name === 'enum' || name === 'default') result[name] = value;
    else result[name] = convert(value, base);
  }
  moveBound(schema, result, 'minimum', 'exclusiveMinimum');
  moveBound(schema, result, 'maximum', 'exclusiveMaximum');
  return result;
}

function convertMap(name: string, value: JsonObject, base: string): JsonObject {
  const entries = Object.entries(value);
  if (name !== 'dependencies') {
    const members = Object.fromEntries(
      entries.map(([key, member]) => [key, convert(member, base)]),
    );
    return { [name === 'definitions' ? '$defs' : name]: members };
  }
  const required = entries.filter(([, rule]) => Array.isArray(rule));
  const schemas = entries.filter(([, rule]) => isObject(rule));
  return {
    ...(required.length > 0 ? { dependentRequired: Object.fromEntries(required) } : {}),
    ...(schemas.length > 0
      ? {
          dependentSchemas: Object.fromEntries(
            schemas.map(([key, rule]) => [key, convert(rule, base)]),
          ),
        }
      : {}),
  };
}

/** Schemas of other stores are not part of the description: anything goes there. */
function toReference(value: Json, base: string): JsonObject {
  if (typeof value !== 'string' || !value.startsWith('#')) return {};
  return { $ref: `${base}${value.slice(1).replaceAll('/definitions/', '/$defs/')}` };
}

function moveBound(
  schema: JsonObject,
  result: Record<string, Json>,
  bound: string,
  exclusive: string,
): void {
  const value = schema[bound];
  if (schema[exclusive] !== true || value === undefined) return;
  delete result[bound];
  result[exclusive] = value;
}
