/** Illegal and reserved names of databases, collections and ids (rest-documents.md §1.3). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { isSessionType, type ResourceType } from './resource-type.ts';

const NAMING = 'see https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions';
// biome-ignore lint/suspicious/noControlCharactersInRegex: NUL is one of the characters MongoDB forbids
const ILLEGAL_IN_DATABASE = /[\u0000 /\\."$]/;
/** MongoDB's own, and where Quorate keeps keys and what else its nodes share. */
const RESERVED_DATABASES: ReadonlySet<string> = new Set(['admin', 'config', 'local', '_quorate']);

/** True for what MongoDB cannot name a database. */
export function isIllegalDatabaseName(name: string): boolean {
  return name === '' || name.length > 64 || ILLEGAL_IN_DATABASE.test(name);
}

/** True for what MongoDB cannot name a collection. */
export function isIllegalCollectionName(name: string): boolean {
  return name.includes('\u0000') || name.includes('$');
}

/** Databases of the server itself: refused, and hidden from listings. */
export function isReservedDatabase(name: string): boolean {
  const lower = name.toLowerCase();
  return RESERVED_DATABASES.has(lower) || lower.startsWith('system.');
}

/** Collections of the server itself: refused, and hidden from listings. */
export function isReservedCollection(name: string): boolean {
  return (
    name === '' || name === '_properties' || name.startsWith('system.') || name.endsWith('.chunks')
  );
}

/** Ids that collide with documents of properties. */
export function isReservedId(id: unknown): boolean {
  if (typeof id !== 'string') return false;
  const lower = id.toLowerCase();
  return lower === '_properties' || lower.startsWith('_properties.');
}

/** The refusal of a reserved name. */
export function reservedResource(): QuorateError {
  return new QuorateError('ERR_REQUEST_RESERVED', { message: 'reserved resource' });
}

/** The names that `checkNames` looks at. */
export interface NamedResource {
  readonly type: ResourceType;
  readonly tokens: readonly string[];
}

/** First failed check of the names in a path, in the order of rest-documents.md §1.3. */
export function checkNames({ type, tokens }: NamedResource): QuorateError | undefined {
  if (isSessionType(type)) return checkTransactionNumber(type, tokens[3]);
  const database = tokens[0];
  if (database === undefined || type === 'ROOT_SIZE') return undefined;
  if (isIllegalDatabaseName(database)) {
    return new QuorateError('ERR_REQUEST_DB_NAME', {
      message: `illegal database name, ${NAMING}`,
    });
  }
  const collection = collectionTokenOf(type, tokens);
  if (collection !== undefined && isIllegalCollectionName(collection)) {
    return new QuorateError('ERR_REQUEST_COLLECTION_NAME', {
      message: `illegal collection name, ${NAMING}`,
    });
  }
  const reserved =
    isReservedDatabase(database) || (collection !== undefined && isReservedCollection(collection));
  return reserved ? reservedResource() : undefined;
}

/** The collection that a path names; `/db/_size` and `/db/_meta` name none. */
export function collectionTokenOf(
  type: ResourceType,
  tokens: readonly string[],
): string | undefined {
  return type === 'DB_SIZE' || type === 'DB_META' || isSessionType(type) ? undefined : tokens[1];
}

function checkTransactionNumber(
  type: ResourceType,
  token: string | undefined,
): QuorateError | undefined {
  if (type !== 'TRANSACTION' || /^[+-]?\d{1,19}$/.test(token ?? '')) return undefined;
  return new QuorateError('ERR_REQUEST_TRANSACTION', {
    message: 'illegal txnId: it must be a number',
  });
}
