/**
 * HAL and SHAL bodies (rest-documents.md §2.4): pure functions from what was read to JSON text.
 * Documents that need no decoration pass through the transcoder without being decoded.
 */
import type { BsonDocument, BsonValue } from '../model/bson.ts';
import { bsonTypeOf, isDocument, Long, ObjectId } from '../model/bson.ts';
import { decodeDocument, readRawField } from '../model/raw-bson.ts';
import { halIdSuffix, itemLinks, type LinkMap, resourceLinks } from './hal-links.ts';
import type { HalItem, HalList, HalRequest, HalType } from './hal-resource.ts';
import type { JsonMode } from './json-mode.ts';
import { quoteText } from './json-string.ts';
import { writeJson } from './json-writer.ts';
import {
  invalidRelationshipsWarning,
  type Relationship,
  readRelationships,
  relationshipLinks,
} from './relationships.ts';
import { transcodeDocument } from './transcode.ts';

/** Embedded resources come under these names, in this order in SHAL. */
const REL_BY_TYPE: readonly (readonly [HalType, string])[] = [
  ['DOCUMENT', 'rh:doc'],
  ['FILE', 'rh:file'],
  ['FILES_BUCKET', 'rh:bucket'],
  ['DB', 'rh:db'],
  ['COLLECTION', 'rh:coll'],
  ['INDEX', 'rh:index'],
  ['RESULT', 'rh:result'],
  ['SCHEMA', 'rh:schema'],
  ['SCHEMA_STORE', 'rh:schema-store'],
];

/** The type of an embedded collection by its name. */
export function collectionTypeOf(name: string): 'COLLECTION' | 'FILES_BUCKET' | 'SCHEMA_STORE' {
  if (name === '_schemas') return 'SCHEMA_STORE';
  return name.endsWith('.files') ? 'FILES_BUCKET' : 'COLLECTION';
}

/** Properties with the resource's name as `_id` in front; the name alone when it has none. */
export function namedProperties(name: string, properties: BsonDocument | undefined): BsonDocument {
  const named: BsonDocument = new Map([['_id', name]]);
  for (const [key, value] of properties ?? []) if (key !== '_id') named.set(key, value);
  return named;
}

/** The HAL body of a list. */
export function renderHalList(request: HalRequest, list: HalList): string {
  const warnings = [...(list.warnings ?? [])];
  const groups = renderItems(request, list, warnings);
  const parts = [...propertyTexts(request, list)];
  if (warnings.length > 0) groups.set('rh:warnings', warnings.map(renderWarning));
  if (groups.size > 0) {
    const embedded = [...groups].map(([rel, texts]) => `${quoteText(rel)}: [${texts.join(', ')}]`);
    parts.push(`"_embedded": {${embedded.join(', ')}}`);
  }
  const links = resourceLinks(request, list, totalPagesOf(request, list));
  if (links.size > 0) parts.push(`"_links": ${writeLinks(links)}`);
  return `{${parts.join(', ')}}`;
}

/** The SHAL body of a list: the compact properties and one flat array; with `np` just the array. */
export function renderShalList(request: HalRequest, list: HalList): string {
  const compact = { ...request, full: false };
  const groups = renderItems(compact, list, []);
  const items = REL_BY_TYPE.flatMap(([, rel]) => groups.get(rel) ?? []);
  const array = `[${items.join(', ')}]`;
  if (request.noProperties) return array;
  return `{${[...propertyTexts(compact, list), `"_embedded": ${array}`].join(', ')}}`;
}

