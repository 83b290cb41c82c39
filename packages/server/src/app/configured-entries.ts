import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { QuorateError } from '../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, Double } from '../model/bson.ts';

/**
 * The entries of a list that stands in the configuration, or in a YAML file of its own.
 *
 * @param listName - top-level key of that file
 * @throws ERR_CONFIG_FILE when the file cannot be read, ERR_CONFIG_INVALID when it holds no such list
 */
export function readConfiguredEntries(
  file: string | null,
  listName: string,
  inline: readonly unknown[] | null,
): BsonDocument[] {
  const entries = file === null ? inline : readList(file, listName);
  return (entries ?? []).map(toBson).filter((entry) => entry instanceof Map);
}

function readList(file: string, listName: string): readonly unknown[] {
  let content: unknown;
  try {
    content = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new QuorateError('ERR_CONFIG_FILE', { message: `Cannot read ${file}`, cause });
  }
  const list = (content as Record<string, unknown> | null)?.[listName];
  if (Array.isArray(list)) return list;
  throw new QuorateError('ERR_CONFIG_INVALID', { message: `${file} has no list '${listName}'` });
}

function toBson(value: unknown): BsonValue {
  if (Array.isArray(value)) return value.map(toBson);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([name, member]) => [name, toBson(member)]));
  }
  if (typeof value === 'number') {
    return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : new Double(value);
  }
  return typeof value === 'string' || typeof value === 'boolean' ? value : null;
}
