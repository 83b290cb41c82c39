/** `$cond`, `$ifNull`, `$switch`. */
import type { Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import { type Expression, fromParts, type OperatorTable, type Scope } from './operator.ts';
import { isNullish, isTruthy, typeName } from './value-kind.ts';

function compileCond(argument: Value, scope: Scope): Expression {
  const { test, yes, no } = readCond(argument);
  const parts = [scope.compile(test), scope.compile(yes), scope.compile(no)] as const;
  const [condition, whenTrue, whenFalse] = parts;
  return fromParts(parts, (root, variables) =>
    isTruthy(condition.evaluate(root, variables))
      ? whenTrue.evaluate(root, variables)
      : whenFalse.evaluate(root, variables),
  );
}

function readCond(argument: Value): { test: Value; yes: Value; no: Value } {
  if (!(argument instanceof Map)) {
    const specs = Array.isArray(argument) ? argument : [argument];
    if (specs.length !== 3) {
      throw locationError(
        16020,
        `Expression $cond takes exactly 3 arguments. ${specs.length} were passed in.`,
      );
    }
    return { test: specs[0] as Value, yes: specs[1] as Value, no: specs[2] as Value };
  }
  for (const name of argument.keys()) {
    if (name !== 'if' && name !== 'then' && name !== 'else') {
      throw locationError(17083, `Unrecognized parameter to $cond: ${name}`);
    }
  }
  const test = argument.get('if');
  const yes = argument.get('then');
  const no = argument.get('else');
  if (test === undefined) throw locationError(17080, "Missing 'if' parameter to $cond");
  if (yes === undefined) throw locationError(17081, "Missing 'then' parameter to $cond");
  if (no === undefined) throw locationError(17082, "Missing 'else' parameter to $cond");
  return { test, yes, no };
}

function compileIfNull(argument: Value, scope: Scope): Expression {
  const specs = Array.isArray(argument) ? argument : [argument];
  if (specs.length < 2) {
    throw locationError(1257300, `$ifNull needs at least two arguments, had: ${specs.length}`);
  }
  const parts = specs.map((spec) => scope.compile(spec));
  const evaluators = parts.map((part) => part.evaluate);
  return fromParts(parts, (root, variables) => {
    let value: Value | undefined;
    for (const evaluate of evaluators) {
      value = evaluate(root, variables);
      if (!isNullish(value)) return value;
    }
    return value;
  });
}

interface Branch {
  readonly test: Expression;
  readonly result: Expression;
}

function compileSwitch(argument: Value, scope: Scope): Expression {
  if (!(argument instanceof Map)) {
    throw locationError(
      40060,
      `$switch requires an object as an argument, found: ${typeName(argument)}`,
    );
  }
  let branches: Branch[] = [];
  let otherwise: Expression | undefined;
  for (const [name, value] of argument) {
    if (name === 'branches') {
      if (!Array.isArray(value)) {
        throw locationError(
          40061,
          `$switch expected an array for 'branches', found: ${typeName(value)}`,
        );
      }
      branches = value.map((branch) => compileBranch(branch, scope));
    } else if (name === 'default') {
      otherwise = scope.compile(value);
    } else {
      throw locationError(40067, `$switch found an unknown argument: ${name}`);
    }
  }
  if (branches.length === 0) throw locationError(40068, '$switch requires at least one branch');
  const parts = branches.flatMap((branch) => [branch.test, branch.result]);
  if (otherwise !== undefined) parts.push(otherwise);
  return fromParts(parts, (root, variables) => {
    for (const { test, result } of branches) {
      if (isTruthy(test.evaluate(root, variables))) return result.evaluate(root, variables);
    }
    if (otherwise === undefined) {
      throw locationError(
        40066,
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    }
    return otherwise.evaluate(root, variables);
  });
}

function compileBranch(branch: Value, scope: Scope): Branch {
  if (!(branch instanceof Map)) {
    throw locationError(
      40062,
      `$switch expected each branch to be an object, found: ${typeName(branch)}`,
    );
  }
  for (const name of branch.keys()) {
    if (name !== 'case' && name !== 'then') {
      throw locationError(40063, `$switch found an unknown argument to a branch: ${name}`);
    }
  }
  const test = branch.get('case');
  const result = branch.get('then');
  if (test === undefined) {
    throw locationError(40064, "$switch requires each branch have a 'case' expression");
  }
  if (result === undefined) {
    throw locationError(40065, "$switch requires each branch have a 'then' expression.");
  }
  return { test: scope.compile(test), result: scope.compile(result) };
}

export const conditionalOperators: OperatorTable = {
  $cond: compileCond,
  $ifNull: compileIfNull,
  $switch: compileSwitch,
};
