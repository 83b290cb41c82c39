/** SIGTERM: what is under way is finished, what comes new is refused, and the process ends with 0 (cluster.md D3). */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPEN_RHO, startNodeProcess } from '../support/node-process.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-drain-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BODY = '{"_id":"late","n":1}';

/** A POST whose body lacks its second half. */
async function beginPost(url: string): Promise<{ socket: Socket; answer: Promise<string> }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  const answer = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  socket.write(
    `POST /d/c HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, 5)}`,
  );
  // a request of its own tells that the node has read the first one's head
  expect((await fetch(`${url}/ping`)).status).toBe(200);
  return { socket, answer };
}

/** Asks until the node takes no more requests. */
async function untilRefusing(url: string): Promise<void> {
  for (;;) {
    try {
      const reply = await fetch(`${url}/ping`);
      await reply.arrayBuffer();
      if (reply.status === 503) return;
    } catch {
      return;
    }
  }
}

describe('SIGTERM', () => {
  it('lets a request that is under way end, refuses new ones, and keeps what was written', async () => {
    const data = join(folder, 'a');
    const node = await startNodeProcess({ dataFolder: data });
    await fetch(`${node.url}/d`, { method: 'PUT' });
    await fetch(`${node.url}/d/c`, { method: 'PUT' });
    const { socket, answer } = await beginPost(node.url);
    const ended = node.stop();
    await untilRefusing(node.url);
    socket.write(BODY.slice(5));
    expect(await answer).toMatch(/^HTTP\/1\.1 201 [\s\S]*\r\nConnection: close\r\n/);
    expect(await ended).toBe(0);
    expect(node.log()).toContain('Quorate stopped');

    const again = await startNodeProcess({ dataFolder: data });
    expect(await (await fetch(`${again.url}/d/c/late?keys={"n":1}`)).json()).toEqual({
      _id: 'late',
      n: 1,
    });
    await again.stop();
  });

  it('lets a client that reads slowly have all of its answer', async () => {
    const node = await startNodeProcess({ dataFolder: join(folder, 'c') });
    await fetch(`${node.url}/d`, { method: 'PUT' });
    await fetch(`${node.url}/d/c`, { method: 'PUT' });
    // more than the sockets of both sides hold
    const text = 'x'.repeat(3_000_000);
    for (let i = 0; i < 12; i += 1) {
      const reply = await fetch(`${node.url}/d/c/${i}?wm=upsert`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ text }),
      });
      expect(reply.status).toBe(201);
    }
    const { hostname, port } = new URL(node.url);
    const socket = connect({ host: hostname, port: Number(port) });
    socket.write('GET /d/c?pagesize=12&keys={"_id":0,"text":1} HTTP/1.1\r\nHost: x\r\n\r\n');
    let head = '';
    let bytes = 0;
    socket.once('data', (chunk: Buffer) => {
      head = chunk.toString('latin1').split('\r\n\r\n')[0] ?? '';
      bytes = chunk.length - head.length - 4;
      socket.pause();
      socket.on('data', (more: Buffer) => {
        bytes += more.length;
      });
      // a second listener would have set it flowing again
      socket.pause();
    });
    socket.on('error', () => {});
    await once(socket, 'pause');
    const ended = node.stop();
    await untilRefusing(node.url);
    await new Promise((resolve) => setTimeout(resolve, 500));
    socket.resume();
    await once(socket, 'close');
    expect(bytes).toBe(Number(/Content-Length: (\d+)/.exec(head)?.[1]));
    expect(bytes).toBeGreaterThan(36_000_000);
    expect(await ended).toBe(0);
  });

  it('ends at once on a second signal, whatever is under way', async () => {
    const node = await startNodeProcess({ dataFolder: join(folder, 'd') });
    await fetch(`${node.url}/d`, { method: 'PUT' });
    await fetch(`${node.url}/d/c`, { method: 'PUT' });
    const { answer } = await beginPost(node.url);
    const ended = node.stop();
    await untilRefusing(node.url);
    // the request under way would keep it for SHUTDOWN_TIMEOUT, a minute
    process.kill(node.pid, 'SIGTERM');
    expect(await ended).toBe(1);
    expect(await answer).not.toContain('201');
    expect(node.log()).not.toContain('Quorate stopped');
  });

  it('waits no longer than SHUTDOWN_TIMEOUT for a client that does not go on', async () => {
    const node = await startNodeProcess({
      dataFolder: join(folder, 'b'),
      rho: `${OPEN_RHO};/connection-options/SHUTDOWN_TIMEOUT->300`,
    });
    await fetch(`${node.url}/d`, { method: 'PUT' });
    await fetch(`${node.url}/d/c`, { method: 'PUT' });
    const { answer } = await beginPost(node.url);
    expect(await node.stop()).toBe(0);
    expect(await answer).not.toContain('201');
  });
});
