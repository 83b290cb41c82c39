/** The parameters that are JSON objects: `keys`, `filter`, `avars`, `shardkey` (rest-documents.md §4.1). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';
import { parseJson } from '../../representation/json-reader.ts';
import type { RestConfig } from './rest-config.ts';

const INVALID_JSON = {
  exception: 'org.bson.json.JsonParseException',
  exceptionMessage: 'invalid json',
};

/** All `keys`, the later wins. */
export function readProjection(items: readonly string[]): BsonDocument | undefined {
  let projection: BsonDocument | undefined;
  for (const item of items) {
    const keys = parseKeys(item);
    if (projection === undefined) projection = keys;
    else for (const [name, rule] of keys) projection.set(name, rule);
  }
  return projection;
}

function parseKeys(text: string): BsonDocument {
  if (text === '') {
    throw new QuorateError('ERR_REQUEST_KEYS', { message: 'illegal keys parameter (empty)' });
  }
  let value: BsonValue;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_KEYS', {
      message: `illegal keys parameter: ${text}`,
      ...INVALID_JSON,
      cause,
    });
  }
  if (isDocument(value)) return value;
  throw new QuorateError('ERR_REQUEST_KEYS', {
    message: `illegal keys parameter, it is not a json object: ${text} => String`,
  });
}

/** All `filter` parameters, several joined by `$and`. */
export function readFilter(items: readonly string[]): BsonDocument | undefined {
  if (items.length === 0) return undefined;
  const filters = items.map(parseFilter);
  return filters.length === 1 ? filters[0] : new Map([['$and', filters]]);
}

function parseFilter(text: string): BsonDocument {
  if (text === '') {
    throw new QuorateError('ERR_REQUEST_FILTER', { message: 'illegal filter parameter (empty)' });
  }
  let value: BsonValue;
  try {
    value = parseJson(text);
  } catch (cause) {
    throw new QuorateError('ERR_REQUEST_FILTER', {
      message: `illegal filter parameter: ${text}, ${textOf(cause)}`,
      ...INVALID_JSON,
      cause,
    });
  }
  if (!isDocument(value)) {
    throw new QuorateError('ERR_REQUEST_FILTER', {
      message: `illegal filter parameter, it is not a json object: ${text} => String`,
    });
  }
  if (value.size === 0) {
    throw new QuorateError('ERR_REQUEST_FILTER', {
      message: 'illegal filter parameter (empty json object)',
    });
  }
  return value;
}

/** Text of the JSON reader's complaint. */
export function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** The first `avars`. */
export function readVariables(
  text: string | undefined,
  config: RestConfig,
): BsonDocument | undefined {
  if (text === undefined) return undefined;
  let value: BsonValue = null;
  try {
    value = parseJson(text);
  } catch {
    // falls through to the one refusal for everything that is no object
  }
  if (!isDocument(value)) {
    throw new QuorateError('ERR_REQUEST_AVARS', {
      message: `illegal avars parameter, it is not a json object: ${text}`,
    });
  }
  if (config.aggregationCheckOperators && hasOperator(value)) {
    throw new QuorateError('ERR_REQUEST_AVARS', {
      message: `illegal avars parameter: ${text}`,
      exception: 'java.lang.SecurityException',
      exceptionMessage: 'aggregation variables cannot include operators',
    });
  }
  return value;
}

/** True when a name at any depth starts with `$`. */
function hasOperator(value: BsonValue): boolean {
  if (Array.isArray(value)) return value.some(hasOperator);
  if (!isDocument(value)) return false;
  for (const [name, member] of value) if (name.startsWith('$') || hasOperator(member)) return true;
  return false;
}

/** The shard key that is ANDed to the id. */
export function readShardKey(text: string | undefined): BsonDocument | undefined {
  if (text === undefined) return undefined;
  if (text === '') {
    throw new QuorateError('ERR_REQUEST_SHARDKEY', {
      message: 'illegal shardkey parameter (empty)',
    });
  }
  let value: BsonValue = null;
  let cause: unknown;
  try {
    value = parseJson(text);
  } catch (failure) {
    cause = failure;
  }
  if (!isDocument(value)) {
    throw new QuorateError('ERR_REQUEST_SHARDKEY', {
      message: `illegal shardkey parameter: ${text}`,
      ...(cause === undefined ? {} : { ...INVALID_JSON, cause }),
    });
  }
  if (value.size === 0) {
    throw new QuorateError('ERR_REQUEST_SHARDKEY', {
      message: 'illegal shardkey parameter (empty json object)',
    });
  }
  return value;
}
