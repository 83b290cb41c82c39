/** Queries of GraphQL apps: graphql.md §5 to §8. */
import { expect } from 'vitest';
import { givenApp, queryRow } from '../support/graphql-rows.ts';
import type { RowTable } from '../support/rows.ts';

const OID = '0123456789abcdef01234567';
const DOCUMENTS = [
  {
    _id: 1,
    name: 'one',
    text: 'a',
    long: { $numberLong: '9007199254740993' },
    double: { $numberDouble: '1.5' },
    whole: 7,
    flag: true,
    oid: { $oid: OID },
    decimal: { $numberDecimal: '12.50' },
    date: { $date: 1000 },
    stamp: { $timestamp: { t: 1, i: 2 } },
    regex: { $regularExpression: { pattern: '^a', options: 'i' } },
    any: { a: { $oid: OID }, d: { $date: 5 }, n: { $numberLong: '3' }, l: [1, 'x'] },
    nothing: null,
    tags: [{ k: 'x' }, { k: 'y' }],
    mixed: [1, 'two', 3],
    state: 1,
    parent: 2,
    kind: 'book',
    pages: 10,
  },
  { _id: 2, name: 'two', state: { $numberDouble: '1.0' }, kind: 'film', minutes: 90, size: 100 },
  { _id: 3, name: 'three', state: 'off', parent: 1, kind: 'other' },
];

const ns = { db: '{db}', collection: '{c}' };
const byId = { ...ns, find: { _id: { $arg: 'id' } } };

