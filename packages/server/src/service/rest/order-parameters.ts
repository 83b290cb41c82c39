/** The parameters that order and steer a read: `sort_by`, `sort`, `hint` (rest-documents.md §4.1). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import type { QueryParameters } from '../../model/http-request.ts';
import { parseJson } from '../../representation/json-reader.ts';

/** Items of `sort_by`, else of `sort`; a warning for properties that do not exist. */
export function readSortItems(query: QueryParameters, warnings: string[]): readonly string[] {
  const items = query.has('sort_by') ? query.getAll('sort_by') : query.getAll('sort');
  for (const item of items) {
    const text = item.trim();
    if (text === '') {
      throw new QuorateError('ERR_REQUEST_SORT', { message: 'Illegal sort parameter' });
    }
    const field = text.replace(/^[+-]/, '');
    if (field === '_last_updated_on' || field === '_created_on') {
      warnings.push(`unexpected sort_by parameter ${field}: documents have no such property`);
    }
  }
  return items;
}

/**
 * The sort order that the items ask for; undefined when there are none, and the default `_id: -1` applies.
 *
 * @throws ERR_REQUEST_SORT for an item that starts as a JSON object and is none, and for a name that BSON cannot hold
 */
export function readSort(items: readonly string[]): BsonDocument | undefined {
  if (items.length === 0) return undefined;
  const sort: BsonDocument = new Map();
  for (const item of items) {
    const text = item.trim();
    if (text.startsWith('{')) {
      for (const [name, direction] of parseSortObject(text)) sort.set(name, direction);
    } else if (text.startsWith('-')) {
      sort.set(text.slice(1).trim(), -1);
    } else {
      sort.set(text.startsWith('+') ? text.slice(1).trim() : text, 1);
    }
  }
  if ([...sort.keys()].some(hasNul)) {
    throw new QuorateError('ERR_REQUEST_SORT', { message: 'Invalid sort parameter' });
  }
  return sort;
}

/** Names of BSON end at a NUL. */
function hasNul(name: string): boolean {
  return name.includes('\0');
}

function parseSortObject(text: string): BsonDocument {
  const invalid = { message: 'Invalid sort parameter' };
  let value: BsonValue;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_SORT', { ...invalid, cause });
  }
  if (!isDocument(value)) throw new QuorateError('ERR_REQUEST_SORT', invalid);
  return value;
}

/** Hint items: key patterns are joined, any other text is the name of an index. */
export function readHint(query: QueryParameters): BsonDocument | string | undefined {
  const items = query.getAll('hint');
  if (items.length === 0) return undefined;
  const keys: BsonDocument = new Map();
  let name: string | undefined;
  for (const item of items) {
    if (item === '' || hasNul(item)) {
      throw new QuorateError('ERR_REQUEST_HINT', { message: 'illegal hint parameter' });
    }
    const pattern = parseHintPattern(item);
    if (pattern === undefined) name ??= item;
    else for (const [field, direction] of pattern) keys.set(field, direction);
  }
  return keys.size > 0 ? keys : name;
}

function parseHintPattern(item: string): BsonDocument | undefined {
  if (item.length > 1 && item.startsWith('-')) return new Map([[item.slice(1), -1]]);
  if (item.length > 1 && item.startsWith('+')) return new Map([[item.slice(1), 1]]);
  if (!item.trimStart().startsWith('{')) return undefined;
  try {
    const value = parseJson(item);
    return isDocument(value) ? value : undefined;
  } catch {
    // not JSON: then it can only be an index name, and the database refuses it
    return undefined;
  }
}
