import { describe, expect, it } from 'vitest';
import { serveUntilQuiet } from './serve-until-quiet.ts';

/** Serves with an `announceMs` of 900 while requests come every 100 ms until `lastMs`. */
async function serve(lastMs: number): Promise<number> {
  let nowMs = 0;
  return serveUntilQuiet(
    {
      lastRequestAtMs: () =>
        lastMs < 0 ? Number.NEGATIVE_INFINITY : Math.min(lastMs, Math.floor(nowMs / 100) * 100),
    },
    {
      announceMs: 900,
      extraMs: 1800,
      nowMs: () => nowMs,
      pause: async (ms) => {
        nowMs += ms;
      },
    },
  );
}

describe('serveUntilQuiet', () => {
  it('serves no longer than announced when the balancer has noticed in time, or nobody asks', async () => {
    expect(await serve(-1)).toBe(0);
    expect(await serve(400)).toBe(0);
  });

  it('goes on while requests come', async () => {
    expect(await serve(1500)).toBe(1050);
  });

  it('ends some day, whoever asks', async () => {
    expect(await serve(1_000_000)).toBe(1800);
  });
});
