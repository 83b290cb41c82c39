/** `$and`, `$or`, `$not`: short-circuiting, over the aggregation framework's idea of true. */
import type { Value } from '../../bson/value.ts';
import {
  constantExpression,
  type Expression,
  fromParts,
  type OperatorTable,
  type Scope,
  unary,
} from './operator.ts';
import { isTruthy } from './value-kind.ts';

function compileJunction(argument: Value, scope: Scope, decisive: boolean): Expression {
  const specs = Array.isArray(argument) ? argument : [argument];
  const parts = specs.map((spec) => scope.compile(spec));
  if (parts.length === 0) return constantExpression(!decisive);
  const evaluators = parts.map((part) => part.evaluate);
  return fromParts(parts, (root, variables) => {
    for (const evaluate of evaluators) {
      if (isTruthy(evaluate(root, variables)) === decisive) return decisive;
    }
    return !decisive;
  });
}

export const booleanOperators: OperatorTable = {
  $and: (argument, scope) => compileJunction(argument, scope, false),
  $or: (argument, scope) => compileJunction(argument, scope, true),
  $not: unary((value) => !isTruthy(value)),
};
