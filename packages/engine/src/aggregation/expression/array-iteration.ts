/** `$filter`, `$map`, `$reduce`: expressions evaluated once for each element. */
import type { Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import {
  checkVariableName,
  type Expression,
  type OperatorTable,
  readNamedArguments,
  type Scope,
} from './operator.ts';
import { describeValue, isNullish, isNumeric, isTruthy, toInt32, typeName } from './value-kind.ts';

function readElementName(given: ReadonlyMap<string, Value>): string {
  const name = given.get('as');
  if (name === undefined) return 'this';
  if (typeof name !== 'string') {
    throw locationError(16881, `'as' must be a string, found ${typeName(name)}`);
  }
  checkVariableName(name);
  return name;
}

function compileFilter(argument: Value, scope: Scope, operator: string): Expression {
  const given = readNamedArguments(argument, operator, {
    required: ['input', 'cond'],
    optional: ['as', 'limit'],
    notAnObject: () => locationError(28646, '$filter only supports an object as its argument'),
    unknown: (_name, field) => locationError(28647, `Unrecognized parameter to $filter: ${field}`),
    missing: (_name, field) =>
      locationError(field === 'input' ? 28648 : 28650, `Missing '${field}' parameter to $filter`),
  });
  const input = scope.compile(given.get('input') as Value);
  const { scope: inner, slot } = scope.bind(readElementName(given));
  const condition = inner.compile(given.get('cond') as Value);
  const limitSpec = given.get('limit');
  const limit = limitSpec === undefined ? undefined : scope.compile(limitSpec);
  return {
    constant: false,
    evaluate: (root, variables) => {
      const array = input.evaluate(root, variables);
      if (isNullish(array)) return null;
      if (!Array.isArray(array)) {
        throw locationError(28651, `input to $filter must be an array not ${typeName(array)}`);
      }
      const most = readFilterLimit(limit?.evaluate(root, variables));
      const kept: Value[] = [];
      for (const item of array) {
        if (kept.length >= most) break;
        variables[slot] = item;
        if (isTruthy(condition.evaluate(root, variables))) kept.push(item);
      }
      return kept;
    },
  };
}

function readFilterLimit(value: Value | undefined): number {
  if (isNullish(value)) return Number.POSITIVE_INFINITY;
  const limit = isNumeric(value) ? toInt32(value) : undefined;
  if (limit === undefined) {
    throw locationError(
      327391,
      `$filter: limit must be represented as a 32-bit integral value: ${describeValue(value)}`,
    );
  }
  if (limit < 1) {
    throw locationError(327392, `$filter: limit must be greater than 0: ${limit}`);
  }
  return limit;
}

function compileMap(argument: Value, scope: Scope, operator: string): Expression {
  const given = readNamedArguments(argument, operator, {
    required: ['input', 'in'],
    optional: ['as'],
    notAnObject: () => locationError(16878, '$map only supports an object as its argument'),
    unknown: (_name, field) => locationError(16879, `Unrecognized parameter to $map: ${field}`),
    missing: (_name, field) =>
      locationError(field === 'input' ? 16880 : 16882, `Missing '${field}' parameter to $map`),
  });
  const input = scope.compile(given.get('input') as Value);
  const { scope: inner, slot } = scope.bind(readElementName(given));
  const { evaluate } = inner.compile(given.get('in') as Value);
  return {
    constant: false,
    evaluate: (root, variables) => {
      const array = input.evaluate(root, variables);
      if (isNullish(array)) return null;
      if (!Array.isArray(array)) {
        throw locationError(16883, `input to $map must be an array not ${typeName(array)}`);
      }
      return array.map((item) => {
        variables[slot] = item;
        return evaluate(root, variables) ?? null;
      });
    },
  };
}

const REDUCE_MISSING: Readonly<Record<string, number>> = {
  input: 40077,
  initialValue: 40078,
  in: 40079,
};

function compileReduce(argument: Value, scope: Scope, operator: string): Expression {
  const given = readNamedArguments(argument, operator, {
    required: ['input', 'initialValue', 'in'],
    notAnObject: (_name, value) =>
      locationError(40075, `$reduce requires an object as an argument, found: ${typeName(value)}`),
    unknown: (_name, field) => locationError(40076, `$reduce found an unknown argument: ${field}`),
    missing: (_name, field) =>
      locationError(REDUCE_MISSING[field] ?? 40077, `$reduce requires '${field}' to be specified`),
  });
  const input = scope.compile(given.get('input') as Value);
  const initial = scope.compile(given.get('initialValue') as Value);
  const element = scope.bind('this');
  const accumulated = element.scope.bind('value');
  const { evaluate } = accumulated.scope.compile(given.get('in') as Value);
  return {
    constant: false,
    evaluate: (root, variables) => {
      const array = input.evaluate(root, variables);
      if (isNullish(array)) return null;
      if (!Array.isArray(array)) {
        throw locationError(
          40080,
          `$reduce requires that 'input' be an array, found: ${describeValue(array)}`,
        );
      }
      let value = initial.evaluate(root, variables);
      for (const item of array) {
        variables[element.slot] = item;
        variables[accumulated.slot] = value;
        value = evaluate(root, variables);
      }
      return value;
    },
  };
}

export const arrayIterationOperators: OperatorTable = {
  $filter: compileFilter,
  $map: compileMap,
  $reduce: compileReduce,
};
