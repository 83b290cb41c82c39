/** Arithmetic operators; numbers keep MongoDB's types (int, long, double, decimal). */

import {
  applyToDecimal,
  type DecimalFunction,
  powerOfDecimal,
  type RoundingMode,
} from '../../bson/decimal-math.ts';
import {
  absNumber,
  addNumbers,
  divideNumbers,
  isNaNValue,
  isZero,
  moduloNumbers,
  multiplyNumbers,
  numericType,
  roundNumber,
  subtractNumbers,
  toDecimal,
} from '../../bson/numeric.ts';
import { DateTime, Decimal128, isInt32, toDouble, type Value } from '../../bson/value.ts';
import { badValue, locationError, typeMismatch } from '../aggregation-error.ts';
import { formatNumber } from './number-text.ts';
import { binary, type OperatorCompiler, type OperatorTable, unary, variadic } from './operator.ts';
import {
  inInt64,
  isNullish,
  isNumeric,
  type NumericValue,
  toInt64,
  toJsNumber,
  typeName,
} from './value-kind.ts';

type Argument = Value | undefined;

function shiftDate(date: DateTime, amount: NumericValue, name: string): DateTime {
  const number = toJsNumber(amount);
  const shift = typeof amount === 'bigint' ? amount : roundToBigInt(number);
  const epochMs = shift === undefined ? undefined : date.epochMs + shift;
  if (epochMs === undefined || !inInt64(epochMs)) {
    throw locationError(1, `date overflow in ${name}`);
  }
  return new DateTime(epochMs);
}

function roundToBigInt(number: number): bigint | undefined {
  return Number.isFinite(number) ? BigInt(Math.round(number)) : undefined;
}

function add(values: readonly Argument[]): Argument {
  let total: NumericValue = 0;
  let date: DateTime | undefined;
  for (const value of values) {
    if (typeof value === 'number' && typeof total === 'number') {
      // the common case: two int32 whose sum is one
      const sum: number = total + value;
      total = isInt32(sum) && isInt32(total) && isInt32(value) ? sum : addNumbers(total, value);
    } else if (isNumeric(value)) {
      total = addNumbers(total, value);
    } else if (value instanceof DateTime) {
      if (date !== undefined)
        throw locationError(16612, 'only one date allowed in an $add expression');
      date = value;
    } else if (isNullish(value)) {
      return null;
    } else {
      throw typeMismatch(`$add only supports numeric or date types, not ${typeName(value)}`);
    }
  }
  return date === undefined ? total : shiftDate(date, total, '$add');
}

function subtract(left: Argument, right: Argument): Argument {
  if (isNumeric(left) && isNumeric(right)) return subtractNumbers(left, right);
  if (isNullish(left) || isNullish(right)) return null;
  if (left instanceof DateTime) {
    if (right instanceof DateTime) return left.epochMs - right.epochMs;
    if (isNumeric(right)) return shiftDate(left, subtractNumbers(0, right), '$subtract');
  }
  throw typeMismatch(`can't $subtract ${typeName(right)} from ${typeName(left)}`);
}

function multiply(values: readonly Argument[]): Argument {
  let product: NumericValue = 1;
  for (const value of values) {
    if (isNullish(value)) return null;
    if (!isNumeric(value)) {
      throw typeMismatch(`$multiply only supports numeric types, not ${typeName(value)}`);
    }
    product = multiplyNumbers(product, value);
  }
  return product;
}

function divide(left: Argument, right: Argument): Argument {
  if (isNumeric(left) && isNumeric(right)) {
    if (isZero(right)) throw badValue("can't $divide by zero");
    return divideNumbers(left, right);
  }
  if (isNullish(left) || isNullish(right)) return null;
  throw typeMismatch(
    `$divide only supports numeric types, not ${typeName(left)} and ${typeName(right)}`,
  );
}

function modulo(left: Argument, right: Argument): Argument {
  if (isNumeric(left) && isNumeric(right)) {
    if (isZero(right)) throw locationError(16610, "can't $mod by zero");
    return moduloNumbers(left, right);
  }
  if (isNullish(left) || isNullish(right)) return null;
  throw locationError(
    16611,
    `$mod only supports numeric types, not ${typeName(left)} and ${typeName(right)}`,
  );
}

/** An operator of one number; null in, null out. */
function numericUnary(apply: (value: NumericValue, name: string) => Value): OperatorCompiler {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (!isNumeric(value)) {
      throw locationError(28765, `${name} only supports numeric types, not ${typeName(value)}`);
    }
    return apply(value, name);
  });
}

function toWhole(mode: RoundingMode): OperatorCompiler {
  return numericUnary((value) => roundNumber(value, 0, mode));
}

function throughDouble(
  decimal: DecimalFunction,
  double: (value: number) => number,
): OperatorCompiler {
  return numericUnary((value) =>
    value instanceof Decimal128
      ? applyToDecimal(decimal, value)
      : toDouble(double(toJsNumber(value))),
  );
}

function checkPositive(value: NumericValue, code: number, text: string): void {
  if (!isNaNValue(value) && toJsNumber(value) <= 0) {
    throw locationError(code, `${text}, but is ${formatNumber(value)}`);
  }
}

