/** Fields that a reader must not see: `projectResponse` of the permit, passwords of accounts (security.md §7.3, §8.6). */

import { QuorateError } from '../../errors/quorate-error.ts';
import {
  type BsonDocument,
  type BsonValue,
  Double,
  isDocument,
  isInt64,
} from '../../model/bson.ts';
import type { Permit } from '../../model/permit.ts';
import { decodeDocument, encodeDocument, removeRawField } from '../../model/raw-bson.ts';

/** Gives a document without what is hidden. */
export type ResponseProjection = (document: Buffer) => Buffer;

/**
 * The projection of a permit's readers; undefined when they see everything.
 *
 * @param hiddenProperty - a top-level property that nobody sees
 */
export function createResponseProjection(
  { projectResponse }: Permit,
  hiddenProperty: string | undefined,
): ResponseProjection | undefined {
  const byPermit = projectResponse && projectionOf(projectResponse);
  if (hiddenProperty === undefined) return byPermit;
  const hide: ResponseProjection = (document) => removeRawField(document, hiddenProperty) as Buffer;
  return byPermit ? (document) => byPermit(hide(document)) : hide;
}

/**
 * What a projection computes could show a hidden field under the name of another: where fields are hidden, clients
 * choose fields, and compute none.
 *
 * @throws ERR_AUTHZ_FORBIDDEN
 */
export function checkProjection(
  { projectResponse }: Permit,
  projection: BsonDocument | undefined,
): void {
  if (projectResponse === undefined || projection === undefined) return;
  if ([...projection.values()].some(isComputed)) throw new QuorateError('ERR_AUTHZ_FORBIDDEN');
}

/** They give parts of the field that they are written for. */
const SELECTING: ReadonlySet<string> = new Set(['$slice', '$elemMatch', '$meta']);

function isComputed(value: BsonValue): boolean {
  if (typeof value === 'string') return value.startsWith('$');
  if (Array.isArray(value)) return value.some(isComputed);
  if (!isDocument(value)) return false;
  return [...value].some(([name, member]) =>
    name.startsWith('$') ? !SELECTING.has(name) : isComputed(member),
  );
}

/** `projectResponse` as stages, before those of a client: none when everything may be seen. */
export function projectionStages({ projectResponse }: Permit): BsonDocument[] {
  const [first] = projectResponse?.values() ?? [];
  if (projectResponse === undefined || first === undefined) return [];
  if (numberOf(first) !== 1) return [new Map([['$unset', [...projectResponse.keys()]]])];
  const kept = new Map([['_id', 0 as BsonValue], ...projectResponse]);
  return [new Map([['$project', kept]])];
}

function projectionOf(projection: BsonDocument): ResponseProjection {
  const paths = [...projection.keys()];
  const [first] = projection.values();
  const isInclusion = first !== undefined && numberOf(first) === 1;
  if (!isInclusion && paths.every((path) => !path.includes('.'))) {
    return (document) =>
      paths.reduce<Uint8Array>((bytes, path) => removeRawField(bytes, path), document) as Buffer;
  }
  const steps = paths.map((path) => path.split('.'));
  return (document) => {
    const decoded = decodeDocument(document);
    return encodeDocument(isInclusion ? keepOnly(decoded, steps) : without(decoded, steps));
  };
}

function keepOnly(document: BsonDocument, paths: readonly (readonly string[])[]): BsonDocument {
  const kept: BsonDocument = new Map();
  for (const [name, value] of document) {
    const matching = paths.filter((path) => path[0] === name).map((path) => path.slice(1));
    if (matching.length === 0) continue;
    if (matching.some((rest) => rest.length === 0)) kept.set(name, value);
    else if (isDocument(value)) kept.set(name, keepOnly(value, matching));
  }
  return kept;
}

function without(document: BsonDocument, paths: readonly (readonly string[])[]): BsonDocument {
  const left: BsonDocument = new Map();
  for (const [name, value] of document) {
    const matching = paths.filter((path) => path[0] === name).map((path) => path.slice(1));
    if (matching.some((rest) => rest.length === 0)) continue;
    left.set(name, matching.length > 0 && isDocument(value) ? without(value, matching) : value);
  }
  return left;
}

function numberOf(value: BsonValue): number {
  if (value instanceof Double || isInt64(value)) return Number(value.toString());
  return typeof value === 'number' ? value : Number.NaN;
}

/**
 * A body with the properties that the permit forces into it: at the root of a document or of each
 * item of an array, into `$set` where the body uses update operators (security.md §8.6).
 */
export function mergeProperties(
  content: BsonDocument | BsonValue[] | undefined,
  properties: BsonDocument,
  isUpdate: boolean,
): BsonDocument | BsonValue[] {
  if (content === undefined) return new Map(properties);
  if (Array.isArray(content)) {
    // an update pipeline: the properties are set last, as they are, for a text with $ would be a field there
    if (isUpdate) return [...content, new Map([['$set', toLiterals(properties)]])];
    return content.map((item) => (isDocument(item) ? mergeDocument(item, properties) : item));
  }
  return mergeDocument(content, properties);
}

function toLiterals(properties: BsonDocument): BsonDocument {
  return new Map(
    [...properties].map(([name, value]) => [name, new Map([['$literal', value]])] as const),
  );
}

function mergeDocument(content: BsonDocument, properties: BsonDocument): BsonDocument {
  const usesOperators = [...content.keys()].some((name) => name.startsWith('$'));
  if (!usesOperators) return withoutBelow(content, properties, true);
  const set = content.get('$set');
  const merged = withoutBelow(isDocument(set) ? set : new Map(), properties, true);
  const others: [string, BsonValue][] = [];
  for (const [name, operand] of content) {
    if (name === '$set') continue;
    if (isDocument(operand) && name.startsWith('$')) {
      // an operator on a forced property would conflict with it, or win over it
      const rest = withoutBelow(
        name === '$rename' ? withoutForcedTargets(operand, properties) : operand,
        properties,
        false,
      );
      if (rest.size > 0) others.push([name, rest]);
    } else if (!isForced(name, properties)) {
      others.push([name, operand]);
    }
  }
  return new Map<string, BsonValue>([...others, ['$set', merged]]);
}

function withoutBelow(
  document: BsonDocument,
  properties: BsonDocument,
  adds: boolean,
): BsonDocument {
  const kept = [...document].filter(
    ([name]) => properties.has(name) || !isForced(name, properties),
  );
  const own = adds ? kept : kept.filter(([name]) => !properties.has(name));
  return new Map(adds ? [...own, ...properties] : own);
}

function withoutForcedTargets(operand: BsonDocument, properties: BsonDocument): BsonDocument {
  const kept = [...operand].filter(
    ([, target]) => typeof target !== 'string' || !isForced(target, properties),
  );
  return new Map(kept);
}

function isForced(name: string, properties: BsonDocument): boolean {
  for (const forced of properties.keys()) {
    if (name === forced || name.startsWith(`${forced}.`) || forced.startsWith(`${name}.`)) {
      return true;
    }
  }
  return false;
}