/** The HAL body of one document, file or schema; SHAL is the same in compact mode. */
export function renderHalDocument(
  request: HalRequest,
  document: Uint8Array,
  collectionProperties: BsonDocument | undefined,
): string {
  const warnings: string[] = [];
  const relationships = relationshipsOf(request, collectionProperties, warnings);
  const links: LinkMap = request.full ? resourceLinks(request, undefined, undefined) : new Map();
  if (request.type === 'FILE') links.set('rh:data', { href: `${request.requestPath}/binary` });
  addRelationships(document, relationships, request, warnings, links);
  const parts = request.full ? specialTexts(request.type, document) : [];
  if (warnings.length > 0) {
    parts.push(`"_embedded": {"rh:warnings": [${warnings.map(renderWarning).join(', ')}]}`);
  }
  if (links.size > 0) parts.push(`"_links": ${writeLinks(links)}`);
  return appendMembers(writeDocument(document, request.jsonMode), parts);
}

/** What a bulk write did, with request-relative links of the new documents. */
export interface BulkSummary {
  readonly inserted: number;
  readonly deleted: number;
  readonly modified: number;
  readonly matched: number;
  readonly links: readonly string[];
}

/** The HAL body of a bulk write. */
export function renderHalBulk(summary: BulkSummary, mode: JsonMode): string {
  return `{"_embedded": {"rh:result": [${renderShalBulk(summary, mode)}]}}`;
}

/** The SHAL body of a bulk write. */
export function renderShalBulk(summary: BulkSummary, mode: JsonMode): string {
  const counts = (['inserted', 'deleted', 'modified', 'matched'] as const)
    .map((name) => `"${name}": ${writeCount(summary[name], mode)}`)
    .join(', ');
  if (summary.links.length === 0) return `{${counts}}`;
  const hrefs = summary.links.map((href) => `{"href": ${quoteText(href)}}`).join(', ');
  return `{${counts}, "_links": {"rh:newdoc": [${hrefs}]}}`;
}

