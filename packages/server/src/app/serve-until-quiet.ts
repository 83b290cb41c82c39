/** How long a node that leaves goes on serving: until the balancers have noticed (cluster.md E5). */

/** Something that requests come to. */
export interface RequestClock {
  /** When the last request came that is no probe, milliseconds. */
  lastRequestAtMs(): number;
}

export interface QuietOptions {
  /** The least time to serve, milliseconds: what balancers of our recipes need. */
  readonly announceMs: number;
  /** The most beyond that: who asks a node directly would keep it for ever. */
  readonly extraMs: number;
  readonly nowMs: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

const LONGEST_QUIET_MS = 1000;
const LOOK_EVERY_MS = 50;

/**
 * Serves for `announceMs`, and then for as long as requests still come, for a balancer on a busy machine, or one
 * that probes rarely, may not have noticed yet. What it would send after the end could not be answered, and a write that was refused
 * is not repeated by a careful balancer.
 *
 * @returns how long it took beyond `announceMs`, milliseconds
 */
export async function serveUntilQuiet(
  requests: RequestClock,
  { announceMs, extraMs, nowMs, pause }: QuietOptions,
): Promise<number> {
  const startedAtMs = nowMs();
  await pause(announceMs);
  const quietMs = Math.min(LONGEST_QUIET_MS, announceMs / 2);
  while (
    nowMs() - requests.lastRequestAtMs() < quietMs &&
    nowMs() - startedAtMs < announceMs + extraMs
  ) {
    await pause(LOOK_EVERY_MS);
  }
  return Math.max(0, nowMs() - startedAtMs - announceMs);
}
