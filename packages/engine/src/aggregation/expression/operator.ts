/**
 * What an expression operator is made of: the compiled form, the scope it is compiled in, and the
 * helpers by which operator families declare themselves.
 */
import type { Collator } from '../../bson/compare.ts';
import type { DateTime, Document, Timestamp, Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';

/** Values of variables at run time, by the slot that the scope gave each variable. */
export type Variables = (Value | undefined)[];

/** A compiled expression; `undefined` is a missing value. */
export type Evaluator = (root: Document, variables: Variables) => Value | undefined;

export interface Expression {
  readonly evaluate: Evaluator;
  /** The value does not depend on document or variables, so it may be computed once. */
  readonly constant: boolean;
}

/** What one pipeline or command shares between all expressions compiled for it. */
export interface ExpressionRuntime {
  readonly now: DateTime;
  readonly clusterTime?: Timestamp | undefined;
  readonly userRoles?: readonly Value[] | undefined;
  readonly collation?: Collator | undefined;
  readonly random?: (() => number) | undefined;
}

/** Top-level fields of the input that compiled expressions read; `whole` when all may be. */
export interface FieldUse {
  readonly fields: Set<string>;
  whole: boolean;
}

export type Binding =
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'constant'; readonly value: Value | undefined };

/** The names an expression may use, and how to compile its parts. */
export interface Scope {
  readonly runtime: ExpressionRuntime;
  readonly use: FieldUse;
  /** Present where `CURRENT` is no longer the root document. */
  readonly current?: Binding | undefined;
  lookup(name: string): Binding | undefined;
  /** A scope in which `name` is a fresh variable, and the slot that holds it. */
  bind(name: string): { readonly scope: Scope; readonly slot: number };
  compile(spec: Value): Expression;
}

export type OperatorCompiler = (argument: Value, scope: Scope, name: string) => Expression;
export type OperatorTable = Readonly<Record<string, OperatorCompiler>>;

type Argument = Value | undefined;

export function constantExpression(value: Value | undefined): Expression {
  return { evaluate: () => value, constant: true };
}

const NO_DOCUMENT: Document = new Map();

/** An expression computed from parts: folded to its value when all parts are constant. */
export function fromParts(parts: readonly Expression[], evaluate: Evaluator): Expression {
  if (!parts.every((part) => part.constant)) return { evaluate, constant: false };
  try {
    return constantExpression(evaluate(NO_DOCUMENT, []));
  } catch {
    // MongoDB reports it when the expression runs on a document; so does this.
    return { evaluate, constant: false };
  }
}

function operands(argument: Value): readonly Value[] {
  return Array.isArray(argument) ? argument : [argument];
}

function checkArity(name: string, count: number, min: number, max: number): void {
  if (count >= min && count <= max) return;
  if (min === max) {
    throw locationError(
      16020,
      `Expression ${name} takes exactly ${min} arguments. ${count} were passed in.`,
    );
  }
  throw locationError(
    28667,
    `Expression ${name} takes at least ${min} arguments, and at most ${max}, but ${count} were passed in.`,
  );
}

/** An operator of one argument: `{$op: x}` or `{$op: [x]}`. */
export function unary(
  apply: (value: Argument, name: string, scope: Scope) => Argument,
): OperatorCompiler {
  return (argument, scope, name) => {
    const specs = operands(argument);
    checkArity(name, specs.length, 1, 1);
    const operand = scope.compile(specs[0] as Value);
    const { evaluate } = operand;
    return fromParts([operand], (root, variables) => apply(evaluate(root, variables), name, scope));
  };
}

/** An operator of exactly two arguments. */
export function binary(
  apply: (left: Argument, right: Argument, name: string, scope: Scope) => Argument,
): OperatorCompiler {
  return (argument, scope, name) => {
    const specs = operands(argument);
    checkArity(name, specs.length, 2, 2);
    const left = scope.compile(specs[0] as Value);
    const right = scope.compile(specs[1] as Value);
    const first = left.evaluate;
    const second = right.evaluate;
    return fromParts([left, right], (root, variables) =>
      apply(first(root, variables), second(root, variables), name, scope),
    );
  };
}

/** An operator of `min` to `max` arguments, given to it as a list. */
export function variadic(
  min: number,
  max: number,
  apply: (values: Argument[], name: string, scope: Scope) => Argument,
): OperatorCompiler {
  return (argument, scope, name) => {
    const specs = operands(argument);
    checkArity(name, specs.length, min, max);
    const parts = specs.map((spec) => scope.compile(spec));
    const evaluators = parts.map((part) => part.evaluate);
    return fromParts(parts, (root, variables) => {
      const values: Argument[] = new Array(evaluators.length);
      for (let i = 0; i < evaluators.length; i++) {
        values[i] = (evaluators[i] as Evaluator)(root, variables);
      }
      return apply(values, name, scope);
    });
  };
}

export interface NamedArguments {
  readonly required: readonly string[];
  readonly optional?: readonly string[];
  /** Errors differ by operator in MongoDB, so each says its own. */
  readonly notAnObject: (name: string, argument: Value) => Error;
  readonly unknown: (name: string, field: string) => Error;
  readonly missing: (name: string, field: string) => Error;
}

/** The fields of an operator's argument document, checked against what it takes. */
export function readNamedArguments(
  argument: Value,
  name: string,
  shape: NamedArguments,
): ReadonlyMap<string, Value> {
  if (!(argument instanceof Map)) throw shape.notAnObject(name, argument);
  for (const field of argument.keys()) {
    if (!shape.required.includes(field) && !(shape.optional ?? []).includes(field)) {
      throw shape.unknown(name, field);
    }
  }
  for (const field of shape.required) {
    if (!argument.has(field)) throw shape.missing(name, field);
  }
  return argument;
}

/** An operator whose argument is a document of named expressions. */
export function named(
  shape: NamedArguments,
  apply: (values: Readonly<Record<string, Argument>>, name: string, scope: Scope) => Argument,
): OperatorCompiler {
  const fields = [...shape.required, ...(shape.optional ?? [])];
  return (argument, scope, name) => {
    const given = readNamedArguments(argument, name, shape);
    const present = fields.filter((field) => given.has(field));
    const parts = present.map((field) => scope.compile(given.get(field) as Value));
    return fromParts(parts, (root, variables) => {
      const values: Record<string, Argument> = {};
      present.forEach((field, i) => {
        values[field] = (parts[i] as Expression).evaluate(root, variables);
      });
      return apply(values, name, scope);
    });
  };
}

const FIRST_CHARACTER = /^[a-z\u0080-\uffff]/;
const LATER_CHARACTER = /[^a-zA-Z0-9_\u0080-\uffff]/;

/** Refuses names that a pipeline may not give to its own variables. */
export function checkVariableName(name: string): void {
  if (name === '') throw failedToParse('empty variable names are not allowed');
  if (!FIRST_CHARACTER.test(name)) {
    throw failedToParse(`'${name}' starts with an invalid character for a user variable name`);
  }
  const bad = LATER_CHARACTER.exec(name);
  if (bad !== null) {
    throw failedToParse(`'${name}' contains an invalid character for a variable name: '${bad[0]}'`);
  }
}
