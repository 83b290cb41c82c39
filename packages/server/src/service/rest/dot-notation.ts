/** Expansion of dotted names in POST and PUT bodies (rest-documents.md §5.1). */

import { QuorateError } from '../../errors/quorate-error.ts';
import { type BsonDocument, type BsonValue, isDocument } from '../../model/bson.ts';

// a name may not ask for more nulls, or deeper documents, than any sensible body holds
const MAX_ARRAY_INDEX = 10_000;
const MAX_PARTS = 100;

/** The document with its dotted top-level names expanded; the same object when there are none. */
export function expandDots(document: BsonDocument): BsonDocument {
  let dotted = false;
  for (const name of document.keys()) {
    if (name.includes('.')) {
      dotted = true;
      break;
    }
  }
  if (!dotted) return document;
  const expanded: BsonDocument = new Map();
  for (const [name, value] of document) {
    const parts = splitName(name);
    if (parts === undefined) expanded.set(name, value);
    else setAt(expanded, parts, expandItems(value));
  }
  return expanded;
}

/** Undefined for a plain name. Trailing dots are dropped, as Java's `split` does. */
function splitName(name: string): string[] | undefined {
  if (!name.includes('.')) return undefined;
  const parts = name.split('.');
  while (parts.length > 0 && parts.at(-1) === '') parts.pop();
  if (parts.length === 0) return undefined;
  if (parts.length > MAX_PARTS) throw tooLarge(`more than ${MAX_PARTS} parts`);
  return parts;
}

function tooLarge(reason: string): QuorateError {
  return new QuorateError('ERR_REQUEST_BODY', {
    message: `a property name in dot notation has ${reason}`,
  });
}

/** Elements of an array under a dotted name are expanded, other nested documents are not. */
function expandItems(value: BsonValue): BsonValue {
  if (!Array.isArray(value)) return value;
  return value.map((item) => (isDocument(item) ? expandDots(item) : item));
}

function toIndex(part: string): number | undefined {
  if (!/^\d+$/.test(part)) return undefined;
  const index = Number(part);
  if (index > MAX_ARRAY_INDEX) throw tooLarge(`an array index above ${MAX_ARRAY_INDEX}`);
  return index;
}

/** Only parts after the first are array indexes: a document at the top always stays a document. */
function setAt(document: BsonDocument, parts: readonly string[], value: BsonValue): void {
  let container: BsonDocument | BsonValue[] = document;
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    if (last) {
      put(container, part, value);
      return;
    }
    const wantsArray = toIndex(parts[i + 1] ?? '') !== undefined;
    container = openContainer(container, part, wantsArray);
  }
}

function openContainer(
  parent: BsonDocument | BsonValue[],
  part: string,
  wantsArray: boolean,
): BsonDocument | BsonValue[] {
  const present = Array.isArray(parent) ? parent[toIndex(part) ?? -1] : parent.get(part);
  if (isDocument(present)) return present;
  if (Array.isArray(present) && wantsArray) return present;
  const made: BsonDocument | BsonValue[] = wantsArray ? [] : new Map();
  put(parent, part, made);
  return made;
}

function put(container: BsonDocument | BsonValue[], part: string, value: BsonValue): void {
  if (!Array.isArray(container)) {
    container.set(part, value);
    return;
  }
  const index = toIndex(part) ?? container.length;
  while (container.length < index) container.push(null);
  container[index] = value;
}
