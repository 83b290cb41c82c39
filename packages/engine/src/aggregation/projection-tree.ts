/**
 * The tree of fields that `$project`, `$addFields` and `$unset` work by. A document is first
 * narrowed (inclusion, exclusion), then computed fields are put in; arrays on a path are entered.
 */
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { locationError } from './aggregation-error.ts';
import { describeValue, isNumeric, isTruthy } from './expression/value-kind.ts';
import { isExpressionOperator } from './expression.ts';
import { copyDocument, parseFieldPath } from './field-path.ts';

type Compute = (root: Document) => Value | undefined;
export type ProjectionMode = 'inclusion' | 'exclusion' | 'addition';

interface Node {
  /** Fields kept (inclusion) or dropped (exclusion) whole. */
  readonly named: Set<string>;
  readonly computed: Map<string, Compute>;
  readonly children: Map<string, Node>;
  /** Computed fields and children, in the order they were first given. */
  readonly order: string[];
  hasComputed: boolean;
}

function createNode(): Node {
  return {
    named: new Set(),
    computed: new Map(),
    children: new Map(),
    order: [],
    hasComputed: false,
  };
}

export class ProjectionTree {
  readonly mode: ProjectionMode;
  private readonly root = createNode();

  constructor(mode: ProjectionMode) {
    this.mode = mode;
  }

  /** Keeps or drops the field at a path. */
  name(path: string): void {
    const { node, field } = this.descend(path, false);
    node.named.add(field);
  }

  compute(path: string, compute: Compute): void {
    const { node, field } = this.descend(path, true);
    node.computed.set(field, compute);
    node.order.push(field);
  }

  private descend(path: string, computed: boolean): { node: Node; field: string } {
    const parts = parseFieldPath(path);
    let node = this.root;
    if (computed) node.hasComputed = true;
    for (let i = 0; i < parts.length - 1; i++) {
      const part = parts[i] as string;
      if (node.named.has(part) || node.computed.has(part)) {
        throw locationError(
          31249,
          `Path collision at ${path} remaining portion ${parts.slice(i + 1).join('.')}`,
        );
      }
      let child = node.children.get(part);
      if (child === undefined) {
        child = createNode();
        node.children.set(part, child);
        node.order.push(part);
      }
      node = child;
      if (computed) node.hasComputed = true;
    }
    const field = parts.at(-1) as string;
    if (node.named.has(field) || node.computed.has(field) || node.children.has(field)) {
      throw locationError(31250, `Path collision at ${path}`);
    }
    return { node, field };
  }

  apply(document: Document): Document {
    const { root, mode } = this;
    const narrowed = mode === 'addition' ? document : narrow(document, root, mode);
    return root.hasComputed ? addComputed(narrowed, root, document) : narrowed;
  }
}

/** Keeps the place of a scalar that a document with computed fields will come in for. */
const PLACEHOLDER: Value = null;

function narrow(document: Document, node: Node, mode: ProjectionMode): Document {
  const keep = mode === 'inclusion';
  const result: Document = new Map();
  for (const [name, value] of document) {
    if (node.named.has(name)) {
      if (keep) result.set(name, value);
      continue;
    }
    const child = node.children.get(name);
    if (child === undefined) {
      if (!keep) result.set(name, value);
      continue;
    }
    const narrowed = narrowValue(value, child, mode);
    if (narrowed !== undefined) result.set(name, narrowed);
    else if (child.hasComputed) result.set(name, PLACEHOLDER);
  }
  return result;
}

function narrowValue(value: Value, node: Node, mode: ProjectionMode): Value | undefined {
  if (value instanceof Map) return narrow(value, node, mode);
  if (Array.isArray(value)) {
    const result: Value[] = [];
    for (const item of value) {
      const narrowed = narrowValue(item, node, mode);
      if (narrowed !== undefined) result.push(narrowed);
      else if (node.hasComputed) result.push(PLACEHOLDER);
    }
    return result;
  }
  return mode === 'inclusion' ? undefined : value;
}

function addComputed(document: Document, node: Node, root: Document): Document {
  const result = copyDocument(document);
  for (const name of node.order) {
    const compute = node.computed.get(name);
    if (compute !== undefined) {
      const value = compute(root);
      if (value === undefined) result.delete(name);
      else result.set(name, value);
      continue;
    }
    const child = node.children.get(name);
    if (child?.hasComputed) result.set(name, addComputedTo(result.get(name), child, root));
  }
  return result;
}

