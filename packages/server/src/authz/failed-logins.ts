/** Failed logins by source in a sliding window (security.md §10). */

/** Counts of all nodes together; implemented in `mongo/`. */
export interface SharedFailures {
  /** Resolves when every node that asks can know of it, or the database is away; never rejects. */
  add(source: string, atMs: number): Promise<void>;
  /** Times of failures that other nodes saw, milliseconds; at most a moment old. */
  timesOf(source: string): readonly number[];
  /** The same as it is now; undefined when the database is away. */
  readTimesOf(source: string): Promise<readonly number[] | undefined>;
}

const WINDOW_MS = 10_000;
const PRUNE_EVERY = 100;

/** Says which sources have failed too often of late. */
export class FailedLogins {
  private readonly maxAttempts: number;
  private readonly shared: SharedFailures | undefined;
  private readonly now: () => number;
  private readonly times = new Map<string, number[]>();
  private untilPruning = PRUNE_EVERY;

  /** @param options - `shared` undefined: this node counts alone */
  constructor(options: {
    readonly maxAttempts: number;
    readonly shared?: SharedFailures | undefined;
    readonly now?: () => number;
  }) {
    this.maxAttempts = options.maxAttempts;
    this.shared = options.shared;
    this.now = options.now ?? Date.now;
  }

  /** A promise only for sources that failed of late: for them the database is asked what other nodes saw just now. */
  isBlocked(source: string): boolean | Promise<boolean> {
    const own = this.recent(this.times.get(source));
    const others = this.recent(this.shared?.timesOf(source));
    if (own + others === 0) return false;
    if (own + others >= this.maxAttempts) return true;
    if (this.shared === undefined) return false;
    return this.shared
      .readTimesOf(source)
      .then(
        (times) => own + (times === undefined ? others : this.recent(times)) >= this.maxAttempts,
      );
  }

  /**
   * While a source is blocked nothing is counted: the block ends 10 s after the last counted failure.
   *
   * @returns resolves when the other nodes can know of it
   */
  async add(source: string): Promise<void> {
    if (await this.isBlocked(source)) return;
    const now = this.now();
    const known = this.times.get(source)?.filter((at) => at > now - WINDOW_MS) ?? [];
    this.times.set(source, [...known, now]);
    this.untilPruning -= 1;
    if (this.untilPruning === 0) this.prune(now);
    await this.shared?.add(source, now);
  }

  private recent(times: readonly number[] | undefined): number {
    if (times === undefined) return 0;
    const since = this.now() - WINDOW_MS;
    return times.filter((at) => at > since).length;
  }

  private prune(now: number): void {
    this.untilPruning = PRUNE_EVERY;
    for (const [source, times] of this.times) {
      if (times.every((at) => at <= now - WINDOW_MS)) this.times.delete(source);
    }
  }
}

export interface SourceOptions {
  readonly trustsForwardedFor: boolean;
  /** Which value of `X-Forwarded-For`, from the last one; 0 is the last. */
  readonly valueFromLast: number;
}

/** Who a request comes from: the peer, or what a trusted proxy says of it. */
export function sourceOf(
  request: { readonly remoteAddress: string; header(name: string): string | undefined },
  { trustsForwardedFor, valueFromLast }: SourceOptions,
): string {
  if (!trustsForwardedFor) return request.remoteAddress;
  const header = request.header('x-forwarded-for');
  // one bucket for whoever comes past the proxy
  if (header === undefined) return 'not-set';
  const values = header.split(',').map((value) => value.trim());
  return values.at(-1 - valueFromLast) ?? values[0] ?? 'not-set';
}
