/** Permission documents: selection, flags, filters, projections (security.md §8.2, §8.3, §8.6, §8.7). */
import type { AclEntry, SecurityRow, SecurityTable } from '../support/security-rows.ts';

const P = '/{db}/{c}';
const PREFIX = "path-prefix('/{db}')";
const DOCS =
  'POST /{db}/{c} [{"_id":"1","o":"a","n":1,"x":{"y":1,"z":2}},{"_id":"2","o":"b","n":2,"x":{"y":3,"z":4}},{"_id":"3","o":"a","n":3}]';
const ids = (...wanted: unknown[]) => ({
  asymmetricMatch: (value: unknown) =>
    Array.isArray(value) &&
    JSON.stringify(value.map((item: { _id: unknown }) => item._id).sort()) ===
      JSON.stringify(wanted),
  toString: () => `documents ${JSON.stringify(wanted)}`,
});

function mongo(rules: unknown, more: Partial<AclEntry> = {}): readonly AclEntry[] {
  return [{ predicate: PREFIX, mongo: rules, ...more }];
}

const MINE = { readFilter: { o: 'a' }, writeFilter: { o: 'a' } };

/** What a request sees and changes under `MINE`, of the documents 1 and 3 (own) and 2 (foreign). */
const FILTERS: readonly Omit<SecurityTable[number], 'chapter'>[] = [
  {
    name: 'a page holds own documents only',
    request: `GET ${P}`,
    status: 200,
    body: ids('1', '3'),
  },
  {
    name: 'the client filter narrows further',
    request: `GET ${P}?filter={"n":3}`,
    status: 200,
    body: ids('3'),
  },
  {
    name: 'the client filter cannot widen',
    request: `GET ${P}?filter={"$or":[{"o":"b"},{"_id":"2"}]}`,
    status: 200,
    body: [],
  },
  {
    name: 'an own document is there',
    request: `GET ${P}/1`,
    status: 200,
    bodyHas: { _id: '1' },
  },
  { name: 'a foreign document is not there', request: `GET ${P}/2`, status: 404 },
  {
    name: 'the size counts own documents',
    request: `GET ${P}/_size`,
    status: 200,
    body: { _size: 2 },
  },
  {
    name: 'the size with a filter counts own documents',
    request: `GET ${P}/_size?filter={"n":2}`,
    status: 200,
    body: { _size: 0 },
  },
  {
    name: 'count=true counts own documents',
    request: `GET ${P}?count=true&rep=SHAL`,
    status: 200,
    bodyHas: { _size: 2 },
  },
  {
    name: 'a cached page holds own documents only',
    request: `GET ${P}?cache`,
    status: 200,
    body: ids('1', '3'),
  },
  {
    name: 'a HAL page holds own documents only',
    request: `GET ${P}?rep=HAL`,
    status: 200,
    bodyHas: { _embedded: { 'rh:doc': ids('1', '3') } },
  },
  {
    name: 'sorting and paging see own documents only',
    request: `GET ${P}?sort=-n&pagesize=1&page=2`,
    status: 200,
    body: ids('1'),
  },
  {
    name: 'an own document is patched',
    request: `PATCH ${P}/1 {"m":1}`,
    status: 200,
    after: [{ request: `GET ${P}/1`, bodyHas: { m: 1 } }],
  },
  {
    name: 'a foreign document is not patched',
    request: `PATCH ${P}/2 {"m":1}`,
    allowed: true,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'a foreign document is not replaced',
    request: `PUT ${P}/2 {"m":1}`,
    allowed: true,
    status: 404,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'a foreign document is not replaced by POST',
    request: `POST ${P}?wm=upsert {"_id":"2","m":1}`,
    status: 403,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'a foreign document is not deleted',
    request: `DELETE ${P}/2`,
    status: 404,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'an own document is deleted',
    request: `DELETE ${P}/1`,
    status: 204,
    after: [{ request: `GET ${P}/1`, status: 404 }],
  },
  {
    name: 'a conditional delete does not tell of a foreign document',
    request: `DELETE ${P}/2`,
    headers: { 'If-Match': '"5d9a3b1c2f4e6a0012345678"' },
    status: 404,
  },
  {
    name: 'an own document is replaced',
    request: `PUT ${P}/1 {"o":"a","k":1}`,
    allowed: true,
    after: [{ request: `GET ${P}/1`, bodyHas: { k: 1 } }],
  },
];

