import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OverflowQueue } from './overflow-queue.ts';

async function collect(queue: OverflowQueue): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of queue.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

const refuseFile = () => Promise.reject(new Error('no disk'));

describe('OverflowQueue', () => {
  it('keeps the order, whoever is faster', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.nat(30), fc.boolean(), async (list, startAfter, hasDisk) => {
        const queue = new OverflowQueue({
          memoryBytes: 50,
          ...(hasDisk ? {} : { openFile: refuseFile }),
        });
        let reading: Promise<Buffer> | undefined = hasDisk ? undefined : collect(queue);
        for (const [i, piece] of list.entries()) {
          if (i === startAfter) reading ??= collect(queue);
          await queue.write(Buffer.from(piece));
        }
        queue.end();
        expect(await (reading ?? collect(queue))).toEqual(Buffer.concat(list));
      }),
      { numRuns: 100 },
    );
  });

  it('makes nobody wait who has a disk, and who has none waits for the reader', async () => {
    const piece = Buffer.alloc(1000, 'x');
    const roomy = new OverflowQueue({ memoryBytes: 2000 });
    for (let i = 0; i < 500; i += 1) await roomy.write(piece);
    roomy.end();
    expect((await collect(roomy)).length).toBe(500_000);

    const tight = new OverflowQueue({ memoryBytes: 2000, openFile: refuseFile });
    let written = 0;
    const writing = (async () => {
      for (; written < 10; written += 1) await tight.write(piece);
      tight.end();
    })();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(written).toBe(2);
    expect((await collect(tight)).length).toBe(10_000);
    await writing;
  });

  it('hands on the failure after the bytes, and tells that the reader has left', async () => {
    const failed = new OverflowQueue({ memoryBytes: 10 });
    await failed.write(Buffer.from('x'));
    failed.end(new Error('lost'));
    const reader = failed.read()[Symbol.asyncIterator]();
    expect((await reader.next()).value?.toString()).toBe('x');
    await expect(reader.next()).rejects.toThrow('lost');

    const left = new OverflowQueue({ memoryBytes: 10, openFile: refuseFile });
    await left.write(Buffer.alloc(10));
    const waiting = left.write(Buffer.alloc(10));
    for await (const piece of left.read()) {
      expect(piece.length).toBe(10);
      break;
    }
    await waiting;
    expect(left.isAbandoned).toBe(true);
  });
});
