/** Sums as `$sum` and `$avg` make them: exact for whole numbers, compensated for doubles. */
import { addNumbers, divideNumbers, type NumericValue, toDecimal } from '../../bson/numeric.ts';
import { type Decimal128, Double, isInt32, toDouble } from '../../bson/value.ts';
import { inInt64 } from './value-kind.ts';

export class Summation {
  private small = 0;
  private large = 0n;
  private high = 0;
  private low = 0;
  private decimal: Decimal128 | undefined;
  private hasLong = false;
  private hasDouble = false;

  add(value: NumericValue): void {
    if (typeof value === 'number') {
      if (isInt32(value)) this.addWhole(value);
      else this.addDouble(value);
    } else if (typeof value === 'bigint') {
      this.hasLong = true;
      this.large += value;
    } else if (value instanceof Double) {
      this.addDouble(value.value);
    } else {
      this.decimal =
        this.decimal === undefined ? value : (addNumbers(this.decimal, value) as Decimal128);
    }
  }

  /** A JS integer, counted as int. */
  addWhole(value: number): void {
    this.small += value;
    if (!Number.isSafeInteger(this.small)) {
      this.large += BigInt(this.small - value) + BigInt(value);
      this.small = 0;
    }
  }

  private addDouble(value: number): void {
    this.hasDouble = true;
    this.compensate(value);
  }

  /** Knuth's two-sum: `high + low` is the exact sum as far as two doubles can hold it. */
  private compensate(value: number): void {
    const sum = this.high + value;
    const shadow = sum - this.high;
    const error = this.high - (sum - shadow) + (value - shadow);
    this.high = sum;
    if (Number.isFinite(error)) this.low += error;
  }

  private wholeTotal(): bigint {
    return this.large + BigInt(this.small);
  }

  private doubleTotal(): number {
    const copy = new Summation();
    copy.high = this.high;
    copy.low = this.low;
    const whole = this.wholeTotal();
    const near = Number(whole);
    copy.compensate(near);
    if (Number.isFinite(near)) copy.compensate(Number(whole - BigInt(near)));
    const total = copy.high + copy.low;
    return Number.isFinite(copy.high) ? total : copy.high;
  }

  total(): NumericValue {
    if (this.decimal !== undefined) return addNumbers(this.decimal, this.plainDecimal());
    if (this.hasDouble) return toDouble(this.doubleTotal());
    const whole = this.wholeTotal();
    if (!this.hasLong && isInt32(Number(whole))) return Number(whole);
    return inInt64(whole) ? whole : toDouble(Number(whole));
  }

  private plainDecimal(): NumericValue {
    const whole = this.wholeTotal();
    const exact = inInt64(whole) ? toDecimal(whole) : toDecimal(toDouble(Number(whole)));
    return this.hasDouble ? addNumbers(exact, toDecimal(toDouble(this.high + this.low))) : exact;
  }

  average(count: number): NumericValue {
    if (this.decimal !== undefined) return divideNumbers(this.total(), count);
    return toDouble(this.doubleTotal() / count);
  }
}
