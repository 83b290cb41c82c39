/** One cursor and the clients that share it (streams.md §7). */
import type { BsonDocument } from '../../model/bson.ts';
import { EventQueue } from './event-queue.ts';
import { concerns, type NotifyWhen } from './stream-definition.ts';

/** One event, read once. */
export interface StreamEvent {
  /** Resume token as JSON on one line. */
  readonly id: string;
  /** The event document. */
  readonly document: BsonDocument;
}

/** A running cursor over the events of one stream. */
export interface EventSource extends AsyncIterable<StreamEvent> {
  /** Token of the last event read, or of a later moment up to which nothing has happened. */
  readonly position: string | undefined;
  close(): Promise<void>;
}

/**
 * What to do after a failure: `retry` when the database was away, `restart` when the position is no
 * longer known to it, `skip` when the stages fail on the next event.
 */
export type FailureKind = 'retry' | 'restart' | 'skip';

/** Where the events of one stream come from. */
export interface EventOrigin {
  /**
   * Opens a cursor, after the position `after` if there is one.
   *
   * @param options - `singly`: events are read one by one, so that one which fails takes no other along
   */
  open(after: string | undefined, options: { readonly singly: boolean }): Promise<EventSource>;
  /** The position after the next event of the collection, whatever the stages make of it; undefined without one. */
  skip(after: string): Promise<string | undefined>;
  judge(error: unknown): FailureKind;
}

/** A client as its worker sees it. */
export interface ClientOptions {
  readonly notifyWhen: NotifyWhen | undefined;
  /** The client's value for `notify_when`. */
  readonly wanted: string | undefined;
  /** An event as this client is sent it; clients with the same function are sent the same text. */
  readonly format: (event: StreamEvent) => string;
}

export interface StreamWorkerOptions {
  readonly origin: EventOrigin;
  /** Token to begin after; undefined: from now on. */
  readonly after: string | undefined;
  /** A client with more than this waiting is let go. */
  readonly maxWaitingBytes: number;
  readonly retryDelayMs: number;
  readonly warn: (message: string, error: unknown) => void;
  readonly onClose: () => void;
}

interface Client {
  readonly queue: EventQueue;
  readonly options: ClientOptions;
}

/** Runs from its first client to its last. */
export class StreamWorker {
  private readonly clients = new Set<Client>();
  private readonly options: StreamWorkerOptions;
  private source: EventSource | undefined;
  private opening: Promise<void> | undefined;
  private position: string | undefined;
  private isClosed = false;
  private isSingly = false;

  constructor(options: StreamWorkerOptions) {
    this.options = options;
    this.position = options.after;
  }

  get clientCount(): number {
    return this.clients.size;
  }

  /** @throws what opening the cursor throws; one that is shared is already open */
  async subscribe(options: ClientOptions): Promise<EventQueue> {
    this.opening ??= this.start();
    const client: Client = {
      options,
      queue: new EventQueue(this.options.maxWaitingBytes, () => this.leave(client)),
    };
    // registered before the cursor is open, so that no event between is lost
    this.clients.add(client);
    try {
      await this.opening;
    } catch (error) {
      this.clients.delete(client);
      throw error;
    }
    return client.queue;
  }

  close(code?: number): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.options.onClose();
    void this.source?.close().catch((error) => this.options.warn('Closing a change stream', error));
    for (const { queue } of [...this.clients]) queue.close(code);
  }

  private leave(client: Client): void {
    this.clients.delete(client);
    if (this.clients.size === 0) this.close();
  }

  private async start(): Promise<void> {
    try {
      this.source = await this.open();
    } catch (error) {
      this.isClosed = true;
      this.options.onClose();
      throw error;
    }
    void this.run();
  }

  private open(): Promise<EventSource> {
    return this.options.origin.open(this.position, { singly: this.isSingly });
  }

  /** Reads until the last client leaves; a failed cursor is opened again where it stopped. */
  private async run(): Promise<void> {
    while (!this.isClosed) {
      let hasDelivered = false;
      try {
        this.source ??= await this.open();
        for await (const event of this.source) {
          if (this.isClosed) return;
          this.deliver(event);
          hasDelivered = true;
        }
        // the cursor ended by itself: the collection is gone
        this.close();
      } catch (error) {
        if (this.isClosed) return;
        await this.recover(error, hasDelivered);
      }
    }
  }

  /** Finds where to go on; the event that the stages cannot bear is left out, and no other. */
  private async recover(error: unknown, hasDelivered: boolean): Promise<void> {
    this.options.warn('A change stream failed and is opened again', error);
    this.position = this.source?.position ?? this.position;
    await this.source?.close().catch(() => undefined);
    this.source = undefined;
    const failure = this.options.origin.judge(error);
    const isCertain = this.isSingly && !hasDelivered;
    this.isSingly = failure === 'skip' && !isCertain;
    if (this.isSingly && this.position !== undefined) return;
    if (failure === 'skip' && this.position !== undefined) {
      const next = await this.options.origin.skip(this.position).catch(() => undefined);
      this.position = next ?? this.position;
      if (next !== undefined) return;
    }
    if (failure === 'restart') this.position = undefined;
    await new Promise((resolve) => setTimeout(resolve, this.options.retryDelayMs));
  }

  private deliver(event: StreamEvent): void {
    const texts = new Map<ClientOptions['format'], string>();
    for (const { queue, options } of this.clients) {
      const { notifyWhen, wanted, format } = options;
      if (notifyWhen !== undefined && !concerns(event.document, notifyWhen, wanted)) continue;
      const text = texts.get(format) ?? format(event);
      texts.set(format, text);
      queue.push(text);
    }
  }
}
