import { describe, expect, it } from 'vitest';
import {
  type EventSource,
  type StreamEvent,
  StreamHub,
  type SubscribeOptions,
} from './stream-hub.ts';

/** A source that the test feeds. */
class TestSource implements EventSource {
  readonly after: string | undefined;
  isClosed = false;
  private readonly events: (StreamEvent | Error)[] = [];
  private wake: (() => void) | undefined;

  constructor(after: string | undefined) {
    this.after = after;
  }

  emit(id: string, fields: Record<string, string> = {}): void {
    const fullDocument = new Map(Object.entries(fields));
    this.events.push({
      id,
      text: `event ${id}`,
      document: new Map([['fullDocument', fullDocument]]),
    });
    this.wake?.();
  }

  fail(): void {
    this.events.push(new Error('the primary stepped down'));
    this.wake?.();
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.wake?.();
    return Promise.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<StreamEvent> {
    while (!this.isClosed) {
      const event = this.events.shift();
      if (event instanceof Error) throw event;
      if (event !== undefined) yield event;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }
}

const webSocket = (event: StreamEvent) => event.text;
const sse = (event: StreamEvent) => `id:${event.id}`;

function setUp(maxWaitingBytes = 1000) {
  const sources: TestSource[] = [];
  const hub = new StreamHub({ maxWaitingBytes, retryDelayMs: 1, warn: () => undefined });
  const options: SubscribeOptions = {
    key: 'k',
    databaseName: 'db',
    collectionName: 'coll',
    open: (after) => {
      const source = new TestSource(after);
      sources.push(source);
      return Promise.resolve(source);
    },
    after: undefined,
    notifyWhen: undefined,
    wanted: undefined,
    format: webSocket,
  };
  return { hub, sources, options };
}

async function take(stream: AsyncIterable<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  if (count === 0) return taken;
  for await (const message of stream) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

describe('StreamHub', () => {
  it('serves all clients of a key from one cursor, each in its own format', async () => {
    const { hub, sources, options } = setUp();
    const first = await hub.subscribe(options);
    const second = await hub.subscribe({ ...options, format: sse });
    sources[0]?.emit('1');
    expect(await take(first, 1)).toEqual(['event 1']);
    expect(await take(second, 1)).toEqual(['id:1']);
    expect(sources).toHaveLength(1);
  });

  it('closes the cursor when the last client leaves', async () => {
    const { hub, sources, options } = setUp();
    const stream = await hub.subscribe(options);
    sources[0]?.emit('1');
    await take(stream, 1);
    expect(sources[0]?.isClosed).toBe(true);
    expect(hub.counts).toEqual({ cursors: 0, clients: 0 });
  });

  it('goes on after the last event when the cursor fails', async () => {
    const { hub, sources, options } = setUp();
    const stream = await hub.subscribe(options);
    sources[0]?.emit('1');
    sources[0]?.fail();
    await expect.poll(() => sources.length).toBe(2);
    expect(sources[1]?.after).toBe('1');
    sources[1]?.emit('2');
    expect(await take(stream, 2)).toEqual(['event 1', 'event 2']);
  });

  it('lets go a client that reads too slowly, and only that one', async () => {
    const { hub, sources, options } = setUp(20);
    const slow = await hub.subscribe(options);
    const quick = await hub.subscribe(options);
    const read = take(quick, 6);
    for (let i = 1; i <= 6; i += 1) {
      sources[0]?.emit(String(i));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(await read).toHaveLength(6);
    expect((await take(slow, 10)).length).toBeLessThan(6);
  });

  it('delivers by notify_when to the client whose parameter fits, and to one without', async () => {
    const { hub, sources, options } = setUp();
    const notifyWhen = { member: 'fullDocument', path: 'tenant', parameter: 't' };
    const acme = await hub.subscribe({ ...options, notifyWhen, wanted: 'acme' });
    const everything = await hub.subscribe({ ...options, notifyWhen });
    sources[0]?.emit('1', { tenant: 'other' });
    sources[0]?.emit('2', { tenant: 'acme' });
    expect(await take(acme, 1)).toEqual(['event 2']);
    expect(await take(everything, 2)).toEqual(['event 1', 'event 2']);
  });

  it('gives a resuming client a cursor of its own', async () => {
    const { hub, sources, options } = setUp();
    await hub.subscribe(options);
    await hub.subscribe({ ...options, after: '7' });
    expect(sources.map((source) => source.after)).toEqual([undefined, '7']);
  });

  it('ends the streams of a collection, not those of another', async () => {
    const { hub, sources, options } = setUp();
    const ended = await hub.subscribe(options);
    await hub.subscribe({ ...options, key: 'other', collectionName: 'other' });
    hub.closeCollection('db', 'coll');
    expect(await take(ended, 1)).toEqual([]);
    expect(sources.map((source) => source.isClosed)).toEqual([true, false]);
    hub.closeCollection('db');
    expect(sources.map((source) => source.isClosed)).toEqual([true, true]);
  });

  it('passes on what opening throws, and opens again for the next client', async () => {
    const { hub, sources, options } = setUp();
    const failing = { ...options, open: () => Promise.reject(new Error('no')) };
    await expect(hub.subscribe(failing)).rejects.toThrow('no');
    await hub.subscribe(options);
    expect(sources).toHaveLength(1);
  });
});
