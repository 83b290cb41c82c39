/** Set operators: arrays taken as sets, order of the result that of first appearance. */
import { hashableKey } from '../../bson/compare.ts';
import type { Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import { binary, type OperatorTable, type Scope, variadic } from './operator.ts';
import { isNullish, typeName } from './value-kind.ts';

type Argument = Value | undefined;

function toSet(array: readonly Value[], scope: Scope): Map<string, Value> {
  const set = new Map<string, Value>();
  for (const item of array) {
    const key = hashableKey(item, scope.runtime.collation);
    if (!set.has(key)) set.set(key, item);
  }
  return set;
}

function setDifference(left: Argument, right: Argument, scope: Scope): Argument {
  if (isNullish(left) || isNullish(right)) return null;
  if (!Array.isArray(left)) {
    throw locationError(
      17048,
      `both operands of $setDifference must be arrays. First argument is of type: ${typeName(left)}`,
    );
  }
  if (!Array.isArray(right)) {
    throw locationError(
      17049,
      `both operands of $setDifference must be arrays. Second argument is of type: ${typeName(right)}`,
    );
  }
  const excluded = toSet(right, scope);
  return [...toSet(left, scope)].filter(([key]) => !excluded.has(key)).map(([, value]) => value);
}

function setEquals(values: readonly Argument[], scope: Scope): Argument {
  if (values.length < 2) {
    throw locationError(17045, `$setEquals needs at least two arguments had: ${values.length}`);
  }
  const sets = values.map((value, i) => {
    if (Array.isArray(value)) return toSet(value, scope);
    throw locationError(
      5887502,
      `All operands of $setEquals must be arrays. ${i + 1}-th argument is of type: ${typeName(value)}`,
    );
  });
  const [first, ...others] = sets;
  if (first === undefined) return true;
  return others.every(
    (other) => other.size === first.size && [...other.keys()].every((key) => first.has(key)),
  );
}

function setIntersection(values: readonly Argument[], scope: Scope): Argument {
  if (values.some(isNullish)) return null;
  let result: Map<string, Value> | undefined;
  for (const value of values) {
    if (!Array.isArray(value)) {
      throw locationError(
        17047,
        `All operands of $setIntersection must be arrays. One argument is of type: ${typeName(value)}`,
      );
    }
    const set = toSet(value, scope);
    result = result === undefined ? set : new Map([...result].filter(([key]) => set.has(key)));
  }
  return [...(result ?? new Map<string, Value>()).values()];
}

function setUnion(values: readonly Argument[], scope: Scope): Argument {
  const union = new Map<string, Value>();
  for (const value of values) {
    if (isNullish(value)) return null;
    if (!Array.isArray(value)) {
      throw locationError(
        17043,
        `All operands of $setUnion must be arrays. One argument is of type: ${typeName(value)}`,
      );
    }
    for (const [key, item] of toSet(value, scope)) if (!union.has(key)) union.set(key, item);
  }
  return [...union.values()];
}

function setIsSubset(left: Argument, right: Argument, scope: Scope): Argument {
  if (!Array.isArray(left)) {
    throw locationError(
      17046,
      `both operands of $setIsSubset must be arrays. First argument is of type: ${typeName(left)}`,
    );
  }
  if (!Array.isArray(right)) {
    throw locationError(
      17042,
      `both operands of $setIsSubset must be arrays. Second argument is of type: ${typeName(right)}`,
    );
  }
  const whole = toSet(right, scope);
  return [...toSet(left, scope).keys()].every((key) => whole.has(key));
}

const MANY = Number.POSITIVE_INFINITY;

export const setOperators: OperatorTable = {
  $setDifference: binary((left, right, _name, scope) => setDifference(left, right, scope)),
  $setEquals: variadic(0, MANY, (values, _name, scope) => setEquals(values, scope)),
  $setIntersection: variadic(0, MANY, (values, _name, scope) => setIntersection(values, scope)),
  $setIsSubset: binary((left, right, _name, scope) => setIsSubset(left, right, scope)),
  $setUnion: variadic(0, MANY, (values, _name, scope) => setUnion(values, scope)),
};
