/** Compiles aggregation expressions (MongoDB manual, "Aggregation Expressions") to closures. */
import type { Document, Timestamp, Value } from '../bson/value.ts';
import { MongoCommandError } from '../errors/mongo-command-error.ts';
import { failedToParse, locationError } from './aggregation-error.ts';
import { accumulatorOperators } from './expression/accumulator.ts';
import { arithmeticOperators } from './expression/arithmetic.ts';
import { arrayOperators } from './expression/array.ts';
import { arrayIterationOperators } from './expression/array-iteration.ts';
import { arrayOrderOperators } from './expression/array-order.ts';
import { bitwiseOperators } from './expression/bitwise.ts';
import { booleanOperators } from './expression/boolean.ts';
import { comparisonOperators } from './expression/comparison.ts';
import { conditionalOperators } from './expression/conditional.ts';
import { convertOperators } from './expression/convert.ts';
import { dateOperators } from './expression/date.ts';
import { dateArithmeticOperators } from './expression/date-arithmetic.ts';
import { dateTextOperators } from './expression/date-text.ts';
import { miscellaneousOperators } from './expression/miscellaneous.ts';
import { objectOperators } from './expression/object.ts';
import {
  type Binding,
  constantExpression,
  type Evaluator,
  type Expression,
  type ExpressionRuntime,
  type FieldUse,
  fromParts,
  type OperatorCompiler,
  type Scope,
  type Variables,
} from './expression/operator.ts';
import { regexOperators } from './expression/regex.ts';
import { setOperators } from './expression/set.ts';
import { stringOperators } from './expression/string.ts';
import { stringReplaceOperators } from './expression/string-replace.ts';
import { trigonometryOperators } from './expression/trigonometry.ts';
import { describeValue } from './expression/value-kind.ts';
import { variableOperators } from './expression/variable.ts';
import { parseFieldPath, readPath, readPathBelow } from './field-path.ts';

const OPERATORS: ReadonlyMap<string, OperatorCompiler> = new Map(
  [
    accumulatorOperators,
    arithmeticOperators,
    arrayOperators,
    arrayIterationOperators,
    arrayOrderOperators,
    bitwiseOperators,
    booleanOperators,
    comparisonOperators,
    conditionalOperators,
    convertOperators,
    dateOperators,
    dateArithmeticOperators,
    dateTextOperators,
    miscellaneousOperators,
    objectOperators,
    regexOperators,
    setOperators,
    stringOperators,
    stringReplaceOperators,
    trigonometryOperators,
    variableOperators,
  ].flatMap((table) => Object.entries(table)),
);

/** True when `name` (with its dollar) is an expression operator. */
export function isExpressionOperator(name: string): boolean {
  return OPERATORS.has(name);
}

/** Hands out the slots of one variable frame; one per pipeline, so that frames never overlap. */
export class SlotCounter {
  private count = 0;
  next(): number {
    return this.count++;
  }
}

/** The scope expressions are compiled in: variables by name, and what the pipeline shares. */
export class ExpressionScope implements Scope {
  readonly runtime: ExpressionRuntime;
  readonly use: FieldUse;
  private readonly names: ReadonlyMap<string, Binding>;
  private readonly slots: SlotCounter;

  constructor(
    runtime: ExpressionRuntime,
    names: ReadonlyMap<string, Binding> = new Map(),
    slots: SlotCounter = new SlotCounter(),
    use: FieldUse = { fields: new Set(), whole: false },
  ) {
    this.runtime = runtime;
    this.names = names;
    this.slots = slots;
    this.use = use;
  }

  /** True when variables in scope get their values while a pipeline runs. */
  get hasSlots(): boolean {
    return [...this.names.values()].some((binding) => binding.kind === 'slot');
  }

  get current(): Binding | undefined {
    return this.names.get('CURRENT');
  }

  lookup(name: string): Binding | undefined {
    return this.names.get(name);
  }