function renderItems(
  request: HalRequest,
  list: HalList,
  warnings: string[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const relationships = relationshipsOf(request, list.properties, warnings);
  for (const item of list.items) {
    const rel = REL_BY_TYPE.find(([type]) => type === item.type)?.[1] ?? 'rh:result';
    const text = renderItem(request, item, relationships, warnings);
    const texts = groups.get(rel);
    if (texts === undefined) groups.set(rel, [text]);
    else texts.push(text);
  }
  return groups;
}

function renderItem(
  request: HalRequest,
  item: HalItem,
  relationships: readonly Relationship[],
  warnings: string[],
): string {
  const { document, type } = item;
  const links: LinkMap = new Map();
  const hasLinks = request.full || type === 'FILE';
  if (hasLinks && type !== 'RESULT' && type !== 'INDEX') {
    const id = fieldOf(document, '_id');
    const suffix = halIdSuffix(id);
    if (suffix === undefined) {
      warnings.push(
        `this resource does not have an URI since the _id is of type ${bsonTypeOf(id ?? null)}`,
      );
    }
    for (const [rel, link] of itemLinks(request, type, suffix)) links.set(rel, link);
  }
  addRelationships(document, relationships, request, warnings, links);
  const parts = request.full ? specialTexts(type, document) : [];
  if (links.size > 0) parts.push(`"_links": ${writeLinks(links)}`);
  return appendMembers(writeDocument(document, request.jsonMode), parts);
}

function writeDocument(document: Uint8Array | BsonDocument, mode: JsonMode): string {
  return isDocument(document)
    ? writeJson(document, mode)
    : transcodeDocument(document, mode).toString();
}

/** An object's text with more members at its end. */
function appendMembers(text: string, members: readonly string[]): string {
  if (members.length === 0) return text;
  const open = text.slice(0, -1);
  return `${open}${open.length > 1 ? ', ' : ''}${members.join(', ')}}`;
}

function fieldOf(document: Uint8Array | BsonDocument, name: string): BsonValue | undefined {
  return isDocument(document) ? document.get(name) : readRawField(document, name);
}

function relationshipsOf(
  request: HalRequest,
  properties: BsonDocument | undefined,
  warnings: string[],
): readonly Relationship[] {
  const { type } = request;
  const hasDocuments =
    type === 'COLLECTION' || type === 'FILES_BUCKET' || type === 'DOCUMENT' || type === 'FILE';
  if (!hasDocuments) return [];
  const relationships = readRelationships(properties);
  if (relationships === undefined) warnings.push(invalidRelationshipsWarning(request));
  return relationships ?? [];
}

function addRelationships(
  document: Uint8Array | BsonDocument,
  relationships: readonly Relationship[],
  request: HalRequest,
  warnings: string[],
  links: LinkMap,
): void {
  if (relationships.length === 0) return;
  const decoded = isDocument(document) ? document : decodeDocument(document);
  for (const { rel, href } of relationshipLinks(decoded, relationships, request, warnings)) {
    links.set(rel, { href });
  }
}

/** Properties, type, `_size`, `_total_pages`, `_returned`, in this order. */
function propertyTexts(request: HalRequest, list: HalList): string[] {
  const { type, jsonMode } = request;
  const parts: string[] = [];
  if (!request.noProperties && list.properties !== undefined) {
    parts.push(...fieldTexts(list.properties, jsonMode));
  }
  if (request.full) parts.push(`"_type": "${type}"`);
  const returned = list.items.length;
  if (type === 'AGGREGATION') {
    if (returned === 0) parts.push(`"_size": ${writeCount(0, jsonMode)}`);
  } else if (type === 'COLLECTION_INDEXES') {
    parts.push(`"_size": ${writeCount(list.size ?? returned, jsonMode)}`);
  } else if (list.size !== undefined) {
    parts.push(`"_size": ${writeCount(list.size, jsonMode)}`);
    const totalPages = totalPagesOf(request, list);
    if (totalPages !== undefined) parts.push(`"_total_pages": ${writeCount(totalPages, jsonMode)}`);
  }
  parts.push(`"_returned": ${writeCount(returned, jsonMode)}`);
  return parts;
}

/** A count as the mode writes integers (rest-documents.md §2.3: it applies to every body). */
function writeCount(count: number, mode: JsonMode): string {
  return writeJson(count === (count | 0) ? count : Long.fromNumber(count), mode);
}

function totalPagesOf(request: HalRequest, list: HalList): number | undefined {
  const paged = request.type !== 'AGGREGATION' && request.type !== 'COLLECTION_INDEXES';
  if (!paged || list.size === undefined || request.pageSize === 0) return undefined;
  return list.size === 0 ? 0 : Math.max(1, Math.ceil(list.size / request.pageSize));
}

function fieldTexts(document: BsonDocument, mode: JsonMode): string[] {
  return [...document].map(([name, value]) => `${quoteText(name)}: ${writeJson(value, mode)}`);
}

/** `_type`, and when a document last changed according to its ETag. */
function specialTexts(type: HalType, document: Uint8Array | BsonDocument): string[] {
  if (type === 'RESULT') return [];
  const parts = [`"_type": "${type}"`];
  if (type !== 'DOCUMENT' && type !== 'FILE' && type !== 'SCHEMA') return parts;
  const etag = fieldOf(document, '_etag') ?? (type === 'FILE' ? fileEtagOf(document) : undefined);
  if (etag instanceof ObjectId) {
    const seconds = etag.getTimestamp().toISOString().slice(0, 19);
    parts.push(`"_lastupdated_on": "${seconds}Z"`);
  }
  return parts;
}

function fileEtagOf(document: Uint8Array | BsonDocument): BsonValue | undefined {
  const metadata = fieldOf(document, 'metadata');
  return isDocument(metadata) ? metadata.get('_etag') : undefined;
}

function renderWarning(message: string): string {
  return `{"message": ${quoteText(message)}, "_links": {"self": {"href": "#warnings"}}}`;
}

function writeLinks(links: LinkMap): string {
  const texts = [...links].map(([rel, { href, templated }]) => {
    const flag = templated === true ? ', "templated": true' : '';
    return `${quoteText(rel)}: {"href": ${quoteText(href)}${flag}}`;
  });
  return `{${texts.join(', ')}}`;
}
