/** Below that clocks agree: the network's delay could not be told from it, and times must not jump to and fro. */
const AGREE_MS = 100;

/**
 * The one clock that all nodes share: the database's, as far as this node knows it. Tokens live and are taken back by it, so that a
 * node whose own clock is wrong refuses no good token and trusts no bad one (cluster.md D7).
 */
export class DatabaseClock {
  private skewMs = 0;

  /** Milliseconds since 1970; the node's own clock until the database was heard. */
  readonly nowMs = (): number => Date.now() - this.skewMs;

  /** @param skewMs - how much the node's own clock is ahead */
  note(skewMs: number): void {
    this.skewMs = Math.abs(skewMs) > AGREE_MS ? skewMs : 0;
  }
}