  bind(name: string): { readonly scope: ExpressionScope; readonly slot: number } {
    const slot = this.slots.next();
    const names = new Map(this.names).set(name, { kind: 'slot', slot });
    return { scope: new ExpressionScope(this.runtime, names, this.slots, this.use), slot };
  }

  /** A scope with further variables. */
  with(bindings: ReadonlyMap<string, Binding>): ExpressionScope {
    const names = new Map([...this.names, ...bindings]);
    return new ExpressionScope(this.runtime, names, this.slots, this.use);
  }

  /** The same variables over another stream of documents, whose fields are noted apart. */
  withUse(use: FieldUse): ExpressionScope {
    return new ExpressionScope(this.runtime, this.names, this.slots, use);
  }

  compile(spec: Value): Expression {
    return compile(spec, this);
  }
}

/** Compiles `spec`; variables get their values from the frame given to the evaluator. */
export function compileExpression(spec: Value, scope: Scope): Evaluator {
  return scope.compile(spec).evaluate;
}

/** Options of `createExpressionCompiler`, for `$expr` and find projections. */
export interface ExpressionCompilerOptions extends ExpressionRuntime {
  readonly variables?: ReadonlyMap<string, Value> | undefined;
}

/** A compiler of stand-alone expressions over one document, for `$expr` and projections. */
export function createExpressionCompiler(
  options: ExpressionCompilerOptions,
): (
  spec: Value,
  variables?: ReadonlyMap<string, Value>,
) => (document: Document) => Value | undefined {
  return (spec, variables) => {
    const names = constantBindings(options.variables);
    for (const [name, binding] of constantBindings(variables)) names.set(name, binding);
    const { evaluate } = compile(spec, new ExpressionScope(options, names));
    const frame: Variables = [];
    return (document) => evaluate(document, frame);
  };
}

/** Variables whose values are known before compiling: those of a command's `let`. */
export function constantBindings(
  variables: ReadonlyMap<string, Value> | undefined,
): Map<string, Binding> {
  const names = new Map<string, Binding>();
  for (const [name, value] of variables ?? []) names.set(name, { kind: 'constant', value });
  return names;
}

