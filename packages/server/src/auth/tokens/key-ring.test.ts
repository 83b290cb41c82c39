import { describe, expect, it } from 'vitest';
import { SharedKeyRing, type TokenKey } from './key-ring.ts';

const key = (kid: string): TokenKey => ({ kid, key: new Uint8Array(32) });

function open(stored: { keys: TokenKey[]; isAway: boolean }) {
  const clock = { nowMs: 10_000 };
  const ring: SharedKeyRing = new SharedKeyRing({
    now: () => clock.nowMs,
    ready: async () => {},
    reload: async () => {
      if (!stored.isAway) ring.replace(stored.keys);
      return !stored.isAway;
    },
  });
  return { ring, clock };
}

describe('SharedKeyRing', () => {
  it('calls no token wrong before it was ever read', async () => {
    const { ring } = open({ keys: [], isAway: true });
    await expect(ring.findUnknown('a')).rejects.toMatchObject({ status: 503 });
    await expect(ring.findUnknown(undefined)).rejects.toMatchObject({ status: 503 });
  });

  it('calls no token wrong whose key cannot be looked up', async () => {
    const stored = { keys: [key('a')], isAway: false };
    const { ring, clock } = open(stored);
    ring.replace(stored.keys);
    stored.isAway = true;
    stored.keys = [key('b'), key('a')];
    await expect(ring.findUnknown('b')).rejects.toMatchObject({ status: 503 });
    // nor within the second in which it does not look again
    await expect(ring.findUnknown('b')).rejects.toMatchObject({ status: 503 });
    stored.isAway = false;
    clock.nowMs += 1000;
    expect((await ring.findUnknown('b')).map(({ kid }) => kid)).toEqual(['b']);
    expect(await ring.findUnknown('made-up')).toEqual([]);
  });
});
