/** `$let` and `$literal`. */
import type { Value } from '../../bson/value.ts';
import { failedToParse, locationError } from '../aggregation-error.ts';
import {
  checkVariableName,
  constantExpression,
  type Expression,
  type OperatorTable,
  type Scope,
} from './operator.ts';

function compileLet(argument: Value, scope: Scope): Expression {
  if (!(argument instanceof Map)) {
    throw locationError(16874, '$let only supports an object as its argument');
  }
  for (const name of argument.keys()) {
    if (name !== 'vars' && name !== 'in') {
      throw locationError(16875, `Unrecognized parameter to $let: ${name}`);
    }
  }
  const vars = argument.get('vars');
  const body = argument.get('in');
  if (vars === undefined) throw locationError(16876, "Missing 'vars' parameter to $let");
  if (body === undefined) throw locationError(16877, "Missing 'in' parameter to $let");
  if (!(vars instanceof Map)) throw failedToParse('invalid parameter: expected an object (vars)');
  let inner = scope;
  const assignments = [...vars].map(([name, value]) => {
    if (name !== 'CURRENT') checkVariableName(name);
    const expression = scope.compile(value);
    const bound = inner.bind(name);
    inner = bound.scope;
    return { slot: bound.slot, evaluate: expression.evaluate };
  });
  const { evaluate } = inner.compile(body);
  return {
    constant: false,
    evaluate: (root, variables) => {
      for (const assignment of assignments) {
        variables[assignment.slot] = assignment.evaluate(root, variables);
      }
      return evaluate(root, variables);
    },
  };
}

export const variableOperators: OperatorTable = {
  $let: compileLet,
  $literal: (argument) => constantExpression(argument),
  $const: (argument) => constantExpression(argument),
};
