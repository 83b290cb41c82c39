/** Mounts other than `*` on `/`, and deployments whose default representation is HAL: rest-documents.md §1.5, §2.4. */
import { afterAll, beforeAll, describe } from 'vitest';
import { type RowTable, testRows } from '../support/rows.ts';
import { openTarget, type Target } from '../support/target.ts';

/** Tests rows on a server with its own configuration. */
function onServer(name: string, configuration: string, rows: RowTable): void {
  describe(name, () => {
    let target: Target;
    beforeAll(async () => {
      target = await openTarget(configuration);
    });
    afterAll(() => target.close());
    testRows(() => target.baseUrl, rows);
  });
}

const ETAG = /^[0-9a-f]{24}$/;

onServer('the default mount', 'mongo:\n  enabled: true', [
  {
    name: 'shows the database restheart at the root',
    chapter: '1.5',
    collection: false,
    given: ['PUT /'],
    request: 'GET /?page=1000',
    status: 200,
    body: [],
    replyHeaders: { ETag: ETAG, 'Access-Control-Expose-Headers': 'ETag' },
  },
  {
    name: 'shows collections one level below',
    chapter: '1.5',
    collection: false,
    given: ['PUT /', 'PUT /{c}', 'POST /{c} {"_id":"a"}'],
    request: 'GET /{c}/a?keys={"_etag":0}',
    status: 200,
    body: { _id: 'a' },
  },
  {
    name: 'links the request side in Location',
    chapter: '1.5',
    collection: false,
    given: ['PUT /', 'PUT /{c}'],
    request: 'POST /{c} {"_id":"a"}',
    status: 201,
    replyHeaders: { Location: 'http://{host}/{c}/a' },
  },
  {
    name: 'links the request side in bulk answers',
    chapter: '1.5',
    collection: false,
    given: ['PUT /', 'PUT /{c}'],
    request: 'POST /{c} [{"_id":"a"}]',
    status: 200,
    bodyHas: { links: ['/{c}/a'] },
  },
  {
    name: 'sizes the database at the root',
    chapter: '1.5',
    collection: false,
    given: ['PUT /'],
    request: 'GET /_size',
    status: 200,
  },
]);

onServer(
  'several mounts',
  `mongo:
  mongo-mounts:
    - what: /mounted-db
      where: /db
    - what: /mounted-db/coll
      where: /x
    - what: /mounted-db/coll/doc
      where: /x/one`,
  [
    {
      name: 'finds a document below each mount that shows it',
      chapter: '1.5',
      collection: false,
      given: ['PUT /db', 'PUT /x', 'PUT /x/doc?wm=upsert {"n":1}'],
      request: 'GET /x/one?keys={"_etag":0}',
      status: 200,
      body: { _id: 'doc', n: 1 },
    },
    {
      name: 'links below the mount of the request',
      chapter: '1.5',
      collection: false,
      given: ['PUT /db', 'PUT /x'],
      request: 'POST /x?wm=upsert {"_id":"{c}"}',
      status: 201,
      replyHeaders: { Location: 'http://{host}/x/{c}' },
    },
    {
      name: 'answers 502 where nothing is mounted',
      chapter: '1.5',
      collection: false,
      request: 'GET /nothing/here',
      status: 502,
      body: {
        'http status code': 502,
        'http status description': 'Bad Gateway',
        message: 'No MongoDB resource bound for /nothing/here',
      },
      replyHeaders: { 'Content-Type': 'application/json', 'Access-Control-Allow-Origin': null },
    },
    {
      name: 'mounts on boundaries of segments only',
      chapter: '1.5',
      collection: false,
      request: 'GET /xy',
      status: 502,
    },
  ],
);

onServer(
  'templates',
  `mongo:
  mongo-mounts:
    - what: /{tenant}-db
      where: /{tenant}/*`,
  [
    {
      name: 'fill the database from the path',
      chapter: '1.5',
      collection: false,
      given: ['PUT /t{c}', 'PUT /t{c}/items', 'POST /t{c}/items {"_id":"a"}'],
      request: 'GET /t{c}/items/a?keys={"_etag":0}',
      status: 200,
      body: { _id: 'a' },
    },
    {
      name: 'name the database that is missing',
      chapter: '1.5',
      collection: false,
      request: 'GET /none{c}',
      status: 404,
      message: "Db 'none{c}-db' does not exist",
    },
  ],
);

onServer(
  'a server below a path of its own',
  `mongo:
  uri: /api
  instance-base-url: https://example.com/v1
  mongo-mounts:
    - what: "*"
      where: /`,
  [
    {
      name: 'serves databases there',
      chapter: '1.5',
      collection: false,
      given: ['PUT /api/{db}', 'PUT /api/{db}/{c}'],
      request: 'POST /api/{db}/{c} {"_id":"a"}',
      status: 201,
      replyHeaders: { Location: 'https://example.com/v1/api/{db}/{c}/a' },
    },
    {
      name: 'is no service elsewhere',
      chapter: '1.5',
      collection: false,
      request: 'GET /{db}',
      status: 502,
      text: '',
    },
  ],
);

