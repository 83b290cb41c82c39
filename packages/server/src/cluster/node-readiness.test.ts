import { describe, expect, it } from 'vitest';
import type { DatabaseProbe } from '../model/ports.ts';
import { NodeReadiness } from './node-readiness.ts';

const OK: DatabaseProbe = { status: 'ok', latencyMs: 1 };
const AWAY: DatabaseProbe = { status: 'error', message: 'ECONNREFUSED 10.0.0.1' };

function open(probe: { current: DatabaseProbe }, loaded = { current: true }) {
  let nowMs = 0;
  let pings = 0;
  const readiness = new NodeReadiness({
    pingDatabase: async () => {
      pings += 1;
      return probe.current;
    },
    isSecurityLoaded: () => loaded.current,
    now: () => nowMs,
  });
  return {
    readiness,
    pings: () => pings,
    check: () => {
      nowMs += 1000;
      return readiness.check();
    },
  };
}

describe('NodeReadiness', () => {
  it('starts, is ready, loses the database, drains', async () => {
    const probe = { current: AWAY as DatabaseProbe };
    const { readiness, check } = open(probe);
    expect(await check()).toMatchObject({ state: 'starting', isReady: false });
    expect(readiness.hasStarted).toBe(false);
    probe.current = OK;
    expect(await check()).toMatchObject({ state: 'ready', isReady: true });
    probe.current = AWAY;
    expect(await check()).toMatchObject({ state: 'unready', isReady: false });
    expect(readiness.hasStarted).toBe(true);
    probe.current = OK;
    readiness.startDraining();
    expect(await check()).toMatchObject({ state: 'draining', isReady: false });
  });

  it('says that it drains without asking the database, which may be slow to answer', async () => {
    const readiness = new NodeReadiness({
      pingDatabase: () => new Promise(() => {}),
      isSecurityLoaded: () => true,
    });
    readiness.startDraining();
    expect(await readiness.check()).toMatchObject({ state: 'draining', isReady: false });
    expect(readiness.hasStarted).toBe(false);
  });

  it('waits for keys and the first account', async () => {
    const loaded = { current: false };
    const { check } = open({ current: OK }, loaded);
    expect((await check()).isReady).toBe(false);
    loaded.current = true;
    expect((await check()).isReady).toBe(true);
  });

  it('tells nobody the address of the database', async () => {
    const { check } = open({ current: AWAY });
    expect(JSON.stringify(await check())).not.toContain('10.0.0.1');
  });

  it('pings once for probes that come together', async () => {
    const { readiness, pings } = open({ current: OK });
    await Promise.all([readiness.check(), readiness.check(), readiness.check()]);
    expect(pings()).toBe(1);
  });
});
