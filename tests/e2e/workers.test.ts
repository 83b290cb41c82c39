/** `workers` above 1: several processes behind one port, each a node of its own (cluster.md C, "Workers"). */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../support/cluster.ts';
import { type NodeProcess, OPEN_RHO, startNodeProcess } from '../support/node-process.ts';

describe('two workers', () => {
  let folder = '';
  let node: NodeProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-workers-'));
    node = await startNodeProcess({
      dataFolder: folder,
      rho: `${OPEN_RHO};/quorate/workers->2;/core/name->"north";/metrics/instance-label->true;/quorate/request-id-header->"X-Request-Id"`,
    });
  });
  afterAll(async () => {
    await node?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Each request on a connection of its own, so that the workers share them. */
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${node.url}${path}`, { ...init, headers: { Connection: 'close', ...init.headers } });
  /** Cluster metrics of each worker, by its number. */
  const scrapeBoth = async (): Promise<ReadonlyMap<string, string>> => {
    const texts = new Map<string, string>();
    await waitFor('both workers to answer', async () => {
      const text = await (await ask('/metrics/cluster')).text();
      texts.set(/worker="(\w*)"/.exec(text)?.[1] ?? 'none', text);
      return texts.size === 2;
    });
    return texts;
  };
  const killed = new Set<number>();
  const kill = (pid: number): void => {
    killed.add(pid);
    process.kill(pid, 'SIGKILL');
  };
  /** Of those that live: the registry remembers the others for a while. */
  const listPids = async (): Promise<readonly number[]> => {
    const view = (await (await ask('/cluster')).json()) as { nodes: { pid: number }[] };
    return view.nodes.map(({ pid }) => pid).filter((pid) => !killed.has(pid));
  };

  it('serve the same data, and name themselves in every sample', async () => {
    expect((await ask('/shop', { method: 'PUT' })).status).toBe(201);
    expect((await ask('/shop/things', { method: 'PUT' })).status).toBe(201);
    for (let i = 0; i < 20; i += 1) {
      const headers = { 'Content-Type': 'application/json' };
      const made = await ask(`/shop/things/${i}?wm=upsert`, { method: 'PUT', body: '{}', headers });
      expect(made.status).toBe(201);
      expect((await ask(`/shop/things/${i}`)).status).toBe(200);
    }
    const texts = await scrapeBoth();
    expect([...texts.keys()].sort()).toEqual(['1', '2']);
    for (const [worker, text] of texts) {
      const samples = text.split('\n').filter((line) => /^[a-z]/.test(line));
      expect(samples.length).toBeGreaterThan(0);
      for (const sample of samples) {
        expect(sample).toContain(`worker="${worker}"`);
        expect(sample.match(/instance_name="north"/g)).toHaveLength(1);
      }
    }
    const requests = await (await ask('/metrics/*')).text();
    expect(requests).toMatch(
      /^http_requests_count\{instance_name="north",worker="[12]",request_method="PUT",path_template="\/\*",response_status_code="201",\} \d+\.0$/m,
    );
  });

  it('give each request an id, or keep that of the client', async () => {
    const own = (await ask('/ping')).headers.get('X-Request-Id');
    expect(own).toMatch(/^[\w-]+$/);
    expect((await ask('/ping')).headers.get('X-Request-Id')).not.toBe(own);
    const given = await ask('/shop', { headers: { 'X-Request-Id': 'of-the-client' } });
    expect(given.headers.get('X-Request-Id')).toBe('of-the-client');
    await waitFor('both in the log', async () => {
      const lines = node.log().split('\n');
      return (
        lines.some((line) => line.includes('/ping') && line.includes(own ?? '?')) &&
        lines.some((line) => line.includes('/shop') && line.includes('of-the-client'))
      );
    });
  });

  it('are started again under their number when they die', async () => {
    const before = await listPids();
    expect(before).toHaveLength(2);
    const [victim = 0, survivor = 0] = before;
    kill(victim);
    await waitFor('another worker in its place', async () => {
      const pids = await listPids();
      return pids.includes(survivor) && pids.some((pid) => !before.includes(pid));
    });
    expect([...(await scrapeBoth()).keys()].sort()).toEqual(['1', '2']);
    expect((await ask('/shop/things/7')).status).toBe(200);
  });

  it('leave no client waiting when they die', async () => {
    const seen: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const pids = await listPids();
      const asked: Promise<string>[] = [];
      for (let i = 0; i < 8; i += 1) {
        if (i === 3) kill(pids.at(-1) ?? 0);
        asked.push(askPlainly(node.url));
      }
      seen.push(...(await Promise.all(asked)));
      await waitFor('another worker in its place', async () => {
        return (await listPids()).length === 2;
      });
    }
    // who met the dying one is cut off, and may ask again
    expect(seen).not.toContain('no answer');
    expect(seen).toContain('answered');
  });
});

/** One request on a connection of its own, sent in the instant in which it is asked for. */
function askPlainly(url: string): Promise<'answered' | 'cut' | 'no answer'> {
  const { port, host } = new URL(url);
  return new Promise((resolve) => {
    let isAnswered = false;
    const socket = connect(Number(port), '127.0.0.1', () =>
      socket.write(`GET /ping HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.setTimeout(5000, () => {
      resolve('no answer');
      socket.destroy();
    });
    socket.on('data', () => {
      isAnswered = true;
    });
    socket.on('error', () => resolve('cut'));
    socket.on('close', () => resolve(isAnswered ? 'answered' : 'cut'));
  });
}
