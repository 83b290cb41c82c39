import { describe, expect, it } from 'vitest';
import type { SeenNode } from '../model/node-record.ts';
import { hashConfiguration } from './configuration-hash.ts';
import { judgeNodes } from './judge-nodes.ts';

function node(id: string, more: Partial<SeenNode> = {}): SeenNode {
  return {
    id,
    name: 'default',
    host: 'h',
    pid: 1,
    version: '1.0.0',
    configurationHash: 'a',
    keyId: 'k',
    state: 'ready',
    startedAtMs: 1,
    poolInUse: 0,
    poolSize: 100,
    eventLoopDelayMs: 1,
    clockSkewMs: 0,
    requestsInFlight: 0,
    seenAtMs: 100_000,
    ...more,
  };
}
const options = { deadAfterMs: 15_000, totalBudget: 0 };

describe('judgeNodes', () => {
  it('does not count nodes that were not heard of for long', () => {
    const view = judgeNodes([node('a'), node('b', { seenAtMs: 80_000 })], 100_000, options);
    expect(view.nodes.map(({ id }) => id)).toEqual(['a']);
  });

  it('names what differs', () => {
    const others = [node('a'), node('b', { version: '1.1.0', configurationHash: 'b', keyId: 'l' })];
    expect(judgeNodes(others, 100_000, options).drift).toEqual(['version', 'configuration', 'key']);
    expect(judgeNodes([node('a'), node('b')], 100_000, options).drift).toEqual([]);
  });

  it('does not call a node without a key different', () => {
    expect(judgeNodes([node('a'), node('b', { keyId: '' })], 100_000, options).drift).toEqual([]);
  });

  it('names clocks that are off by more than a second, in either direction', () => {
    const nodes = [node('a', { clockSkewMs: -1500 }), node('b', { clockSkewMs: 900 })];
    expect(judgeNodes(nodes, 100_000, options).skewed).toEqual(['a']);
  });

  it('divides the connections among the living, and leaves each one at least one', () => {
    const nodes = Array.from({ length: 200 }, (_, i) => node(`n${i}`));
    const share = (totalBudget: number) =>
      judgeNodes(nodes, 100_000, { deadAfterMs: 15_000, totalBudget }).poolBudget;
    expect(share(4000)).toBe(20);
    expect(share(100)).toBe(1);
    expect(share(0)).toBeUndefined();
  });
});

describe('hashConfiguration', () => {
  it('is the same for the same settings in another order', () => {
    expect(hashConfiguration({ a: { x: 1, y: [1] }, b: {} })).toBe(
      hashConfiguration({ b: {}, a: { y: [1], x: 1 } }),
    );
  });

  it('leaves out what may differ, and nothing else', () => {
    const hash = (name: string, port: number, ttl: number) =>
      hashConfiguration({ core: { name }, 'http-listener': { port }, jwtTokenManager: { ttl } });
    expect(hash('a', 1, 15)).toBe(hash('b', 2, 15));
    expect(hash('a', 1, 15)).not.toBe(hash('a', 1, 16));
  });
});
