/**
 * The `bson-request-*` predicates: what a request body touches (security.md §8.4). A body that could
 * touch anything (an update pipeline that replaces the root, an operator we don't know) counts as
 * touching everything, so that a white list refuses it and a black list does too.
 */
import type { BsonDocument, BsonValue } from '../../model/bson.ts';

/** The dotted paths that one document of a body touches. */
interface TouchedPaths {
  readonly paths: readonly string[];
  readonly anything: boolean;
}

/** True when every document of the body holds or updates every key. */
export function bodyContains(body: BsonValue | undefined, keys: readonly string[]): boolean {
  const documents = toDocuments(body);
  if (documents.length === 0) return false;
  return documents.every((document) => {
    const { paths } = touchedPaths(document);
    return keys.every((key) => paths.some((path) => isAtOrBelow(path, key)));
  });
}

/** True when each touched path is listed or lies below a listed one. */
export function bodyWithin(body: BsonValue | undefined, whitelist: readonly string[]): boolean {
  return toDocuments(body).every((document) => {
    const { paths, anything } = touchedPaths(document);
    return !anything && paths.every((path) => whitelist.some((entry) => isAtOrBelow(path, entry)));
  });
}

/** True when no document of the body touches any of the keys. */
export function bodyAvoids(body: BsonValue | undefined, blacklist: readonly string[]): boolean {
  return toDocuments(body).every((document) => {
    const { paths, anything } = touchedPaths(document);
    // a path above a listed key replaces what is listed
    const touches = (path: string) =>
      blacklist.some((key) => isAtOrBelow(path, key) || isAtOrBelow(key, path));
    return !anything && !paths.some(touches);
  });
}

/** The value at a dotted key of a body that is one document; a dotted name wins over nesting. */
export function bodyValue(body: BsonValue | undefined, key: string): BsonValue | undefined {
  if (!(body instanceof Map)) return undefined;
  return lookUp(body, key) ?? lookUp(asDocument(body.get('$set')), key);
}

function lookUp(document: BsonDocument | undefined, key: string): BsonValue | undefined {
  if (document === undefined) return undefined;
  if (document.has(key)) return document.get(key);
  const dot = key.indexOf('.');
  if (dot === -1) return undefined;
  return lookUp(asDocument(document.get(key.slice(0, dot))), key.slice(dot + 1));
}

function asDocument(value: BsonValue | undefined): BsonDocument | undefined {
  return value instanceof Map ? value : undefined;
}

function toDocuments(body: BsonValue | undefined): BsonDocument[] {
  const values = Array.isArray(body) ? body : [body];
  return values.filter((value) => value instanceof Map);
}

/** Update operators whose members are field paths; any other `$…` may touch anything. */
const FIELD_OPERATORS = new Set([
  '$set',
  '$unset',
  '$inc',
  '$mul',
  '$rename',
  '$setOnInsert',
  '$min',
  '$max',
  '$currentDate',
  '$addToSet',
  '$pop',
  '$pullAll',
  '$pull',
  '$push',
  '$pushAll',
  '$bit',
  '$addFields',
]);

function touchedPaths(document: BsonDocument): TouchedPaths {
  const paths: string[] = [];
  let anything = false;
  for (const [name, value] of document) {
    if (!name.startsWith('$')) {
      collectLeaves(name, value, paths);
    } else if (name === '$unset' && !(value instanceof Map)) {
      // the stage of an update pipeline: a name or a list of names
      for (const path of Array.isArray(value) ? value : [value]) paths.push(String(path));
    } else if (FIELD_OPERATORS.has(name) && value instanceof Map) {
      for (const [path, operand] of value) {
        collectLeaves(path, isPlainOperand(name, operand) ? operand : null, paths);
        if (name === '$rename' && typeof operand === 'string') paths.push(operand);
      }
    } else {
      anything = true;
    }
  }
  return { paths, anything };
}

/** Only the operand of `$set` and its like becomes part of the document. */
function isPlainOperand(operator: string, operand: BsonValue): boolean {
  return (
    ['$set', '$setOnInsert', '$addFields'].includes(operator) &&
    operand instanceof Map &&
    ![...operand.keys()].some((key) => key.startsWith('$'))
  );
}

function collectLeaves(path: string, value: BsonValue, paths: string[]): void {
  if (!(value instanceof Map) || value.size === 0) {
    paths.push(path);
    return;
  }
  for (const [name, member] of value) collectLeaves(`${path}.${name}`, member, paths);
}

function isAtOrBelow(path: string, ancestor: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}.`);
}

/** Whether each value of a list is in another one. */
export function isSubset(
  part: readonly (BsonValue | undefined)[],
  whole: readonly (BsonValue | undefined)[],
): boolean {
  return part.every((value) => whole.some((other) => isSameValue(value, other)));
}

/** Whether two values are the same: 1 and 1.0 are, 1 and "1" are not. */
export function isSameValue(a: BsonValue | undefined, b: BsonValue | undefined): boolean {
  return a === b || canonicalText(a) === canonicalText(b);
}

/** Types and values as one text: 1 and 1.0 are the same number, 1 and "1" are not. */
function canonicalText(value: BsonValue | undefined): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member instanceof Map) return { document: [...member] };
    if (typeof member === 'object' && member !== null && 'toExtendedJSON' in member) {
      const number = Number(String(member));
      if (!Number.isNaN(number)) return number;
    }
    return member;
  });
}
