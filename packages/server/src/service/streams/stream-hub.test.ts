import { describe, expect, it } from 'vitest';
import { StreamHub, type SubscribeOptions } from './stream-hub.ts';
import type { EventSource, FailureKind, StreamEvent } from './stream-worker.ts';

/** A source that the test feeds. */
class TestSource implements EventSource {
  readonly after: string | undefined;
  readonly singly: boolean;
  position: string | undefined;
  isClosed = false;
  private readonly events: (StreamEvent | Error)[] = [];
  private wake: (() => void) | undefined;

  constructor(after: string | undefined, singly: boolean) {
    this.after = after;
    this.singly = singly;
    this.position = after;
  }

  emit(id: string, fields: Record<string, string> = {}): void {
    const fullDocument = new Map(Object.entries(fields));
    this.events.push({
      id,
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
      if (event !== undefined) {
        this.position = event.id;
        yield event;
      } else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }
}

const webSocket = (event: StreamEvent) => `event ${event.id}`;
const sse = (event: StreamEvent) => `id:${event.id}`;

function setUp(maxWaitingBytes = 1000) {
  const sources: TestSource[] = [];
  const hub = new StreamHub({ maxWaitingBytes, retryDelayMs: 1, warn: () => undefined });
  const failure: { kind: FailureKind } = { kind: 'retry' };
  const options: SubscribeOptions = {
    stages: '[]',
    declarations: 'as declared',
    databaseName: 'db',
    collectionName: 'coll',
    origin: {
      open: (after, { singly }) => {
        const source = new TestSource(after, singly);
        sources.push(source);
        return Promise.resolve(source);
      },
      skip: (after) => Promise.resolve(String(Number(after) + 1)),
      judge: () => failure.kind,
    },
    after: undefined,
    notifyWhen: undefined,
    wanted: undefined,
    format: webSocket,
  };
  return { hub, sources, options, failure };
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

  it('writes an event once for a thousand clients of one cursor', async () => {
    const { hub, sources, options } = setUp();
    let written = 0;
    const format = ({ id }: StreamEvent) => {
      written += 1;
      return id;
    };
    const clients = await Promise.all(
      Array.from({ length: 1000 }, () => hub.subscribe({ ...options, format })),
    );
    expect(hub.counts).toEqual({ cursors: 1, clients: 1000 });
    sources[0]?.emit('1');
    for (const client of clients) expect(await take(client, 1)).toEqual(['1']);
    expect(written).toBe(1);
    expect(hub.counts).toEqual({ cursors: 0, clients: 0 });
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
    expect(await take(slow, 10)).toEqual([]);
    expect(slow.overflow.aborted).toBe(true);
    expect(quick.overflow.aborted).toBe(false);
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

  it('ends the streams of a collection that declares others by now, and no other', async () => {
    const { hub, sources, options } = setUp();
    const ended = await hub.subscribe(options);
    await hub.subscribe({ ...options, collectionName: 'other' });
    await hub.closeOutdated('elsewhere', () => Promise.resolve('changed'));
    await hub.closeOutdated('db', (name) =>
      Promise.resolve(name === 'coll' ? 'changed' : options.declarations),
    );
    expect(await take(ended, 1)).toEqual([]);
    expect(sources.map((source) => source.isClosed)).toEqual([true, false]);
  });

  it('leaves out the one event that the stages cannot bear', async () => {
    const { hub, sources, options, failure } = setUp();
    failure.kind = 'skip';
    const stream = await hub.subscribe(options);
    sources[0]?.emit('1');
    // fails while it reads 2 and 3 together: which of them is the cause is not known
    sources[0]?.fail();
    await expect.poll(() => sources.length).toBe(2);
    expect(sources[1]).toMatchObject({ after: '1', singly: true });
    sources[1]?.emit('2');
    sources[1]?.fail();
    await expect.poll(() => sources.length).toBe(3);
    expect(sources[2]).toMatchObject({ after: '2', singly: true });
    sources[2]?.fail();
    await expect.poll(() => sources.length).toBe(4);
    expect(sources[3]).toMatchObject({ after: '3', singly: false });
    sources[3]?.emit('4');
    expect(await take(stream, 3)).toEqual(['event 1', 'event 2', 'event 4']);
  });

  it('begins now when the database has forgotten the position', async () => {
    const { hub, sources, options, failure } = setUp();
    failure.kind = 'restart';
    await hub.subscribe(options);
    sources[0]?.emit('1');
    sources[0]?.fail();
    await expect.poll(() => sources.length).toBe(2);
    expect(sources[1]?.after).toBeUndefined();
  });

  it('passes on what opening throws, and opens again for the next client', async () => {
    const { hub, sources, options } = setUp();
    const failing = {
      ...options,
      origin: { ...options.origin, open: () => Promise.reject(new Error('no')) },
    };
    await expect(hub.subscribe(failing)).rejects.toThrow('no');
    await hub.subscribe(options);
    expect(sources).toHaveLength(1);
  });
});
