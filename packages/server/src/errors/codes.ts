/** The one table of errors: code → HTTP status, title, family. `status` is the default; a throw may override it. */

/** The families of style guide section 6, used as metrics label and in the reference page. */
export type ErrorFamily =
  | 'request'
  | 'authentication'
  | 'authorization'
  | 'not-found'
  | 'conflict'
  | 'validation'
  | 'database'
  | 'proxy'
  | 'plugin'
  | 'config'
  | 'internal';

/** One row of the table. */
export interface ErrorCodeRow {
  readonly status: number;
  readonly title: string;
  readonly family: ErrorFamily;
}

function row(status: number, family: ErrorFamily, title: string): ErrorCodeRow {
  return { status, title, family };
}

/** Every code that Quorate raises on purpose, with its usual HTTP status (0: never reaches HTTP). */
export const ERROR_CODES = {
  // request line, headers and limits
  ERR_REQUEST_BAD: row(400, 'request', 'The request is not acceptable'),
  ERR_REQUEST_METHOD: row(405, 'request', 'The method is not supported here'),
  ERR_REQUEST_HEADERS: row(400, 'request', 'Too many or malformed request headers'),
  ERR_REQUEST_PARAMETERS: row(400, 'request', 'Too many query parameters'),
  ERR_REQUEST_URI: row(400, 'request', 'The path cannot be decoded'),
  ERR_REQUEST_NOT_ACCEPTABLE: row(406, 'request', 'No acceptable encoding or representation'),
  ERR_REQUEST_TOO_LARGE: row(413, 'request', 'The body exceeds the configured limit'),
  ERR_REQUEST_TIMEOUT: row(408, 'request', 'The request body did not arrive in time'),
  ERR_REQUEST_ABORTED: row(400, 'request', 'The client went away before the body was complete'),
  ERR_REQUEST_MEDIA_TYPE: row(415, 'request', 'The content type is not supported'),
  // request body
  ERR_REQUEST_JSON: row(400, 'request', 'The body is not valid JSON'),
  ERR_REQUEST_BODY: row(400, 'request', 'The body does not have the required shape'),
  ERR_REQUEST_OAUTH: row(400, 'request', 'The OAuth request is not valid'),
  ERR_REQUEST_MULTIPART: row(400, 'request', 'The form or multipart body is malformed'),
  ERR_REQUEST_CSV: row(400, 'request', 'The CSV body is malformed'),
  ERR_REQUEST_BULK_SIZE: row(400, 'request', 'The array of documents is too large or empty'),
  // query parameters
  ERR_REQUEST_REPRESENTATION: row(400, 'request', 'Unknown representation'),
  ERR_REQUEST_PAGE: row(400, 'request', 'Invalid page parameter'),
  ERR_REQUEST_PAGESIZE: row(400, 'request', 'Invalid pagesize parameter'),
  ERR_REQUEST_COUNT: row(400, 'request', 'Invalid count parameter'),
  ERR_REQUEST_SORT: row(400, 'request', 'Invalid sort parameter'),
  ERR_REQUEST_HINT: row(400, 'request', 'Invalid hint parameter'),
  ERR_REQUEST_KEYS: row(400, 'request', 'Invalid keys parameter'),
  ERR_REQUEST_FILTER: row(400, 'request', 'Invalid filter parameter'),
  ERR_REQUEST_FILTER_MISSING: row(400, 'request', 'The filter parameter is mandatory'),
  ERR_REQUEST_AVARS: row(400, 'request', 'Invalid avars parameter'),
  ERR_REQUEST_ID_TYPE: row(400, 'request', 'Invalid id_type parameter'),
  ERR_REQUEST_ID: row(400, 'request', 'Invalid document id'),
  ERR_REQUEST_HAL: row(400, 'request', 'Invalid hal parameter'),
  ERR_REQUEST_SHARDKEY: row(400, 'request', 'Invalid shardkey parameter'),
  ERR_REQUEST_WRITE_MODE: row(400, 'request', 'Invalid write mode parameter'),
  ERR_REQUEST_JSON_MODE: row(400, 'request', 'Invalid jsonMode parameter'),
  ERR_REQUEST_CONSISTENCY: row(400, 'request', 'Invalid read preference or concern'),
  ERR_REQUEST_SESSION: row(400, 'request', 'Invalid session id'),
  ERR_REQUEST_TRANSACTION: row(400, 'request', 'Invalid transaction number or state'),
  ERR_REQUEST_DB_NAME: row(400, 'request', 'Invalid database name'),
  ERR_REQUEST_COLLECTION_NAME: row(400, 'request', 'Invalid collection name'),
  ERR_REQUEST_RESERVED: row(403, 'request', 'The resource is reserved'),
  ERR_REQUEST_ETAG: row(400, 'request', 'Invalid ETag'),
  ERR_REQUEST_INDEX: row(400, 'request', 'Invalid index definition'),
  ERR_REQUEST_AGGREGATION: row(400, 'request', 'Invalid aggregation or variable'),
  ERR_REQUEST_PROPERTIES: row(400, 'request', 'Invalid properties of a database or collection'),
  ERR_REQUEST_FILE: row(400, 'request', 'Invalid file upload'),
  ERR_REQUEST_RATE: row(429, 'request', 'Too many requests'),
  // who and whether
  ERR_AUTH_REQUIRED: row(401, 'authentication', 'Authentication is required'),
  ERR_AUTH_TOO_MANY: row(429, 'authentication', 'Too many failed attempts'),
  ERR_AUTH_BUSY: row(503, 'authentication', 'Too many logins at once'),
  ERR_AUTHZ_FORBIDDEN: row(403, 'authorization', 'Not allowed'),
  ERR_AUTHZ_SECURITY: row(403, 'authorization', 'Refused by a security rule'),
  ERR_AUTHZ_ACCOUNTS: row(403, 'authorization', 'Refused by a guard of the accounts'),
  // missing and conflicting
  ERR_NOT_FOUND: row(404, 'not-found', 'The resource does not exist'),
  ERR_NOT_FOUND_DB: row(404, 'not-found', 'The database does not exist'),
  ERR_NOT_FOUND_COLLECTION: row(404, 'not-found', 'The collection does not exist'),
  ERR_NOT_FOUND_DOCUMENT: row(404, 'not-found', 'The document does not exist'),
  ERR_NOT_FOUND_FILE: row(404, 'not-found', 'The file does not exist'),
  ERR_NOT_FOUND_SCHEMA: row(404, 'not-found', 'The schema does not exist'),
  ERR_NOT_FOUND_INDEX: row(404, 'not-found', 'The index does not exist'),
  ERR_NOT_FOUND_AGGREGATION: row(404, 'not-found', 'The aggregation does not exist'),
  ERR_NOT_FOUND_STREAM: row(404, 'not-found', 'The change stream does not exist'),
  ERR_NOT_FOUND_GRAPHQL_APP: row(404, 'not-found', 'The GraphQL app does not exist'),
  ERR_NOT_FOUND_SESSION: row(404, 'not-found', 'The session or transaction does not exist'),
  ERR_NOT_FOUND_MOUNT: row(502, 'not-found', 'Nothing is bound to this path'),
  ERR_CONFLICT: row(409, 'conflict', 'The resource conflicts with its present state'),
  ERR_CONFLICT_DUPLICATE_KEY: row(409, 'conflict', 'A unique index already holds this key'),
  ERR_CONFLICT_ETAG_REQUIRED: row(409, 'conflict', 'The ETag must be given'),
  ERR_CONFLICT_ETAG: row(412, 'conflict', 'The ETag does not match'),
  ERR_CONFLICT_GRAPHQL_URI: row(409, 'conflict', 'Another GraphQL app has this uri'),
  ERR_CONFLICT_TRANSACTION: row(409, 'conflict', 'Write conflict inside a transaction'),
  // checks on content
  ERR_VALIDATION_DOCUMENT: row(400, 'validation', 'The document failed validation'),
  ERR_VALIDATION_SCHEMA: row(400, 'validation', 'The JSON Schema is invalid or missing'),
  ERR_VALIDATION_PASSWORD: row(400, 'validation', 'The password is too weak'),
  ERR_VALIDATION_GRAPHQL_APP: row(400, 'validation', 'The definition of a GraphQL app is wrong'),
  ERR_STREAM_DEFINITION: row(500, 'validation', 'A declared change stream is malformed'),
  // database
  ERR_DATABASE: row(500, 'database', 'The database answered with an error'),
  ERR_DATABASE_COMMAND: row(500, 'database', 'The database refused the command'),
  ERR_DATABASE_QUERY: row(400, 'database', 'The database refused the query'),
  ERR_DATABASE_UNAVAILABLE: row(503, 'database', 'The database cannot be reached'),
  ERR_DATABASE_NO_PRIMARY: row(503, 'database', 'The replica set has no primary'),
  ERR_DATABASE_TIMEOUT: row(408, 'database', 'The operation exceeded its time limit'),
  ERR_DATABASE_FORBIDDEN: row(403, 'database', 'The database user lacks the permission'),
  ERR_DATABASE_UNSUPPORTED: row(501, 'database', 'The database lacks this feature'),
  // other servers
  ERR_PROXY_UNREACHABLE: row(503, 'proxy', 'No server behind the proxied path can be reached'),
  // plugins, configuration, own faults
  ERR_PLUGIN: row(500, 'plugin', 'A plugin failed'),
  ERR_CONFIG_INVALID: row(0, 'config', 'A configuration value is wrong'),
  ERR_CONFIG_UNKNOWN_KEY: row(0, 'config', 'A configuration key does not exist'),
  ERR_CONFIG_FILE: row(0, 'config', 'A configuration file cannot be read'),
  ERR_CONFIG_LISTENER: row(0, 'config', 'A listener cannot be started'),
  ERR_CONFIG_ENGINE: row(0, 'config', 'The embedded engine cannot be started'),
  ERR_CONFIG_PREDICATE: row(0, 'config', 'A predicate of a permission is invalid'),
  ERR_CONFIG_PERMISSION: row(0, 'config', 'A permission is invalid'),
  ERR_NOT_IMPLEMENTED: row(501, 'internal', 'This feature does not exist'),
  ERR_DRAINING: row(503, 'internal', 'The node is shutting down'),
  ERR_INTERNAL: row(500, 'internal', 'Error handling the request, see log for more information'),
} as const satisfies Record<string, ErrorCodeRow>;

/** The stable name of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;