function checkedLogarithm(
  code: number,
  decimal: DecimalFunction,
  double: (value: number) => number,
): OperatorCompiler {
  return numericUnary((value, name) => {
    checkPositive(value, code, `${name}'s argument must be a positive number`);
    return value instanceof Decimal128
      ? applyToDecimal(decimal, value)
      : toDouble(double(toJsNumber(value)));
  });
}

function logarithm(value: Argument, base: Argument): Argument {
  if (isNullish(value) || isNullish(base)) return null;
  if (!isNumeric(value)) {
    throw locationError(28756, `$log's argument must be numeric, not ${typeName(value)}`);
  }
  if (!isNumeric(base)) {
    throw locationError(28757, `$log's base must be numeric, not ${typeName(base)}`);
  }
  checkPositive(value, 28758, "$log's argument must be a positive number");
  const baseNumber = toJsNumber(base);
  if (baseNumber <= 0 || baseNumber === 1) {
    throw locationError(
      28759,
      `$log's base must be a positive number not equal to 1, but is ${formatNumber(base)}`,
    );
  }
  if (value instanceof Decimal128 || base instanceof Decimal128) {
    return divideNumbers(
      applyToDecimal('ln', toDecimal(value)),
      applyToDecimal('ln', toDecimal(base)),
    );
  }
  return toDouble(Math.log(toJsNumber(value)) / Math.log(baseNumber));
}

function power(base: Argument, exponent: Argument): Argument {
  if (isNullish(base) || isNullish(exponent)) return null;
  if (!isNumeric(base)) {
    throw locationError(28762, `$pow's base must be numeric, not ${typeName(base)}`);
  }
  if (!isNumeric(exponent)) {
    throw locationError(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
  }
  if (isZero(base) && toJsNumber(exponent) < 0) {
    throw locationError(28764, '$pow cannot take a base of 0 and a negative exponent');
  }
  if (base instanceof Decimal128 || exponent instanceof Decimal128) {
    return powerOfDecimal(toDecimal(base), toDecimal(exponent));
  }
  return powerOfPlain(base, exponent);
}

/** Whole numbers stay whole while the result fits: int, then long, then double. */
function powerOfPlain(base: NumericValue, exponent: NumericValue): Value {
  const types = [numericType(base), numericType(exponent)];
  const double = toJsNumber(base) ** toJsNumber(exponent);
  if (types.includes('double')) return toDouble(double);
  const whole = toInt64(exponent) ?? 0n;
  const from = toInt64(base) ?? 0n;
  const isUnit = from === 1n || from === -1n || from === 0n;
  if (!isUnit && (whole < 0n || whole > 63n)) return toDouble(double);
  const result = isUnit && (whole < 0n || whole > 63n) ? unitPower(from, whole) : from ** whole;
  if (!inInt64(result)) return toDouble(double);
  return types.includes('long') || !isInt32(Number(result)) ? result : Number(result);
}

function unitPower(base: bigint, exponent: bigint): bigint {
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n;
  return base;
}

function rounding(mode: RoundingMode): OperatorCompiler {
  return variadic(1, 2, (values, name) => {
    const [value, precision] = values;
    if (isNullish(value)) return null;
    if (!isNumeric(value)) {
      throw locationError(51081, `${name} only supports numeric types, not ${typeName(value)}`);
    }
    if (values.length === 1) return roundNumber(value, 0, mode);
    if (isNullish(precision)) return null;
    const places = isNumeric(precision) ? toInt64(precision) : undefined;
    if (places === undefined) {
      throw locationError(51082, `precision argument to  ${name} must be a integral value`);
    }
    if (places < -20n || places > 100n) {
      throw locationError(
        51083,
        `cannot apply ${name} with precision value ${places} value must be in [-20, 100]`,
      );
    }
    return roundNumber(value, Number(places), mode);
  });
}

export const arithmeticOperators: OperatorTable = {
  $abs: numericUnary((value) => {
    const size = absNumber(value);
    if (size === undefined) throw locationError(28680, "can't take $abs of long long min");
    return size;
  }),
  $add: variadic(0, Number.POSITIVE_INFINITY, add),
  $ceil: toWhole('ceil'),
  $divide: binary(divide),
  $exp: throughDouble('exp', Math.exp),
  $floor: toWhole('floor'),
  $ln: checkedLogarithm(28766, 'ln', Math.log),
  $log: binary(logarithm),
  $log10: checkedLogarithm(28761, 'log10', Math.log10),
  $mod: binary(modulo),
  $multiply: variadic(0, Number.POSITIVE_INFINITY, multiply),
  $pow: binary(power),
  $round: rounding('half-even'),
  $sigmoid: numericUnary((value) => toDouble(1 / (1 + Math.exp(-toJsNumber(value))))),
  $sqrt: numericUnary((value) => {
    if (!isNaNValue(value) && toJsNumber(value) < 0) {
      throw locationError(28714, "$sqrt's argument must be greater than or equal to 0");
    }
    return value instanceof Decimal128
      ? applyToDecimal('sqrt', value)
      : toDouble(Math.sqrt(toJsNumber(value)));
  }),
  $subtract: binary(subtract),
  $trunc: rounding('trunc'),
};
