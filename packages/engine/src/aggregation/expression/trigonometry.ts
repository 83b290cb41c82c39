/** Trigonometric operators; a Decimal128 gives a Decimal128, other numbers a double. */

import { DECIMAL_NAN } from '../../bson/decimal.ts';
import {
  applyToDecimal,
  atan2Decimals,
  type DecimalFunction,
  multiplyDecimals,
  parseDecimal,
} from '../../bson/decimal-math.ts';
import { toDecimal } from '../../bson/numeric.ts';
import { Decimal128, toDouble, type Value } from '../../bson/value.ts';
import { locationError } from '../aggregation-error.ts';
import { formatNumber } from './number-text.ts';
import { binary, type OperatorCompiler, type OperatorTable, unary } from './operator.ts';
import { isNullish, isNumeric, toJsNumber, typeName } from './value-kind.ts';

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly inclusive: boolean;
}

const ANY: Bounds = {
  min: Number.NEGATIVE_INFINITY,
  max: Number.POSITIVE_INFINITY,
  inclusive: true,
};
const FINITE: Bounds = { ...ANY, inclusive: false };
const UNIT: Bounds = { min: -1, max: 1, inclusive: true };

function inBounds(value: number, { min, max, inclusive }: Bounds): boolean {
  if (Number.isNaN(value)) return true;
  return inclusive ? value >= min && value <= max : value > min && value < max;
}

function formatBound(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  return String(value);
}

function trigonometric(
  double: (value: number) => number,
  decimal: (value: Decimal128) => Decimal128,
  bounds: Bounds = ANY,
): OperatorCompiler {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (!isNumeric(value)) {
      throw locationError(28765, `${name} only supports numeric types, not ${typeName(value)}`);
    }
    const number = toJsNumber(value);
    if (!inBounds(number, bounds)) {
      const [open, close] = bounds.inclusive ? '[]' : '()';
      throw locationError(
        50989,
        `cannot apply ${name} to ${formatNumber(value)}, value must be in ${open}${formatBound(bounds.min)},${formatBound(bounds.max)}${close}`,
      );
    }
    return value instanceof Decimal128 ? decimal(value) : toDouble(double(number));
  });
}

function decimalFunction(name: DecimalFunction): (value: Decimal128) => Decimal128 {
  return (value) => applyToDecimal(name, value);
}

function scaleBy(factor: string): (value: Decimal128) => Decimal128 {
  const decimal = parseDecimal(factor) ?? DECIMAL_NAN;
  return (value) => multiplyDecimals(value, decimal);
}

const RADIANS_PER_DEGREE = '0.01745329251994329576923690768488613';
const DEGREES_PER_RADIAN = '57.29577951308232087679815481410517';

function arcTangent(y: Value | undefined, x: Value | undefined, name: string): Value {
  if (isNullish(y) || isNullish(x)) return null;
  if (!isNumeric(y)) {
    throw locationError(51044, `${name} only supports numeric types, not ${typeName(y)}`);
  }
  if (!isNumeric(x)) {
    throw locationError(51045, `${name} only supports numeric types, not ${typeName(x)}`);
  }
  if (y instanceof Decimal128 || x instanceof Decimal128) {
    return atan2Decimals(toDecimal(y), toDecimal(x));
  }
  return toDouble(Math.atan2(toJsNumber(y), toJsNumber(x)));
}

const FROM_ONE: Bounds = { min: 1, max: Number.POSITIVE_INFINITY, inclusive: true };

export const trigonometryOperators: OperatorTable = {
  $acos: trigonometric(Math.acos, decimalFunction('acos'), UNIT),
  $acosh: trigonometric(Math.acosh, decimalFunction('acosh'), FROM_ONE),
  $asin: trigonometric(Math.asin, decimalFunction('asin'), UNIT),
  $asinh: trigonometric(Math.asinh, decimalFunction('asinh')),
  $atan: trigonometric(Math.atan, decimalFunction('atan')),
  $atan2: binary(arcTangent),
  $atanh: trigonometric(Math.atanh, decimalFunction('atanh'), UNIT),
  $cos: trigonometric(Math.cos, decimalFunction('cos'), FINITE),
  $cosh: trigonometric(Math.cosh, decimalFunction('cosh')),
  $degreesToRadians: trigonometric((value) => value * (Math.PI / 180), scaleBy(RADIANS_PER_DEGREE)),
  $radiansToDegrees: trigonometric((value) => value * (180 / Math.PI), scaleBy(DEGREES_PER_RADIAN)),
  $sin: trigonometric(Math.sin, decimalFunction('sin'), FINITE),
  $sinh: trigonometric(Math.sinh, decimalFunction('sinh')),
  $tan: trigonometric(Math.tan, decimalFunction('tan'), FINITE),
  $tanh: trigonometric(Math.tanh, decimalFunction('tanh')),
};
