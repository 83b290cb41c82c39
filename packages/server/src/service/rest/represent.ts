/** Bodies of successes in the representation that the request asked for (rest-documents.md §2.4). */

import type { BsonDocument } from '../../model/bson.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { transcodeArray, transcodeDocument } from '../../representation/transcode.ts';
import type { MongoRequest } from './rest-request.ts';

/** One document, file or schema. */
export function representDocument(request: MongoRequest, document: Buffer): Buffer | string {
  return transcodeDocument(document, request.parameters.jsonMode);
}

/** A page of documents; `size` is the count of all matching ones, if it was asked for. */
export function representPage(
  request: MongoRequest,
  documents: readonly Buffer[],
  _size: number | undefined,
): Buffer | string {
  const { jsonMode, pageSize } = request.parameters;
  return pageSize === 0 ? '' : transcodeArray(documents, jsonMode);
}

/** A page of databases or collections. */
export interface NamesPage {
  readonly names: readonly string[];
  readonly total: number;
  /** Properties of the database whose collections these are. */
  readonly properties: BsonDocument | undefined;
  /** Properties of one of them. */
  loadProperties(name: string): Promise<BsonDocument | undefined>;
}

/** Names of databases or collections. */
export async function representNames(
  request: MongoRequest,
  page: NamesPage,
): Promise<Buffer | string> {
  return writeJson([...page.names], request.parameters.jsonMode);
}

/** The outcome of a bulk write; errors are never HAL. */
export function representBulkResult(
  request: MongoRequest,
  summary: BsonDocument,
  _isError: boolean,
): string {
  return writeJson(summary, request.parameters.jsonMode);
}
