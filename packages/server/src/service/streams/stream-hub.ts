/**
 * Change streams shared by their clients: one cursor for each key, however many clients listen
 * (streams.md §7, decision 10 of the design).
 */
import type { EventQueue } from './event-queue.ts';
import { type ClientOptions, type EventOrigin, StreamWorker } from './stream-worker.ts';

export interface SubscribeOptions extends ClientOptions {
  readonly databaseName: string;
  readonly collectionName: string;
  /** The stages that the database runs; clients of a collection with the same stages share one cursor. */
  readonly stages: string;
  /** The collection's declarations as this client found them; see `closeOutdated`. */
  readonly declarations: string;
  readonly origin: EventOrigin;
  /** Token to resume after; such a client has a cursor of its own. */
  readonly after: string | undefined;
}

export interface StreamHubOptions {
  /** A client with more than this waiting is let go. */
  readonly maxWaitingBytes: number;
  readonly retryDelayMs: number;
  readonly warn: (message: string, error: unknown) => void;
}

interface OpenStream {
  readonly worker: StreamWorker;
  readonly databaseName: string;
  readonly collectionName: string;
  readonly declarations: string;
}

/** All open streams of this process. */
export class StreamHub {
  private readonly open = new Map<string, OpenStream>();
  private readonly options: StreamHubOptions;
  private resumed = 0;

  constructor(options: StreamHubOptions) {
    this.options = options;
  }

  /**
   * The events of a stream from now on, as long as the client reads.
   *
   * @throws what opening the cursor throws; a stream that is shared is already open
   */
  subscribe(options: SubscribeOptions): Promise<EventQueue> {
    const { databaseName, collectionName, stages, declarations, origin, after } = options;
    const parts = [databaseName, collectionName, stages, declarations];
    if (after !== undefined) {
      this.resumed += 1;
      parts.push(`resumed ${this.resumed}`);
    }
    const key = parts.join('\0');
    let stream = this.open.get(key);
    if (stream === undefined) {
      const worker = new StreamWorker({
        ...this.options,
        origin,
        after,
        onClose: () => this.open.delete(key),
      });
      stream = { worker, databaseName, collectionName, declarations };
      this.open.set(key, stream);
    }
    return stream.worker.subscribe(options);
  }

  /**
   * Ends the streams of a database whose collections declare others by now, or are gone.
   *
   * @param load - the present declarations of a collection
   */
  async closeOutdated(
    databaseName: string,
    load: (collectionName: string) => Promise<string>,
  ): Promise<void> {
    const streams = [...this.open.values()].filter((one) => one.databaseName === databaseName);
    for (const collectionName of new Set(streams.map((one) => one.collectionName))) {
      const declarations = await load(collectionName);
      for (const stream of streams) {
        if (stream.collectionName !== collectionName) continue;
        if (stream.declarations !== declarations) stream.worker.close();
      }
    }
  }

  /** Ends all streams; `code` tells WebSockets why. */
  close(code?: number): void {
    for (const { worker } of [...this.open.values()]) worker.close(code);
  }

  /** Open cursors and listening clients. */
  get counts(): { readonly cursors: number; readonly clients: number } {
    let clients = 0;
    for (const { worker } of this.open.values()) clients += worker.clientCount;
    return { cursors: this.open.size, clients };
  }
}
