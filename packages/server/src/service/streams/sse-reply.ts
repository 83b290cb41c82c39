/** Events as the body of an answer (streams.md §4; HTML standard, "Server-sent events"). */
import type { Reply } from '../../model/reply.ts';
import type { EventQueue } from './event-queue.ts';

/**
 * The answer whose body never ends by itself.
 *
 * @param keepAliveMs - a comment is sent when nothing was sent for so long; 0: none
 */
export function sseReply(events: EventQueue, keepAliveMs: number): Reply {
  return {
    status: 200,
    headers: [['Content-Type', 'text/event-stream; charset=UTF-8']],
    body: withKeepAlive(events, keepAliveMs),
    flushHeaders: true,
    uncompressed: true,
    cut: events.overflow,
  };
}

/** The messages as bytes, with a comment when nothing was sent for a while. */
function withKeepAlive(events: AsyncIterable<string>, everyMs: number): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = events[Symbol.asyncIterator]();
      let pending: Promise<IteratorResult<string>> | undefined;
      return {
        async next(): Promise<IteratorResult<Uint8Array, undefined>> {
          pending ??= iterator.next();
          const result = everyMs > 0 ? await withTimeout(pending, everyMs) : await pending;
          if (result === undefined) return { done: false, value: Buffer.from(':\n\n') };
          pending = undefined;
          if (result.done) return { done: true, value: undefined };
          return { done: false, value: Buffer.from(result.value) };
        },
        async return(): Promise<IteratorResult<Uint8Array, undefined>> {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
