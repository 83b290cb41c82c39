/** The named things of one test: clients, databases, collections, sessions, buckets, threads, results. */
import {
  type AbstractCursor,
  type ChangeStream,
  type ClientSession,
  type Collection,
  type Db,
  GridFSBucket,
} from 'mongodb';
import type { EntityLookup } from './match.ts';
import { RecordedClient } from './recorded-client.ts';
import type { Fields } from './spec-file.ts';

/** Runs what is handed to it one after another, beside the test. */
export class Thread {
  #work: Promise<void> = Promise.resolve();
  #error: unknown;

  run(job: () => Promise<void>): void {
    this.#work = this.#work.then(job).catch((error: unknown) => {
      this.#error ??= error;
    });
  }

  async finish(): Promise<void> {
    await this.#work;
    if (this.#error !== undefined) throw this.#error;
  }
}

export class Entities implements EntityLookup {
  readonly #uri: string;
  readonly #byId = new Map<string, unknown>();
  readonly #sessionIds = new Map<string, unknown>();

  constructor(uri: string) {
    this.#uri = uri;
  }

  get(id: string): unknown {
    if (!this.#byId.has(id)) throw new Error(`no entity ${id}`);
    return this.#byId.get(id);
  }

  set(id: string, value: unknown): void {
    this.#byId.set(id, value);
  }

  lsidOf(id: string): unknown {
    return this.#sessionIds.get(id);
  }

  client(id: unknown): RecordedClient {
    return this.get(String(id)) as RecordedClient;
  }

  database(id: unknown): Db {
    return this.get(String(id)) as Db;
  }

  collection(id: unknown): Collection<Fields> {
    return this.get(String(id)) as Collection<Fields>;
  }

  session(id: unknown): ClientSession {
    return this.get(String(id)) as ClientSession;
  }

  bucket(id: unknown): GridFSBucket {
    return this.get(String(id)) as GridFSBucket;
  }

  cursor(id: unknown): AbstractCursor | ChangeStream {
    return this.get(String(id)) as AbstractCursor | ChangeStream;
  }

  thread(id: unknown): Thread {
    return this.get(String(id)) as Thread;
  }

  /** All clients, by their ids. */
  clients(): Map<string, RecordedClient> {
    const clients = new Map<string, RecordedClient>();
    for (const [id, value] of this.#byId) {
      if (value instanceof RecordedClient) clients.set(id, value);
    }
    return clients;
  }

  async create(descriptions: readonly Record<string, Fields>[]): Promise<void> {
    for (const description of descriptions) {
      for (const [kind, fields] of Object.entries(description)) {
        this.set(String(fields['id']), await this.#make(kind, fields));
      }
    }
  }

  async close(): Promise<void> {
    for (const value of this.#byId.values()) {
      if (isClosable(value)) await value.close().catch(() => {});
    }
    for (const session of this.#sessions()) await session.endSession().catch(() => {});
    for (const { client } of this.clients().values()) await client.close().catch(() => {});
  }

  #sessions(): ClientSession[] {
    return [...this.#sessionIds.keys()].map((id) => this.session(id));
  }

  async #make(kind: string, fields: Fields): Promise<unknown> {
    switch (kind) {
      case 'client': {
        const recorded = new RecordedClient(uriWith(this.#uri, fields['uriOptions']), fields);
        await recorded.client.connect();
        await awaitPool(recorded, fields);
        return recorded;
      }
      case 'database':
        return this.client(fields['client']).client.db(
          String(fields['databaseName']),
          (fields['databaseOptions'] as Fields) ?? {},
        );
      case 'collection':
        return this.database(fields['database']).collection(
          String(fields['collectionName']),
          (fields['collectionOptions'] as Fields) ?? {},
        );
      case 'session': {
        const session = this.client(fields['client']).client.startSession(
          this.#resolve((fields['sessionOptions'] as Fields) ?? {}),
        );
        this.#sessionIds.set(String(fields['id']), session.id);
        return session;
      }
      case 'bucket':
        return new GridFSBucket(
          this.database(fields['database']),
          (fields['bucketOptions'] as Fields) ?? {},
        );
      case 'thread':
        return new Thread();
      default:
        throw new Error(`the driver under test has no ${kind}`);
    }
  }

  #resolve(options: Fields): Fields {
    const snapshotTime = options['snapshotTime'];
    return typeof snapshotTime === 'string'
      ? { ...options, snapshotTime: this.get(snapshotTime) }
      : options;
  }
}

const isClosable = (value: unknown): value is { close(): Promise<void> } =>
  typeof value === 'object' && value !== null && 'close' in value && 'tryNext' in value;

function uriWith(uri: string, options: unknown): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries((options as Fields | undefined) ?? {})) {
    url.searchParams.set(name, String(value));
  }
  // one member that is asked directly is asked as a server of its own
  if (url.searchParams.get('directConnection') === 'true') url.searchParams.delete('replicaSet');
  return url.toString();
}

/** Waits until the pool has the connections that `minPoolSize` asks for. */
async function awaitPool(recorded: RecordedClient, fields: Fields): Promise<void> {
  const waitMs = fields['awaitMinPoolSizeMS'];
  const options = fields['uriOptions'] as Fields | undefined;
  const wanted = Number(options?.['minPoolSize'] ?? 0);
  if (typeof waitMs !== 'number' || wanted === 0) return;
  const deadline = Date.now() + waitMs;
  const pools = (): { totalConnectionCount: number; pendingConnectionCount: number }[] => {
    const topology = (recorded.client as unknown as DriverInternals).topology;
    return [...(topology?.s.servers.values() ?? [])].map((server) => server.pool);
  };
  const isFilled = (): boolean =>
    pools().every((pool) => pool.totalConnectionCount - pool.pendingConnectionCount >= wanted);
  while (!isFilled() && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  recorded.events.length = 0;
}

/** What the test format asks for and the driver does not show publicly. */
export interface DriverInternals {
  readonly topology?: {
    readonly s: {
      readonly servers: Map<
        string,
        {
          readonly pool: {
            readonly totalConnectionCount: number;
            readonly pendingConnectionCount: number;
            readonly currentCheckedOutCount: number;
          };
        }
      >;
    };
    readonly description: { readonly type: string };
  };
}
