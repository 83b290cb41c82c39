import { encodeDocument } from '../bson/codec.ts';
import { DateTime, type Document, toDocument } from '../bson/value.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { insertDocument } from '../catalog/documents.ts';
import type { Logger } from '../lib/logger.ts';
import type { Operation } from '../session/operation.ts';
import type { Store } from '../storage/store.ts';
import { toInsertable } from './insertable-document.ts';

/** What of a database's commands is written down: 0 nothing, 1 slow ones, 2 all. */
export interface ProfilerSettings {
  readonly level: number;
  readonly slowMs: number;
  /** The share of commands that is looked at, 0 to 1. */
  readonly sampleRate: number;
}

const OFF: ProfilerSettings = { level: 0, slowMs: 100, sampleRate: 1 };
const COLLECTION = 'system.profile';
const COLLECTION_BYTES = 1024 * 1024;

const KINDS: Readonly<Record<string, string>> = {
  find: 'query',
  getMore: 'getmore',
  insert: 'insert',
  update: 'update',
  delete: 'remove',
};

/** Writes commands down in `system.profile` of their database (manual, "Database Profiler"). */
export class Profiler {
  readonly #parts: { readonly store: Store; readonly catalog: Catalog; readonly logger: Logger };
  readonly #databases = new Map<string, ProfilerSettings>();
  #writes: Promise<unknown> = Promise.resolve();

  constructor(parts: {
    readonly store: Store;
    readonly catalog: Catalog;
    readonly logger: Logger;
  }) {
    this.#parts = parts;
  }

  settingsOf(database: string): ProfilerSettings {
    return this.#databases.get(database) ?? OFF;
  }

  /** Changes settings for the time the engine runs. */
  set(database: string, settings: ProfilerSettings): void {
    if (settings.level === 0) this.#databases.delete(database);
    else this.#databases.set(database, settings);
  }

  /** Resolves when what has been noticed so far can be read. */
  async settled(): Promise<void> {
    await this.#writes;
  }

  /** Looks at a command that has ended. */
  notice(operation: Operation, database: string): void {
    if (this.#databases.size === 0) return;
    const { level, slowMs, sampleRate } = this.settingsOf(database);
    const millis = Date.now() - operation.startedAtMs;
    if (level === 0 || (level === 1 && millis < slowMs)) return;
    if (operation.namespace === `${database}.${COLLECTION}`) return;
    if (sampleRate < 1 && Math.random() >= sampleRate) return;
    const entry = describe(operation, millis);
    this.#writes = this.#writes
      .then(() => this.#write(database, entry))
      .catch((error: unknown) => this.#parts.logger.warn({ err: error }, 'profiling failed'));
  }

  #write(database: string, entry: Document): Promise<unknown> {
    const { store, catalog } = this.#parts;
    const { bytes } = toInsertable(encodeDocument(entry), () => 1n);
    return store.write(
      (batch) => {
        const collection =
          catalog.find(batch, database, COLLECTION) ??
          catalog.create(
            batch,
            database,
            COLLECTION,
            toDocument({ capped: true, size: COLLECTION_BYTES }),
          );
        insertDocument(batch, collection, bytes);
      },
      { durable: false },
    );
  }
}

const INTERNAL_FIELDS = ['lsid', '$clusterTime', '$db'] as const;

function describe(operation: Operation, millis: number): Document {
  const command: Document = new Map(operation.command);
  for (const field of INTERNAL_FIELDS) command.delete(field);
  return toDocument({
    op: KINDS[operation.commandName] ?? 'command',
    ns: operation.namespace,
    command,
    millis,
    ts: new DateTime(Date.now()),
    appName: operation.appName,
    protocol: 'op_msg',
    user: '',
  });
}
