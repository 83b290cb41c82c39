/** Durations and rates of one series of requests, as a summary shows them. */

const SAMPLES = 1024;
const TICK_MS = 5000;
const MINUTES = [15, 5, 1] as const;
const QUANTILES = [0.5, 0.75, 0.95, 0.98, 0.99, 0.999] as const;

export interface TimerSummary {
  readonly count: number;
  /** Seconds, by quantile. */
  readonly quantiles: readonly (readonly [quantile: number, seconds: number])[];
  /** Requests a second, by the texts of the label `period`. */
  readonly rates: readonly (readonly [period: string, perSecond: number])[];
}

/** Keeps the last 1024 durations, and moving averages of the rate. */
export class RequestTimer {
  readonly #samples = new Float64Array(SAMPLES);
  readonly #startedAtMs: number;
  readonly #averages: number[] = MINUTES.map(() => 0);
  #tickedAtMs: number;
  #hasTicked = false;
  #sinceTick = 0;
  #count = 0;

  constructor(nowMs: number) {
    this.#startedAtMs = nowMs;
    this.#tickedAtMs = nowMs;
  }

  record(elapsedMs: number, nowMs: number): void {
    this.#tick(nowMs);
    this.#samples[this.#count % SAMPLES] = elapsedMs / 1000;
    this.#count += 1;
    this.#sinceTick += 1;
  }

  summarize(nowMs: number): TimerSummary {
    this.#tick(nowMs);
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
    const elapsedSeconds = Math.max((nowMs - this.#startedAtMs) / 1000, 0.001);
    const overall = this.#count / elapsedSeconds;
    return {
      count: this.#count,
      quantiles: QUANTILES.map((quantile) => {
        const place = Math.min(sorted.length - 1, Math.floor(quantile * sorted.length));
        return [quantile, sorted[place] ?? 0] as const;
      }),
      rates: [
        ...MINUTES.map((minutes, index) => {
          const average = this.#hasTicked ? (this.#averages[index] ?? 0) : overall;
          return [minutes === 1 ? '1 minute' : `${minutes} minutes`, average] as const;
        }),
        ['overall', overall],
      ],
    };
  }

  /** Moves the averages on by the intervals of five seconds that have passed. */
  #tick(nowMs: number): void {
    const ticks = Math.floor((nowMs - this.#tickedAtMs) / TICK_MS);
    if (ticks <= 0) return;
    this.#tickedAtMs += ticks * TICK_MS;
    const rate = this.#sinceTick / (TICK_MS / 1000);
    this.#sinceTick = 0;
    for (const [index, minutes] of MINUTES.entries()) {
      const weight = 1 - Math.exp(-TICK_MS / (minutes * 60_000));
      const before = this.#averages[index] ?? 0;
      const first = this.#hasTicked ? before + weight * (rate - before) : rate;
      // the other intervals were empty
      this.#averages[index] = first * (1 - weight) ** (ticks - 1);
    }
    this.#hasTicked = true;
  }
}
