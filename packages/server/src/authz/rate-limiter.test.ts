import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../model/http-request.ts';
import { ANONYMOUS, type Identity } from '../model/identity.ts';
import { RateLimiter, type RatePolicy, type SharedCounts } from './rate-limiter.ts';

const POLICY: RatePolicy = { name: 'p', quota: 50, windowMs: 60_000, per: 'account', paths: ['/'] };
const request = (path = '/x', address = '1.1.1.1') =>
  ({ rawPath: path, remoteAddress: address }) as HttpRequest;
const account = (name: string): Identity => ({
  kind: 'account',
  name,
  roles: [],
  properties: new Map(),
});

/** The shared count in memory, with a switch for its absence. */
class Counts implements SharedCounts {
  isAway = false;
  calls = 0;
  private readonly taken = new Map<string, number>();

  async take(key: string, { wanted, quota, endsAtMs }: Parameters<SharedCounts['take']>[1]) {
    this.calls += 1;
    if (this.isAway) throw new Error('away');
    const before = this.taken.get(`${endsAtMs}${key}`) ?? 0;
    this.taken.set(`${endsAtMs}${key}`, before + wanted);
    return { granted: Math.min(wanted, Math.max(0, quota - before)), taken: before + wanted };
  }
}

function limiter(policies: readonly RatePolicy[], shared?: SharedCounts, now = () => 0) {
  return new RateLimiter({
    policies,
    shared,
    sourceOf: ({ remoteAddress }) => remoteAddress,
    warn: () => {},
    now,
  });
}

async function countAllowed(ask: () => unknown, times: number): Promise<number> {
  let allowed = 0;
  for (let i = 0; i < times; i += 1) {
    try {
      await ask();
      allowed += 1;
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_REQUEST_RATE', status: 429 });
    }
  }
  return allowed;
}

describe('rate limits', () => {
  it('let exactly the quota through, and say what is left', async () => {
    let now = 10_000;
    const one = limiter([POLICY], undefined, () => now);
    expect(await one.afterLogin(request(), account('ann'))).toEqual([
      ['RateLimit-Policy', '"p";q=50;w=60'],
      ['RateLimit', '"p";r=49;t=50'],
    ]);
    expect(await countAllowed(async () => one.afterLogin(request(), account('ann')), 60)).toBe(49);
    expect(await countAllowed(async () => one.afterLogin(request(), account('bob')), 60)).toBe(50);
    now = 60_000;
    expect(await countAllowed(async () => one.afterLogin(request(), account('ann')), 60)).toBe(50);
  });

  it('tell the refused client when to come again', async () => {
    const one = limiter([{ ...POLICY, quota: 1 }], undefined, () => 45_500);
    await one.afterLogin(request(), ANONYMOUS);
    expect(() => one.afterLogin(request(), ANONYMOUS)).toThrow(
      expect.objectContaining({
        headers: [
          ['Retry-After', '15'],
          ['RateLimit-Policy', '"p";q=1;w=60'],
          ['RateLimit', '"p";r=0;t=15'],
        ],
      }),
    );
  });

  it('are one limit for several nodes, with far fewer looks than requests', async () => {
    const counts = new Counts();
    const policy = { ...POLICY, quota: 1000 };
    const nodes = [1, 2, 3].map(() => limiter([policy], counts));
    let turn = 0;
    const ask = async () => nodes[turn++ % 3]?.afterLogin(request(), account('ann'));
    const allowed = await countAllowed(ask, 1500);
    expect(allowed).toBeLessThanOrEqual(1000);
    expect(allowed).toBeGreaterThan(900);
    expect(counts.calls).toBeLessThan(150);
  });

  it('never grant more than the quota to requests at once', async () => {
    const counts = new Counts();
    const node = limiter([POLICY], counts);
    const asked = Array.from({ length: 200 }, async () => node.afterLogin(request(), ANONYMOUS));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
  });

  it('count on each node alone while the database is away', async () => {
    const counts = new Counts();
    counts.isAway = true;
    const node = limiter([POLICY], counts);
    expect(await countAllowed(async () => node.afterLogin(request(), ANONYMOUS), 70)).toBe(50);
  });

  it('count addresses before the login, below their paths only, however they are spelled', async () => {
    const node = limiter([{ ...POLICY, quota: 2, per: 'address', paths: ['/a'] }]);
    expect(await node.beforeLogin(request('/ab'))).toEqual([]);
    expect(await node.afterLogin(request('/a'), ANONYMOUS)).toEqual([]);
    const spellings = ['/a', '/a/x', '//a', '/%61'];
    let i = 0;
    expect(await countAllowed(async () => node.beforeLogin(request(spellings[i++])), 4)).toBe(2);
    expect(await countAllowed(async () => node.beforeLogin(request('/a', '2.2.2.2')), 4)).toBe(2);
  });
});
