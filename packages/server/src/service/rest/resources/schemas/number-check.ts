/** Keywords of numbers (JSON Schema draft-04 §5.1). */

import { Double } from '../../../../model/bson.ts';
import { type Check, SchemaError, wrongType } from './check.ts';
import { describe, type JsonForm, type JsonObject, numberIn } from './json-form.ts';
import { summarize, type Violation, violation } from './violation.ts';

/** @param type - undefined: values of other types pass */
export function compileNumberCheck(
  node: JsonObject,
  type: 'integer' | 'number' | undefined,
): Check {
  const minimum = boundOf(node, 'minimum');
  const maximum = boundOf(node, 'maximum');
  const multipleOf = boundOf(node, 'multipleOf');
  if (multipleOf?.value === 0) throw new SchemaError('multipleOf should not be 0');
  const isAboveOnly = node.get('exclusiveMinimum') === true;
  const isBelowOnly = node.get('exclusiveMaximum') === true;

  function inspect(value: JsonForm, number: number): Violation | undefined {
    const findings: Violation[] = [];
    const complain = (relation: string, bound: Bound) =>
      findings.push(violation(`${describe(value)} is not ${relation} ${bound.text}`));
    if (minimum !== undefined) {
      if (isAboveOnly && number <= minimum.value) complain('greater than', minimum);
      else if (number < minimum.value) complain('greater or equal to', minimum);
    }
    if (maximum !== undefined) {
      if (isBelowOnly && number >= maximum.value) complain('less than', maximum);
      else if (number > maximum.value) complain('less or equal to', maximum);
    }
    if (multipleOf !== undefined && !isMultiple(number, multipleOf.value)) {
      complain('a multiple of', multipleOf);
    }
    return summarize(findings);
  }

  return (value) => {
    const number = numberIn(value);
    if (number === undefined || (type === 'integer' && value instanceof Double)) {
      if (type === undefined) return undefined;
      return wrongType(type === 'integer' ? 'Integer' : 'Number', value);
    }
    return inspect(value, number);
  };
}

interface Bound {
  readonly value: number;
  readonly text: string;
}

function boundOf(node: JsonObject, keyword: string): Bound | undefined {
  const value = node.get(keyword);
  if (value === undefined) return undefined;
  const number = numberIn(value);
  if (number === undefined) throw new SchemaError(`${keyword} must be a number`);
  return { value: number, text: describe(value) };
}

/** Decimal arithmetic: 0.3 is a multiple of 0.1, although it is not in binary. */
function isMultiple(value: number, divisor: number): boolean {
  const places = Math.max(decimalPlaces(value), decimalPlaces(divisor));
  if (places > 300) return value % divisor === 0;
  const scale = 10n ** BigInt(places);
  const scaled = (number: number) => BigInt(toScaledDigits(number, places));
  return scale > 0n && scaled(value) % scaled(divisor) === 0n;
}

function decimalPlaces(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  return Math.max(0, (mantissa.split('.')[1] ?? '').length - Number(exponent));
}

/** Digits of `value · 10^places`, an integer. */
function toScaledDigits(value: number, places: number): string {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const zeros = places + Number(exponent) - fraction.length;
  return `${whole}${fraction}${'0'.repeat(Math.max(0, zeros))}`;
}
