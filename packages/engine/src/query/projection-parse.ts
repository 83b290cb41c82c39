/** Reads what a projection asks for into a tree of fields (manual, "Project Fields to Return from Query"). */
import type { Collator } from '../bson/compare.ts';
import { isNumeric, isZero, toExactInt32 } from '../bson/numeric.ts';
import type { Document, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { describeValue } from './describe.ts';
import { type CompileExpression, compileFilter, positionOf } from './filter.ts';

/** What a projection's expressions are compiled with. */
export interface ProjectionOptions {
  readonly collation?: Collator | undefined;
  readonly variables?: ReadonlyMap<string, Value> | undefined;
  readonly compileExpression?: CompileExpression | undefined;
  /** The metadata value of a document for `{ $meta: … }`. */
  readonly metaOf?: ((document: Document, name: string) => Value | undefined) | undefined;
}

/** What one application knows. */
export interface Frame {
  readonly root: Document;
  readonly position: number | undefined;
}

/** Changes the value found at its path; `undefined` leaves the field out. */
export type Transform = (value: Value, frame: Frame) => Value | undefined;

/** Computes a value, whatever stands at its path. */
export type Compute = (frame: Frame) => Value | undefined;

/** What becomes of a field. */
export type Node =
  | { readonly kind: 'include' | 'exclude' }
  | { readonly kind: 'transform'; readonly transform: Transform }
  | { readonly kind: 'compute'; readonly compute: Compute }
  | { readonly kind: 'nested'; readonly children: Map<string, Node> };

function fail(code: number, message: string): MongoCommandError {
  return new MongoCommandError(`Location${code}`, message);
}

/** Reads one projection; its fields are the outcome. */
export class Parser {
  readonly root = new Map<string, Node>();
  readonly metadata: string[] = [];
  needsPositions = false;
  hasExpressions = false;
  private mode: 'inclusion' | 'exclusion' | undefined;
  private idIncluded: boolean | undefined;
  private readonly options: ProjectionOptions;

  constructor(options: ProjectionOptions) {
    this.options = options;
  }

  /** True for an inclusion; `_id` alone decides only where nothing else does. */
  get isInclusion(): boolean {
    if (this.mode !== undefined) return this.mode === 'inclusion';
    return this.idIncluded === true;
  }

  get includesId(): boolean {
    return this.idIncluded !== false;
  }

  parse(spec: Document, prefix: string): void {
    for (const [name, value] of spec) {
      if (name === '') throw fail(40352, 'FieldPath cannot be constructed with empty string');
      this.field(prefix === '' ? name : `${prefix}.${name}`, value);
    }
  }

  private field(path: string, value: Value): void {
    if (path.endsWith('.$') || path.includes('.$.')) {
      this.positional(path, value);
    } else if (typeof value === 'boolean' || isNumeric(value)) {
      this.flag(path, typeof value === 'boolean' ? value : !isZero(value));
    } else if (value instanceof Map) {
      this.document(path, value);
    } else {
      this.expression(path, value);
    }
  }

  private flag(path: string, include: boolean): void {
    if (path === '_id') {
      this.idIncluded = include;
      this.put(path, { kind: include ? 'include' : 'exclude' });
      return;
    }
    this.require(include ? 'inclusion' : 'exclusion', path);
    this.put(path, { kind: include ? 'include' : 'exclude' });
  }

  private require(mode: 'inclusion' | 'exclusion', path: string): void {
    if (this.mode === undefined) {
      this.mode = mode;
    } else if (this.mode !== mode) {
      throw mode === 'inclusion'
        ? fail(31253, `Cannot do inclusion on field ${path} in exclusion projection`)
        : fail(31254, `Cannot do exclusion on field ${path} in inclusion projection`);
    }
  }

  private positional(path: string, value: Value): void {
    if (!path.endsWith('.$')) {
      throw fail(
        31394,
        `As of 4.4, it's illegal to specify positional operator in the middle of a path.Positional projection may only be used at the end, for example: a.b.$. If the query previously used a form like a.b.$.d, remove the parts following the '$' and the results will be equivalent.`,
      );
    }
    if (value === false || (isNumeric(value) && isZero(value))) {
      throw fail(31395, 'positional projection cannot be used with exclusion');
    }
    if (value !== true && !isNumeric(value)) {
      throw fail(31271, 'positional projection cannot be used with a literal');
    }
    if (this.needsPositions) {
      throw fail(31276, 'Cannot specify more than one positional projection per query.');
    }
    this.needsPositions = true;
    const base = path.slice(0, -2);
    this.require('inclusion', base);
    this.put(base, { kind: 'transform', transform: positionalElement });
  }

  private document(path: string, value: Document): void {
    const [operator, argument] = [...value][0] ?? [];
    if (operator === undefined) {
      throw fail(51270, `An empty sub-projection is not a valid value. Found empty object at path`);
    }
    if (!operator.startsWith('$')) {
      this.parse(value, path);
      return;
    }
    if (value.size === 1 && argument !== undefined) {
      if (operator === '$slice' && this.slice(path, argument)) return;
      if (operator === '$elemMatch') {
        this.elemMatch(path, argument);
        return;
      }
      if (operator === '$meta') {
        this.meta(path, argument);
        return;
      }
    }
    this.expression(path, value);
  }

  /** False when the argument is that of the `$slice` expression (its first one no number). */
  private slice(path: string, argument: Value): boolean {
    const numbers = Array.isArray(argument) ? argument : [argument];
    const whole = numbers.map(toExactInt32);
    if (Array.isArray(argument) && (argument.length !== 2 || whole[0] === undefined)) return false;
    const [first, second] = whole;
    if (first === undefined || (numbers.length === 2 && second === undefined)) {
      throw fail(
        28667,
        `Invalid $slice syntax. The given syntax { $slice: ${describeValue(argument)} } did not match the find() syntax because :: Location31273: $slice only supports numbers and [skip, limit] arrays :: The given syntax did not match the expression $slice syntax. :: caused by :: Expression $slice takes at least 2 arguments, and at most 3, but 1 were passed in.`,
      );
    }
    if (second !== undefined && second <= 0) {
      throw fail(28724, `First argument to $slice must be positive: ${second}`);
    }
    this.put(path, {
      kind: 'transform',
      transform: (value) => (Array.isArray(value) ? sliceOf(value, first, second) : value),
    });
    return true;
  }

  private elemMatch(path: string, argument: Value): void {
    if (path.includes('.')) throw fail(31274, 'Cannot use $elemMatch projection on a nested field');
    if (!(argument instanceof Map))
      throw fail(
        31274,
        `elemMatch: Invalid argument, object required, but got ${describeValue(argument)}`,
      );
    if (this.mode === 'exclusion') {
      throw fail(31255, 'Cannot use $elemMatch projection in an exclusion projection');
    }
    this.mode = 'inclusion';
    this.hasExpressions = true;
    const query: Document = new Map([['x', new Map([['$elemMatch', argument]])]]);
    const filter = compileFilter(query, {
      collation: this.options.collation,
      variables: this.options.variables,
      compileExpression: this.options.compileExpression,
    });
    this.put(path, {
      kind: 'compute',
      compute: ({ root }) => {
        const value = root.get(path);
        if (!Array.isArray(value)) return undefined;
        const wrapped: Document = new Map([['x', value]]);
        const place = positionOf(filter.positions(wrapped));
        return place === undefined ? undefined : [value[place] ?? null];
      },
    });
  }

  private meta(path: string, argument: Value): void {
    if (typeof argument !== 'string') throw fail(17307, '$meta must be a string');
    const { metaOf } = this.options;
    this.metadata.push(argument);
    this.hasExpressions = true;
    this.put(path, { kind: 'compute', compute: ({ root }) => metaOf?.(root, argument) });
  }

  private expression(path: string, value: Value): void {
    if (this.mode === 'exclusion') {
      throw fail(31252, 'Cannot use expression other than $meta in exclusion projection');
    }
    if (this.options.compileExpression === undefined) {
      throw new MongoCommandError(
        'NotImplemented',
        'expressions are not allowed in this projection',
      );
    }
    if (path !== '_id') this.mode = 'inclusion';
    this.hasExpressions = true;
    const evaluate = this.options.compileExpression(value, this.options.variables);
    this.put(path, { kind: 'compute', compute: ({ root }) => evaluate(root) });
    if (path === '_id') this.idIncluded ??= true;
  }

  private put(path: string, node: Node): void {
    if (path.endsWith('.')) throw fail(40353, "FieldPath must not end with a '.'.");
    const parts = path.split('.');
    let children = this.root;
    for (const [depth, part] of parts.entries()) {
      if (part === '') throw fail(15998, 'FieldPath field names may not be empty strings.');
      if (part.startsWith('$') && !['$id', '$ref', '$db'].includes(part)) {
        throw fail(
          16410,
          "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
        );
      }
      const existing = children.get(part);
      if (depth === parts.length - 1) {
        if (existing !== undefined) throw fail(31250, `Path collision at ${path}`);
        children.set(part, node);
      } else if (existing === undefined) {
        const nested = { kind: 'nested' as const, children: new Map<string, Node>() };
        children.set(part, nested);
        children = nested.children;
      } else if (existing.kind === 'nested') {
        children = existing.children;
      } else {
        const rest = parts.slice(depth + 1).join('.');
        throw fail(31249, `Path collision at ${path} remaining portion ${rest}`);
      }
    }
  }
}

function sliceOf(array: Value[], first: number, second: number | undefined): Value[] {
  if (second === undefined) {
    return first < 0 ? array.slice(first) : array.slice(0, first);
  }
  const start = first < 0 ? Math.max(0, array.length + first) : first;
  return array.slice(start, start + second);
}

const positionalElement: Transform = (value, { position }) => {
  if (!Array.isArray(value)) return value;
  const element = position === undefined ? undefined : value[position];
  if (element === undefined) {
    throw fail(51246, "positional operator '.$' couldn't find a matching element in the array");
  }
  return [element];
};