function expectForeign() {
  return { _id: '2', o: 'b', n: 2, x: { y: 3, z: 4 }, _etag: expectAny() };
}
function expectAny() {
  return { asymmetricMatch: (value: unknown) => value !== undefined, toString: () => 'anything' };
}

const WRITES: readonly Omit<SecurityTable[number], 'chapter'>[] = [
  {
    name: 'an upsert of a foreign document is a conflict',
    request: `POST ${P}?wm=upsert {"_id":"2","m":1}`,
    status: 409,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'an update of a foreign document finds none',
    request: `PUT ${P}/2?wm=update {"m":1}`,
    status: 404,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'an upserting PATCH of a foreign document is a conflict',
    request: `PATCH ${P}/2?wm=upsert {"m":1}`,
    status: 409,
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
  {
    name: 'a bulk upsert of a foreign document is an error of its own',
    request: `POST ${P}?wm=upsert [{"_id":"2","m":1},{"_id":"9","o":"a"}]`,
    status: 207,
    after: [
      { request: `GET ${P}/2`, body: expectForeign() },
      { request: `GET ${P}/9`, bodyHas: { o: 'a' } },
    ],
  },
  {
    name: 'a bulk update leaves foreign documents alone',
    request: `POST ${P}?wm=update [{"_id":"2","m":1},{"_id":"1","m":1}]`,
    allowed: true,
    after: [
      { request: `GET ${P}/2`, body: expectForeign() },
      { request: `GET ${P}/1`, bodyHas: { m: 1 } },
    ],
  },
  {
    name: 'a bulk PATCH changes own documents only',
    request: `PATCH ${P}/*?filter={"_id":{"$exists":true}} {"m":1}`,
    status: 200,
    bodyHas: { matched: 2, modified: 2 },
    after: [
      { request: `GET ${P}/2`, body: expectForeign() },
      { request: `GET ${P}/3`, bodyHas: { m: 1 } },
    ],
  },
  {
    name: 'a bulk DELETE removes own documents only',
    request: `DELETE ${P}/*?filter={"n":{"$gt":0}}`,
    status: 200,
    bodyHas: { deleted: 2 },
    after: [{ request: `GET ${P}`, body: ids('2') }],
  },
  {
    name: 'a bulk PATCH cannot widen its filter',
    request: `PATCH ${P}/*?filter={"$or":[{"o":"b"},{"o":"a"}]} {"m":1}`,
    status: 200,
    bodyHas: { matched: 2 },
    after: [{ request: `GET ${P}/2`, body: expectForeign() }],
  },
];

const ALL_FLAGS = {
  allowManagementRequests: true,
  allowBulkPatch: true,
  allowBulkDelete: true,
  allowWriteMode: true,
};

/** flag, request that needs it */
const FLAGS: readonly (readonly [flag: string, request: string])[] = [
  ['allowManagementRequests', 'PUT /{db}'],
  ['allowManagementRequests', 'PATCH /{db} {"a":1}'],
  ['allowManagementRequests', `PUT ${P}`],
  ['allowManagementRequests', `PATCH ${P} {"a":1}`],
  ['allowManagementRequests', `DELETE ${P}x`],
  ['allowManagementRequests', `GET ${P}/_indexes`],
  ['allowManagementRequests', `PUT ${P}/_indexes/i {"keys":{"n":1}}`],
  ['allowManagementRequests', `DELETE ${P}/_indexes/i`],
  ['allowManagementRequests', 'GET /{db}/_schemas'],
  ['allowManagementRequests', 'GET /{db}/_schemas/_size'],
  ['allowManagementRequests', 'GET /{db}/_schemas/s'],
  ['allowManagementRequests', 'PUT /{db}/_schemas/s {}'],
  ['allowManagementRequests', 'GET /{db}/_meta'],
  ['allowManagementRequests', `GET ${P}/_meta`],
  ['allowManagementRequests', 'PUT /{db}/{c}.files'],
  ['allowManagementRequests', 'DELETE /{db}/{c}x.files'],
  ['allowManagementRequests', 'GET /{db}/{c}.files/_meta'],
  ['allowManagementRequests', 'GET /{db}/_schemas/_meta'],
  ['allowBulkPatch', `PATCH ${P}/*?filter={"_id":{"$exists":true}} {"a":1}`],
  ['allowBulkDelete', `DELETE ${P}/*?filter={"q":1}`],
  ['allowWriteMode', `POST ${P}?wm=upsert {"a":1}`],
  ['allowWriteMode', `POST ${P}?writeMode=insert {"a":1}`],
  ['allowWriteMode', `PUT ${P}/1?wm=upsert {"a":1}`],
  ['allowWriteMode', `PATCH ${P}/1?wm=update {"a":1}`],
  // that one is named counts
  ['allowWriteMode', `PATCH ${P}/1?wm {"a":1}`],
  ['allowWriteMode', `PUT ${P}/1?writeMode=nonsense {"a":1}`],
];

const flagRows: SecurityTable = FLAGS.flatMap(([flag, request]): SecurityRow[] => {
  const base = { chapter: '§8.6', as: 'user', request };
  return [
    { ...base, name: `${flag} lets ${request}`, acl: mongo({ [flag]: true }), allowed: true },
    {
      ...base,
      name: `${request} without ${flag}`,
      acl: mongo({ ...ALL_FLAGS, [flag]: false }),
      status: 403,
    },
    {
      ...base,
      name: `${request} without any permissions`,
      acl: [{ predicate: PREFIX }],
      status: 403,
    },
    {
      ...base,
      name: `a later permission with ${flag} lets ${request}`,
      acl: [
        { predicate: PREFIX, priority: 9 },
        { predicate: PREFIX, priority: 1, mongo: { [flag]: true } },
      ],
      allowed: true,
    },
  ];
});

/** Need no flag. */
const plainRows: SecurityTable = [
  'GET /{db}',
  'GET /{db}/_size',
  `GET ${P}`,
  `GET ${P}/_size`,
  `POST ${P} {"a":1}`,
  `POST ${P} [{"a":1}]`,
  `GET ${P}/1`,
  `PUT ${P}/1 {"a":1}`,
  `PATCH ${P}/1 {"a":1}`,
  `DELETE ${P}/1`,
  `GET ${P}.files`,
].map((request) => ({
  name: `${request} needs no flag`,
  chapter: '§8.6',
  as: 'user',
  acl: [{ predicate: PREFIX, mongo: null }],
  request,
  allowed: true,
}));

const one = { predicate: PREFIX };
const nothing = { predicate: "path('/nowhere')" };
const see = (o: string) => ({ readFilter: { o } });

const SELECTION: SecurityTable = [
  {
    name: 'the higher priority decides',
    acl: [
      { ...one, priority: 1, mongo: see('a') },
      { ...one, priority: 100, mongo: see('b') },
    ],
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'a missing priority comes last',
    acl: [
      { ...one, mongo: see('a') },
      { ...one, priority: -5, mongo: see('b') },
    ],
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'a tie goes to the later _id',
    acl: [
      { ...one, priority: 1, mongo: see('a') },
      { ...one, priority: 1, mongo: see('b') },
    ],
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'the first role in the account decides, whatever the priorities',
    claims: { roles: ['{r}', '{r}2'] },
    acl: [
      { ...one, priority: 1, mongo: see('a') },
      { ...one, roles: ['{r}2'], priority: 100, mongo: see('b') },
    ],
    request: `GET ${P}`,
    status: 200,
    body: ids('1', '3'),
  },
  {
    name: 'the next role is asked when the first one has no match',
    claims: { roles: ['{r}', '{r}2'] },
    acl: [nothing, { ...one, roles: ['{r}2'], mongo: see('b') }],
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'a permission for several roles counts for each',
    acl: [{ ...one, roles: ['x', '{r}'] }],
    request: `GET ${P}`,
    status: 200,
  },
  { name: 'a role is literal', acl: [{ ...one, roles: ['*'] }], request: `GET ${P}`, status: 403 },
  {
    name: 'roles must be an array',
    acl: [{ ...one, roles: '{r}' as never }],
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'roles must hold texts only',
    acl: [{ ...one, roles: ['{r}', 1] }],
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'roles must not be empty',
    acl: [{ ...one, roles: [] }],
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'role is not recognised',
    acl: [{ ...one, roles: [], role: '{r}' } as AclEntry],
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'a predicate that is no text is ignored',
    acl: [{ predicate: 1 as never }],
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'a broken permission does not hide a later one',
    acl: [{ predicate: 'nonsense(', priority: 9 }, one],
    request: `GET ${P}`,
    status: 200,
  },
  {
    name: 'mongo null is absent',
    acl: [{ ...one, mongo: null }],
    request: `GET ${P}`,
    status: 200,
    body: ids('1', '2', '3'),
  },
  {
    name: 'a null filter is absent',
    acl: mongo({ readFilter: null, writeFilter: null, mergeRequest: null, projectResponse: null }),
    request: `GET ${P}`,
    status: 200,
    body: ids('1', '2', '3'),
  },
  {
    name: 'a flag that is no boolean makes the permission invalid',
    acl: mongo({ allowWriteMode: 'yes' }),
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'a filter that is no object makes the permission invalid',
    acl: mongo({ readFilter: 'x' }),
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'a mixed projection makes the permission invalid',
    acl: mongo({ projectResponse: { a: 1, b: 0 } }),
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'a projection with other values makes the permission invalid',
    acl: mongo({ projectResponse: { a: 2 } }),
    request: `GET ${P}`,
    status: 403,
  },
  {
    name: 'no permission',
    acl: [],
    request: `GET ${P}`,
    status: 403,
    text: '',
    replyHeaders: { 'WWW-Authenticate': null },
  },
].map((row) => ({ chapter: '§8.3', as: 'user', given: [DOCS], ...row }));

const PROJECTIONS: SecurityTable = [
  {
    name: 'projectResponse removes',
    acl: mongo({ projectResponse: { o: 0, 'x.y': 0 } }),
    request: `GET ${P}/1`,
    status: 200,
    body: { _id: '1', n: 1, x: { z: 2 }, _etag: expectAny() },
  },
  {
    name: 'projectResponse keeps',
    acl: mongo({ projectResponse: { n: 1, 'x.z': 1 } }),
    request: `GET ${P}/1`,
    status: 200,
    body: { n: 1, x: { z: 2 } },
  },
  {
    name: 'projectResponse keeps in each document of a page',
    acl: mongo({ projectResponse: { n: 1 } }),
    request: `GET ${P}?sort=n`,
    status: 200,
    body: [{ n: 1 }, { n: 2 }, { n: 3 }],
  },
  {
    name: 'projectResponse works inside HAL',
    acl: mongo({ projectResponse: { n: 1, _id: 1 } }),
    request: `GET ${P}?rep=HAL&sort=n&pagesize=1`,
    status: 200,
    bodyHas: { _returned: 1 },
    text: /^(?!.*"o")/,
  },
  {
    name: 'projectResponse wins over keys',
    acl: mongo({ projectResponse: { o: 0 } }),
    request: `GET ${P}?keys={"o":1}&sort=n&pagesize=1`,
    status: 200,
    text: /^(?!.*"o")/,
  },
  {
    name: 'projectResponse hides nothing from writers',
    acl: mongo({ projectResponse: { o: 0 } }),
    request: `PATCH ${P}/1 {"n":9}`,
    status: 200,
  },
  {
    name: 'hides from aggregations too',
    acl: mongo({ projectResponse: { n: 0 } }),
    given: [DOCS, `PATCH ${P} {"aggrs":[{"uri":"a","stages":[{"$match":{"_id":"3"}}]}]}`],
    request: `GET ${P}/_aggrs/a`,
    status: 200,
    body: [{ _id: '3', o: 'a', _etag: expectAny() }],
  },
  ...['{"o":"$n"}', '{"o":{"$add":["$n",0]}}', '{"x":{"y":"$n"}}', '{"all":"$$ROOT"}'].map(
    (keys) => ({
      name: `lets nobody compute ${keys}`,
      acl: mongo({ projectResponse: { n: 0 } }),
      request: `GET ${P}/1?keys=${keys}`,
      status: 403,
      text: '',
    }),
  ),
  {
    name: 'lets clients choose fields and parts of them',
    acl: mongo({ projectResponse: { n: 0 } }),
    request: `GET ${P}/1?keys={"_id":0,"o":1,"n":1,"x":{"y":1},"l":{"$slice":1}}`,
    status: 200,
    body: { o: 'a', x: { y: 1 } },
  },
].map((row) => ({ chapter: '§8.6', as: 'user', given: [DOCS], ...row }));

const merge = (mergeRequest: unknown, more = {}) => mongo({ mergeRequest, ...more });
const seen = (id: string, bodyHas: unknown) => [{ request: `GET ${P}/${id}`, bodyHas }];

const MERGES: SecurityTable = [
  {
    name: 'forces a property into a document',
    acl: merge({ by: '@user.sub2' }),
    claims: { sub2: 'me' },
    request: `POST ${P} {"_id":"9","by":"you"}`,
    status: 201,
    after: seen('9', { by: 'me' }),
  },
  {
    name: 'forces a property into each item of an array',
    acl: merge({ by: 'me' }),
    request: `POST ${P} [{"_id":"8","by":"you"},{"_id":"9","by.x":"you"}]`,
    allowed: true,
    after: [...seen('8', { by: 'me' }), ...seen('9', { by: 'me' })],
  },
  {
    name: 'goes into $set beside operators',
    acl: merge({ by: 'me' }),
    request: `PATCH ${P}/1 {"$inc":{"n":1}}`,
    status: 200,
    after: seen('1', { by: 'me', n: 2 }),
  },
  {
    name: 'wins over $set',
    acl: merge({ by: 'me' }),
    request: `PATCH ${P}/1 {"$set":{"by":"you","k":1}}`,
    status: 200,
    after: seen('1', { by: 'me', k: 1 }),
  },
  {
    name: 'wins over $unset',
    acl: merge({ by: 'me' }),
    request: `PATCH ${P}/1 {"$unset":{"by":1}}`,
    status: 200,
    after: seen('1', { by: 'me' }),
  },
  {
    name: 'wins over a dotted name',
    acl: merge({ by: 'me' }),
    request: `PATCH ${P}/1 {"by.x":"you"}`,
    allowed: true,
    after: seen('1', { by: 'me' }),
  },
  {
    name: 'wins over $rename',
    acl: merge({ by: 'me' }),
    request: `PATCH ${P}/1 {"$rename":{"o":"by"}}`,
    allowed: true,
    after: seen('1', { by: 'me' }),
  },
  {
    name: 'wins over a pipeline',
    acl: merge({ by: 'me' }),
    request: `PATCH ${P}/1 [{"$set":{"by":"you","k":"$n"}}]`,
    status: 200,
    after: seen('1', { by: 'me', k: 1 }),
  },
  {
    name: 'is a literal in a pipeline',
    acl: merge({ by: '@user.sub2' }),
    claims: { sub2: '$o' },
    request: `PATCH ${P}/1 [{"$set":{"k":"$n"}}]`,
    status: 200,
    after: seen('1', { by: '$o', k: 1 }),
  },
  {
    name: 'is in a replaced document',
    acl: merge({ by: 'me' }),
    request: `PUT ${P}/1 {"k":1}`,
    allowed: true,
    after: seen('1', { by: 'me', k: 1 }),
  },
  {
    name: 'is in every document of a bulk PATCH',
    acl: merge({ by: 'me' }, { allowBulkPatch: true }),
    request: `PATCH ${P}/*?filter={"_id":{"$exists":true}} {"k":1}`,
    status: 200,
    after: [...seen('1', { by: 'me' }), ...seen('2', { by: 'me' })],
  },
  {
    name: 'does not help a predicate',
    acl: [
      {
        predicate: `${PREFIX} and bson-request-contains(by)`,
        mongo: { mergeRequest: { by: 'me' } },
      },
    ],
    request: `POST ${P} {"_id":"9"}`,
    status: 403,
  },
  {
    name: 'changes nothing of a GET',
    acl: merge({ by: 'me' }),
    request: `GET ${P}/1`,
    status: 200,
    body: { _id: '1', o: 'a', n: 1, x: { y: 1, z: 2 }, _etag: expectAny() },
  },
].map((row) => ({
  chapter: '§8.6',
  as: 'user',
  given: [DOCS],
  ...row,
  name: `mergeRequest ${row.name}`,
}));

const BOUNDARY = { 'Content-Type': 'multipart/form-data; boundary=x' };
const upload = (metadata: string): string =>
  `--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n${metadata}\r\n` +
  '--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ndata\r\n--x--\r\n';
const F = `${P}.files`;

/** The document of a file is its metadata. */
const FILE_MERGES: SecurityTable = [
  {
    name: 'forces a property into the metadata of an upload',
    given: [`PUT ${F}`],
    request: `POST ${F}`,
    headers: BOUNDARY,
    form: upload('{"_id":"9","by":"you","k":1}'),
    status: 201,
    after: [{ request: `GET ${F}/9`, bodyHas: { metadata: { by: 'me', k: 1 } } }],
  },
  {
    name: 'forces a property into the metadata of a replaced file',
    given: [`PUT ${F}`],
    request: `PUT ${F}/9`,
    headers: BOUNDARY,
    form: upload('{"by":"you"}'),
    status: 201,
    after: [{ request: `GET ${F}/9`, bodyHas: { metadata: { by: 'me' } } }],
  },
].map((row) => ({
  chapter: '§8.6',
  as: 'user',
  acl: merge({ by: 'me' }),
  ...row,
  name: `mergeRequest ${row.name}`,
}));

type Variable = readonly [
  value: string,
  expected: unknown,
  request?: string | undefined,
  claims?: Record<string, unknown>,
];
const VARIABLES: readonly Variable[] = [
  ['@user.x', 'y', undefined, { x: 'y' }],
  ['@user.x.0.z', 5, undefined, { x: [{ z: 5 }] }],
  ['@user.none', null],
  ['@filter', { q: 1 }, `POST ${P}?filter={"q":1} {"_id":"9"}`],
  ['@filter', {}],
  ['@request.method', 'POST'],
  ['@request.db', '{db}'],
  ['@request.collection', '{c}'],
  ['@request.resourceType', 'COLLECTION'],
  ['@request.userName', '{u}'],
  ['@request.relativePath', P],
  ['@request.remoteIp', '127.0.0.1'],
  ['@request.queryString', '?a=b', `POST ${P}?a=b {"_id":"9"}`],
  ['@request.nonsense', null],
  ['@request.body.k', 7, `POST ${P} {"_id":"9","k":7}`],
  ['@mongoPermissions.allowWriteMode', false],
  ['@mongoPermissions.readFilter', null],
  ["@qparams['k']", 'v', `POST ${P}?k=v {"_id":"9"}`],
  ['@qparams["k"]', 'v', `POST ${P}?k=v&k=w {"_id":"9"}`],
  ["@qparams['k']", null],
  ['%USER', '{u}'],
  ['%ROLES', ['{r}']],
  ['x @now', 'x @now'],
  ['@nonsense', '@nonsense'],
  ['@rnd(0)', null],
  ['@rnd(5000)', null],
  [
    '@rnd(16)',
    {
      asymmetricMatch: (value: unknown) => /^[0-9a-f]{4}$/.test(String(value)),
      toString: () => '4 hex digits',
    },
  ],
  [
    '@now',
    {
      asymmetricMatch: (value: unknown) => Number((value as { $date: number }).$date) % 1000 === 0,
      toString: () => 'a date in whole seconds',
    },
  ],
];

const variableRows: SecurityTable = VARIABLES.map(([value, expected, request, claims]) => ({
  name: `${value} becomes ${JSON.stringify(expected)}`,
  chapter: '§8.7',
  as: 'user',
  ...(claims && { claims }),
  acl: merge({ v: value }),
  request: request ?? `POST ${P} {"_id":"9"}`,
  status: 201,
  after: [{ request: `GET ${P}/9`, bodyHas: { v: expected } }],
}));

const MISC: SecurityTable = [
  {
    name: 'readFilter may use $or',
    acl: mongo({ readFilter: { $or: [{ o: 'b' }] } }),
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'readFilter may escape $or',
    acl: mongo({ readFilter: { _$or: [{ o: 'b' }] } }),
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'readFilter may escape dots',
    acl: mongo({ readFilter: { 'x::y': 3 } }),
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'readFilter with a variable',
    acl: mongo({ readFilter: { o: '@user.team' } }),
    claims: { team: 'b' },
    request: `GET ${P}`,
    status: 200,
    body: ids('2'),
  },
  {
    name: 'readFilter with a variable the account lacks',
    acl: mongo({ readFilter: { o: '@user.team' } }),
    request: `GET ${P}`,
    status: 200,
    body: [],
  },
  {
    name: 'a value from the account is no operator',
    acl: mongo({ readFilter: { o: '@user.team' } }),
    claims: { team: { $ne: null } },
    request: `GET ${P}`,
    status: 200,
    body: [],
  },
  {
    name: 'a value from the query is no operator',
    acl: mongo({ readFilter: { o: "@qparams['t']" } }),
    request: `GET ${P}?t={"$ne":1}`,
    status: 200,
    body: [],
  },
  {
    name: '$where is vetoed',
    acl: [one],
    request: `GET ${P}?filter={"$where":"true"}`,
    status: 403,
    text: '',
  },
  {
    name: '$where is vetoed for the root role',
    as: 'admin',
    acl: [],
    request: `GET ${P}?filter={"$where":"true"}`,
    status: 403,
    text: '',
  },
  {
    name: '$where is vetoed at depth',
    as: 'admin',
    acl: [],
    request: `GET ${P}?filter={"$and":[{"$or":[{"$where":"1"}]}]}`,
    status: 403,
    text: '',
  },
  {
    name: '$where is vetoed in one of several filters',
    as: 'admin',
    acl: [],
    request: `GET ${P}?filter={"a":1}&filter={"$where":"1"}`,
    status: 403,
    text: '',
  },
  {
    name: 'the root role passes every check',
    as: 'admin',
    acl: [],
    request: `PATCH ${P}/*?filter={"_id":{"$exists":true}} {"k":1}`,
    status: 200,
  },
  { name: 'OPTIONS is for everybody', as: '', acl: [], request: `OPTIONS ${P}`, status: 200 },
].map((row) => ({ chapter: '§8.6', as: 'user', given: [DOCS], ...row }));

export const PERMISSION_ROWS: SecurityTable = [
  ...FILTERS.map((row) => ({
    ...row,
    chapter: '§8.6',
    as: 'user',
    given: [DOCS],
    acl: mongo(MINE),
  })),
  ...WRITES.map((row) => ({
    ...row,
    chapter: '§8.6',
    as: 'user',
    given: [DOCS],
    acl: mongo({ ...MINE, ...ALL_FLAGS }),
  })),
  ...flagRows,
  ...plainRows,
  ...SELECTION,
  ...PROJECTIONS,
  ...MERGES,
  ...FILE_MERGES,
  ...variableRows,
  ...MISC,
];
