/** `quorate cluster`: all of it on one machine, by one command. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { freePort, hasProgram, waitFor } from '../support/cluster.ts';

const MAIN = join(import.meta.dirname, '../../packages/server/dist/bundle/main.js');

describe.skipIf(!hasProgram('haproxy') && !hasProgram('nginx'))(
  'quorate cluster (needs haproxy or nginx)',
  () => {
    it('starts engine, nodes and balancer, shows the nodes, and ends with all of them', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'quorate-try-'));
      const port = await freePort();
      const args = [MAIN, 'cluster', '--nodes', '2', '--port', String(port), '--data', folder];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
      }
      const closed = new Promise((resolve) => child.once('close', resolve));
      try {
        await waitFor(
          'both nodes to be ready',
          async () => (text.match(/^node[12] .* ready/gm)?.length ?? 0) >= 2,
          60_000,
        );
        const [, password] = /admin password: (\S+)/.exec(text) ?? [];
        await waitFor('the balancer', async () => {
          const authorization = `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
          const reply = await fetch(`http://127.0.0.1:${port}/`, {
            headers: { Authorization: authorization },
          });
          return reply.status === 200;
        });
      } finally {
        child.kill('SIGINT');
        await closed;
        rmSync(folder, { recursive: true, force: true });
      }
      await expect(fetch(`http://127.0.0.1:${port}/ping`)).rejects.toThrow();
      for (const [, address] of text.matchAll(/^node\d\s+(\S+)/gm)) {
        await expect(fetch(`http://${address}/ping`)).rejects.toThrow();
      }
    });
  },
);
