import { describe, expect, it } from 'vitest';
import { sharePool } from './pool-share.ts';

describe('sharePool', () => {
  it('divides the budget among the nodes, and the share among documents and sessions', () => {
    expect(sharePool(400, 10)).toEqual({ maxPoolSize: 30, maxSessionPoolSize: 10 });
    expect(sharePool(60, 3)).toEqual({ maxPoolSize: 15, maxSessionPoolSize: 5 });
  });

  it('gives no node more than the driver would open, and none less than one of each', () => {
    expect(sharePool(10_000, 2)).toEqual({ maxPoolSize: 75, maxSessionPoolSize: 25 });
    expect(sharePool(10, 200)).toEqual({ maxPoolSize: 1, maxSessionPoolSize: 1 });
  });
});
