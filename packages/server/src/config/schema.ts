/**
 * The one table of settings: each key once, with type, default, unit and text. Loading, checking, the printed template
 * and the reference page are made from it (operations.md §2 and §3 name the keys of RESTHeart 9).
 */
import { CLUSTER_SECTIONS } from './cluster-sections.ts';
import { GUARD_SECTIONS } from './guard-sections.ts';
import {
  any,
  bool,
  choice,
  core,
  int,
  type Key,
  lenientChoice,
  maybeText,
  plugin,
  type Section,
  text,
  texts,
} from './key.ts';
import { SECURITY_SECTIONS } from './security-sections.ts';

export type { Key, KeyKind, Section } from './key.ts';

const PORT = { min: 0, max: 65_535 };
const MS = { unit: 'ms', min: -1 };
const BYTES = { unit: 'bytes', min: -1 };

/** Sections whose features exist. */
export const SECTIONS = {
  'http-listener': core('Plain HTTP', {
    enabled: bool(true, 'false closes plain HTTP'),
    host: text('localhost', 'address or name to bind; 0.0.0.0 for every interface'),
    port: int(8080, '0 takes a free port', PORT),
  }),
  'https-listener': core('HTTP over TLS; a keystore (PKCS12), or a key and a certificate in PEM', {
    enabled: bool(false, 'true opens it'),
    host: text('localhost', 'address or name to bind'),
    port: int(4443, '0 takes a free port', PORT),
    'keystore-path': maybeText('PKCS12 file'),
    'keystore-password': maybeText('password of the keystore', true),
    'certificate-password': maybeText('password of the key', true),
    'key-path': maybeText('PEM file of the private key (Quorate)'),
    'cert-path': maybeText('PEM file of the certificate chain (Quorate)'),
    'reload-interval': int(
      10_000,
      'how often the files are looked at, so that a renewed certificate is taken without a restart; 0: never (Quorate)',
      { unit: 'ms', min: 0 },
    ),
  }),
  mclient: core('The database', {
    'connection-string': maybeText(
      'MongoDB URI; unset, the embedded engine is started on the folder quorate.data',
    ),
  }),
  quorate: core('What RESTHeart does not have', {
    data: text('./quorate-data', "folder of the embedded engine's data"),
    'engine-port': int(0, 'port of the embedded engine on 127.0.0.1; 0 takes a free one', PORT),
    workers: int(1, 'processes that share the port', { min: 1, max: 256 }),
    'drain-delay': int(
      -1,
      'after SIGTERM, how long the node still serves while it says that it is not ready, so that balancers notice; 0 answers 503 at once as RESTHeart does; -1 is 5000 with a database of its own address and 0 with the embedded engine',
      { unit: 'ms', min: -1 },
    ),
    'admin-port': int(-1, 'a second port, of health, cluster and metrics alone; -1 is none', {
      min: -1,
      max: 65_535,
    }),
    'admin-host': text('localhost', 'address or name that the second port is bound to'),
    'request-id-header': text(
      '',
      "header, such as X-Request-Id, that each answer carries: the client's own value, or the id of the request in the log",
    ),
  }),
  mongo: plugin(true, 'The REST API', {
    uri: text('/', 'path under which it answers'),
    'mongo-mounts': any<readonly { what: string; where: string }[]>(
      [{ what: '/restheart', where: '/' }],
      'which database, collection or document is served where',
    ),
    'default-representation-format': choice(
      ['STANDARD', 'S', 'HAL', 'SHAL', 'PLAIN_JSON', 'PJ'],
      'STANDARD',
      'representation of requests without `rep`',
    ),
    'etag-check-policy': any<Readonly<Record<string, string>>>(
      { db: 'REQUIRED_FOR_DELETE', coll: 'REQUIRED_FOR_DELETE', doc: 'OPTIONAL' },
      'when writes must carry the ETag: REQUIRED, REQUIRED_FOR_DELETE or OPTIONAL for db, coll, doc',
    ),
    'get-collection-cache-enabled': bool(true, 'reuse cursors of paged reads'),
    'get-collection-cache-size': int(100, 'cursors kept', { min: 0 }),
    'get-collection-cache-ttl': int(10_000, 'how long a cursor is kept', MS),
    'get-collection-cache-docs': int(1000, 'documents read ahead by a cursor', { min: 1 }),
    'aggregation-check-operators': bool(true, 'refuse operators in aggregation variables'),
    'default-pagesize': int(100, 'documents of a page without `pagesize`', { min: 0 }),
    'max-pagesize': int(1000, 'largest `pagesize`', { min: 1 }),
    'cursor-batch-size': int(1000, 'documents fetched from the database in one go', { min: 1 }),
    'file-ranges': bool(false, 'downloads of files honour `Range`; RESTHeart ignores it'),
    'local-cache-enabled': bool(true, 'cache properties of databases and collections'),
    'local-cache-ttl': int(60_000, 'how long they are kept; negative is for ever', { unit: 'ms' }),
    'schema-cache-enabled': bool(true, 'cache JSON schemas'),
    'schema-cache-ttl': int(60_000, 'how long they are kept; negative is for ever', { unit: 'ms' }),
    'query-time-limit': int(0, 'of reads; 0 is none', { unit: 'ms', min: 0 }),
    'aggregation-time-limit': int(0, 'of aggregations; 0 is none', { unit: 'ms', min: 0 }),
    'instance-base-url': maybeText('scheme and host of links, as core.base-url'),
  }),
  ping: plugin(true, 'Answers while the process lives', {
    uri: text('/ping', 'path'),
    msg: text('Greetings from RESTHeart!', 'message; the default is that of RESTHeart 9'),
    'enable-extended-response': bool(true, 'also client, host, version and build time'),
  }),
  'database-probe': plugin(true, 'Answers while the database does', {
    uri: text('/health/db', 'path'),
    'timeout-ms': int(2000, 'longest wait for the database', { unit: 'ms', min: 1 }),
    dbname: text('admin', 'database that is pinged'),
  }),
  csvLoader: plugin(true, 'Loads CSV files', { uri: text('/csv', 'path') }),
  graphql: plugin(true, 'GraphQL apps', {
    uri: text('/graphql', 'path'),
    db: text('restheart', 'database of the definitions of apps'),
    collection: text('gql-apps', 'their collection'),
    'app-cache-enabled': bool(true, 'keep built apps; false builds them for each request'),
    'app-cache-ttr': int(
      60_000,
      'how often kept apps are read again, where changes are not heard of at once',
      { unit: 'ms', min: 1 },
    ),
    'default-limit': int(100, 'documents of a query mapping without `limit`', { min: 0 }),
    'max-limit': int(1000, 'largest `limit` of a query mapping', { min: 0 }),
    'query-time-limit': int(0, 'of a whole request; 0 is none', { unit: 'ms', min: 0 }),
    'max-depth': int(0, 'fields in fields of a query; 0 is no bound (Quorate)', { min: 0 }),
    verbose: bool(false, 'add statistics of data loaders to answers'),
    'restrict-mapping-db': bool(false, 'mappings may read the database of the definitions only'),
  }),
  graphAppsInitializer: plugin(true, 'Builds all GraphQL apps at the start', {}),
  graphAppsUpdater: plugin(true, 'Follows changes of the definitions of GraphQL apps', {}),
  createIndexesOnGqlApps: plugin(false, 'A unique index on the uri of GraphQL apps', {}),
  batch: plugin(true, 'Several operations in one transaction', { uri: text('/_batch', 'path') }),
  dataApi: plugin(false, 'The Data API that MongoDB Atlas once had', {
    uri: text('/action', 'path'),
  }),
  openApi: plugin(true, 'Describes the mounted resources', {
    uri: text('/openapi.json', 'path of the description'),
    'docs-uri': text('/docs', 'path of the page that shows it to browsers'),
  }),
  cacheInvalidator: plugin(true, 'Drops cached properties', { uri: text('/ic', 'path') }),
  filterOperatorsBlacklist: plugin(true, 'Operators refused in `filter`', {
    blacklist: {
      ...texts(['$where'], 'names; each starts with $'),
      check: (names: readonly string[]) =>
        names.every((name) => name.startsWith('$'))
          ? undefined
          : 'a list of names that start with $',
    },
  }),
  aggregationSecurity: plugin(true, 'What aggregations may not do', {
    stageBlacklist: texts(
      ['$out', '$merge', '$lookup', '$graphLookup', '$unionWith'],
      'stages refused',
    ),
    operatorBlacklist: texts(['$where', '$function', '$accumulator'], 'operators refused'),
    allowCrossDatabaseOperations: bool(false, 'stages may name another database'),
    allowJavaScriptExecution: bool(false, 'operators may run JavaScript in the database'),
  }),
  'static-resources': core('Folders served as they are', {}),
  proxies: core('Paths that other servers answer', {}),
  xPoweredBy: plugin(true, 'The header X-Powered-By', {}),
  dateHeader: plugin(true, 'The header Date', {}),
  logging: core('The log', {
    'log-level': lenientChoice(
      ['OFF', 'ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE', 'ALL'],
      'INFO',
      'least severe level that is written; a wrong one is warned of',
    ),
    'log-to-console': bool(true, 'write to standard output'),
    'log-to-file': bool(false, 'write to a file that rolls at 5 MB'),
    'log-file-path': text('quorate.log', 'that file'),
    'ansi-console': bool(true, 'colours, where standard output is a terminal'),
    'no-colors': bool(false, 'no colours at all'),
    format: choice(
      ['auto', 'json', 'text'],
      'auto',
      'json: one object a line; text: the layout of RESTHeart; auto: text on a terminal (Quorate)',
    ),
    packages: texts([], 'accepted for compatibility; every part of Quorate writes to one log'),
    'full-stacktrace': bool(false, 'whole stacks in the text layout'),
    'requests-log-mode': int(1, '0 none, 1 one line, 2 a dump of each request', {
      min: 0,
      max: 2,
    }),
    'tracing-headers': texts([], 'request headers that are echoed and logged'),
    'requests-log-exclude-patterns': texts([], 'paths that are not logged; * is any text'),
    'requests-log-exclude-interval': int(10, 'how often an excluded path is mentioned', {
      unit: 'minutes',
    }),
  }),
  metrics: plugin(true, 'Prometheus metrics', {
    uri: text('/metrics', 'path'),
    'missing-registry-status-code': int(404, 'answer for an unknown registry', {
      min: 200,
      max: 404,
    }),
    'instance-label': bool(false, 'samples carry core.name as instance_name'),
  }),
  requestsMetricsCollector: plugin(true, 'Counts and times requests', {
    include: texts(['/*'], 'path templates, one registry each'),
    exclude: texts(['/metrics', '/metrics/*'], 'path templates that are not counted'),
  }),
  jvmMetricsCollector: plugin(false, 'Memory of the process, as registry /jvm', {}),
  core: core('The process', {
    name: text('default', 'name of this instance, in the log'),
    'plugins-directory': text('plugins', 'folder of plugins'),
    'plugins-packages': texts([], 'limits the scan of plugins'),
    'plugins-scanning-verbose': bool(false, 'log the scan of plugins'),
    'base-url': maybeText('scheme and host of links, instead of those of the request'),
    'io-threads': int(0, 'accepted for compatibility', { min: 0 }),
    'workers-scheduler-parallelism': int(0, 'accepted for compatibility', { min: 0 }),
    'workers-scheduler-max-pool-size': int(256, 'accepted for compatibility', { min: 0 }),
    'buffers-pooling': bool(true, 'accepted for compatibility'),
    'buffer-size': int(16_364, 'accepted for compatibility', { unit: 'bytes', min: 1 }),
    'direct-buffers': bool(true, 'accepted for compatibility'),
    'force-gzip-encoding': bool(false, 'refuse clients that accept neither gzip nor deflate'),
    'allow-unescaped-characters-in-url': bool(true, 'accepted for compatibility'),
  }),
  'connection-options': core('Limits of connections; -1 leaves the protection of the process', {
    ENABLE_HTTP2: bool(true, 'HTTP/2 on the TLS listener'),
    MAX_HEADER_SIZE: int(1_048_576, 'all headers together', { unit: 'bytes', min: 1024 }),
    MAX_ENTITY_SIZE: int(-1, 'body', BYTES),
    MULTIPART_MAX_ENTITY_SIZE: int(-1, 'multipart body', BYTES),
    IDLE_TIMEOUT: int(-1, 'connection without traffic', MS),
    REQUEST_PARSE_TIMEOUT: int(-1, 'time for the headers; -1 is 60 s', MS),
    NO_REQUEST_TIMEOUT: int(-1, 'connection between requests; -1 is 75 s', MS),
    BODY_IDLE_TIMEOUT: int(30_000, 'silence within a body, then 408 (Quorate)', {
      unit: 'ms',
      min: 100,
    }),
    MAX_PARAMETERS: int(1000, 'query parameters', { min: 1 }),
    MAX_HEADERS: int(200, 'header lines', { min: 1 }),
    MAX_COOKIES: int(200, 'cookies', { min: 1 }),
    URL_CHARSET: choice(['UTF-8'], 'UTF-8', 'of the path and query'),
    ALWAYS_SET_KEEP_ALIVE: bool(true, 'send Connection: keep-alive'),
    SHUTDOWN_TIMEOUT: int(60_000, 'how long running requests may finish at stop', {
      unit: 'ms',
      min: 0,
    }),
  }),
  ...CLUSTER_SECTIONS,
  ...SECURITY_SECTIONS,
  ...GUARD_SECTIONS,
} as const satisfies Readonly<Record<string, Section>>;