onServer(
  'HAL as the default',
  `mongo:
  default-representation-format: HAL
  mongo-mounts:
    - what: "*"
      where: /`,
  [
    {
      name: 'shows pages in HAL unasked',
      chapter: '2.4',
      given: ['POST /{db}/{c} {"_id":"a"}'],
      request: 'GET /{db}/{c}?count&keys={"_etag":0}',
      status: 200,
      bodyHas: {
        _id: '{c}',
        _size: 1,
        _total_pages: 1,
        _returned: 1,
        _embedded: { 'rh:doc': [{ _id: 'a' }] },
      },
      replyHeaders: { 'Content-Type': 'application/hal+json' },
    },
    {
      name: 'shows pages as arrays when asked to',
      chapter: '2.4',
      given: ['POST /{db}/{c} {"_id":"a"}'],
      request: 'GET /{db}/{c}?rep=S&keys={"_etag":0}',
      status: 200,
      body: [{ _id: 'a' }],
    },
    {
      name: 'falls back to HAL for an unknown rep',
      chapter: '2.4',
      request: 'GET /{db}/{c}?rep=xml&np',
      status: 200,
      body: { _returned: 0 },
    },
    {
      name: 'shows databases with their properties at the root',
      chapter: '2.4',
      request: 'GET /?pagesize=1000',
      status: 200,
      bodyHas: { _returned: expectNumber(), _embedded: { 'rh:db': expectArray() } },
    },
    {
      name: 'shows a database with its collections',
      chapter: '2.4',
      request: 'GET /{db}?pagesize=1000',
      status: 200,
      bodyHas: {
        _id: '{db}',
        _etag: { $oid: expectText() },
        _size: expectNumber(),
        _total_pages: expectNumber(),
        _returned: expectNumber(),
        _embedded: { 'rh:coll': expectArray() },
      },
    },
    {
      name: 'shows the result of a bulk write in HAL',
      chapter: '2.4',
      request: 'POST /{db}/{c} [{"_id":"a"}]',
      status: 200,
      body: {
        _embedded: {
          'rh:result': [
            {
              inserted: 1,
              deleted: 0,
              modified: 0,
              matched: 0,
              _links: { 'rh:newdoc': [{ href: '/{db}/{c}/a' }] },
            },
          ],
        },
      },
    },
    {
      name: 'flattens the result of a bulk write in SHAL',
      chapter: '2.4',
      request: 'POST /{db}/{c}?rep=SHAL [{"_id":"a"}]',
      status: 200,
      bodyHas: { inserted: 1, _links: { 'rh:newdoc': [{ href: '/{db}/{c}/a' }] } },
    },
    {
      name: 'keeps errors plain',
      chapter: '2.4',
      request: 'GET /{db}/{c}/x',
      status: 404,
      message: "document 'x' does not exist",
    },
    {
      name: 'shows properties as stored, and _meta unescaped',
      chapter: '2.4',
      given: [
        'PATCH /{db}/{c} {"aggrs":[{"uri":"u","type":"pipeline","stages":[{"$match":{"a.b":1}}]}]}',
      ],
      request: 'GET /{db}/{c}',
      status: 200,
      bodyHas: {
        aggrs: [{ uri: 'u', type: 'pipeline', stages: [{ _$match: { 'a::b': 1 } }] }],
        _links: { u: { href: '/{db}/{c}/_aggrs/u' } },
      },
      after: [
        {
          request: 'GET /{db}/{c}/_meta',
          bodyHas: { aggrs: [{ uri: 'u', type: 'pipeline', stages: [{ $match: { 'a.b': 1 } }] }] },
        },
      ],
    },
    {
      name: 'links documents to other collections',
      chapter: '2.4',
      given: [
        'PATCH /{db}/{c} {"rels":[{"rel":"parent","type":"MANY_TO_ONE","role":"OWNING","target-coll":"p","ref-field":"up"}]}',
        'POST /{db}/{c} {"_id":"a","up":"top"}',
      ],
      request: 'GET /{db}/{c}/a',
      status: 200,
      bodyHas: { _links: { parent: { href: '/{db}/p/top' } } },
    },
    {
      name: 'links in full mode what compact mode leaves out',
      chapter: '2.4',
      given: ['POST /{db}/{c} {"_id":"5d9a3b1c2f4e6a0012345678"}'],
      request: 'GET /{db}/{c}?hal=f&pagesize=2&np',
      status: 200,
      bodyHas: {
        _type: 'COLLECTION',
        _embedded: {
          'rh:doc': [
            {
              _type: 'DOCUMENT',
              _links: { self: { href: '/{db}/{c}/5d9a3b1c2f4e6a0012345678?id_type=STRING' } },
            },
          ],
        },
        _links: {
          self: { href: '/{db}/{c}?hal=f&np=&pagesize=2' },
          'rh:db': { href: '/{db}' },
          'rh:filter': { href: '/{db}/{c}{?filter}', templated: true },
          'rh:document': { href: '/{db}/{c}/{docid}{?id_type}', templated: true },
        },
      },
    },
  ],
);

function matcher(name: string, test: (value: unknown) => boolean): unknown {
  return { asymmetricMatch: test, toString: () => name };
}

function expectNumber(): unknown {
  return matcher('a number', (value) => typeof value === 'number');
}

function expectText(): unknown {
  return matcher('a text', (value) => typeof value === 'string');
}

function expectArray(): unknown {
  return matcher('an array', (value) => Array.isArray(value) && value.length > 0);
}
