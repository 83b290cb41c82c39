/**
 * Change streams shared by their clients: one cursor for each key, however many clients listen
 * (streams.md §7, decision 10 of the design).
 */
import type { BsonDocument } from '../../model/bson.ts';
import { EventQueue } from './event-queue.ts';
import { concerns, type NotifyWhen } from './stream-definition.ts';

/** One event, read once and written once. */
export interface StreamEvent {
  /** Resume token as JSON on one line. */
  readonly id: string;
  /** The event document in the clients' JSON mode. */
  readonly text: string;
  /** The event document, for `notify_when`. */
  readonly document: BsonDocument;
}

/** A running cursor over the events of one stream. */
export interface EventSource extends AsyncIterable<StreamEvent> {
  close(): Promise<void>;
}

/** Opens a cursor, after the event with the token `after` if there is one. */
export type OpenEventSource = (after: string | undefined) => Promise<EventSource>;

export interface SubscribeOptions {
  /** Clients with the same key share one cursor. */
  readonly key: string;
  /** Database and collection, for `closeCollection`. */
  readonly databaseName: string;
  readonly collectionName: string;
  readonly open: OpenEventSource;
  /** Token to resume after; such a client has a cursor of its own. */
  readonly after: string | undefined;
  readonly notifyWhen: NotifyWhen | undefined;
  /** The client's value for `notify_when`. */
  readonly wanted: string | undefined;
  /** An event as this client's transport writes it. */
  readonly format: (event: StreamEvent) => string;
}

export interface StreamHubOptions {
  /** A client with more than this waiting is let go. */
  readonly maxWaitingBytes: number;
  readonly retryDelayMs: number;
  readonly warn: (message: string, error: unknown) => void;
}

/** All open streams of this process. */
export class StreamHub {
  private readonly workers = new Map<string, StreamWorker>();
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
  async subscribe(options: SubscribeOptions): Promise<AsyncIterable<string, number | undefined>> {
    const isOwn = options.after !== undefined;
    if (isOwn) this.resumed += 1;
    const key = isOwn ? `${options.key} resumed ${this.resumed}` : options.key;
    let worker = this.workers.get(key);
    if (worker === undefined) {
      worker = new StreamWorker(options, this.options, () => this.workers.delete(key));
      this.workers.set(key, worker);
    }
    return worker.subscribe(options);
  }

  /** Ends the streams of a collection; of the whole database without a collection. */
  closeCollection(databaseName: string, collectionName?: string): void {
    for (const worker of [...this.workers.values()]) {
      if (worker.watches(databaseName, collectionName)) worker.close();
    }
  }

  /** Ends all streams; `code` tells WebSockets why. */
  close(code?: number): void {
    for (const worker of [...this.workers.values()]) worker.close(code);
  }

  /** Open cursors and listening clients. */
  get counts(): { readonly cursors: number; readonly clients: number } {
    let clients = 0;
    for (const worker of this.workers.values()) clients += worker.clientCount;
    return { cursors: this.workers.size, clients };
  }
}

interface Client {
  readonly queue: EventQueue;
  readonly options: SubscribeOptions;
}

class StreamWorker {
  private readonly clients = new Set<Client>();
  private readonly origin: SubscribeOptions;
  private readonly hub: StreamHubOptions;
  private readonly onClose: () => void;
  private source: EventSource | undefined;
  private opening: Promise<void> | undefined;
  private lastId: string | undefined;
  private isClosed = false;

  constructor(origin: SubscribeOptions, hub: StreamHubOptions, onClose: () => void) {
    this.origin = origin;
    this.hub = hub;
    this.onClose = onClose;
    this.lastId = origin.after;
  }

  get clientCount(): number {
    return this.clients.size;
  }

  watches(databaseName: string, collectionName: string | undefined): boolean {
    return (
      this.origin.databaseName === databaseName &&
      (collectionName === undefined || this.origin.collectionName === collectionName)
    );
  }

  async subscribe(options: SubscribeOptions): Promise<AsyncIterable<string, number | undefined>> {
    this.opening ??= this.start();
    const client: Client = {
      options,
      queue: new EventQueue(this.hub.maxWaitingBytes, () => this.leave(client)),
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
    this.onClose();
    void this.source?.close().catch((error) => this.hub.warn('Closing a change stream', error));
    for (const { queue } of [...this.clients]) queue.close(code);
  }

  private leave(client: Client): void {
    this.clients.delete(client);
    if (this.clients.size === 0) this.close();
  }

  private async start(): Promise<void> {
    try {
      this.source = await this.origin.open(this.lastId);
    } catch (error) {
      this.isClosed = true;
      this.onClose();
      throw error;
    }
    void this.run();
  }

  /** Reads until the last client leaves; a failed cursor is opened again after its last event. */
  private async run(): Promise<void> {
    while (!this.isClosed) {
      try {
        this.source ??= await this.origin.open(this.lastId);
        for await (const event of this.source) {
          if (this.isClosed) return;
          this.lastId = event.id;
          this.deliver(event);
        }
        // the cursor ended by itself: the collection is gone
        this.close();
      } catch (error) {
        if (this.isClosed) return;
        this.hub.warn('A change stream failed and is opened again', error);
        await this.source?.close().catch(() => undefined);
        this.source = undefined;
        await new Promise((resolve) => setTimeout(resolve, this.hub.retryDelayMs));
      }
    }
  }

  private deliver(event: StreamEvent): void {
    // all clients of one transport are sent the same text
    const texts = new Map<SubscribeOptions['format'], string>();
    for (const { queue, options } of this.clients) {
      const { notifyWhen, wanted, format } = options;
      if (notifyWhen !== undefined && !concerns(event.document, notifyWhen, wanted)) continue;
      const text = texts.get(format) ?? format(event);
      texts.set(format, text);
      queue.push(text);
    }
  }
}
