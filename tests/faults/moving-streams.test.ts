/** Streams that move from node to node as these restart (cluster.md E5, E11; design "Beyond the reference" 4). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, BASIC, pause, TestCluster, waitFor } from '../support/cluster.ts';
import { openSse, openWebSocket } from '../support/stream-clients.ts';

const STREAM = '/shop/things/_streams/all';
const HEADERS = { Authorization: BASIC };

describe('a stream of changes', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.open();
    await ask(cluster.url(0), '/shop', { method: 'PUT' });
    const body = { streams: [{ uri: 'all', stages: [] }] };
    await ask(cluster.url(0), '/shop/things', { method: 'PUT', body });
  });
  afterAll(() => cluster?.close());

  it('loses and repeats no event for a client that resumes elsewhere, while all nodes restart', async () => {
    const seen: number[] = [];
    let isDone = false;
    let opened = 0;
    const follow = async (): Promise<void> => {
      let lastId = '';
      for (let node = 0; !isDone; node = (node + 1) % 3) {
        const resume = lastId === '' ? {} : { 'Last-Event-ID': lastId };
        const stream = await openSse(cluster.url(node), STREAM, { ...HEADERS, ...resume }).catch(
          () => undefined,
        );
        if (stream?.status !== 200) {
          stream?.close();
          await pause(50);
          continue;
        }
        opened += 1;
        const ended = stream.ended.then(() => undefined);
        for (;;) {
          const event = await Promise.race([stream.next(), ended]);
          if (event === undefined) break;
          lastId = /^id: ?(.*)$/m.exec(event)?.[1] ?? lastId;
          const n = /"n": ?(\d+)/.exec(event)?.[1];
          if (n !== undefined) seen.push(Number(n));
          if (isDone) {
            stream.close();
            break;
          }
        }
      }
    };
    const following = follow();
    await waitFor('the stream to open', async () => opened > 0);
    let written = 0;
    let isWriting = true;
    const writing = (async () => {
      while (isWriting) {
        const url = cluster.url(written % 3);
        const headers = { 'Idempotency-Key': `event-${written}` };
        const reply = await ask(url, '/shop/things', {
          method: 'POST',
          body: { n: written },
          headers,
        });
        if (reply.status === 201) written += 1;
        else await pause(20);
        // a node that is away: another one next time
        if (reply.status === 0) {
          const other = cluster.url((written + 1) % 3);
          const again = await ask(other, '/shop/things', {
            method: 'POST',
            body: { n: written },
            headers,
          });
          if (again.status === 201) written += 1;
        }
      }
    })();
    for (const i of [0, 1, 2]) {
      await cluster.nodes[i]?.stop();
      await cluster.startNode(i);
      await cluster.waitUntilReady();
    }
    isWriting = false;
    await writing;
    await waitFor('the last event', async () => seen.at(-1) === written - 1);
    isDone = true;
    await ask(cluster.url(0), '/shop/things', { method: 'POST', body: { end: true } });
    await following;
    expect(opened).toBeGreaterThan(1);
    expect(seen).toEqual(Array.from({ length: written }, (_, n) => n));
  });

  it('ends with 1001 over a WebSocket, after the node has said that it leaves', async () => {
    const socket = await openWebSocket(cluster.url(1), STREAM, HEADERS);
    await ask(cluster.url(0), '/shop/things', { method: 'POST', body: { last: 1 } });
    expect(await socket.next()).toContain('"last": 1');
    const ended = cluster.nodes[1]?.stop();
    expect(await socket.ended).toBe(1001);
    expect(await ended).toBe(0);
  });
});
