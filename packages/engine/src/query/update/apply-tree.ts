/** Applies a tree of operators to a document; what does not change is shared with the original. */
import { isArrayIndex, splitPath, valueAt } from '../../bson/path.ts';
import type { Document, Value } from '../../bson/value.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import { describeValue } from '../describe.ts';
import type { ElementTest } from './array-filters.ts';
import { badValue, type ModifierContext } from './modifier.ts';
import { isArrayFilterPart, mergeNodes, type PathNode } from './path-tree.ts';

/** What an update changed, as change streams report it (`updateDescription`). */
export interface UpdateChanges {
  readonly updatedFields: Document;
  readonly removedFields: string[];
  readonly truncatedArrays: { readonly field: string; readonly newSize: number }[];
}

export function noChanges(): UpdateChanges {
  return { updatedFields: new Map(), removedFields: [], truncatedArrays: [] };
}

export interface ApplyContext extends ModifierContext {
  readonly elementTests: ReadonlyMap<string, ElementTest>;
  readonly changes: UpdateChanges | undefined;
}

/** How far past its end MongoDB lengthens an array with nulls. */
const MAX_PADDING = 1_500_000;

function join(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`;
}

function notViable(part: string, path: string, value: Value | undefined): MongoCommandError {
  const name = path.slice(path.lastIndexOf('.') + 1);
  return new MongoCommandError(
    'PathNotViable',
    `Cannot create field '${part}' in element {${name}: ${describeValue(value)}}`,
  );
}

function barred(part: string, path: string, value: Value | undefined): MongoCommandError {
  const name = path.slice(path.lastIndexOf('.') + 1);
  return new MongoCommandError(
    'PathNotViable',
    `Cannot use the part (${part}) of (${join(path, part)}) to traverse the element ({${name}: ${describeValue(value)}})`,
  );
}

/** Throws for the first operator below `node` that minds a path which cannot exist. */
function refuseBarred(node: PathNode, path: string, part: string, value: Value): void {
  if ('modifier' in node) {
    if (node.modifier.creates) throw notViable(part, path, value);
    if (node.modifier.ignoresBarredPath !== true) throw barred(part, path, value);
    return;
  }
  for (const child of node.children.values()) refuseBarred(child, path, part, value);
}

function setElement(array: readonly Value[], index: number, value: Value): Value[] {
  const copy = array.slice();
  if (index > copy.length + MAX_PADDING) {
    throw new MongoCommandError(
      'CannotBackfillArray',
      `can't backfill more than ${MAX_PADDING} elements`,
    );
  }
  while (copy.length < index) copy.push(null);
  copy[index] = value;
  return copy;
}

/** Applies the children of a node to a document, giving the same document when nothing changed. */
export function applyToDocument(
  children: ReadonlyMap<string, PathNode>,
  document: Document,
  path: string,
  context: ApplyContext,
): Document {
  let result = document;
  for (const [part, node] of children) {
    if (isArrayFilterPart(part) || part === '$') refuseArrayPart(part, path, document, context);
    const existing = document.get(part);
    const updated = applyToField(node, existing, join(path, part), context);
    if (updated === existing) continue;
    if (result === document) result = new Map(document);
    if (updated === undefined) result.delete(part);
    else result.set(part, updated);
  }
  return result;
}

function refuseArrayPart(
  part: string,
  path: string,
  container: Value,
  context: ApplyContext,
): never {
  if (part === '$') {
    throw badValue('The positional operator did not find the match needed from the query.');
  }
  if (container instanceof Map && path !== '') {
    const name = path.slice(path.lastIndexOf('.') + 1);
    if (container.size === 0 && valueAt(context.before, splitPath(path)) === undefined) {
      throw badValue(
        `The path '${path}' must exist in the document in order to apply array updates.`,
      );
    }
    throw badValue(
      `Cannot apply array updates to non-array element ${name}: ${describeValue(container)}`,
    );
  }
  throw badValue(`Cannot apply array updates to non-array element ${path}`);
}

