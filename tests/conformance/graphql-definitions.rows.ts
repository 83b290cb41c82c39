/** Definitions of GraphQL apps, written through the REST API: graphql.md §2 to §4. */
import { givenApp, MAKE_APPS } from '../support/graphql-rows.ts';
import type { Row, RowTable } from '../support/rows.ts';

const CHAPTER = 'graphql §3';
const WRONG = 'Wrong GraphQL App definition: ';
const QUERY = { db: '{db}', collection: '{c}' };
const SCHEMA = 'type Item { a: Int } type Query { items: [Item] }';
const GOOD = { schema: SCHEMA, mappings: { Query: { items: QUERY } } };

function write(name: string, definition: unknown, answer: Partial<Row> & { status: number }): Row {
  return {
    name,
    chapter: CHAPTER,
    given: MAKE_APPS,
    request: 'POST /restheart/gql-apps',
    content: JSON.stringify(definition),
    headers: { 'Content-Type': 'application/json' },
    ...answer,
  };
}

function refuses(definition: unknown, reason: string | RegExp): Row {
  const text = reason instanceof RegExp ? reason.source : reason;
  return write(`refuses a definition: ${text}`, definition, {
    status: 400,
    message: reason instanceof RegExp ? reason : `${WRONG}${reason}`,
    exception: 'org.restheart.graphql.GraphQLIllegalAppDefinitionException',
  });
}

/** The definition with other mappings, over a schema with one object type. */
const mapped = (mappings: unknown) => ({ schema: SCHEMA, mappings });
const mappedItems = (mapping: unknown) => mapped({ Query: { items: mapping } });
const UNION = 'type A { a: Int } type B { b: Int } union U = A | B type Query { us: [U] }';
const unionApp = (mapping: object) => ({
  schema: UNION,
  mappings: { Query: { us: QUERY }, ...mapping },
});
const INTERFACE = 'interface I { a: Int } type A implements I { a: Int } type Query { is: [I] }';
const interfaceApp = (mapping: object) => ({
  schema: INTERFACE,
  mappings: { Query: { is: QUERY }, ...mapping },
});

const REFUSALS: RowTable = [
  refuses({ ...GOOD, descriptor: 1 }, "'Descriptor' field must be an Object but was INT32"),
  refuses({ mappings: GOOD.mappings }, /^Wrong GraphQL App definition: Invalid GraphQL schema: /),
  refuses({ ...GOOD, schema: 5 }, /^Wrong GraphQL App definition: Invalid GraphQL schema: /),
  refuses({ ...GOOD, schema: 'type {' }, /^Wrong GraphQL App definition: Invalid GraphQL schema: /),
  refuses(
    { ...GOOD, schema: 'type Query { items: [Unknown] }' },
    /^Wrong GraphQL App definition: Invalid GraphQL schema: /,
  ),
  refuses(
    { ...GOOD, schema: `scalar Own ${SCHEMA}` },
    /^Wrong GraphQL App definition: Invalid GraphQL schema: /,
  ),
  refuses(
    { ...GOOD, schema: `scalar ObjectId ${SCHEMA}` },
    /^Wrong GraphQL App definition: Invalid GraphQL schema: /,
  ),
  refuses({ schema: SCHEMA }, 'Missing mappings: please provide a mapping for at least one Query.'),
  refuses(mapped(true), "'mappings' field must be an Object but was BOOLEAN"),
  refuses(
    mapped({}),
    'Missing or empty mappings for type Query: please provide a mapping for at least one Query field.',
  ),
  refuses(
    mapped({ Query: {} }),
    'Missing or empty mappings for type Query: please provide a mapping for at least one Query field.',
  ),
  refuses(
    { schema: 'type Item { a: Int }', mappings: GOOD.mappings },
    'Missing or empty mappings for type Query: please provide a mapping for at least one Query field.',
  ),
  refuses(
    mapped({ Item: 'x', Query: { items: QUERY } }),
    'Error with mappings of type: Item. Type mappings must be of type Object but was STRING',
  ),
  refuses(
    mappedItems(5),
    'The mapping for Query.items must be a String or a Document, but it is a INT32',
  ),
  refuses(
    mappedItems({ collection: 'x' }),
    "The mapping for Query.items does not specify the property 'db'",
  ),
  refuses(
    mappedItems({ db: 'x' }),
    "The mapping for Query.items does not specify the property 'collection'",
  ),
  refuses(
    mappedItems({ ...QUERY, find: 'x' }),
    "The mapping for Query.items requires the property 'find' to be a Object but it is a STRING",
  ),
  refuses(
    mappedItems({ ...QUERY, sort: [] }),
    "The mapping for Query.items requires the property 'sort' to be a Object but it is a ARRAY",
  ),
  refuses(
    mappedItems({ ...QUERY, dataLoader: 1 }),
    "The mapping for Query.items requires the property 'dataLoader' to be a Object but it is a INT32",
  ),
  refuses(
    mappedItems({ ...QUERY, limit: 'x' }),
    /^Wrong GraphQL App definition: The mapping for Query.items requires the property 'limit' to be a \w+ but it is a STRING$/,
  ),
  refuses(
    mappedItems({ ...QUERY, stages: {} }),
    /^Wrong GraphQL App definition: The mapping for Query.items requires the property '\w+' to be a ARRAY but it is a DOCUMENT$/,
  ),
  refuses(
    mappedItems({ ...QUERY, limit: 1001 }),
    "Error with field 'limit' of type Query, value cannot be grater than 1000",
  ),
  refuses(
    { schema: `enum E { X } ${SCHEMA}`, mappings: { ...GOOD.mappings, E: [1] } },
    "Error with mappings of enum: 'E'. Enum mappings must be of type 'DOCUMENT' but was ARRAY",
  ),
  refuses(unionApp({}), 'Missing mappings for union U'),
  refuses(unionApp({ U: {} }), 'Missing $typeResolver for union U'),
  refuses(
    unionApp({ U: { $typeResolver: 'x' } }),
    'Wrong mappings for union U: the $typeResolver is not an Object',
  ),
  refuses(
    unionApp({ U: { $typeResolver: { A: 'field-exists(a)' } } }),
    '$typeResolver for union U does not map all union members',
  ),
  refuses(
    unionApp({ U: { $typeResolver: { A: 'field-exists(a' } } }),
    'error parsing $typeResolver predicate: field-exists(a',
  ),
  refuses(
    unionApp({ U: { $typeResolver: { A: 'field-equals(a, 1)', B: 'field-exists(b)' } } }),
    'error parsing $typeResolver predicate: field-equals(a, 1)',
  ),
  refuses(
    unionApp({ U: { $typeResolver: { A: 1 } } }),
    '$typeResolver predicate is not a String: 1',
  ),
  refuses(interfaceApp({}), 'Missing mappings for interface I'),
  refuses(interfaceApp({ I: {} }), 'Missing $typeResolver for interface I'),
  refuses(
    interfaceApp({ I: { $typeResolver: {} } }),
    '$typeResolver for interface I does not map all objects implementing it',
  ),
  // the order of the checks
  refuses({ descriptor: 1 }, "'Descriptor' field must be an Object but was INT32"),
  refuses({ schema: UNION, mappings: { Query: {} } }, 'Missing mappings for union U'),
];

