import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DatabaseClock } from './database-clock.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('DatabaseClock', () => {
  it('is the own clock while both agree, however the network wavers', () => {
    const clock = new DatabaseClock();
    clock.note(40);
    expect(clock.nowMs()).toBe(1_000_000);
    clock.note(-60);
    expect(clock.nowMs()).toBe(1_000_000);
  });

  it('makes good for a clock that is ahead or behind, and for one that was set right', () => {
    const clock = new DatabaseClock();
    clock.note(90_000);
    expect(clock.nowMs()).toBe(910_000);
    clock.note(-90_000);
    expect(clock.nowMs()).toBe(1_090_000);
    clock.note(0);
    expect(clock.nowMs()).toBe(1_000_000);
  });
});
