/** Projections of `find` (manual, "Project Fields to Return from Query"). */

import type { Document, Value } from '../bson/value.ts';
import { type Positions, positionOf } from './filter.ts';
import type { Frame, Node, ProjectionOptions } from './projection-parse.ts';
import { Parser } from './projection-parse.ts';

export interface Projection {
  readonly isInclusion: boolean;
  /** True when it uses the positional `$`, which needs `Filter.positions`. */
  readonly needsPositions: boolean;
  /** The names of `$meta` fields it asks for. */
  readonly metadata: readonly string[];
  /**
   * The top-level fields the result is made of, when that is known (an inclusion without
   * expressions): what a covering index must hold.
   */
  readonly fields: readonly string[] | undefined;
  apply(document: Document, positions?: Positions): Document;
}

// ---------------------------------------------------------------- application

function includeFrom(
  document: Document,
  children: ReadonlyMap<string, Node>,
  frame: Frame,
  keepId: boolean,
): Document {
  const result: Document = new Map();
  for (const [name, value] of document) {
    const node = children.get(name);
    if (node === undefined) {
      if (keepId && name === '_id') result.set(name, value);
    } else if (node.kind === 'include') {
      result.set(name, value);
    } else if (node.kind === 'transform') {
      const transformed = node.transform(value, frame);
      if (transformed !== undefined) result.set(name, transformed);
    } else if (node.kind === 'nested') {
      const inner = includeValue(value, node.children, frame);
      if (inner !== undefined) result.set(name, inner);
    }
  }
  return result;
}

function includeValue(
  value: Value,
  children: ReadonlyMap<string, Node>,
  frame: Frame,
): Value | undefined {
  if (value instanceof Map) return includeFrom(value, children, frame, false);
  if (!Array.isArray(value)) return undefined;
  const items: Value[] = [];
  for (const item of value) {
    const inner = includeValue(item, children, frame);
    if (inner !== undefined) items.push(inner);
  }
  return items;
}

function excludeFrom(
  document: Document,
  children: ReadonlyMap<string, Node>,
  frame: Frame,
): Document {
  const result: Document = new Map();
  for (const [name, value] of document) {
    const node = children.get(name);
    if (node === undefined || node.kind === 'include' || node.kind === 'compute') {
      result.set(name, value);
    } else if (node.kind === 'transform') {
      const transformed = node.transform(value, frame);
      if (transformed !== undefined) result.set(name, transformed);
    } else if (node.kind === 'nested') {
      result.set(name, excludeValue(value, node.children, frame));
    }
  }
  return result;
}

function excludeValue(value: Value, children: ReadonlyMap<string, Node>, frame: Frame): Value {
  if (value instanceof Map) return excludeFrom(value, children, frame);
  return Array.isArray(value) ? value.map((item) => excludeValue(item, children, frame)) : value;
}

function hasComputed(node: Node): boolean {
  if (node.kind === 'compute') return true;
  return node.kind === 'nested' && [...node.children.values()].some(hasComputed);
}

/** Adds computed fields to a document of the result, in the order of the specification. */
function addComputed(result: Document, children: ReadonlyMap<string, Node>, frame: Frame): void {
  for (const [name, node] of children) {
    if (node.kind === 'compute') {
      const value = node.compute(frame);
      if (value === undefined) result.delete(name);
      else result.set(name, value);
    } else if (node.kind === 'nested' && hasComputed(node)) {
      result.set(name, computedValue(result.get(name), node.children, frame));
    }
  }
}

function computedValue(
  value: Value | undefined,
  children: ReadonlyMap<string, Node>,
  frame: Frame,
): Value {
  if (Array.isArray(value)) return value.map((item) => computedValue(item, children, frame));
  const document: Document = value instanceof Map ? new Map(value) : new Map();
  addComputed(document, children, frame);
  return document;
}

/**
 * Compiles a projection document.
 *
 * @throws the numbered errors of MongoDB's projection parser
 */
export function compileProjection(spec: Document, options: ProjectionOptions = {}): Projection {
  const parser = new Parser(options);
  parser.parse(spec, '');
  const { root, isInclusion, includesId, needsPositions, metadata, hasExpressions } = parser;
  const computed = [...root.values()].some(hasComputed);
  const idNode = root.get('_id');
  const keepId = includesId && (idNode === undefined || idNode.kind === 'include');
  const transforms = [...root.values()].some(
    (node) => node.kind === 'transform' || node.kind === 'nested',
  );
  return {
    isInclusion,
    needsPositions,
    metadata,
    fields:
      isInclusion && !hasExpressions && !transforms && !needsPositions
        ? [...(keepId && idNode === undefined ? ['_id'] : []), ...includedNames(root)]
        : undefined,
    apply(document, positions) {
      if (root.size === 0) return document;
      const frame: Frame = { root: document, position: positionOf(positions) };
      const result = isInclusion
        ? includeFrom(document, root, frame, keepId)
        : excludeFrom(document, root, frame);
      if (computed) addComputed(result, root, frame);
      return result;
    },
  };
}

function includedNames(root: ReadonlyMap<string, Node>): string[] {
  return [...root].filter(([, node]) => node.kind === 'include').map(([name]) => name);
}
