/** Standard deviation and percentiles, shared by expressions, accumulators and window functions. */
import { toDouble, type Value } from '../../bson/value.ts';
import { badValue, failedToParse, locationError } from '../aggregation-error.ts';
import { describeValue, isNumeric, toJsNumber, typeName } from './value-kind.ts';

/** Welford's running mean and variance. */
export class Deviation {
  private count = 0;
  private mean = 0;
  private squares = 0;

  add(value: number): void {
    this.count++;
    const delta = value - this.mean;
    if (delta !== 0) {
      this.mean += delta / this.count;
      this.squares += delta * (value - this.mean);
    }
  }

  population(): Value {
    return this.count === 0 ? null : toDouble(Math.sqrt(this.squares / this.count));
  }

  sample(): Value {
    return this.count < 2 ? null : toDouble(Math.sqrt(this.squares / (this.count - 1)));
  }
}

export type PercentileMethod = 'approximate' | 'discrete' | 'continuous';

export function readPercentileMethod(value: Value | undefined): PercentileMethod {
  if (value === 'approximate' || value === 'discrete' || value === 'continuous') return value;
  throw badValue("Currently only 'approximate' can be used as a percentile 'method'.");
}

/** The `p` of `$percentile`: a constant array of numbers from 0 to 1. */
export function readPercentiles(value: Value | undefined): readonly number[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw locationError(
      7750300,
      `The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: ${typeName(value)}`,
    );
  }
  return value.map((item) => {
    const fraction = isNumeric(item) ? toJsNumber(item) : Number.NaN;
    if (fraction >= 0 && fraction <= 1) return fraction;
    throw locationError(
      isNumeric(item) ? 7750303 : 7750301,
      `The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: ${describeValue(item)}`,
    );
  });
}

/**
 * Percentiles of sorted numbers. MongoDB approximates by t-digest; the exact discrete percentile is
 * within its error, so `approximate` gives that.
 */
export function percentilesOf(
  sorted: Float64Array | readonly number[],
  fractions: readonly number[],
  method: PercentileMethod,
): Value[] {
  return fractions.map((fraction) => {
    const { length } = sorted;
    if (length === 0) return null;
    if (method === 'continuous') {
      const rank = fraction * (length - 1);
      const low = sorted[Math.floor(rank)] as number;
      const high = sorted[Math.ceil(rank)] as number;
      return toDouble(low + (high - low) * (rank - Math.floor(rank)));
    }
    const index = Math.max(0, Math.ceil(fraction * length) - 1);
    return toDouble(sorted[index] as number);
  });
}

export interface PercentileSpec {
  readonly input: Value;
  readonly p: Value | undefined;
  readonly method: PercentileMethod;
}

/** The argument of `$percentile` (with `p`) and `$median` (without). */
export function readPercentileSpec(argument: Value, name: string): PercentileSpec {
  if (!(argument instanceof Map)) {
    throw failedToParse(`${name} specification must be an object; found ${typeName(argument)}`);
  }
  const allowed = name === '$percentile' ? ['input', 'p', 'method'] : ['input', 'method'];
  for (const field of argument.keys()) {
    if (!allowed.includes(field)) {
      throw locationError(40415, `BSON field '${name}.${field}' is an unknown field.`);
    }
  }
  for (const field of allowed) {
    if (!argument.has(field)) {
      throw locationError(40414, `BSON field '${name}.${field}' is missing but a required field`);
    }
  }
  return {
    input: argument.get('input') as Value,
    p: argument.get('p'),
    method: readPercentileMethod(argument.get('method')),
  };
}
