/**
 * The operators of one update as a tree over their paths: two that touch the same place are found
 * when the tree is built, and the fields are visited in MongoDB's order (names in lexicographic,
 * numbers in numeric order; manual, "Update Operators Behavior").
 */
import { compareStrings } from '../../bson/compare.ts';
import { splitPath } from '../../bson/path.ts';
import { MongoCommandError } from '../../errors/mongo-command-error.ts';
import type { ElementTest } from './array-filters.ts';
import { badValue, type Modifier } from './modifier.ts';

/** An operator at its path, as written in the update. */
export interface PathModifier {
  readonly path: string;
  readonly modifier: Modifier;
}

/** Either a place an operator applies to, or the way to such places. */
export type PathNode =
  | { readonly modifier: Modifier }
  | { readonly children: Map<string, PathNode> };

const DIGITS = /^\d+$/;

function comparePathParts(a: string, b: string): number {
  if (DIGITS.test(a) && DIGITS.test(b)) {
    const difference = BigInt(a) - BigInt(b);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return compareStrings(a, b);
}

function sorted(children: Map<string, PathNode>): Map<string, PathNode> {
  if (children.size < 2) return children;
  return new Map([...children].sort(([a], [b]) => comparePathParts(a, b)));
}

function conflict(path: string, at: string): MongoCommandError {
  return new MongoCommandError(
    'ConflictingUpdateOperators',
    `Updating the path '${path}' would create a conflict at '${at}'`,
  );
}

/** True for `$[]` and `$[identifier]`. */
export function isArrayFilterPart(part: string): boolean {
  return part.startsWith('$[') && part.endsWith(']');
}

/** Checks the path of an operator as written. */
export function checkUpdatePath(path: string, filters: ReadonlyMap<string, ElementTest>): void {
  const parts = splitPath(path);
  if (parts.includes('')) {
    throw new MongoCommandError(
      'EmptyFieldName',
      path === ''
        ? 'An empty update path is not valid.'
        : `The update path '${path}' contains an empty field name, which is not allowed.`,
    );
  }
  const [first = ''] = parts;
  if (first === '$') {
    throw badValue(
      `Cannot have positional (i.e. '$') element in the first position in path '${path}'`,
    );
  }
  if (isArrayFilterPart(first)) {
    throw badValue(
      `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
    );
  }
  if (parts.filter((part) => part === '$').length > 1) {
    throw badValue(`Too many positional (i.e. '$') elements found in path '${path}'`);
  }
  for (const part of parts) {
    if (isArrayFilterPart(part)) {
      const identifier = part.slice(2, -1);
      if (identifier !== '' && !filters.has(identifier)) {
        throw badValue(`No array filter found for identifier '${identifier}' in path '${path}'`);
      }
    } else if (part.startsWith('$') && part !== '$' && !['$id', '$ref', '$db'].includes(part)) {
      throw new MongoCommandError(
        'DollarPrefixedFieldName',
        `The dollar ($) prefixed field '${part}' in '${path}' is not valid for storage.`,
      );
    }
  }
}

function insert(root: Map<string, PathNode>, parts: readonly string[], modifier: Modifier): void {
  const path = parts.join('.');
  let children = root;
  for (let depth = 0; depth < parts.length; depth++) {
    const part = parts[depth] as string;
    const existing = children.get(part);
    if (depth === parts.length - 1) {
      if (existing !== undefined) throw conflict(path, path);
      children.set(part, { modifier });
      return;
    }
    if (existing === undefined) {
      const next: PathNode = { children: new Map() };
      children.set(part, next);
      children = next.children;
    } else if ('modifier' in existing) {
      throw conflict(path, parts.slice(0, depth + 1).join('.'));
    } else {
      children = existing.children;
    }
  }
}

function sortTree(children: Map<string, PathNode>): Map<string, PathNode> {
  const inner = new Map<string, PathNode>();
  for (const [part, node] of children) {
    inner.set(part, 'modifier' in node ? node : { children: sortTree(node.children) });
  }
  return sorted(inner);
}

/**
 * Builds the tree.
 *
 * @param position - what the positional `$` stands for
 * @throws ConflictingUpdateOperators; BadValue when a `$` has no position
 */
export function buildPathTree(
  modifiers: readonly PathModifier[],
  position?: number,
): Map<string, PathNode> {
  const root = new Map<string, PathNode>();
  for (const { path, modifier } of modifiers) {
    let parts = splitPath(path);
    if (parts.includes('$') && position !== undefined) {
      parts = parts.map((part) => (part === '$' ? String(position) : part));
    }
    insert(root, parts, modifier);
  }
  return sortTree(root);
}

/** Two nodes for the same array element as one (`a.0.x` and `a.$[].y`). */
export function mergeNodes(a: PathNode, b: PathNode, path: string): PathNode {
  if ('modifier' in a || 'modifier' in b) throw conflict(path, path);
  const children = new Map(a.children);
  for (const [part, node] of b.children) {
    const existing = children.get(part);
    children.set(
      part,
      existing === undefined ? node : mergeNodes(existing, node, `${path}.${part}`),
    );
  }
  return { children: sorted(children) };
}
