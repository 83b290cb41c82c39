import { describe, expect, it } from 'vitest';
import { planRotation } from './compose-keys.ts';

const HOUR_MS = 3_600_000;
const SCHEDULE = { rotateAfterMs: 24 * HOUR_MS, tokenLifeMs: HOUR_MS };
const key = (kid: string, createdAtMs: number) => ({ kid, createdAtMs });

describe('planRotation', () => {
  it('wants nothing before the youngest key is old enough', () => {
    expect(planRotation([key('first', 0)], SCHEDULE, 24 * HOUR_MS - 1)).toEqual({
      wanted: undefined,
      outdated: [],
    });
  });

  it('names a successor that is the same on every node', () => {
    const plan = planRotation([key('first', 0)], SCHEDULE, 24 * HOUR_MS);
    expect(plan.wanted).toBe('after-first');
    expect(planRotation([key('first', 0)], SCHEDULE, 25 * HOUR_MS).wanted).toBe(plan.wanted);
  });

  it('keeps a key as long as a token that it signed may live, and forgets it then', () => {
    const keys = [key('after-first', 24 * HOUR_MS), key('first', 0)];
    const outdatedAt = (nowMs: number) => planRotation(keys, SCHEDULE, nowMs).outdated;
    expect(outdatedAt(25 * HOUR_MS)).toEqual([]);
    // it signed until its successor was known everywhere, ten seconds later
    expect(outdatedAt(25 * HOUR_MS + 10_000 + 60_000)).toEqual([]);
    expect(outdatedAt(25 * HOUR_MS + 10_000 + 60_001)).toEqual(['first']);
  });

  it('has nothing to do without a key', () => {
    expect(planRotation([], SCHEDULE, HOUR_MS)).toEqual({ wanted: undefined, outdated: [] });
  });
});
