/** Bodies of successes in the representation that the request asked for (rest-documents.md §2.4). */

import type { BsonDocument } from '../../model/bson.ts';
import {
  type BulkSummary,
  collectionTypeOf,
  namedProperties,
  renderHalBulk,
  renderHalDocument,
  renderHalList,
  renderShalBulk,
  renderShalList,
} from '../../representation/hal.ts';
import type { HalItem, HalList, HalRequest, HalType } from '../../representation/hal-resource.ts';
import { writeJson } from '../../representation/json-writer.ts';
import { transcodeArray, transcodeDocument } from '../../representation/transcode.ts';
import { toRequestPath } from './mounts.ts';
import type { MongoRequest } from './rest-request.ts';

/** What HAL wants to know of the request. */
export function toHalRequest(request: MongoRequest, type: HalType): HalRequest {
  const { parameters, http, mount } = request;
  const { query } = http;
  return {
    type,
    requestPath: request.requestPath,
    parameters:
      http.rawQuery === ''
        ? []
        : query.names().flatMap((name) => query.getAll(name).map((value) => ({ name, value }))),
    page: parameters.page,
    pageSize: parameters.pageSize,
    full: parameters.fullHal,
    noProperties: parameters.noProperties,
    jsonMode: parameters.jsonMode,
    database: request.databaseName,
    collection: request.collectionName,
    toRequestPath: (mongoPath) => toRequestPath(mount, mongoPath),
  };
}

/** A list in HAL or SHAL. */
export function representList(request: MongoRequest, type: HalType, list: HalList): string {
  const hal = toHalRequest(request, type);
  return request.parameters.representation === 'HAL'
    ? renderHalList(hal, list)
    : renderShalList(hal, list);
}

/** One document, file or schema. */
export function representDocument(
  request: MongoRequest,
  document: Buffer,
  type: 'DOCUMENT' | 'FILE' | 'SCHEMA' = 'DOCUMENT',
): Buffer | string {
  const { representation, jsonMode } = request.parameters;
  const visible = request.hideFields?.(document) ?? document;
  if (representation === 'STANDARD') return transcodeDocument(visible, jsonMode);
  return renderHalDocument(toHalRequest(request, type), visible, request.collectionProperties);
}

/** Type of the collection's own resource and of the items in it. */
function typesOf(request: MongoRequest): { list: HalType; item: HalType } {
  switch (collectionTypeOf(request.collectionName)) {
    case 'FILES_BUCKET':
      return { list: 'FILES_BUCKET', item: 'FILE' };
    case 'SCHEMA_STORE':
      return { list: 'SCHEMA_STORE', item: 'SCHEMA' };
    case 'COLLECTION':
      return { list: 'COLLECTION', item: 'DOCUMENT' };
  }
}

/** A page of documents; `size` is the count of all matching ones, if it was asked for. */
export function representPage(
  request: MongoRequest,
  documents: readonly Buffer[],
  size: number | undefined,
): Buffer | string {
  const { jsonMode, pageSize, representation } = request.parameters;
  const { hideFields } = request;
  const visible = hideFields === undefined ? documents : documents.map(hideFields);
  if (representation === 'STANDARD') {
    return pageSize === 0 ? '' : transcodeArray(visible, jsonMode);
  }
  const { list, item } = typesOf(request);
  return representList(request, list, {
    items: visible.map((document) => ({ type: item, document })),
    properties: namedProperties(request.collectionName, request.collectionProperties),
    size,
  });
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

/** Names of databases or collections; HAL and SHAL show their properties. */
export async function representNames(
  request: MongoRequest,
  page: NamesPage,
): Promise<Buffer | string> {
  const { jsonMode, representation } = request.parameters;
  if (representation === 'STANDARD') return writeJson([...page.names], jsonMode);
  const isRoot = request.type === 'ROOT';
  const items = await Promise.all(
    page.names.map(async (name): Promise<HalItem> => {
      const properties = await page.loadProperties(name);
      const type = isRoot ? 'DB' : collectionTypeOf(name);
      return { type, document: namedProperties(name, properties) };
    }),
  );
  return representList(request, isRoot ? 'ROOT' : 'DB', {
    items,
    properties: isRoot ? undefined : namedProperties(request.databaseName, page.properties),
    size: page.total,
  });
}

/** The outcome of a bulk write without errors; the body of one with errors is `writeSummary`. */
export function representBulk(request: MongoRequest, summary: BulkSummary): string {
  const { representation, jsonMode } = request.parameters;
  switch (representation) {
    case 'STANDARD':
      return writeSummary(request, summary);
    case 'HAL':
      return renderHalBulk(summary, jsonMode);
    case 'SHAL':
      return renderShalBulk(summary, jsonMode);
  }
}

/** The plain object of rest-documents.md §5.4; errors are never HAL. */
export function writeSummary(
  request: MongoRequest,
  summary: BulkSummary,
  errors: readonly BsonDocument[] = [],
): string {
  const document: BsonDocument = new Map<string, number | string[] | BsonDocument[]>([
    ['inserted', summary.inserted],
    ['links', [...summary.links]],
    ['deleted', summary.deleted],
    ['modified', summary.modified],
    ['matched', summary.matched],
  ]);
  if (errors.length > 0) document.set('errors', [...errors]);
  return writeJson(document, request.parameters.jsonMode);
}
