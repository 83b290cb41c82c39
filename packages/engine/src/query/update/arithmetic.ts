/** $inc, $mul, $min, $max and $bit (manual, "Field Update Operators", "Bitwise Update Operator"). */
import { compareValues, type NumericValue, valuesIdentical } from '../../bson/compare.ts';
import {
  addWithin64,
  isNumeric,
  isWholeType,
  multiplyWithin64,
  numericType,
} from '../../bson/numeric.ts';
import { typeName } from '../../bson/types.ts';
import type { Value } from '../../bson/value.ts';
import { describeValue } from '../describe.ts';
import {
  badValue,
  describeField,
  describeId,
  lastPart,
  type Modifier,
  type ModifierOptions,
  typeMismatch,
} from './modifier.ts';

const SHELL_NAMES = {
  int: 'NumberInt',
  long: 'NumberLong',
  double: 'NumberDouble',
  decimal: 'NumberDecimal',
};

function arithmetic(
  operator: '$inc' | '$mul',
  path: string,
  argument: Value,
  verb: string,
  calculate: (a: NumericValue, b: NumericValue) => NumericValue | undefined,
): Modifier {
  if (!isNumeric(argument)) {
    throw typeMismatch(
      `Cannot ${verb} with non-numeric argument: {${describeField(path, argument)}}`,
    );
  }
  return {
    operator,
    creates: true,
    apply(value, at, context) {
      if (value === undefined) return operator === '$inc' ? argument : calculate(0, argument);
      if (!isNumeric(value)) {
        throw typeMismatch(
          `Cannot apply ${operator} to a value of non-numeric type. ${describeId(context.before)} has the field '${lastPart(at)}' of non-numeric type ${typeName(value)}`,
        );
      }
      const result = calculate(value, argument);
      if (result === undefined) {
        throw badValue(
          `Failed to apply ${operator} operations to current value ((${SHELL_NAMES[numericType(value)]})${describeValue(value)}) for document ${describeId(context.before)}`,
        );
      }
      return valuesIdentical(result, value) ? value : result;
    },
  };
}

export function increment(path: string, argument: Value): Modifier {
  return arithmetic('$inc', path, argument, 'increment', addWithin64);
}

export function multiply(path: string, argument: Value): Modifier {
  return arithmetic('$mul', path, argument, 'multiply', multiplyWithin64);
}

/** $min and $max: `wanted` is the sign of the comparison that makes the argument win. */
export function extreme(
  operator: '$min' | '$max',
  argument: Value,
  options: ModifierOptions,
): Modifier {
  const wanted = operator === '$min' ? -1 : 1;
  return {
    operator,
    creates: true,
    apply: (value) =>
      value === undefined || Math.sign(compareValues(argument, value, options.collation)) === wanted
        ? argument
        : value,
  };
}

const BIT_OPERATIONS: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

export function bit(argument: Value): Modifier {
  if (!(argument instanceof Map)) {
    throw badValue(
      `The $bit modifier is not compatible with a ${typeName(argument)}. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  const steps = [...argument].map(([name, operand]) => {
    const operation = Object.hasOwn(BIT_OPERATIONS, name) ? BIT_OPERATIONS[name] : undefined;
    if (operation === undefined) {
      throw badValue(
        `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}' which is an unknown operator: {${describeField(name, operand)}}`,
      );
    }
    if (!isWholeType(operand)) {
      throw badValue(
        `The $bit modifier field must be an Integer(32/64 bit); a '${typeName(operand)}' is not supported here: {${describeField(name, operand)}}`,
      );
    }
    return { operation, operand };
  });
  if (steps.length === 0) {
    throw badValue(
      `You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}`,
    );
  }
  return {
    operator: '$bit',
    creates: true,
    apply(value, at, context) {
      let result: number | bigint = 0;
      if (value !== undefined) {
        if (!isWholeType(value)) {
          throw badValue(
            `Cannot apply $bit to a value of non-integral type.${describeId(context.before).slice(1, -1)} has the field ${lastPart(at)} of non-integer type ${typeName(value)}`,
          );
        }
        result = value;
      }
      for (const { operation, operand } of steps) {
        const whole: bigint = operation(BigInt(result), BigInt(operand));
        result = typeof result === 'number' && typeof operand === 'number' ? Number(whole) : whole;
      }
      return result === value ? value : result;
    },
  };
}
