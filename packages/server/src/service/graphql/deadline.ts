/** The budget of one request (graphql.md §8). */

/** The request as a whole has taken too long. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError';

  constructor(limitMs: number) {
    super(`Maximum query time limit of ${limitMs}ms exceeded`);
  }
}

export class Deadline {
  private readonly limitMs: number;
  private readonly startedAtMs: number;

  /**
   * @param limitMs - 0: none
   * @param startedAtMs - of `performance.now()`
   */
  constructor(limitMs: number, startedAtMs: number) {
    this.limitMs = limitMs;
    this.startedAtMs = startedAtMs;
  }

  /**
   * What is left for the database; undefined without a limit.
   *
   * @throws TimeLimitError when nothing is left
   */
  remainingMs(): number | undefined {
    if (this.limitMs === 0) return undefined;
    const left = Math.ceil(this.limitMs - (performance.now() - this.startedAtMs));
    if (left <= 0) throw this.exceeded();
    return left;
  }

  exceeded(): TimeLimitError {
    return new TimeLimitError(this.limitMs);
  }
}
