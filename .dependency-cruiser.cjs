// Who may import whom: one rule per row of the tables below (ARCHITECTURE.md explains them).
// A folder that is not in a row's list may not be imported; the comment says where to go instead.

const engine = {
  lib: [],
  errors: ['lib'],
  bson: ['lib', 'errors'],
  wire: ['bson', 'lib', 'errors'],
  query: ['bson', 'lib', 'errors'],
  aggregation: ['query', 'bson', 'lib', 'errors'],
  storage: ['bson', 'lib', 'errors'],
  catalog: ['storage', 'query', 'bson', 'lib', 'errors'],
  oplog: ['catalog', 'storage', 'query', 'aggregation', 'bson', 'lib', 'errors'],
  session: ['oplog', 'storage', 'bson', 'lib', 'errors'],
  auth: ['catalog', 'storage', 'bson', 'lib', 'errors'],
  commands: [
    'aggregation',
    'query',
    'catalog',
    'oplog',
    'storage',
    'session',
    'auth',
    'wire',
    'bson',
    'lib',
    'errors',
  ],
  listener: ['wire', 'commands', 'bson', 'lib', 'errors'],
};

const leaves = ['lib', 'errors', 'model', 'config', 'observe'];
const server = {
  lib: [],
  errors: ['lib'],
  model: ['lib', 'errors'],
  config: ['lib', 'errors'],
  observe: ['model', 'lib', 'errors', 'config'],
  http: leaves,
  auth: leaves,
  authz: leaves,
  mongo: leaves,
  representation: leaves,
  cluster: leaves,
  'plugin-host': leaves,
  service: [...leaves, 'mongo', 'representation'],
};

/** One rule per folder: everything of the package that is not allowed is refused. */
function folderRules(packageName, table, openFolders) {
  const root = `packages/${packageName}/src`;
  return Object.entries(table).map(([folder, allowed]) => ({
    name: `${packageName}-${folder}`,
    comment:
      allowed.length === 0
        ? `${folder} is a leaf: pass what it needs as a parameter`
        : `${folder} may import ${allowed.join(', ')} only; the folders ${openFolders.join(', ')} join the parts`,
    severity: 'error',
    from: { path: `^${root}/${folder}/`, pathNot: '\\.test\\.ts$' },
    to: { path: `^${root}/`, pathNot: `^${root}/(${[folder, ...allowed].join('|')})/` },
  }));
}

/** A library that may be used in one folder only. */
function libraryHome(name, library, homes, instead) {
  return {
    name,
    comment: instead,
    severity: 'error',
    from: { path: '^packages/', pathNot: `^packages/(${homes.join('|')})/|\\.test\\.ts$|/test/` },
    to: { path: library },
  };
}

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'a cycle, type imports counted: move the shared value to a leaf',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...folderRules('engine', engine, ['index.ts', 'main.ts']),
    ...folderRules('server', server, ['app']),
    {
      name: 'engine-knows-nobody',
      comment: 'the engine is reached by its URI; it imports no other package',
      severity: 'error',
      from: { path: '^packages/engine/src/' },
      to: { path: '^packages/(server|plugin-api|admin)/' },
    },
    {
      name: 'through-the-door',
      comment: 'other packages are imported by their name, which gives their index.ts',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: {
        path: '^packages/[^/]+/src/',
        pathNot: ['^packages/$1/', '/src/((testing|maintenance)/)?index\\.ts$'],
      },
    },
    {
      name: 'no-inner-barrel',
      comment: 'index.ts is for outsiders; import the file itself',
      severity: 'error',
      from: { path: '^packages/([^/]+)/src/', pathNot: ['\\.test\\.ts$', '/src/main\\.ts$'] },
      to: { path: '^packages/$1/src/index\\.ts$' },
    },
    {
      name: 'engine-only-in-compose',
      comment: 'only app/ knows that the embedded engine exists; everything else has a MongoDB URI',
      severity: 'error',
      from: { path: '^packages/server/src/', pathNot: '^packages/server/src/(app/|main\\.ts)' },
      to: { path: '^packages/engine/' },
    },
    libraryHome(
      'driver-home',
      'node_modules/mongodb/',
      ['server/src/mongo'],
      'use a function of mongo/',
    ),
    libraryHome('lmdb-home', 'node_modules/lmdb/', ['engine/src/storage'], 'use storage/store.ts'),
    libraryHome(
      'http-home',
      '^(node:)?https?2?$',
      // the rehearsed replica set takes its orders over HTTP, and the engine knows no server
      ['server/src/http', 'engine/src/testing'],
      'use http/',
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    doNotFollow: { path: 'node_modules|dist' },
    exclude: { path: '/dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['quorate-source', 'import', 'node', 'default'],
    },
  },
};
