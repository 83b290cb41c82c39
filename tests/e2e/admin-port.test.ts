/** The second port: health, cluster and metrics alone, for those who may not reach the API (setting `admin-port`). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../support/cluster.ts';
import { type NodeProcess, OPEN_RHO, startNodeProcess } from '../support/node-process.ts';

describe('the admin port', () => {
  let folder = '';
  let node: NodeProcess;
  let admin = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-admin-'));
    const port = await freePort();
    admin = `http://127.0.0.1:${port}`;
    node = await startNodeProcess({
      dataFolder: folder,
      rho: `${OPEN_RHO};/quorate/admin-port->${port};/quorate/drain-delay->3000`,
    });
  });
  afterAll(async () => {
    await node?.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const status = async (base: string, path: string): Promise<number> =>
    (await fetch(`${base}${path}`)).status;

  it('answers for health, cluster and metrics', async () => {
    for (const path of ['/health/live', '/health/ready', '/health/startup', '/ping', '/health/db'])
      expect(await status(admin, path), path).toBe(200);
    for (const path of ['/cluster', '/metrics']) expect(await status(admin, path), path).toBe(200);
  });

  it('has no data, no tokens and no rules', async () => {
    expect(await status(node.url, '/_size')).not.toBe(502);
    for (const path of ['/', '/restheart/users', '/token', '/roles/admin', '/_size'])
      expect(await status(admin, path), path).toBe(502);
  });

  it('says like the other one that the node leaves, and that it lives', async () => {
    const ended = node.stop();
    for (const base of [admin, node.url]) {
      for (;;) if ((await status(base, '/health/ready')) === 503) break;
      for (const path of ['/ping', '/health/db']) expect(await status(base, path), path).toBe(503);
      expect(await status(base, '/health/live')).toBe(200);
    }
    expect(await status(node.url, '/')).toBe(200);
    expect(await ended).toBe(0);
    await expect(fetch(`${admin}/health/live`)).rejects.toThrow();
  });
});
