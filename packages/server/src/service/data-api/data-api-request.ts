/** Bodies of the Data API, version 1, as MongoDB's retired service took them. */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument, toNumber } from '../../model/bson.ts';
import type { Namespace } from '../../mongo/operation-options.ts';
import {
  isIllegalCollectionName,
  isIllegalDatabaseName,
  isReservedCollection,
  isReservedDatabase,
} from '../rest/resource-names.ts';

/** The refusal of a body. */
export function invalidParameter(message: string): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', { message });
}

/** Database and collection; `dataSource` is taken for compatibility, there is one. */
export function readNamespace(body: BsonDocument): Namespace {
  const database = readText(body, 'database');
  const collection = readText(body, 'collection');
  if (isIllegalDatabaseName(database) || isIllegalCollectionName(collection)) {
    throw invalidParameter('illegal database or collection name');
  }
  if (isReservedDatabase(database) || isReservedCollection(collection)) {
    throw new QuorateError('ERR_REQUEST_RESERVED', { message: 'reserved resource' });
  }
  return { database, collection };
}

function readText(body: BsonDocument, name: string): string {
  const value = body.get(name);
  if (typeof value === 'string' && value !== '') return value;
  throw invalidParameter(`'${name}' must be a text`);
}

/** A member that must be a document, or may be absent. */
export function readDocument(body: BsonDocument, name: string): BsonDocument | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  if (isDocument(value)) return value;
  throw invalidParameter(`'${name}' must be an object`);
}

/** A member that must be a document. */
export function requireDocument(body: BsonDocument, name: string): BsonDocument {
  const document = readDocument(body, name);
  if (document === undefined) throw invalidParameter(`'${name}' is required`);
  return document;
}

/** A member that must be an array of documents. */
export function requireDocuments(body: BsonDocument, name: string): readonly BsonDocument[] {
  const value: BsonValue | undefined = body.get(name);
  if (!Array.isArray(value) || !value.every(isDocument)) {
    throw invalidParameter(`'${name}' must be an array of objects`);
  }
  return value;
}

/** A count that is not negative. */
export function readCount(body: BsonDocument, name: string): number | undefined {
  const value = body.get(name);
  if (value === undefined || value === null) return undefined;
  const number = toNumber(value);
  if (number === undefined || !Number.isInteger(number) || number < 0) {
    throw invalidParameter(`'${name}' must be a number that is not negative`);
  }
  return number;
}