const APP = givenApp(
  {
    schema: `
      enum State { ON OFF other }
      input Box { inner: Inner }
      input Inner { id: Int }
      interface Thing { _id: Int }
      type Book implements Thing { _id: Int pages: Int }
      type Film implements Thing { _id: Int minutes: Int }
      union Work = Book | Film
      type Tag { k: String }
      type Item {
        _id: Int name: String label: String text: String must: String! long: Long double: Float
        whole: Int wholeAsFloat: Float doubleAsInt: Int longAsInt: Int flag: Boolean oid: ObjectId
        decimal: Decimal128 date: DateTime stamp: Timestamp regex: Regex any: BsonDocument
        nothing: String tags: [Tag] keys: [String] first: String ninth: String mixed: [Int]
        name_list: [String] state: State parent: Item parentByPipe: [Item] children: [Item]
        root: Item wrong: Item id: ID
      }
      type Query {
        items(limit: Int, skip: Int, names: [String!], order: Int = 1): [Item]
        item(id: Int): Item
        must(id: Int): Item!
        deep(box: Box): Item
        withDefault(id: Int): Item
        some(filter: BsonDocument): [Item]
        byState(state: State): [Item]
        byOid(id: ObjectId): [Item]
        byDate(date: DateTime): [Item]
        byLong(long: Long): [Item]
        byDecimal(decimal: Decimal128): [Item]
        byRegex(name: Regex): [Item]
        byDouble(size: Float): [Item]
        things: [Thing]
        works: [Work]
        counts(kind: String): [Count]
        total: Count
        none: [Count]
        refused: [Count]
        refusedElsewhere: [Count]
        forbidden: [Count]
        malformedIf: [Count]
        plain: String
        renamed: String
      }
      type Count { _id: String n: Int }`,
    mappings: {
      State: { ON: 1, OFF: 'off' },
      Thing: {
        $typeResolver: {
          Book: 'field-exists(pages)',
          Film: 'field-eq(field=kind, value=\'"film"\') and not field-exists[pages]',
        },
      },
      Work: { $typeResolver: { Book: 'field-exists(pages)', Film: 'field-exists(minutes, kind)' } },
      Item: {
        label: 'name',
        must: 'name',
        wholeAsFloat: 'whole',
        doubleAsInt: 'double',
        longAsInt: 'long',
        keys: 'tags.k',
        first: 'tags.0.k',
        ninth: 'tags.9.k',
        name_list: 'name',
        id: 'oid',
        parent: { ...ns, find: { _id: { $fk: 'parent' } } },
        parentByPipe: { ...ns, stages: [{ $match: { _id: { $fk: 'parent' } } }] },
        children: {
          ...ns,
          find: { parent: { $fk: '_id' } },
          dataLoader: { batching: true, caching: true, maxBatchSize: 2 },
        },
        root: { ...ns, find: { _id: { $arg: 'rootDoc._id' } } },
        wrong: { ...ns, find: { _id: { $arg: 'nobody' } } },
      },
      Query: {
        items: {
          ...ns,
          find: { name: { $in: { $arg: ['names', ['one', 'two', 'three']] } } },
          sort: { _id: { $arg: 'order' } },
          limit: { $arg: ['limit', 100] },
          skip: { $arg: ['skip', 0] },
        },
        item: byId,
        must: byId,
        deep: { ...ns, find: { _id: { $arg: 'box.inner.id' } } },
        withDefault: { ...ns, find: { _id: { $arg: ['id', 2] } } },
        some: { ...ns, find: { $arg: 'filter' }, sort: { _id: 1 } },
        byState: { ...ns, find: { state: { $arg: 'state' } } },
        byOid: { ...ns, find: { oid: { $arg: 'id' } } },
        byDate: { ...ns, find: { date: { $arg: 'date' } } },
        byLong: { ...ns, find: { long: { $arg: 'long' } } },
        byDecimal: { ...ns, find: { decimal: { $arg: 'decimal' } } },
        byRegex: { ...ns, find: { name: { $arg: 'name' } }, sort: { _id: 1 } },
        byDouble: { ...ns, find: { size: { $arg: 'size' } } },
        things: { ...ns, find: {}, sort: { _id: 1 } },
        works: { ...ns, find: { _id: { $lt: 3 } }, sort: { _id: 1 } },
        counts: {
          ...ns,
          stages: [
            { $ifarg: ['kind', { $match: { kind: { $arg: 'kind' } } }] },
            { $group: { _id: '$kind', n: { $sum: 1 } } },
            { $sort: { _id: 1 } },
          ],
        },
        total: { ...ns, stages: [{ $group: { _id: 'all', n: { $sum: 1 } } }] },
        none: { ...ns, stages: [{ $ifarg: ['nobody', { $match: {} }] }] },
        refused: { ...ns, stages: [{ $nonsense: 1 }] },
        refusedElsewhere: { db: '{db}-missing', collection: 'x', stages: [{ $match: { $x: 1 } }] },
        forbidden: { ...ns, stages: [{ $match: {} }, { $out: 'x' }] },
        malformedIf: { ...ns, stages: [{ $ifarg: 'kind' }] },
        renamed: 'a.b',
      },
    },
  },
  DOCUMENTS,
);

const ask = (
  name: string,
  chapter: string,
  query: string | object,
  answer: Parameters<typeof queryRow>[4],
) => queryRow(name, chapter, APP, query, answer);

const data = (value: unknown) => ({ body: { data: value } });

/** The only error is of this field, and the rest is there. */
const failed = (message: string | RegExp, value: unknown, path: (string | number)[]) => ({
  body: {
    errors: [
      expect.objectContaining({
        message: typeof message === 'string' ? message : expect.stringMatching(message),
        path,
        extensions: { classification: 'DataFetchingException' },
      }),
    ],
    data: value,
  },
});

const invalid = (message: string | RegExp) => ({
  status: 400,
  body: {
    errors: [
      expect.objectContaining({
        message: expect.stringMatching(message),
        extensions: { classification: 'ValidationError' },
      }),
    ],
  },
});

