/** The kinds of resources that a mongo path names (rest-documents.md §1.1), in the spelling of HAL's `_type`. */
export type ResourceType =
  | 'INVALID'
  | 'ROOT'
  | 'ROOT_SIZE'
  | 'DB'
  | 'DB_SIZE'
  | 'DB_META'
  | 'COLLECTION'
  | 'COLLECTION_SIZE'
  | 'COLLECTION_META'
  | 'FILES_BUCKET'
  | 'FILES_BUCKET_SIZE'
  | 'FILES_BUCKET_META'
  | 'SCHEMA_STORE'
  | 'SCHEMA_STORE_SIZE'
  | 'SCHEMA_STORE_META'
  | 'DOCUMENT'
  | 'BULK_DOCUMENTS'
  | 'FILE'
  | 'FILE_BINARY'
  | 'BULK_FILES'
  | 'SCHEMA'
  | 'COLLECTION_INDEXES'
  | 'INDEX'
  | 'AGGREGATION'
  | 'CHANGE_STREAM'
  | 'SESSIONS'
  | 'SESSION'
  | 'TRANSACTIONS'
  | 'TRANSACTION';

const BUCKET_SUFFIX = '.files';

/** True for the collection of a GridFS bucket; the suffix is case-sensitive. */
export function isBucketName(collection: string): boolean {
  return collection.endsWith(BUCKET_SUFFIX);
}

/** Reserved tokens compare case-insensitively; the length test keeps the hot path free of copies. */
function isToken(token: string | undefined, reserved: string): boolean {
  return (
    token !== undefined && token.length === reserved.length && token.toLowerCase() === reserved
  );
}

/** True for the schema store's collection name, in any case. */
export function isSchemaStoreName(collection: string): boolean {
  return isToken(collection, '_schemas');
}

function typeOfCollectionKind(collection: string, suffix: '_SIZE' | '_META'): ResourceType {
  if (isBucketName(collection)) return `FILES_BUCKET${suffix}`;
  if (isSchemaStoreName(collection)) return `SCHEMA_STORE${suffix}`;
  return `COLLECTION${suffix}`;
}

function typeOfSize(tokens: readonly string[]): ResourceType {
  if (tokens.length === 1) return 'ROOT_SIZE';
  if (tokens.length === 2) return 'DB_SIZE';
  return tokens.length === 3 ? typeOfCollectionKind(tokens[1] ?? '', '_SIZE') : 'INVALID';
}

function typeOfMeta(tokens: readonly string[]): ResourceType {
  if (tokens.length === 2) return 'DB_META';
  return tokens.length === 3 ? typeOfCollectionKind(tokens[1] ?? '', '_META') : 'INVALID';
}

function typeInBucket(tokens: readonly string[]): ResourceType {
  const third = tokens[2];
  if (third === undefined) return 'FILES_BUCKET';
  if (tokens.length === 3) {
    if (isToken(third, '_indexes')) return 'COLLECTION_INDEXES';
    return third === '*' ? 'BULK_FILES' : 'FILE';
  }
  if (isToken(third, '_indexes')) return 'INDEX';
  if (isToken(third, '_aggrs')) return 'AGGREGATION';
  if (!isToken(tokens[3], 'binary')) return 'FILE';
  return tokens.length === 4 ? 'FILE_BINARY' : 'DOCUMENT';
}

function typeInSchemaStore(tokens: readonly string[]): ResourceType {
  if (tokens.length === 2) return 'SCHEMA_STORE';
  return tokens[2] === '*' ? 'BULK_DOCUMENTS' : 'SCHEMA';
}

function typeInCollection(tokens: readonly string[]): ResourceType {
  const third = tokens[2];
  if (third === undefined) return 'COLLECTION';
  // the reserved names begin with `_` or `*`: documents leave here at once
  const first = third.charCodeAt(0);
  if (first !== 0x5f && first !== 0x2a) return 'DOCUMENT';
  const hasName = tokens.length > 3;
  if (isToken(third, '_indexes')) return hasName ? 'INDEX' : 'COLLECTION_INDEXES';
  if (isToken(third, '_aggrs')) return hasName ? 'AGGREGATION' : 'INVALID';
  if (isToken(third, '_streams')) return hasName ? 'CHANGE_STREAM' : 'INVALID';
  return third === '*' && !hasName ? 'BULK_DOCUMENTS' : 'DOCUMENT';
}

/**
 * The type that the tokens of a mongo path name; the first matching row of the table in rest-documents.md §1.1 wins.
 *
 * @param tokens - decoded path segments: database, collection, id, name …; empty for `/`
 */
export function toResourceType(tokens: readonly string[]): ResourceType {
  const count = tokens.length;
  if (count === 0) return 'ROOT';
  const last = tokens[count - 1] ?? '';
  if (last.charCodeAt(0) === 0x5f) {
    if (isToken(last, '_size')) return typeOfSize(tokens);
    if (isToken(last, '_meta') && count >= 2) return typeOfMeta(tokens);
  }
  if (isToken(tokens[0], '_sessions')) {
    if (count === 1) return 'SESSIONS';
    if (count === 2) return 'SESSION';
    if (isToken(tokens[2], '_txns')) {
      if (count === 3) return 'TRANSACTIONS';
      if (count === 4) return 'TRANSACTION';
    }
  }
  const collection = tokens[1];
  if (collection === undefined) return 'DB';
  if (isBucketName(collection)) return typeInBucket(tokens);
  if (isSchemaStoreName(collection)) return typeInSchemaStore(tokens);
  return typeInCollection(tokens);
}

/** True for the resources of sessions, which belong to no database. */
export function isSessionType(type: ResourceType): boolean {
  return (
    type === 'SESSIONS' || type === 'SESSION' || type === 'TRANSACTIONS' || type === 'TRANSACTION'
  );
}