export type SectionName = keyof typeof SECTIONS;

type KeysOf<S extends SectionName> = (typeof SECTIONS)[S]['keys'];

/** Every setting with its type, complete: defaults are filled in. */
export type Settings = {
  readonly [S in SectionName]: {
    readonly [K in keyof KeysOf<S>]: KeysOf<S>[K] extends Key<infer T> ? T : never;
  };
};

/** Lists at the top level, instead of a block of keys, and what they hold when nothing is said (operations.md §8, §9). */
export const LIST_DEFAULTS: ReadonlyMap<string, readonly Readonly<Record<string, unknown>>[]> =
  new Map([
    [
      'static-resources',
      [
        {
          what: 'static/metrics',
          where: '/metrics-ui',
          'welcome-file': 'restheart-metrics.html',
          embedded: true,
        },
      ],
    ],
    ['proxies', []],
  ]);

/** Names of those lists. */
export const LIST_SECTIONS: ReadonlySet<string> = new Set(LIST_DEFAULTS.keys());

/** Keys that documents of RESTHeart show where no version reads them, and what to write instead. */
export const MISPLACED_KEYS: ReadonlyMap<string, string> = new Map([
  ['/mongo/aggregationSecurity', 'the section aggregationSecurity at the top level'],
]);

/** Options of RESTHeart's HTTP server that have no counterpart in Node: accepted and mentioned. */
export const IGNORED_CONNECTION_OPTIONS: ReadonlySet<string> = new Set([
  'ALLOW_EQUALS_IN_COOKIE_VALUE',
  'ALLOW_UNKNOWN_PROTOCOLS',
  'ALLOW_UNESCAPED_CHARACTERS_IN_URL',
  'BUFFER_PIPELINED_DATA',
  'DECODE_URL',
  'ENABLE_RFC6265_COOKIE_VALIDATION',
  'ENABLE_STATISTICS',
  'HTTP2_HUFFMAN_CACHE_SIZE',
  'HTTP2_SETTINGS_ENABLE_PUSH',
  'HTTP2_SETTINGS_HEADER_TABLE_SIZE',
  'HTTP2_SETTINGS_INITIAL_WINDOW_SIZE',
  'HTTP2_SETTINGS_MAX_CONCURRENT_STREAMS',
  'HTTP2_SETTINGS_MAX_FRAME_SIZE',
  'MAX_AJP_PACKET_SIZE',
  'MAX_BUFFERED_REQUEST_SIZE',
  'MAX_CACHED_HEADER_SIZE',
  'MAX_CONCURRENT_REQUESTS_PER_CONNECTION',
  'MAX_QUEUED_READ_BUFFERS',
  'RECORD_REQUEST_START_TIME',
  'REQUIRE_HOST_HTTP11',
  'SSL_USER_CIPHER_SUITES_ORDER',
]);

/** Sections of RESTHeart 9 whose features do not exist yet: named in a warning when a configuration has them. */
export const UNAVAILABLE_SECTIONS: ReadonlySet<string> = new Set([
  'ajp-listener',
  'accountsConfig',
  'accountsService',
  'accountsInitializer',
  'registerService',
  'emailVerificationService',
  'forgotPasswordService',
  'resetPasswordService',
  'activateService',
  'inviteService',
  'resendInviteService',
  'getTeamsService',
  'switchTeamService',
  'tokenFailedAuthInterceptor',
  'oauthConfig',
  'oauthService',
  'oauthInitiator',
  'oauthCallback',
  'googleOAuthProvider',
  'githubOAuthProvider',
  'emails',
]);