export const GRAPHQL_ROWS: RowTable = [
  // §5.1
  ask('renames fields', '5.1', '{ item(id: 1) { label name keys first ninth tags { k } } }', {
    ...data({
      item: {
        label: 'one',
        name: 'one',
        keys: ['x', 'y'],
        first: 'x',
        ninth: null,
        tags: [{ k: 'x' }, { k: 'y' }],
      },
    }),
    replyHeaders: { 'Content-Type': 'application/graphql-response+json' },
  }),
  ask(
    'has nothing at the root of a rename',
    '5.1',
    '{ plain renamed }',
    data({ plain: null, renamed: null }),
  ),
  // §5.2
  ask(
    'finds, sorts, skips and limits',
    '5.2',
    '{ items(limit: 1, skip: 1, order: -1) { _id } }',
    data({ items: [{ _id: 2 }] }),
  ),
  ask(
    'gives all documents with limit 0',
    '5.2',
    '{ items(limit: 0) { _id } }',
    data({ items: [{ _id: 1 }, { _id: 2 }, { _id: 3 }] }),
  ),
  ask(
    'gives the first document, or null',
    '5.2',
    '{ item(id: 2) { _id } a: item(id: 9) { _id } }',
    data({ item: { _id: 2 }, a: null }),
  ),
  ask(
    'refuses a limit above the largest',
    '5.2',
    '{ items(limit: 1001) { _id } }',
    failed(
      'Exception while fetching data (/items) : Query variable cannot be greater than 1000',
      { items: null },
      ['items'],
    ),
  ),
  ask(
    'passes any filter on',
    '5.2',
    '{ some(filter: { name: { _in: ["x"] } }) { _id } }',
    data({ some: [] }),
  ),
  ask(
    'takes a filter as a variable',
    '5.2',
    {
      query: 'query ($f: BsonDocument) { some(filter: $f) { _id } }',
      variables: { f: { name: { $in: ['one', 'three'] } } },
    },
    data({ some: [{ _id: 1 }, { _id: 3 }] }),
  ),
  ask(
    'puts variables into object literals',
    '5.2',
    { query: 'query ($n: String) { some(filter: { name: $n }) { _id } }', variables: { n: 'one' } },
    data({ some: [{ _id: 1 }] }),
  ),
  // §5.3
  ask(
    'aggregates, with and without an optional stage',
    '5.3',
    '{ counts { _id n } book: counts(kind: "book") { _id } }',
    data({
      counts: [
        { _id: 'book', n: 1 },
        { _id: 'film', n: 1 },
        { _id: 'other', n: 1 },
      ],
      book: [{ _id: 'book' }],
    }),
  ),
  ask(
    'gives the first result of an aggregation',
    '5.3',
    '{ total { n } }',
    data({ total: { n: 3 } }),
  ),
  ask('gives an empty list for an empty pipeline', '5.3', '{ none { n } }', data({ none: [] })),
  ask(
    'fails the field of a pipeline that the database refuses',
    '5.3',
    '{ refused { n } total { n } }',
    failed(/^Exception while fetching data \(\/refused\) : /, { refused: null, total: { n: 3 } }, [
      'refused',
    ]),
  ),
  ask(
    'fails it also where the database is missing',
    '5.3',
    '{ refusedElsewhere { n } }',
    failed(/^Exception while fetching data/, { refusedElsewhere: null }, ['refusedElsewhere']),
  ),
  ask(
    'fails the field of a malformed $ifarg',
    '5.3',
    '{ malformedIf { n } }',
    failed(/\$ifarg/, { malformedIf: null }, ['malformedIf']),
  ),
  ask(
    'fails the field of a forbidden stage',
    '5.3',
    '{ forbidden { n } }',
    failed(
      "Exception while fetching data (/forbidden) : GraphQL aggregation pipeline security violation: Security violation: BLACKLISTED_STAGE operator '$out' at pipeline[1] - Pipeline stage is in security blacklist",
      { forbidden: null },
      ['forbidden'],
    ),
  ),
  // §5.4
  ask(
    'walks into input objects',
    '5.4',
    '{ deep(box: { inner: { id: 3 } }) { name } }',
    data({ deep: { name: 'three' } }),
  ),
  ask(
    'takes the default of an operator',
    '5.4',
    '{ withDefault { _id } a: withDefault(id: 3) { _id } b: withDefault(id: null) { _id } }',
    data({ withDefault: { _id: 2 }, a: { _id: 3 }, b: null }),
  ),
  ask(
    'fails the field of an unbound argument',
    '5.4',
    '{ item { _id } }',
    failed('Exception while fetching data (/item) : variable id not bound', { item: null }, [
      'item',
    ]),
  ),
  ask(
    'fails fields below by their path',
    '5.4',
    '{ items(limit: 1) { wrong { _id } } }',
    failed(
      'Exception while fetching data (/items[0]/wrong) : variable nobody not bound',
      { items: [{ wrong: null }] },
      ['items', 0, 'wrong'],
    ),
  ),
  ask(
    'follows foreign keys',
    '5.4',
    '{ items { parent { _id } parentByPipe { _id } } }',
    data({
      items: [
        { parent: { _id: 2 }, parentByPipe: [{ _id: 2 }] },
        { parent: null, parentByPipe: [] },
        { parent: { _id: 1 }, parentByPipe: [{ _id: 1 }] },
      ],
    }),
  ),
  ask(
    'knows the root document at any depth',
    '5.4',
    '{ items { parent { parent { root { _id } } } } item(id: 3) { parent { root { _id } } } }',
    data({
      items: [
        { parent: { parent: null } },
        { parent: null },
        { parent: { parent: { root: { _id: 3 } } } },
      ],
      item: { parent: { root: { _id: 3 } } },
    }),
  ),
  // §5.5
  ask(
    'maps enums both ways',
    '5.5',
    '{ item(id: 1) { state } c: item(id: 3) { state } byState(state: OFF) { _id } }',
    data({ item: { state: 'ON' }, c: { state: 'OFF' }, byState: [{ _id: 3 }] }),
  ),
  ask(
    'fails an enum value of another type',
    '5.5',
    '{ item(id: 2) { state } }',
    failed(/state/, { item: { state: null } }, ['item', 'state']),
  ),
  // §5.6
  ask(
    'resolves interfaces, and fails the element that it cannot',
    '5.6',
    '{ things { __typename _id ... on Book { pages } ... on Film { minutes } } }',
    failed(
      /^Can't resolve '\/things\[2\]'. Abstract type/,
      {
        things: [
          { __typename: 'Book', _id: 1, pages: 10 },
          { __typename: 'Film', _id: 2, minutes: 90 },
          null,
        ],
      },
      ['things', 2],
    ),
  ),
  ask(
    'resolves unions',
    '5.6',
    '{ works { ... on Book { pages } ... on Film { minutes } } }',
    data({ works: [{ pages: 10 }, { minutes: 90 }] }),
  ),
  // §6
  ask(
    'loads in batches what it would load alone',
    '6',
    '{ items { children { _id } } }',
    data({ items: [{ children: [{ _id: 3 }] }, { children: [{ _id: 1 }] }, { children: [] }] }),
  ),
  // §7
  ask(
    'writes scalars',
    '7',
    '{ item(id: 1) { text double whole flag oid decimal date stamp regex any nothing id } }',
    data({
      item: {
        text: 'a',
        double: 1.5,
        whole: 7,
        flag: true,
        oid: { $oid: OID },
        decimal: { $numberDecimal: '12.50' },
        date: { $date: 1000 },
        stamp: { $timestamp: { t: 1, i: 2 } },
        regex: { $regularExpression: { pattern: '^a', options: 'i' } },
        any: { a: { $oid: OID }, d: { $date: 5 }, n: 3, l: [1, 'x'] },
        nothing: null,
        id: OID,
      },
    }),
  ),
  ask('writes every digit of an int64', '7', '{ item(id: 1) { long } }', {
    text: /"long":9007199254740993\}/,
  }),
  ...(['wholeAsFloat', 'doubleAsInt', 'longAsInt', 'name_list'] as const).map((field) =>
    ask(
      `is strict about types: ${field}`,
      '7',
      `{ item(id: 1) { ${field} } }`,
      failed(
        new RegExp(`^Can't serialize value \\(/item/${field}\\) : `),
        { item: { [field]: null } },
        ['item', field],
      ),
    ),
  ),
  ask(
    'fails single elements of a list',
    '7',
    '{ item(id: 1) { mixed } }',
    failed(/^Can't serialize value \(\/item\/mixed\[1\]\) : /, { item: { mixed: [1, null, 3] } }, [
      'item',
      'mixed',
      1,
    ]),
  ),
  ask(
    'reads scalars as literals',
    '7',
    `{
      a: byOid(id: "${OID}") { _id } b: byDate(date: "1970-01-01T00:00:01Z") { _id } c: byDate(date: "1000") { _id }
      d: byLong(long: "9007199254740993") { _id } e: byDecimal(decimal: "12.50") { _id } f: byRegex(name: "^t") { _id } g: byDouble(size: 100) { _id }
    }`,
    data({
      a: [{ _id: 1 }],
      b: [{ _id: 1 }],
      c: [{ _id: 1 }],
      d: [{ _id: 1 }],
      e: [{ _id: 1 }],
      f: [{ _id: 2 }, { _id: 3 }],
      g: [{ _id: 2 }],
    }),
  ),
  ask(
    'reads scalars as variables',
    '7',
    {
      query:
        'query ($o: ObjectId, $d: DateTime, $l: Long, $m: Decimal128, $r: Regex) { a: byOid(id: $o) { _id } b: byDate(date: $d) { _id } c: byLong(long: $l) { _id } d: byDecimal(decimal: $m) { _id } e: byRegex(name: $r) { _id } }',
      variables: {
        o: OID,
        d: '1970-01-01T01:00:01+01:00',
        l: '9007199254740993',
        m: '12.5',
        r: '^o',
      },
    },
    data({ a: [{ _id: 1 }], b: [{ _id: 1 }], c: [{ _id: 1 }], d: [{ _id: 1 }], e: [{ _id: 1 }] }),
  ),
  ...[
    ['{ byOid(id: "xyz") { _id } }', {}],
    ['query ($v: ObjectId) { byOid(id: $v) { _id } }', { v: { $oid: OID } }],
    ['query ($v: DateTime) { byDate(date: $v) { _id } }', { v: 1000 }],
    ['query ($v: Int) { item(id: $v) { _id } }', { v: 1.5 }],
    ['query ($v: BsonDocument) { some(filter: $v) { _id } }', { v: 'text' }],
  ].map(([query, variables]) =>
    ask(
      `refuses an unfit value in ${String(query)}`,
      '7',
      { query, variables },
      invalid('^Validation error'),
    ),
  ),
  // §8
  ask(
    'gives names of operations their meaning',
    '8',
    { query: 'query A { a: total { n } } query B { b: total { n } }', operationName: 'B' },
    data({ b: { n: 3 } }),
  ),
  ask(
    'refuses an unknown operation',
    '8',
    { query: 'query A { total { n } }', operationName: 'X' },
    invalid("^Unknown operation named 'X'\\.$"),
  ),
  ask(
    'takes an empty name for none',
    '8',
    { query: '{ total { n } }', operationName: '' },
    data({ total: { n: 3 } }),
  ),
  ask(
    'refuses fields of a scalar',
    '8',
    '{ total { n { x } } }',
    invalid(/^Validation error \(SubselectionNotAllowed@\[total\/n\]\) : /),
  ),
  ask(
    'refuses an object without fields',
    '8',
    '{ total }',
    invalid(/^Validation error \(SubselectionRequired@\[total\]\) : /),
  ),
  ask(
    'wants the name of one of several operations',
    '8',
    'query A { total { n } } query B { total { n } }',
    invalid('^Must provide operation name if query contains multiple operations\\.$'),
  ),
  ask(
    'refuses an unknown field',
    '8',
    '{ nope }',
    invalid(/^Validation error \(FieldUndefined@\[nope\]\) : /),
  ),
  ask(
    'refuses an unknown argument',
    '8',
    '{ total(x: 1) { n } }',
    invalid(/^Validation error \(UnknownArgument@\[total\]\) : /),
  ),
  ask(
    'refuses a literal of another type',
    '8',
    '{ item(id: "x") { _id } }',
    invalid(/^Validation error \(WrongType@\[item\]\) : /),
  ),
  ask('refuses mutations', '8', 'mutation { x }', {
    status: 400,
    bodyHas: { errors: [{ extensions: { classification: 'ValidationError' } }] },
  }),
  ask('answers a syntax error without a list', '8', '{ total {', {
    status: 400,
    body: {
      message: expect.any(String),
      locations: [{ line: 1, column: expect.any(Number) }],
      extensions: { classification: 'InvalidSyntax' },
    },
  }),
  ask(
    'takes an empty query for a syntax error',
    '8',
    { query: '' },
    { status: 400, bodyHas: { extensions: { classification: 'InvalidSyntax' } } },
  ),
  ask('answers 400 when the whole data is null', '8', '{ must(id: 9) { _id } }', {
    status: 400,
    bodyHas: {
      data: null,
      errors: [{ path: ['must'], extensions: { classification: 'NullValueInNonNullableField' } }],
    },
  }),
  ...[{}, { query: { a: 1 } }, { query: 5 }, [], 'text'].map((body) =>
    ask(`wants a query in ${JSON.stringify(body)}`, '8', '', {
      content: JSON.stringify(body),
      status: 400,
      body: {
        errors: [
          {
            message: 'Query cannot be null',
            extensions: { classification: 'DataFetchingException' },
          },
        ],
      },
    }),
  ),
  ask(
    'ignores variables and an operation name of other types',
    '8',
    { query: '{ total { n } }', variables: [1], operationName: 7 },
    data({ total: { n: 3 } }),
  ),
  ask('takes names without quotes', '8', '', {
    content: '{ query: "{ total { n } }" }',
    ...data({ total: { n: 3 } }),
  }),
  ask('refuses malformed JSON', '8', '', {
    content: '{"query"',
    status: 400,
    replyHeaders: { 'Content-Type': 'application/graphql-response+json' },
  }),
  ask('takes the query itself as a body', '8', '', {
    content: '{ total { n } }',
    headers: { 'Content-Type': 'application/graphql' },
    ...data({ total: { n: 3 } }),
  }),
  ask('takes a charset beside the type', '8', '{ total { n } }', {
    headers: { 'Content-Type': 'application/json; charset=UTF-8' },
    ...data({ total: { n: 3 } }),
  }),
  ask('wants one of two content types', '8', '{ total { n } }', {
    headers: { 'Content-Type': 'text/plain' },
    status: 400,
    body: {
      'http status code': 400,
      'http status description': 'Bad Request',
      message: 'Bad request: Content-Type must be either application/graphql or application/json',
    },
  }),
  ask(
    'introspects',
    '8',
    '{ __type(name: "Count") { fields { name type { name } } } }',
    data({
      __type: {
        fields: [
          { name: '_id', type: { name: 'String' } },
          { name: 'n', type: { name: 'Int' } },
        ],
      },
    }),
  ),
  ask(
    'introspects default values',
    '8',
    '{ __type(name: "Query") { fields { args { defaultValue } } } }',
    { text: /"defaultValue":"1"/ },
  ),
  {
    ...ask('knows no other app', '8', '{ x }', {}),
    request: 'POST /graphql/{c}/other',
    status: 404,
    replyHeaders: {
      'Content-Type': 'application/graphql-response+json',
      'Access-Control-Allow-Origin': null,
    },
    body: {
      errors: [
        { message: 'GraphQL app not found', extensions: { classification: 'ExecutionAborted' } },
      ],
    },
  },
  {
    ...ask('knows no app without a name', '8', '{ x }', {}),
    request: 'POST /graphql',
    status: 404,
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
    name: `is asked by POST only, not by ${method}`,
    chapter: 'graphql §8',
    given: APP,
    request: `${method} /graphql/{c}`,
    status: 405,
    replyHeaders: { 'Access-Control-Allow-Origin': null },
    body: {
      errors: [
        { message: 'Method Not Allowed', extensions: { classification: 'ExecutionAborted' } },
      ],
    },
  })),
  {
    name: 'tells its method',
    chapter: 'graphql §8',
    given: APP,
    request: 'OPTIONS /graphql/{c}',
    status: 200,
    replyHeaders: {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers':
        'Authorization, Content-Type, X-Requested-With, No-Auth-Challenge',
      'Access-Control-Expose-Headers': '',
      'Access-Control-Allow-Origin': '*',
    },
  },
];
