import { describe, expect, it } from 'vitest';
import { keepConnecting } from './keep-connecting.ts';

describe('keepConnecting', () => {
  it('tries until the first connection succeeds, and not once more', async () => {
    let attempts = 0;
    await new Promise<void>((resolve) => {
      keepConnecting({
        connect: async () => {
          attempts += 1;
          if (attempts < 3) throw new Error('ECONNREFUSED');
          resolve();
          return undefined as never;
        },
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(attempts).toBe(3);
  });

  it('ends with its owner', async () => {
    let attempts = 0;
    const stop = keepConnecting({
      connect: async () => {
        attempts += 1;
        throw new Error('ECONNREFUSED');
      },
    });
    stop();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(attempts).toBe(1);
  });
});
