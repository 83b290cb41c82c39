/**
 * What one client still has to be sent. A client that reads too slowly for its bound is let go, so
 * that it neither delays the others nor fills the memory.
 */
export class EventQueue implements AsyncIterable<string, number | undefined> {
  private waiting: string[] = [];
  private waitingBytes = 0;
  private isClosed = false;
  private code: number | undefined;
  private wake: (() => void) | undefined;
  private readonly maxBytes: number;
  private readonly onClose: () => void;
  private readonly cutting = new AbortController();

  /** @param onClose - called once, when either side ends */
  constructor(maxBytes: number, onClose: () => void) {
    this.maxBytes = maxBytes;
    this.onClose = onClose;
  }

  /** Aborts when the client has fallen too far behind: its connection is of no use any more. */
  get overflow(): AbortSignal {
    return this.cutting.signal;
  }

  push(message: string): void {
    if (this.isClosed) return;
    this.waiting.push(message);
    this.waitingBytes += message.length;
    if (this.waitingBytes > this.maxBytes) this.cut();
    else this.wake?.();
  }

  /**
   * Ends the stream after what is already waiting.
   *
   * @param code - why, as a WebSocket is told (RFC 6455 §7.4.1); undefined: nothing is wrong
   */
  close(code?: number): void {
    if (this.isClosed) return;
    this.code = code;
    this.isClosed = true;
    this.onClose();
    this.wake?.();
  }

  /** What waits is dropped: who does not read would keep it for as long as the connection lasts. */
  private cut(): void {
    this.waiting = [];
    this.close();
    this.cutting.abort();
  }

  /**
   * No generator: its `return` would wait for the event that the generator waits for, and a client
   * that has left would be kept until then.
   */
  [Symbol.asyncIterator](): AsyncIterator<string, number | undefined> {
    return {
      next: async () => {
        while (this.waiting.length === 0) {
          if (this.isClosed) return { done: true, value: this.code };
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
        }
        const value = this.waiting.shift() ?? '';
        this.waitingBytes -= value.length;
        return { done: false, value };
      },
      return: async () => {
        this.waiting = [];
        this.close();
        return { done: true, value: undefined };
      },
    };
  }
}