function addComputedTo(value: Value | undefined, node: Node, root: Document): Value {
  if (value instanceof Map) return addComputed(value, node, root);
  if (Array.isArray(value)) return value.map((item) => addComputedTo(item, node, root));
  return addComputed(new Map(), node, root);
}

export type CompileField = (spec: Value) => Compute;

/** The tree of an `$addFields` specification. */
export function parseAddition(spec: Document, compile: CompileField): ProjectionTree {
  const tree = new ProjectionTree('addition');
  addFields(tree, spec, '', compile);
  return tree;
}

function addFields(
  tree: ProjectionTree,
  spec: Document,
  prefix: string,
  compile: CompileField,
): void {
  for (const [name, value] of spec) {
    const path = prefix + name;
    if (isNested(value)) addFields(tree, value, `${path}.`, compile);
    else tree.compute(path, compile(value));
  }
}

/** A document of further fields, not an expression and not empty. */
function isNested(value: Value): value is Document {
  return value instanceof Map && value.size > 0 && !isExpressionObject(value);
}

function isExpressionObject(value: Document): boolean {
  for (const name of value.keys()) return name.startsWith('$');
  return false;
}

interface ProjectedField {
  readonly path: string;
  readonly kind: 'include' | 'exclude' | 'compute';
  readonly spec: Value;
}

/** The tree of a `$project` specification, and the fields it keeps whole. */
export function parseProjection(
  spec: Document,
  compile: CompileField,
): { readonly tree: ProjectionTree; readonly kept: readonly string[] } {
  if (spec.size === 0) {
    throw locationError(51272, 'projection specification must have at least one field');
  }
  const fields: ProjectedField[] = [];
  flatten(spec, '', fields);
  const mode = decideMode(fields);
  checkMode(fields, mode);
  const tree = new ProjectionTree(mode);
  const kept: string[] = [];
  const mentionsId = fields.some(({ path }) => path === '_id' || path.startsWith('_id.'));
  if (mode === 'inclusion' && !mentionsId) {
    tree.name('_id');
    kept.push('_id');
  }
  for (const { path, kind, spec: value } of fields) {
    if (kind === 'compute') {
      tree.compute(path, compile(value));
    } else if ((kind === 'include') === (mode === 'inclusion')) {
      tree.name(path);
      if (kind === 'include') kept.push(path);
    }
  }
  return { tree, kept };
}

function flatten(spec: Document, prefix: string, into: ProjectedField[]): void {
  for (const [name, value] of spec) {
    const path = prefix + name;
    if (isNumeric(value) || typeof value === 'boolean') {
      into.push({ path, kind: isTruthy(value) ? 'include' : 'exclude', spec: value });
    } else if (isNested(value)) {
      flatten(value, `${path}.`, into);
    } else if (value instanceof Map && value.size === 0) {
      throw locationError(
        51270,
        `An empty sub-projection is not a valid value. Found empty object at path ${path}`,
      );
    } else {
      checkKnownExpression(value);
      into.push({ path, kind: 'compute', spec: value });
    }
  }
}

/** An unknown operator right at a field has an error of the projection's own. */
function checkKnownExpression(spec: Value): void {
  if (!(spec instanceof Map)) return;
  for (const name of spec.keys()) {
    if (!isExpressionOperator(name)) throw locationError(31325, `Unknown expression ${name}`);
    return;
  }
}

/** The first field other than `_id` decides. */
function decideMode(fields: readonly ProjectedField[]): 'inclusion' | 'exclusion' {
  const first = fields.find(({ path }) => path !== '_id') ?? fields[0];
  return first?.kind === 'exclude' ? 'exclusion' : 'inclusion';
}

function checkMode(fields: readonly ProjectedField[], mode: ProjectionMode): void {
  for (const { path, kind, spec } of fields) {
    if (path === '_id') continue;
    if (mode === 'inclusion' && kind === 'exclude') {
      throw locationError(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
    }
    if (mode === 'exclusion' && kind === 'include') {
      throw locationError(31253, `Cannot do inclusion on field ${path} in exclusion projection`);
    }
    if (mode === 'exclusion' && kind === 'compute') {
      throw locationError(
        31252,
        `Cannot use an expression other than $meta in an exclusion projection: ${path}: ${describeValue(spec)}`,
      );
    }
  }
}

/** MongoDB names the stage in front of the projection's own error. */
export function withStageName<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof MongoCommandError)) throw error;
    throw new MongoCommandError(
      error.codeName as `Location${number}`,
      `Invalid ${name} :: caused by :: ${error.message}`,
    );
  }
}
