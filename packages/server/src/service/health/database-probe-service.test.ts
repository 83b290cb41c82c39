import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../model/http-request.ts';
import type { DatabaseProbe } from '../../model/ports.ts';
import { createDatabaseProbeService } from './database-probe-service.ts';

const CONFIG = { uri: '/health/db', databaseName: 'admin', timeoutMs: 2000 };

function open(ping: () => Promise<DatabaseProbe>) {
  const service = createDatabaseProbeService(CONFIG, { ping });
  return async (method = 'GET') => {
    const { status, body } = await service.handle(
      { method } as HttpRequest,
      undefined as never,
      undefined as never,
    );
    return { status, body: body === undefined ? undefined : JSON.parse(String(body)) };
  };
}

describe('the probe of the database', () => {
  it.each([
    [
      { status: 'ok', latencyMs: 14 } as const,
      200,
      { status: 'ok', description: 'ping successful', latencyMs: 14 },
    ],
    [{ status: 'timeout' } as const, 504, { status: 'error', description: 'ping timeout' }],
    [
      { status: 'error', message: 'refused' } as const,
      503,
      { status: 'error', description: 'refused' },
    ],
  ])('answers %j with %i', async (probe, status, body) => {
    const ask = open(async () => probe);
    expect(await ask()).toEqual({ status, body });
    expect(await ask('HEAD')).toEqual({ status, body: undefined });
    expect(await ask('POST')).toEqual({ status: 405, body: undefined });
  });

  it('runs five at once, lets ten wait, and refuses the others', async () => {
    const waiting: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const ask = open(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running -= 1;
      return { status: 'ok', latencyMs: 1 };
    });
    const replies = Array.from({ length: 17 }, () => ask());
    const refused = { status: 'error', description: 'too many concurrent probes' };
    expect(await Promise.all(replies.slice(15))).toEqual([
      { status: 429, body: refused },
      { status: 429, body: refused },
    ]);
    let isDone = false;
    const done = Promise.all(replies.slice(0, 15)).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await done).map(({ status }) => status)).toEqual(Array(15).fill(200));
    expect(most).toBeLessThanOrEqual(5);
    const later = ask();
    waiting.shift()?.();
    expect((await later).status).toBe(200);
  });
});
