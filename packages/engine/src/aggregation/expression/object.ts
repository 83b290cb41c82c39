/** `$mergeObjects`, `$getField`, `$setField`, `$unsetField`. */
import type { Document, Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import {
  constantExpression,
  type Expression,
  fromParts,
  type OperatorTable,
  readNamedArguments,
  type Scope,
  variadic,
} from './operator.ts';
import { describeValue, isNullish, typeName } from './value-kind.ts';

type Argument = Value | undefined;

/** Joins a document into another, later fields winning; null counts as empty. */
export function mergeInto(target: Document, value: Argument): void {
  if (isNullish(value)) return;
  if (!(value instanceof Map)) {
    throw locationError(
      40400,
      `$mergeObjects requires object inputs, but input ${describeValue(value)} is of type ${typeName(value)}`,
    );
  }
  for (const [name, field] of value) target.set(name, field);
}

function mergeObjects(values: readonly Argument[]): Argument {
  const merged: Document = new Map();
  for (const value of values) mergeInto(merged, value);
  return merged;
}

/** The `field` of these operators: a constant, though it may be written as an expression. */
function compileFieldName(spec: Value, scope: Scope, name: string, codes: readonly number[]) {
  if (typeof spec === 'string' && spec.startsWith('$')) {
    throw locationError(
      codes[0] as number,
      `A field path reference which is not allowed in this context. Did you mean {$literal: '${spec}'}?`,
    );
  }
  const expression = scope.compile(spec);
  if (!expression.constant && name !== '$getField') {
    throw locationError(
      codes[1] as number,
      `${name} requires 'field' to evaluate to a constant, but got a non-constant argument`,
    );
  }
  return expression;
}

function compileGetField(argument: Value, scope: Scope): Expression {
  const { field, input } = readGetField(argument);
  const fieldExpression = compileFieldName(field, scope, '$getField', [5654600, 5654601]);
  const inputExpression = scope.compile(input);
  return fromParts([fieldExpression, inputExpression], (root, variables) => {
    const name = fieldExpression.evaluate(root, variables);
    if (typeof name !== 'string') {
      throw locationError(
        3041704,
        `$getField requires 'field' to evaluate to type String, but got ${typeName(name)}`,
      );
    }
    const document = inputExpression.evaluate(root, variables);
    if (document instanceof Map) return document.get(name);
    return isNullish(document) && document !== undefined ? null : undefined;
  });
}

function readGetField(argument: Value): { field: Value; input: Value } {
  const isLongForm =
    argument instanceof Map && [...argument.keys()].every((name) => !name.startsWith('$'));
  if (!isLongForm) return { field: argument, input: '$$CURRENT' };
  const given = readNamedArguments(argument, '$getField', {
    required: ['field', 'input'],
    notAnObject: () => locationError(3041701, '$getField requires an object'),
    unknown: (_name, field) =>
      locationError(3041701, `$getField found an unknown argument: ${field}`),
    missing: (_name, field) =>
      locationError(
        field === 'field' ? 3041702 : 3041703,
        `$getField requires '${field}' to be specified`,
      ),
  });
  return { field: given.get('field') as Value, input: given.get('input') as Value };
}

function compileSetField(argument: Value, scope: Scope, name: string): Expression {
  const removing = name === '$unsetField';
  const given = readNamedArguments(argument, name, {
    required: removing ? ['field', 'input'] : ['field', 'input', 'value'],
    notAnObject: () => locationError(4161100, `${name} only supports an object as its argument`),
    unknown: (_name, field) =>
      locationError(4161101, `${name} found an unknown argument: ${field}`),
    missing: (_name, field) =>
      locationError(
        field === 'field' ? 4161102 : field === 'value' ? 4161103 : 4161109,
        `${name} requires '${field}' to be specified`,
      ),
  });
  const field = compileFieldName(given.get('field') as Value, scope, name, [4161108, 4161106]);
  const key = field.evaluate(new Map(), []);
  if (typeof key !== 'string') {
    throw locationError(
      4161107,
      `${name} requires 'field' to evaluate to type String, but got ${typeName(key)}`,
    );
  }
  const input = scope.compile(given.get('input') as Value);
  const value = removing
    ? constantExpression(undefined)
    : scope.compile(given.get('value') as Value);
  return fromParts([input, value], (root, variables) => {
    const document = input.evaluate(root, variables);
    if (isNullish(document)) return null;
    if (!(document instanceof Map)) {
      throw locationError(4161105, `${name} requires 'input' to evaluate to type Object`);
    }
    const result = new Map(document);
    const set = value.evaluate(root, variables);
    if (set === undefined) result.delete(key);
    else result.set(key, set);
    return result;
  });
}

export const objectOperators: OperatorTable = {
  $mergeObjects: variadic(0, Number.POSITIVE_INFINITY, mergeObjects),
  $getField: compileGetField,
  $setField: compileSetField,
  $unsetField: compileSetField,
};