/** Applies a node to the value at its path; reports the change. */
function applyToField(
  node: PathNode,
  existing: Value | undefined,
  path: string,
  context: ApplyContext,
): Value | undefined {
  if ('modifier' in node) {
    const { modifier } = node;
    if (existing === undefined && !modifier.creates) return undefined;
    const updated = modifier.apply(existing, path, context);
    if (updated !== existing) report(existing, updated, path, modifier.appends === true, context);
    return updated;
  }
  if (existing === undefined) return createField(node, path, context);
  if (existing instanceof Map) return applyToDocument(node.children, existing, path, context);
  if (Array.isArray(existing)) return applyToArray(node.children, existing, path, context);
  for (const [part, child] of node.children) {
    if (isArrayFilterPart(part)) {
      throw badValue(
        `Cannot apply array updates to non-array element ${path.slice(path.lastIndexOf('.') + 1)}: ${describeValue(existing)}`,
      );
    }
    refuseBarred(child, path, part, existing);
  }
  return existing;
}

function createField(
  node: { readonly children: ReadonlyMap<string, PathNode> },
  path: string,
  context: ApplyContext,
): Value | undefined {
  const empty: Document = new Map();
  const created = applyToDocument(node.children, empty, path, { ...context, changes: undefined });
  if (created === empty) return undefined;
  report(undefined, created, path, false, context);
  return created;
}

/** The children that apply to each element, `$[]` and `$[identifier]` resolved. */
function resolveElements(
  children: ReadonlyMap<string, PathNode>,
  array: readonly Value[],
  path: string,
  context: ApplyContext,
): ReadonlyMap<string, PathNode> {
  if (![...children.keys()].some(isArrayFilterPart)) return children;
  const resolved = new Map<string, PathNode>();
  const add = (index: string, node: PathNode) => {
    const known = resolved.get(index);
    resolved.set(index, known === undefined ? node : mergeNodes(known, node, join(path, index)));
  };
  for (const [part, node] of children) {
    if (!isArrayFilterPart(part)) {
      add(part, node);
      continue;
    }
    const test = context.elementTests.get(part.slice(2, -1));
    for (const [index, element] of array.entries()) {
      if (test === undefined || test(element)) add(String(index), node);
    }
  }
  return resolved;
}

function applyToArray(
  children: ReadonlyMap<string, PathNode>,
  array: Value[],
  path: string,
  context: ApplyContext,
): Value[] {
  let result = array;
  for (const [part, node] of resolveElements(children, array, path, context)) {
    if (part === '$') refuseArrayPart(part, path, array, context);
    if (!isArrayIndex(part)) {
      refuseBarred(node, path, part, array);
      continue;
    }
    const index = Number(part);
    const existing = result[index];
    const updated = applyToField(node, existing, join(path, part), context);
    // An array keeps its places: what is unset becomes null.
    const element = updated === undefined && existing !== undefined ? null : updated;
    if (element === existing || element === undefined) continue;
    result = setElement(result, index, element);
  }
  return result;
}

function report(
  existing: Value | undefined,
  updated: Value | undefined,
  path: string,
  appends: boolean,
  context: ApplyContext,
): void {
  const { changes } = context;
  if (changes === undefined) return;
  if (updated === undefined) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('.')));
    const last = path.slice(path.lastIndexOf('.') + 1);
    if (
      parent !== '' &&
      isArrayIndex(last) &&
      Array.isArray(valueAt(context.before, splitPath(parent)))
    ) {
      changes.updatedFields.set(path, null);
    } else {
      changes.removedFields.push(path);
    }
  } else if (appends && Array.isArray(existing) && Array.isArray(updated) && existing.length > 0) {
    for (let index = existing.length; index < updated.length; index++) {
      changes.updatedFields.set(`${path}.${index}`, updated[index] ?? null);
    }
  } else {
    changes.updatedFields.set(path, updated);
  }
}
