/** What there is beside documents: properties, indexes, bulk writes, contents of files, sessions. */

import {
  ANY_DOCUMENT,
  answer,
  body,
  type DescribedCollection,
  errorResponse,
  type Json,
  operation,
  parameters,
} from './openapi-parts.ts';

const INDEX = {
  type: 'object',
  required: ['keys'],
  properties: { keys: ANY_DOCUMENT, ops: ANY_DOCUMENT },
} as const;

function pathParameter(name: string, description: string, schema: Json): Json {
  return { name, in: 'path', required: true, description, schema };
}

/** The resources below a collection or bucket. */
export function resourcePaths(
  collection: DescribedCollection,
  component: string,
): Record<string, Json> {
  const { path, name } = collection;
  const paths: Record<string, Json> = {
    [`${path}/_meta`]: {
      get: operation(collection, `meta_${component}`, `Properties of ${name}`, {
        parameters: parameters('keys'),
        responses: { 200: answer('The properties', ANY_DOCUMENT) },
      }),
    },
    [`${path}/_indexes`]: {
      get: operation(collection, `indexes_${component}`, `Indexes of ${name}`, {
        parameters: parameters('rep'),
        responses: { 200: answer('The indexes', { type: 'array', items: ANY_DOCUMENT }) },
      }),
    },
    [`${path}/_indexes/{index}`]: {
      parameters: [pathParameter('index', 'Name of the index', { type: 'string' })],
      put: operation(collection, `create_index_${component}`, 'Makes an index', {
        ...body(INDEX),
        responses: { 201: answer('It exists') },
      }),
      delete: operation(collection, `delete_index_${component}`, 'Deletes an index', {
        responses: { 204: answer('Deleted') },
      }),
    },
  };
  if (collection.kind === 'bucket') {
    paths[`${path}/{id}/binary`] = {
      parameters: parameters('id', 'idType'),
      get: contentOf(collection, component),
    };
  } else {
    paths[`${path}/*`] = bulkPath(collection, component);
  }
  return paths;
}

function contentOf(collection: DescribedCollection, component: string): Json {
  return operation(collection, `content_${component}`, 'The content of a file', {
    responses: {
      200: { description: 'The content', content: { '*/*': { schema: {} } } },
      206: { description: 'A part of the content', content: { '*/*': { schema: {} } } },
      304: answer('Not modified'),
    },
  });
}

function bulkPath(collection: DescribedCollection, component: string): Json {
  const outcome = answer('How many documents', ANY_DOCUMENT);
  return {
    patch: operation(collection, `patch_all_${component}`, 'Changes all matching documents', {
      parameters: parameters('bulkFilter'),
      ...body(ANY_DOCUMENT),
      responses: { 200: outcome },
    }),
    delete: operation(collection, `delete_all_${component}`, 'Deletes all matching documents', {
      parameters: parameters('bulkFilter'),
      responses: { 200: outcome },
    }),
  };
}

const failure = { default: errorResponse } as const;
const SESSION = pathParameter('sid', 'UUID of the session', { type: 'string', format: 'uuid' });
const TRANSACTION = pathParameter('txn', 'Number of the transaction', { type: 'integer' });

/** Sessions and transactions; they belong to no database. */
export const SESSION_PATHS: Record<string, Json> = {
  '/_sessions': {
    post: {
      operationId: 'create_session',
      summary: 'Makes a session',
      tags: ['sessions'],
      responses: { 201: answer('Location names the session'), ...failure },
    },
  },
  '/_sessions/{sid}': {
    parameters: [SESSION],
    delete: {
      operationId: 'kill_session',
      summary: 'Ends a session and its transaction',
      tags: ['sessions'],
      responses: { 200: answer('Ended'), ...failure },
    },
  },
  '/_sessions/{sid}/_txns': {
    parameters: [SESSION],
    get: {
      operationId: 'get_transaction',
      summary: 'The state of the latest transaction',
      tags: ['sessions'],
      responses: { 200: answer('The state', ANY_DOCUMENT), ...failure },
    },
    post: {
      operationId: 'start_transaction',
      summary: 'Starts a transaction',
      tags: ['sessions'],
      responses: { 201: answer('Started'), 304: answer('One is in progress'), ...failure },
    },
  },
  '/_sessions/{sid}/_txns/{txn}': {
    parameters: [SESSION, TRANSACTION],
    patch: {
      operationId: 'commit_transaction',
      summary: 'Commits a transaction',
      tags: ['sessions'],
      responses: { 200: answer('Committed'), ...failure },
    },
    delete: {
      operationId: 'abort_transaction',
      summary: 'Aborts a transaction',
      tags: ['sessions'],
      responses: { 204: answer('Aborted'), ...failure },
    },
  },
};
