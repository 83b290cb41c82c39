/** `$cmp`, `$eq` … `$lte`: any two values compare, by BSON order. */
import { type Collator, compareValues } from '../../bson/compare.ts';
import type { Value } from '../../bson/value.ts';
import { binary, type OperatorCompiler, type OperatorTable } from './operator.ts';

type Argument = Value | undefined;

function comparison(accept: (order: number) => Value): OperatorCompiler {
  return binary((left, right, _name, scope) => {
    return accept(compare(left, right, scope.runtime.collation));
  });
}

/** Two plain numbers are the common case, decided without asking for their types. */
function compare(left: Argument, right: Argument, collation: Collator | undefined): number {
  if (typeof left === 'number' && typeof right === 'number') {
    if (left < right) return -1;
    if (left > right) return 1;
    if (left === right) return 0;
  }
  return Math.sign(compareValues(left, right, collation));
}

export const comparisonOperators: OperatorTable = {
  $cmp: comparison((order) => order),
  $eq: comparison((order) => order === 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $ne: comparison((order) => order !== 0),
};
