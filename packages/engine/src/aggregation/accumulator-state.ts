/** What accumulators hold while documents pass, and what they make of it. */
import { type Collator, compareValues, hashableKey } from '../bson/compare.ts';
import { type Document, isInt32, type Value } from '../bson/value.ts';
import { locationError } from './aggregation-error.ts';
import { mergeInto } from './expression/object.ts';
import { Deviation } from './expression/statistics.ts';
import { Summation } from './expression/summation.ts';
import {
  describeValue,
  isNullish,
  isNumeric,
  toJsNumber,
  typeName,
} from './expression/value-kind.ts';
import { compareSortKeys, type SortPart } from './sort-key.ts';
import { TopEntries } from './top-entries.ts';

/** What an expression gives; nothing where a field is missing. */
export type Argument = Value | undefined;

/** Takes the values of one group, one by one, and gives their summary. */
export interface Accumulator {
  add(value: Value | undefined): void;
  result(): Value | undefined;
}

/** `$sum`: other values than numbers count as nothing. */
export class Sum implements Accumulator {
  /** A plain count or sum of small whole numbers stays here. */
  private small = 0;
  private summation: Summation | undefined;

  add(value: Argument): void {
    if (typeof value === 'number' && isInt32(value) && Math.abs(this.small) < 2 ** 52) {
      this.small += value;
    } else if (isNumeric(value)) {
      this.summation ??= new Summation();
      this.summation.add(value);
    }
  }

  result(): Value {
    const { small, summation } = this;
    if (summation === undefined) return isInt32(small) ? small : BigInt(small);
    // folded in as int64 only when it must be, for that would make an int sum a long
    if (small !== 0) summation.addWhole(small);
    this.small = 0;
    return summation.total();
  }
}

/** `$avg`. */
export class Average implements Accumulator {
  private readonly summation = new Summation();
  private count = 0;

  add(value: Argument): void {
    if (!isNumeric(value)) return;
    this.summation.add(value);
    this.count++;
  }

  result(): Value {
    return this.count === 0 ? null : this.summation.average(this.count);
  }
}

/** `$min` and `$max`. */
export class Extreme implements Accumulator {
  private best: Value = null;
  private readonly direction: 1 | -1;
  private readonly collation: Collator | undefined;

  constructor(direction: 1 | -1, collation: Collator | undefined) {
    this.direction = direction;
    this.collation = collation;
  }

  add(value: Argument): void {
    if (isNullish(value)) return;
    const { best } = this;
    if (best === null || compareValues(value, best, this.collation) * this.direction < 0) {
      this.best = value;
    }
  }

  result(): Value {
    return this.best;
  }
}

/** `$first`. */
export class First implements Accumulator {
  private taken = false;
  private value: Argument;

  add(value: Argument): void {
    if (this.taken) return;
    this.taken = true;
    this.value = value;
  }

  result(): Argument {
    return this.value;
  }
}

/** `$last`. */
export class Last implements Accumulator {
  private value: Argument;

  add(value: Argument): void {
    this.value = value;
  }

  result(): Argument {
    return this.value;
  }
}

/** `$push`. */
export class Push implements Accumulator {
  private readonly values: Value[] = [];

  add(value: Argument): void {
    if (value !== undefined) this.values.push(value);
  }

  result(): Value {
    return this.values;
  }
}

/** `$addToSet`. */
export class AddToSet implements Accumulator {
  private readonly values = new Map<string, Value>();
  private readonly collation: Collator | undefined;

  constructor(collation: Collator | undefined) {
    this.collation = collation;
  }

  add(value: Argument): void {
    if (value === undefined) return;
    const key = hashableKey(value, this.collation);
    if (!this.values.has(key)) this.values.set(key, value);
  }

  result(): Value {
    return [...this.values.values()];
  }
}

/** `$concatArrays` and `$setUnion`: the arrays of a group as one. */
export class JoinedArrays implements Accumulator {
  private readonly name: string;
  private readonly target: Push | AddToSet;

  constructor(name: string, target: Push | AddToSet) {
    this.name = name;
    this.target = target;
  }

