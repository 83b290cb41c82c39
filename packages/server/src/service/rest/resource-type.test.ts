import { describe, expect, it } from 'vitest';
import { splitPath } from './mounts.ts';
import { toResourceType } from './resource-type.ts';

// rest-documents.md §1.1, row by row
const CASES: readonly (readonly [path: string, type: string])[] = [
  ['/', 'ROOT'],
  ['/_size', 'ROOT_SIZE'],
  ['/_SIZE', 'ROOT_SIZE'],
  ['/db/_size', 'DB_SIZE'],
  ['/db/coll/_size', 'COLLECTION_SIZE'],
  ['/db/b.files/_size', 'FILES_BUCKET_SIZE'],
  ['/db/_schemas/_size', 'SCHEMA_STORE_SIZE'],
  ['/db/_SCHEMAS/_Size', 'SCHEMA_STORE_SIZE'],
  ['/db/coll/doc/_size', 'INVALID'],
  ['/_meta', 'DB'],
  ['/db/_meta', 'DB_META'],
  ['/db/coll/_meta', 'COLLECTION_META'],
  ['/db/b.files/_meta', 'FILES_BUCKET_META'],
  ['/db/_schemas/_meta', 'SCHEMA_STORE_META'],
  ['/db/coll/doc/_meta', 'INVALID'],
  ['/_sessions', 'SESSIONS'],
  ['/_Sessions', 'SESSIONS'],
  ['/_sessions/s', 'SESSION'],
  ['/_sessions/s/_txns', 'TRANSACTIONS'],
  ['/_sessions/s/_txns/1', 'TRANSACTION'],
  ['/db', 'DB'],
  ['/db/', 'DB'],
  ['/db/b.files', 'FILES_BUCKET'],
  ['/db/b.FILES', 'COLLECTION'],
  ['/db/b.files/_indexes', 'COLLECTION_INDEXES'],
  ['/db/b.files/*', 'BULK_FILES'],
  ['/db/b.files/f', 'FILE'],
  ['/db/b.files/_indexes/i', 'INDEX'],
  ['/db/b.files/_aggrs/a', 'AGGREGATION'],
  ['/db/b.files/f/binary', 'FILE_BINARY'],
  ['/db/b.files/f/other', 'FILE'],
  ['/db/b.files/f/binary/x', 'DOCUMENT'],
  ['/db/_schemas', 'SCHEMA_STORE'],
  ['/db/_schemas/*', 'BULK_DOCUMENTS'],
  ['/db/_schemas/s', 'SCHEMA'],
  ['/db/_schemas/_indexes', 'SCHEMA'],
  ['/db/coll', 'COLLECTION'],
  ['/db/coll/', 'COLLECTION'],
  ['/db/coll/_indexes', 'COLLECTION_INDEXES'],
  ['/db/coll/*', 'BULK_DOCUMENTS'],
  ['/db/coll/_aggrs', 'INVALID'],
  ['/db/coll/_streams', 'INVALID'],
  ['/db/coll/_indexes/i', 'INDEX'],
  ['/db/coll/_aggrs/a', 'AGGREGATION'],
  ['/db/coll/_streams/s', 'CHANGE_STREAM'],
  ['/db/coll/doc', 'DOCUMENT'],
  ['/db/coll/doc/x/y', 'DOCUMENT'],
  ['/db/coll/_oid', 'DOCUMENT'],
];

describe('toResourceType', () => {
  it.each(CASES)('takes %s for %s', (path, type) => {
    expect(toResourceType(splitPath(path))).toBe(type);
  });
});
