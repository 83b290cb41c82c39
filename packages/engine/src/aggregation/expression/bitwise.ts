/** `$bitAnd`, `$bitNot`, `$bitOr`, `$bitXor` over int and long. */
import { isInt32, type Value } from '../../bson/value.ts';
import { locationError, typeMismatch } from '../aggregation-error.ts';
import { type OperatorCompiler, type OperatorTable, unary, variadic } from './operator.ts';
import { isNullish, isNumeric, typeName } from './value-kind.ts';

function isInteger(value: Value | undefined): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && isInt32(value));
}

function junction(
  identity: number,
  narrow: (a: number, b: number) => number,
  wide: (a: bigint, b: bigint) => bigint,
): OperatorCompiler {
  return variadic(0, Number.POSITIVE_INFINITY, (values, name) => {
    let result: number | bigint = identity;
    for (const value of values) {
      if (isNullish(value)) return null;
      if (!isInteger(value)) {
        throw typeMismatch(`${name} only supports int and long operands.`);
      }
      if (typeof result === 'bigint' || typeof value === 'bigint') {
        result = BigInt.asIntN(64, wide(BigInt(result), BigInt(value)));
      } else {
        result = narrow(result, value);
      }
    }
    return result;
  });
}

export const bitwiseOperators: OperatorTable = {
  $bitAnd: junction(
    -1,
    (a, b) => a & b,
    (a, b) => a & b,
  ),
  $bitNot: unary((value, name) => {
    if (isNullish(value)) return null;
    if (!isNumeric(value)) {
      throw locationError(28765, `${name} only supports numeric types, not ${typeName(value)}`);
    }
    if (!isInteger(value)) {
      throw typeMismatch(`${name} only supports int and long, not: ${typeName(value)}.`);
    }
    return typeof value === 'bigint' ? ~value : ~value;
  }),
  $bitOr: junction(
    0,
    (a, b) => a | b,
    (a, b) => a | b,
  ),
  $bitXor: junction(
    0,
    (a, b) => a ^ b,
    (a, b) => a ^ b,
  ),
};