/** The values of a command's `let`, each computed once without a document. */
export function evaluateLet(spec: Document, runtime: ExpressionRuntime): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [name, expression] of spec) {
    const scope = new ExpressionScope(runtime, constantBindings(values));
    const compiled = compile(expression, scope);
    if (scope.use.whole || scope.use.fields.size > 0) {
      throw locationError(
        4890500,
        'Command let Expression tried to access a field, but this is not allowed because command let Expressions run before the query examines any documents.',
      );
    }
    const value = compiled.evaluate(new Map(), []);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

function compile(spec: Value, scope: Scope): Expression {
  if (typeof spec === 'string') {
    return spec.startsWith('$') ? compilePath(spec, scope) : constantExpression(spec);
  }
  if (spec instanceof Map) return compileObject(spec, scope);
  if (Array.isArray(spec)) return compileArray(spec, scope);
  return constantExpression(spec);
}

function compileArray(spec: readonly Value[], scope: Scope): Expression {
  const parts = spec.map((item) => compile(item, scope));
  const evaluators = parts.map((part) => part.evaluate);
  return fromParts(parts, (root, variables) =>
    evaluators.map((evaluate) => evaluate(root, variables) ?? null),
  );
}

function compileObject(spec: Document, scope: Scope): Expression {
  const first = spec.keys().next();
  if (!first.done && first.value.startsWith('$')) {
    if (spec.size > 1) {
      throw locationError(
        15983,
        `an object representing an expression must have exactly one field: ${describeValue(spec)}`,
      );
    }
    return compileOperator(first.value, spec.get(first.value) as Value, scope);
  }
  const fields = [...spec].map(([name, value]) => {
    checkLiteralFieldName(name);
    return { name, expression: compile(value, scope) };
  });
  return fromParts(
    fields.map((field) => field.expression),
    (root, variables) => {
      const document: Document = new Map();
      for (const { name, expression } of fields) {
        const value = expression.evaluate(root, variables);
        if (value !== undefined) document.set(name, value);
      }
      return document;
    },
  );
}

function checkLiteralFieldName(name: string): void {
  if (name.startsWith('$')) {
    throw locationError(
      16410,
      "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
    );
  }
  if (name.includes('.')) {
    throw locationError(
      16412,
      "FieldPath field names may not contain '.'. Consider using $getField or $setField.",
    );
  }
  if (name === '') throw locationError(15998, 'FieldPath field names may not be empty strings.');
}

function compileOperator(name: string, argument: Value, scope: Scope): Expression {
  const operator = OPERATORS.get(name);
  if (operator === undefined) {
    throw new MongoCommandError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
  }
  return operator(argument, scope, name);
}

function compilePath(spec: string, scope: Scope): Expression {
  if (spec.startsWith('$$')) return compileVariablePath(spec.slice(2), scope);
  if (spec === '$') {
    throw locationError(16872, "'$' by itself is not a valid FieldPath");
  }
  const path = parseFieldPath(spec.slice(1));
  if (scope.current !== undefined) return readBinding(scope.current, path);
  scope.use.fields.add(path[0] as string);
  if (path.length === 1) {
    const name = path[0] as string;
    return { evaluate: (root) => root.get(name), constant: false };
  }
  return { evaluate: (root) => readPath(root, path), constant: false };
}

function compileVariablePath(spec: string, scope: Scope): Expression {
  const dot = spec.indexOf('.');
  const name = dot < 0 ? spec : spec.slice(0, dot);
  checkVariableReference(name);
  const path = dot < 0 ? [] : parseFieldPath(spec.slice(dot + 1));
  const bound = scope.lookup(name);
  if (bound !== undefined) return readBinding(bound, path);
  switch (name) {
    case 'ROOT':
    case 'CURRENT':
      return readRoot(path, scope);
    case 'REMOVE':
      return constantExpression(undefined);
    case 'NOW':
      return readBinding({ kind: 'constant', value: scope.runtime.now }, path);
    case 'CLUSTER_TIME':
      return readClusterTime(scope.runtime.clusterTime, path);
    case 'USER_ROLES':
      return readBinding({ kind: 'constant', value: [...(scope.runtime.userRoles ?? [])] }, path);
    default:
      throw locationError(17276, `Use of undefined variable: ${name}`);
  }
}

function checkVariableReference(name: string): void {
  if (name === '') throw failedToParse('empty variable names are not allowed');
  if (!/^[a-zA-Z\u0080-\uffff]/.test(name)) {
    throw failedToParse(`'${name}' starts with an invalid character for a user variable name`);
  }
  const bad = /[^a-zA-Z0-9_\u0080-\uffff]/.exec(name);
  if (bad !== null) {
    throw failedToParse(`'${name}' contains an invalid character for a variable name: '${bad[0]}'`);
  }
}

function readRoot(path: readonly string[], scope: Scope): Expression {
  if (path.length === 0) {
    scope.use.whole = true;
    return { evaluate: (root) => root, constant: false };
  }
  scope.use.fields.add(path[0] as string);
  return { evaluate: (root) => readPath(root, path), constant: false };
}

function readClusterTime(time: Timestamp | undefined, path: readonly string[]): Expression {
  if (time === undefined) {
    throw locationError(51144, "Builtin variable '$$CLUSTER_TIME' is not available");
  }
  return readBinding({ kind: 'constant', value: time }, path);
}

function readBinding(binding: Binding, path: readonly string[]): Expression {
  if (binding.kind === 'constant') {
    const value = path.length === 0 ? binding.value : readPathBelow(binding.value, path, 0);
    return constantExpression(value);
  }
  const { slot } = binding;
  if (path.length === 0) {
    return { evaluate: (_root, variables) => variables[slot], constant: false };
  }
  return {
    evaluate: (_root, variables) => readPathBelow(variables[slot], path, 0),
    constant: false,
  };
}