  add(value: Argument): void {
    if (value === undefined) return;
    if (!Array.isArray(value)) {
      throw locationError(
        9711601,
        `${this.name} requires array inputs, but input ${describeValue(value)} is of type ${typeName(value)}`,
      );
    }
    for (const item of value) this.target.add(item);
  }

  result(): Value {
    return this.target.result();
  }
}

/** `$mergeObjects`. */
export class MergeObjects implements Accumulator {
  private readonly merged: Document = new Map();

  add(value: Argument): void {
    mergeInto(this.merged, value);
  }

  result(): Value {
    return this.merged;
  }
}

/** `$stdDevPop` and `$stdDevSamp`, by Welford's method. */
export class StandardDeviation implements Accumulator {
  private readonly deviation = new Deviation();
  private readonly sample: boolean;

  constructor(sample: boolean) {
    this.sample = sample;
  }

  add(value: Argument): void {
    if (isNumeric(value)) this.deviation.add(toJsNumber(value));
  }

  result(): Value {
    return this.sample ? this.deviation.sample() : this.deviation.population();
  }
}

/** `$count`. */
export class Count implements Accumulator {
  private count = 0;

  add(): void {
    this.count++;
  }

  result(): Value {
    return isInt32(this.count) ? this.count : BigInt(this.count);
  }
}

/** `$firstN` and `$lastN`: missing values count as null. */
export class EndN implements Accumulator {
  private readonly values: Value[] = [];
  private readonly n: number;
  private readonly last: boolean;

  constructor(n: number, last: boolean) {
    this.n = n;
    this.last = last;
  }

  add(value: Argument): void {
    if (!this.last && this.values.length >= this.n) return;
    this.values.push(value ?? null);
    if (this.values.length > 2 * this.n) this.values.splice(0, this.values.length - this.n);
  }

  result(): Value {
    return this.last ? this.values.slice(-this.n) : this.values;
  }
}

/** `$maxN` and `$minN`: null and missing values do not count. */
export class ExtremeN implements Accumulator {
  private readonly top: TopEntries<Value>;

  constructor(n: number, direction: 1 | -1, collation: Collator | undefined) {
    this.top = new TopEntries<Value>(n, (a, b) => compareValues(a, b, collation) * direction);
  }

  add(value: Argument): void {
    if (!isNullish(value)) this.top.add(value);
  }

  result(): Value {
    return this.top.sorted();
  }
}

/** A value with the key it is ranked by. */
export interface RankedEntry {
  readonly key: readonly Value[];
  readonly output: Value;
  readonly place: number;
}

/** `$top`, `$bottom`, `$topN`, `$bottomN`; each value is `[output, sort keys …]`. */
export class Ranked implements Accumulator {
  private readonly top: TopEntries<RankedEntry>;
  private readonly bottom: boolean;
  private readonly single: boolean;
  private place = 0;

  constructor(
    n: number,
    parts: readonly SortPart[],
    kind: { readonly bottom: boolean; readonly single: boolean },
    collation: Collator | undefined,
  ) {
    this.bottom = kind.bottom;
    this.single = kind.single;
    const sign = kind.bottom ? -1 : 1;
    this.top = new TopEntries<RankedEntry>(
      n,
      (a, b) =>
        sign * compareSortKeys(parts, a.key, b.key, collation) || sign * (a.place - b.place),
    );
  }

  add(value: Argument): void {
    const [output, ...key] = value as Value[];
    this.top.add({ key, output: output as Value, place: this.place++ });
  }

  result(): Value {
    const outputs = this.top.sorted().map((entry) => entry.output);
    if (this.single) return outputs[0] ?? null;
    return this.bottom ? outputs.reverse() : outputs;
  }
}

/** `$median` and `$percentile`. */
export class Percentiles implements Accumulator {
  private readonly numbers: number[] = [];
  private readonly finish: (sorted: Float64Array) => Value;

  constructor(finish: (sorted: Float64Array) => Value) {
    this.finish = finish;
  }

  add(value: Argument): void {
    if (isNumeric(value)) this.numbers.push(toJsNumber(value));
  }

  result(): Value {
    return this.finish(Float64Array.from(this.numbers).sort());
  }
}
