/** The servers behind one proxied path (operations.md §8). */

interface Target {
  readonly url: URL;
  /** Until then it comes after all others. */
  failedUntilMs: number;
}

/** Targets in turn; those that could not be reached are asked last for a while. */
export class TargetList {
  readonly #targets: readonly Target[];
  readonly #retryAfterMs: number;
  readonly #nowMs: () => number;
  #next = 0;

  /** @param retryAfterMs - how long a target that failed is asked last */
  constructor(urls: readonly URL[], retryAfterMs: number, nowMs: () => number) {
    this.#targets = urls.map((url) => ({ url, failedUntilMs: 0 }));
    this.#retryAfterMs = retryAfterMs;
    this.#nowMs = nowMs;
  }

  /** All targets in the order in which one request tries them: even the failed ones, for they may be back. */
  order(): readonly URL[] {
    const start = this.#next;
    this.#next = (start + 1) % this.#targets.length;
    const turned = [...this.#targets.slice(start), ...this.#targets.slice(0, start)];
    const now = this.#nowMs();
    const isFailed = (target: Target) => target.failedUntilMs > now;
    return [...turned.filter((target) => !isFailed(target)), ...turned.filter(isFailed)].map(
      ({ url }) => url,
    );
  }

  failed(url: URL): void {
    this.#set(url, this.#nowMs() + this.#retryAfterMs);
  }

  answered(url: URL): void {
    this.#set(url, 0);
  }

  #set(url: URL, failedUntilMs: number): void {
    const target = this.#targets.find((each) => each.url === url);
    if (target !== undefined) target.failedUntilMs = failedUntilMs;
  }
}