export const GRAPHQL_DEFINITION_ROWS: RowTable = [
  ...REFUSALS,
  write(
    'writes nothing when one of several is wrong',
    [
      { _id: '{c}-a', ...GOOD },
      { ...GOOD, mappings: 1 },
    ],
    {
      status: 400,
      message: /^Wrong GraphQL App definition: .*1: 'mappings' field must be an Object/,
      exception: 'org.restheart.graphql.GraphQLIllegalAppDefinitionException',
      after: [{ request: 'GET /restheart/gql-apps/{c}-a', status: 404 }],
    },
  ),
  write(
    'accepts mappings of types and fields that the schema lacks',
    { _id: '{c}', ...mapped({ Query: { items: QUERY, nope: 5 }, Nope: 7 }) },
    {
      status: 201,
    },
  ),
  write(
    'expands dotted names',
    { _id: '{c}', 'descriptor.uri': '{c}/v1', schema: SCHEMA, 'mappings.Query.items': QUERY },
    {
      status: 201,
      after: [
        {
          request: 'POST /graphql/{c}/v1 {"query":"{ items { a } }"}',
          body: { data: { items: [] } },
        },
      ],
    },
  ),
  {
    name: 'shows a definition as it was sent',
    chapter: CHAPTER,
    given: givenApp({
      schema: UNION,
      mappings: {
        Query: { us: { ...QUERY, find: { 'a.b': { $arg: ['x', 1] } } } },
        U: { $typeResolver: { A: 'field-exists(a)', B: 'field-exists(b)' } },
      },
    }),
    request: 'GET /restheart/gql-apps/{c}',
    status: 200,
    bodyHas: {
      mappings: {
        Query: { us: { db: '{db}', find: { 'a.b': { $arg: ['x', 1] } } } },
        U: { $typeResolver: { A: 'field-exists(a)', B: 'field-exists(b)' } },
      },
    },
    after: [
      {
        request: 'GET /restheart/gql-apps?filter={"_id":"{c}"}&keys={"mappings.U":1}',
        body: [
          {
            _id: '{c}',
            mappings: { U: { $typeResolver: { A: 'field-exists(a)', B: 'field-exists(b)' } } },
          },
        ],
      },
    ],
  },
  {
    name: 'undoes a PATCH that makes a definition wrong',
    chapter: CHAPTER,
    given: givenApp(GOOD),
    request: 'PATCH /restheart/gql-apps/{c} {"mappings":{}}',
    status: 400,
    message: /^Wrong GraphQL App definition: Missing or empty mappings for type Query/,
    exception: 'org.restheart.graphql.GraphQLIllegalAppDefinitionException',
    after: [
      { request: 'POST /graphql/{c} {"query":"{ items { a } }"}', body: { data: { items: [] } } },
    ],
  },
  {
    name: 'serves what a PATCH made',
    chapter: CHAPTER,
    given: givenApp(GOOD, [{ a: 1, b: 2 }]),
    request: 'PATCH /restheart/gql-apps/{c} {"mappings.Item":{"a":"b"}}',
    status: 200,
    after: [
      {
        request: 'POST /graphql/{c} {"query":"{ items { a } }"}',
        body: { data: { items: [{ a: 2 }] } },
      },
    ],
  },
  {
    name: 'has no bulk PATCH',
    chapter: CHAPTER,
    given: givenApp(GOOD),
    request: 'PATCH /restheart/gql-apps/*?filter={"_id":"{c}"} {"a":1}',
    status: 501,
  },
  {
    name: 'takes the id from the path of a PUT',
    chapter: CHAPTER,
    given: MAKE_APPS,
    request: `PUT /restheart/gql-apps/{c}?wm=upsert ${JSON.stringify(GOOD)}`,
    status: 201,
    after: [
      { request: 'POST /graphql/{c} {"query":"{ items { a } }"}', body: { data: { items: [] } } },
    ],
  },
  {
    name: 'gives each uri to one app',
    chapter: CHAPTER,
    given: givenApp({ ...GOOD, descriptor: { uri: '{c}/u' } }),
    request: `POST /restheart/gql-apps ${JSON.stringify({ ...GOOD, descriptor: { uri: '{c}/u' } })}`,
    status: 409,
    message: 'URI collision: another GraphQL app is already accessible at /{c}/u',
  },
  {
    name: 'gives no app the id of another as its uri',
    chapter: CHAPTER,
    given: givenApp(GOOD),
    request: `POST /restheart/gql-apps ${JSON.stringify({ ...GOOD, descriptor: { uri: '{c}' } })}`,
    status: 409,
    message: 'URI collision: another GraphQL app is already accessible at /{c}',
  },
  {
    name: 'gives no app the uri of another as its id',
    chapter: CHAPTER,
    given: givenApp({ ...GOOD, descriptor: { uri: '{c}x' } }),
    request: `POST /restheart/gql-apps ${JSON.stringify({ _id: '{c}x', ...GOOD })}`,
    status: 409,
    message: 'URI collision: another GraphQL app is already accessible at /{c}x',
  },
  {
    name: 'undoes a PATCH that takes the uri of another app',
    chapter: CHAPTER,
    given: [
      ...givenApp({ ...GOOD, descriptor: { uri: '{c}/u' } }),
      `POST /restheart/gql-apps ${JSON.stringify({ _id: '{c}-b', ...GOOD })}`,
    ],
    request: 'PATCH /restheart/gql-apps/{c}-b {"descriptor.uri":"{c}/u"}',
    status: 409,
    message: 'URI collision: another GraphQL app is already accessible at /{c}/u',
    after: [
      { request: 'POST /graphql/{c}-b {"query":"{ items { a } }"}', body: { data: { items: [] } } },
    ],
  },
  {
    name: 'serves an app under its uri and under its id',
    chapter: 'graphql §4',
    given: givenApp({ ...GOOD, descriptor: { uri: '{c}/a/b', enabled: true } }),
    request: 'POST /graphql/{c}/a/b {"query":"{ items { a } }"}',
    status: 200,
    body: { data: { items: [] } },
    after: [
      { request: 'POST /graphql/{c} {"query":"{ items { a } }"}', body: { data: { items: [] } } },
    ],
  },
  {
    name: 'serves no app that is deleted or switched off',
    chapter: 'graphql §4',
    given: givenApp(GOOD),
    request: 'PATCH /restheart/gql-apps/{c} {"descriptor.enabled":false}',
    status: 200,
    after: [
      { request: 'POST /graphql/{c} {"query":"{ items { a } }"}', status: 404 },
      { request: 'PATCH /restheart/gql-apps/{c} {"descriptor.enabled":true}' },
      { request: 'POST /graphql/{c} {"query":"{ items { a } }"}', status: 200 },
      { request: 'DELETE /restheart/gql-apps/{c}', status: 204 },
      { request: 'POST /graphql/{c} {"query":"{ items { a } }"}', status: 404 },
    ],
  },
];
