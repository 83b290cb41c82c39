/**
 * What one client still has to be sent. A client that reads too slowly for its bound is let go, so
 * that it neither delays the others nor fills the memory.
 */
export class EventQueue implements AsyncIterable<string> {
  private readonly waiting: string[] = [];
  private waitingBytes = 0;
  private isClosed = false;
  private wake: (() => void) | undefined;
  private readonly maxBytes: number;
  private readonly onClose: () => void;

  /** @param onClose - called once, when either side ends */
  constructor(maxBytes: number, onClose: () => void) {
    this.maxBytes = maxBytes;
    this.onClose = onClose;
  }

  push(message: string): void {
    if (this.isClosed) return;
    this.waiting.push(message);
    this.waitingBytes += message.length;
    if (this.waitingBytes > this.maxBytes) this.close();
    else this.wake?.();
  }

  /** Ends the stream after what is already waiting. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onClose();
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<string> {
    try {
      for (;;) {
        // all that is waiting goes out as one piece: one write for a burst of events
        if (this.waiting.length > 0) {
          const messages = this.waiting.splice(0);
          this.waitingBytes = 0;
          yield* messages;
        } else if (this.isClosed) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            this.wake = resolve;
          });
          this.wake = undefined;
        }
      }
    } finally {
      this.close();
    }
  }
}
