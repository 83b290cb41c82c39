/** The OpenAPI 3.1 description of what is mounted: a pure function from facts to a document. */

import {
  ANY_DOCUMENT,
  answer,
  body,
  type DescribedCollection,
  ERROR_SCHEMA,
  errorResponse,
  type Json,
  type JsonObject,
  operation,
  PARAMETERS,
  parameters,
} from './openapi-parts.ts';
import { resourcePaths, SESSION_PATHS } from './openapi-resources.ts';
import { toOpenApiSchema } from './openapi-schema.ts';

/** What the description is made of. */
export interface OpenApiFacts {
  readonly version: string;
  readonly serverUrl: string;
  readonly collections: readonly DescribedCollection[];
}

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
  Object.assign(paths, SESSION_PATHS);
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
    tags: [...new Set([...collections.map(({ database }) => database), 'sessions'])].map(
      (name) => ({
        name,
      }),
    ),
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
  Object.assign(paths, resourcePaths(collection, component));
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
